#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

namespace segue {

/// Counter-based generator: the i-th number of stream (seed, stream) is a pure
/// function, so work can be split over threads in any way and give the same
/// bytes. SplitMix64 (Steele, Lea, Flood 2014) over a mixed key.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0)
      : state_(Mix(seed ^ Mix(stream + 0x9e3779b97f4a7c15ULL))) {}

  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15ULL); }
  /// Uniform in [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  /// Uniform in [0, n), 0 < n < 2^32 (bias below 2^-32).
  uint64_t Below(uint64_t n) { return ((Next() >> 32) * n) >> 32; }
  /// Standard normal (Box-Muller, one of the pair).
  double Normal() {
    const double u = 1.0 - Uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * Uniform());
  }

  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

/// Every order alike (Fisher and Yates; Durstenfeld, CACM 1964).
template <typename T>
void Shuffle(std::span<T> values, Random& random) {
  for (size_t k = values.size(); k > 1; --k) std::swap(values[k - 1], values[random.Below(k)]);
}

}  // namespace segue
