#include "models/ials.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <tbb/parallel_for.h>

#include "core/check.h"
#include "math/kernels/kernels.h"
#include "models/popularity.h"

namespace segue::models {
namespace {

constexpr size_t kGramBlock = 4096;  ///< rows; part of the result's bytes
constexpr size_t kScanBlock = 256;   ///< rows scanned between looks at the bound

/// More is no model of ours; and below, sizes in bytes do not overflow.
constexpr uint64_t kMostTracks = std::numeric_limits<uint32_t>::max();
constexpr uint32_t kMostFactors = 1 << 16;

/// The numbers of an artifact, as written.
struct Header {
  uint64_t tracks;
  uint32_t factors;
  float alpha;
  float regularization;
  float frequency_exponent;
  float mean_listener_count;
};

bool Better(const ScoredTrack& a, const ScoredTrack& b) {
  return a.score != b.score ? a.score > b.score : a.track < b.track;
}

}  // namespace

float IalsWeights::Confidence(float strength) const { return 1 + alpha * std::log1p(strength); }

float IalsWeights::Penalty(float count, float mean_count) const {
  if (frequency_exponent == 0 || mean_count <= 0) return regularization;
  return regularization * std::pow(std::max(count, 1.0f) / mean_count, frequency_exponent);
}

std::vector<float> Gram(std::span<const float> y, size_t n, size_t stride) {
  const size_t blocks = (n + kGramBlock - 1) / kGramBlock;
  std::vector<std::vector<float>> partial(blocks);
  const math::Kernels& kernels = math::BestKernels();
  tbb::parallel_for(size_t{0}, blocks, [&](size_t b) {
    partial[b].assign(stride * stride, 0.0f);
    const size_t first = b * kGramBlock;
    kernels.add_outer(partial[b].data(), stride, y.data() + first * stride, nullptr, nullptr,
                      std::min(kGramBlock, n - first));
  });
  std::vector<float> gram(stride * stride, 0.0f);
  for (const auto& part : partial) {
    for (size_t i = 0; i < gram.size(); ++i) gram[i] += part[i];
  }
  return gram;
}

std::unique_ptr<Model> IalsModel::Make(Parts parts) {
  auto model = std::make_unique<IalsModel>();
  model->own_ = std::move(parts);
  model->weights_ = model->own_.weights;
  model->factors_ = model->own_.factors;
  model->stride_ = math::PaddedTo(model->factors_);
  model->y_ = model->own_.y;
  model->popularity_ = model->own_.popularity;
  SEGUE_CHECK(model->y_.size() == model->popularity_.size() * model->stride_);
  SEGUE_CHECK(model->own_.track_ids.size() == model->popularity_.size());
  model->Prepare();
  return model;
}

Result<std::unique_ptr<Model>> IalsModel::Open(std::shared_ptr<const ModelFile> file) {
  auto model = std::make_unique<IalsModel>();
  SEGUE_TRY(const auto header, file->Array<Header>("ials", 1));
  const Header& h = header[0];
  if (h.tracks > kMostTracks || h.factors == 0 || h.factors > kMostFactors) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: it says " +
                                          std::to_string(h.tracks) + " tracks and " + std::to_string(h.factors) +
                                          " factors"};
  }
  model->factors_ = h.factors;
  model->stride_ = math::PaddedTo(h.factors);
  model->weights_ = {h.alpha, h.regularization, h.frequency_exponent, h.mean_listener_count};
  SEGUE_TRY(model->y_, file->Array<float>("factors", h.tracks * model->stride_));
  SEGUE_TRY(model->popularity_, file->Array<float>("popularity", h.tracks));
  SEGUE_TRY(model->mapped_ids_, TrackIds::Open(*file, h.tracks));
  model->file_ = std::move(file);
  model->Prepare();
  return std::unique_ptr<Model>(std::move(model));
}

void IalsModel::Prepare() {
  const size_t n = popularity_.size();
  gram_ = Gram(y_, n, stride_);
  by_popularity_ = RankedByScore(popularity_);
  norms_.resize(n);
  for (size_t i = 0; i < n; ++i) {
    float sum = 0;
    math::BestKernels().dots(y_.data() + i * stride_, 1, stride_, y_.data() + i * stride_, &sum);
    norms_[i] = std::sqrt(sum);
    if (popularity_[i] != kNever) by_norm_.push_back(static_cast<uint32_t>(i));
  }
  std::stable_sort(by_norm_.begin(), by_norm_.end(), [&](uint32_t a, uint32_t b) { return norms_[a] > norms_[b]; });
  sorted_y_.resize(by_norm_.size() * stride_);
  for (size_t i = 0; i < by_norm_.size(); ++i) {
    std::copy_n(y_.data() + by_norm_[i] * stride_, stride_, sorted_y_.data() + i * stride_);
  }
}

std::string_view IalsModel::TrackId(TrackIx track) const {
  return file_ == nullptr ? std::string_view(own_.track_ids[Raw(track)]) : mapped_ids_[Raw(track)];
}

/// state: x_u [stride], then U of the half-step's Cholesky factor [stride x stride].
Profile IalsModel::FoldIn(std::span<const Preference> history) const {
  Profile profile{{}, {history.begin(), history.end()}};
  std::vector<uint32_t> rows;
  std::vector<float> extra;   // c - 1
  std::vector<float> target;  // c where liked
  bool wanted = false;
  for (const Preference& item : history) {
    if (item.strength == 0 || popularity_[Raw(item.track)] == kNever) continue;
    const bool liked = item.strength > 0;
    const float c = weights_.Confidence(liked ? item.strength : kDislikeStrength);
    rows.push_back(Raw(item.track));
    extra.push_back(c - 1);
    target.push_back(liked ? c : 0);
    wanted |= liked;
  }
  if (!wanted) return profile;
  const math::Kernels& kernels = math::BestKernels();
  profile.state.assign(stride_ + stride_ * stride_, 0.0f);
  float* x = profile.state.data();
  float* a = x + stride_;
  std::copy(gram_.begin(), gram_.end(), a);
  const float penalty = weights_.Penalty(static_cast<float>(rows.size()), weights_.mean_listener_count);
  for (size_t j = 0; j < factors_; ++j) a[j * stride_ + j] += penalty;
  kernels.add_outer(a, stride_, y_.data(), rows.data(), extra.data(), rows.size());
  kernels.add_rows(x, stride_, y_.data(), rows.data(), target.data(), rows.size());
  if (!kernels.cholesky(a, stride_, factors_)) {
    profile.state.clear();
    return profile;
  }
  kernels.solve(a, stride_, factors_, x);
  return profile;
}

void IalsModel::Score(const Profile& profile, std::span<float> scores) const {
  if (IsNewcomer(profile)) {
    std::copy(popularity_.begin(), popularity_.end(), scores.begin());
    return;
  }
  math::BestKernels().dots(y_.data(), scores.size(), stride_, profile.state.data(), scores.data());
  for (size_t i = 0; i < scores.size(); ++i) {
    if (popularity_[i] == kNever) scores[i] = kNever;
  }
}

std::vector<ScoredTrack> IalsModel::Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const {
  if (n == 0) return {};
  if (IsNewcomer(profile)) return TopOfRanked(by_popularity_, popularity_, n, exclude);
  // Exact: by Cauchy-Schwarz no later row can score above |x| times its norm,
  // and norms fall.
  const float* x = profile.state.data();
  float square = 0;
  math::BestKernels().dots(x, 1, stride_, x, &square);
  // A hair more than the true norm, for the rounding of dot products.
  const float length = std::sqrt(square) * (1 + 1e-4f);
  std::vector<ScoredTrack> heap;  // the worst of the best on top
  float scores[kScanBlock];
  for (size_t first = 0; first < by_norm_.size(); first += kScanBlock) {
    if (heap.size() == n && length * norms_[by_norm_[first]] < heap.front().score) break;
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

Explanation IalsModel::Explain(const Profile& profile, TrackIx track) const {
  if (IsNewcomer(profile)) return {{}, "popular with other listeners"};
  const math::Kernels& kernels = math::BestKernels();
  std::vector<float> z(Row(track), Row(track) + stride_);
  kernels.solve(profile.state.data() + stride_, stride_, factors_, z.data());
  Explanation result;
  for (const Preference& item : profile.history) {
    if (item.strength <= 0 || popularity_[Raw(item.track)] == kNever) continue;
    float share = 0;
    kernels.dots(Row(item.track), 1, stride_, z.data(), &share);
    share *= weights_.Confidence(item.strength);
    if (share > 0) result.because.push_back({item.track, share});
  }
  const size_t kept = std::min<size_t>(3, result.because.size());
  std::partial_sort(result.because.begin(), result.because.begin() + static_cast<std::ptrdiff_t>(kept),
                    result.because.end(), Better);
  result.because.resize(kept);
  if (result.because.empty()) result.general = "listeners with tastes like yours play it";
  return result;
}

std::vector<ScoredTrack> IalsModel::Similar(TrackIx track, size_t n) const {
  const float norm = norms_[Raw(track)];
  if (norm == 0) return {};
  std::vector<float> scores(track_count());
  math::BestKernels().dots(y_.data(), scores.size(), stride_, Row(track), scores.data());
  for (size_t i = 0; i < scores.size(); ++i) {
    scores[i] = popularity_[i] == kNever || norms_[i] == 0 ? kNever : scores[i] / (norm * norms_[i]);
  }
  scores[Raw(track)] = kNever;
  return SelectTop(scores, n, {});
}

Status IalsModel::Save(const std::filesystem::path& file) const {
  const Header header{popularity_.size(),
                      factors_,
                      weights_.alpha,
                      weights_.regularization,
                      weights_.frequency_exponent,
                      weights_.mean_listener_count};
  std::string bytes(sizeof header, '\0');  // field by field: the tail of the struct is padding
  static_assert(sizeof(Header) == 8 + 5 * 4 + 4);
  std::memcpy(bytes.data(), &header.tracks, 8);
  std::memcpy(bytes.data() + 8, &header.factors, 4);
  const float numbers[] = {header.alpha, header.regularization, header.frequency_exponent, header.mean_listener_count};
  std::memcpy(bytes.data() + 12, numbers, sizeof numbers);
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  writer.Add("ials", bytes);
  std::vector<std::string> ids;
  for (uint32_t i = 0; i < track_count(); ++i) ids.emplace_back(TrackId(TrackIx{i}));
  TrackIds::Add(writer, ids);
  writer.AddArray<float>("factors", y_);
  writer.AddArray<float>("popularity", popularity_);
  return writer.Write(file);
}

}  // namespace segue::models
