#include "models/factor_index.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "math/kernels/kernels.h"

namespace segue::models {
namespace {

constexpr size_t kScanBlock = 256;  ///< rows scanned between looks at the bound

float Norm(const float* row, size_t stride) {
  float square = 0;
  math::BestKernels().dots(row, 1, stride, row, &square);
  return std::sqrt(square);
}

}  // namespace

FactorIndex::FactorIndex(const Catalogue& catalogue, std::span<const float> factors, size_t stride, size_t alike)
    : popularity_(catalogue.popularity()), y_(factors), stride_(stride), alike_(alike) {
  const size_t n = popularity_.size();
  SEGUE_CHECK(y_.size() == n * stride_ && alike_ <= stride_);
  std::vector<float> whole(n);
  norms_.resize(n);
  std::vector<float> row(stride_, 0.0f);
  for (size_t i = 0; i < n; ++i) {
    const float* y = y_.data() + i * stride_;
    std::copy_n(y, alike_, row.begin());
    norms_[i] = Norm(row.data(), stride_);
    whole[i] = Norm(y, stride_);
    if (catalogue.Played(TrackIx{static_cast<uint32_t>(i)})) by_norm_.push_back(static_cast<uint32_t>(i));
  }
  std::stable_sort(by_norm_.begin(), by_norm_.end(), [&](uint32_t a, uint32_t b) { return whole[a] > whole[b]; });
  sorted_y_.resize(by_norm_.size() * stride_);
  for (size_t i = 0; i < by_norm_.size(); ++i) {
    std::copy_n(y_.data() + by_norm_[i] * stride_, stride_, sorted_y_.data() + i * stride_);
    sorted_norms_.push_back(whole[by_norm_[i]]);
  }
}

void FactorIndex::Score(const float* x, std::span<float> scores) const {
  math::BestKernels().dots(y_.data(), scores.size(), stride_, x, scores.data());
  for (size_t i = 0; i < scores.size(); ++i) {
    if (popularity_[i] == kNever) scores[i] = kNever;
  }
}

std::vector<ScoredTrack> FactorIndex::Top(const float* x, size_t n, std::span<const uint8_t> exclude) const {
  if (n == 0) return {};
  // A hair more than the true norm, for the rounding of dot products.
  const float length = Norm(x, stride_) * (1 + 1e-4f);
  std::vector<ScoredTrack> heap;  // the worst of the best on top
  float scores[kScanBlock];
  for (size_t first = 0; first < by_norm_.size(); first += kScanBlock) {
    if (heap.size() == n && length * sorted_norms_[first] < heap.front().score) break;
    const size_t count = std::min(kScanBlock, by_norm_.size() - first);
    math::BestKernels().dots(sorted_y_.data() + first * stride_, count, stride_, x, scores);
    for (size_t i = 0; i < count; ++i) {
      const ScoredTrack track{TrackIx{by_norm_[first + i]}, scores[i]};
      if (!exclude.empty() && exclude[Raw(track.track)] != 0) continue;
      if (heap.size() == n) {
        if (!Better(track, heap.front())) continue;
        std::pop_heap(heap.begin(), heap.end(), Better);
        heap.pop_back();
      }
      heap.push_back(track);
      std::push_heap(heap.begin(), heap.end(), Better);
    }
  }
  std::sort(heap.begin(), heap.end(), Better);
  return heap;
}

std::vector<ScoredTrack> FactorIndex::Similar(TrackIx track, size_t n) const {
  const float norm = norms_[Raw(track)];
  if (norm == 0) return {};
  std::vector<float> row(stride_, 0.0f);
  std::copy_n(y_.data() + Raw(track) * stride_, alike_, row.begin());
  std::vector<float> scores(norms_.size());
  math::BestKernels().dots(y_.data(), scores.size(), stride_, row.data(), scores.data());
  for (size_t i = 0; i < scores.size(); ++i) {
    scores[i] = popularity_[i] == kNever || norms_[i] == 0 ? kNever : scores[i] / (norm * norms_[i]);
  }
  scores[Raw(track)] = kNever;
  return SelectTop(scores, n, {});
}

std::optional<float> FactorIndex::Likeness(TrackIx a, TrackIx b) const {
  const float norms = norms_[Raw(a)] * norms_[Raw(b)];
  if (norms == 0) return std::nullopt;
  const float* y = y_.data() + Raw(a) * stride_;
  const float* z = y_.data() + Raw(b) * stride_;
  float dot = 0;
  for (size_t j = 0; j < alike_; ++j) dot += y[j] * z[j];
  return dot / norms;
}

}  // namespace segue::models
