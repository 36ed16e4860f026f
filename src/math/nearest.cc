#include "math/nearest.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/check.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

constexpr size_t kQueries = 32;   ///< that read each tile of y together
constexpr size_t kTile = 256;     ///< rows of y whose products stay in the first cache
constexpr size_t kSpare = 8;      ///< candidates beyond k that are measured exactly

bool Nearer(const NearRow& a, const NearRow& b) { return a.square != b.square ? a.square < b.square : a.row < b.row; }

/// The nearest seen so far of one query, unordered, and a bound that a newcomer
/// has to beat.
class Candidates {
 public:
  explicit Candidates(size_t wanted) : wanted_(wanted) { near_.reserve(3 * wanted + 64); }
  float bound() const { return bound_; }
  void Add(uint32_t row, float square) {
    near_.push_back({row, square});
    if (near_.size() == near_.capacity()) Shrink();
  }
  std::vector<NearRow>& Shrink() {
    if (near_.size() > wanted_) {
      std::nth_element(near_.begin(), near_.begin() + static_cast<std::ptrdiff_t>(wanted_) - 1, near_.end(), Nearer);
      near_.resize(wanted_);
      bound_ = near_.back().square;
    }
    return near_;
  }

 private:
  size_t wanted_;
  float bound_ = std::numeric_limits<float>::infinity();
  std::vector<NearRow> near_;
};

float Square(const float* a, const float* b, size_t stride) {
  float lanes[kLane] = {};
  for (size_t k = 0; k < stride; k += kLane) {
    for (size_t l = 0; l < kLane; ++l) lanes[l] += (a[k + l] - b[k + l]) * (a[k + l] - b[k + l]);
  }
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

}  // namespace

void NearestRows(const float* y, size_t n, const float* x, size_t m, size_t stride, size_t k, std::span<NearRow> out) {
  SEGUE_CHECK(k > 0 && k <= n && out.size() >= m * k && stride % kLane == 0);
  const Kernels& kernels = BestKernels();
  std::vector<float> squares(n);
  const std::vector<float> zeros(stride, 0.0f);
  for (size_t i = 0; i < n; ++i) squares[i] = Square(y + i * stride, zeros.data(), stride);
  ParallelRanges(m, kQueries, [&](size_t first, size_t last) {
    const size_t queries = last - first;
    std::vector<float> turned(stride * kQueries, 0.0f);
    for (size_t q = 0; q < queries; ++q) {
      for (size_t c = 0; c < stride; ++c) turned[c * kQueries + q] = x[(first + q) * stride + c];
    }
    std::vector<Candidates> near(queries, Candidates(std::min(n, k + kSpare)));
    std::vector<float> bounds(kQueries, -std::numeric_limits<float>::infinity());
    std::fill_n(bounds.begin(), queries, std::numeric_limits<float>::infinity());
    std::vector<float> dots(kTile * kQueries);
    for (size_t tile = 0; tile < n; tile += kTile) {
      const size_t rows = std::min(kTile, n - tile);
      kernels.products(y + tile * stride, rows, stride, turned.data(), kQueries, dots.data());
      for (size_t i = 0; i < rows; ++i) {
        // |x|² is the same for all of a query's candidates and left out here.
        const float own = squares[tile + i];
        for (size_t q = 0; q < queries; ++q) {
          const float square = own - 2 * dots[i * kQueries + q];
          if (square > bounds[q]) continue;
          near[q].Add(static_cast<uint32_t>(tile + i), square);
          bounds[q] = near[q].bound();
        }
      }
    }
    for (size_t q = 0; q < queries; ++q) {
      std::vector<NearRow>& best = near[q].Shrink();
      for (NearRow& row : best) row.square = Square(y + row.row * stride, x + (first + q) * stride, stride);
      std::sort(best.begin(), best.end(), Nearer);
      std::copy_n(best.begin(), k, out.begin() + static_cast<std::ptrdiff_t>((first + q) * k));
    }
  });
}

}  // namespace segue::math
