#include "machine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

#include <sys/resource.h>

namespace segue::bench {
namespace {

double SecondsOf(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

#if defined(__x86_64__)
// In assembly, because a compiler keeps so many chains in memory or folds them.
#define SEGUE_FMA(set, n) "vfmadd231ps %%" set "14, %%" set "15, %%" set #n "\n"
#define SEGUE_CHAINS(set)                                                                                         \
  SEGUE_FMA(set, 0) SEGUE_FMA(set, 1) SEGUE_FMA(set, 2) SEGUE_FMA(set, 3) SEGUE_FMA(set, 4) SEGUE_FMA(set, 5)     \
  SEGUE_FMA(set, 6) SEGUE_FMA(set, 7) SEGUE_FMA(set, 8) SEGUE_FMA(set, 9) SEGUE_FMA(set, 10) SEGUE_FMA(set, 11)
#define SEGUE_CLOBBERED                                                                                       \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm14", "xmm15"

constexpr double kChains = 12;

void Avx2(size_t n) {
  asm volatile("vxorps %%ymm14, %%ymm14, %%ymm14\nvxorps %%ymm15, %%ymm15, %%ymm15\n" ::: "xmm14", "xmm15");
  for (size_t k = 0; k < n; ++k) asm volatile(SEGUE_CHAINS("ymm")::: SEGUE_CLOBBERED);
}
void Avx512(size_t n) {
  asm volatile("vpxord %%zmm14, %%zmm14, %%zmm14\nvpxord %%zmm15, %%zmm15, %%zmm15\n" ::: "xmm14", "xmm15");
  for (size_t k = 0; k < n; ++k) asm volatile(SEGUE_CHAINS("zmm")::: SEGUE_CLOBBERED);
}

double Rate(void (*run)(size_t), double lanes) {
  constexpr size_t kTimes = 4'000'000;
  double best = 0;
  for (int attempt = 0; attempt < 7; ++attempt) {
    const double start = ThreadSeconds();
    run(kTimes);
    best = std::max(best, 2 * kChains * lanes * kTimes / (ThreadSeconds() - start));
  }
  return best;
}
#endif

/// Sums a part, wide enough that memory is what it waits for.
uint64_t Read(const std::vector<uint64_t>& words, size_t first, size_t last) {
  using Wide = uint64_t __attribute__((vector_size(64), aligned(8), may_alias));
  Wide sums[4] = {};
  for (size_t i = first; i + 32 <= last; i += 32) {
    for (size_t k = 0; k < 4; ++k) sums[k] += *reinterpret_cast<const Wide*>(words.data() + i + 8 * k);
  }
  uint64_t sum = 0;
  for (const Wide& part : sums) sum += part[0] + part[7];
  return sum;
}

}  // namespace

double PeakFlops(std::string_view set) {
#if defined(__x86_64__)
  if (set == "avx2" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Rate(Avx2, 8);
  if (set == "avx512" && __builtin_cpu_supports("avx512f")) return Rate(Avx512, 16);
#endif
  return 0;
}

double ReadBandwidth(size_t threads) {
  constexpr size_t kBytes = size_t{512} << 20;
  const std::vector<uint64_t> words(kBytes / 8, 1);
  std::atomic<uint64_t> sink{0};
  double best = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const double start = WallSeconds();
    {
      std::vector<std::jthread> readers;
      for (size_t t = 0; t < threads; ++t) {
        readers.emplace_back([&, t] { sink += Read(words, words.size() * t / threads, words.size() * (t + 1) / threads); });
      }
    }
    best = std::max(best, static_cast<double>(kBytes) / (WallSeconds() - start));
  }
  return best;
}

double ReadBandwidth() { return ReadBandwidth(1); }

double ThreadSeconds() { return SecondsOf(CLOCK_THREAD_CPUTIME_ID); }
double ProcessSeconds() { return SecondsOf(CLOCK_PROCESS_CPUTIME_ID); }
double WallSeconds() { return SecondsOf(CLOCK_MONOTONIC); }

double PeakMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

}  // namespace segue::bench
