#include "math/kernels/kernels.h"

#include <vector>

namespace segue::math {

namespace baseline {
extern const Kernels kKernels;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Kernels kKernels;
}
namespace avx512 {
extern const Kernels kKernels;
}
#endif

namespace {

std::vector<const Kernels*> FindUsable() {
  std::vector<const Kernels*> usable = {&baseline::kKernels};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) usable.push_back(&avx2::kKernels);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    usable.push_back(&avx512::kKernels);
  }
#endif
  return usable;
}

}  // namespace

std::span<const Kernels* const> UsableKernels() {
  static const std::vector<const Kernels*> usable = FindUsable();  // what the processor is does not change
  return usable;
}

const Kernels& BestKernels() { return *UsableKernels().back(); }

}  // namespace segue::math
