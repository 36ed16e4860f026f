#include "math/kernels/kernels.h"

#include <cstring>

#define SEGUE_WIDTH 4
#define SEGUE_KERNEL_SET "baseline"

namespace segue::math::baseline {
extern const Kernels kKernels;
#include "math/kernels/vector_kernels.inc"
}  // namespace segue::math::baseline
