#include "math/kernels/kernels.h"

#include <cstring>

#if defined(__x86_64__)

#define SEGUE_WIDTH 8
#define SEGUE_KERNEL_SET "avx2"

namespace segue::math::avx2 {
extern const Kernels kKernels;
#include "math/kernels/vector_kernels.inc"
}  // namespace segue::math::avx2

#endif
