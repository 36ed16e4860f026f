#include "models/ials.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"
#include "models/popularity.h"

namespace segue::models {
namespace {

constexpr size_t kGramBlock = 4096;  ///< rows; part of the result's bytes

/// More is no model of ours; below, sizes in bytes do not overflow.
constexpr uint32_t kMostFactors = 1 << 16;

/// The numbers of an artifact, as written.
struct Header {
  uint64_t tracks;
  uint32_t factors;
  float alpha;
  float regularization;
  float frequency_exponent;
  float mean_listener_count;
  uint32_t liked;
};
static_assert(sizeof(Header) == 32, "no padding: the bytes are the same everywhere");

/// Only in artifacts where one of them is not as usual.
struct ConfidenceHeader {
  uint32_t linear;
  float half_life_days;
};
static_assert(sizeof(ConfidenceHeader) == 8);

}  // namespace

float IalsWeights::Confidence(float strength, int64_t age) const {
  float f = linear ? strength : std::log1p(strength);
  if (half_life_days > 0 && age > 0) f *= std::exp2(-static_cast<float>(age) / (86400 * half_life_days));
  return 1 + alpha * f;
}

void IalsWeights::Confidences(std::span<const Preference> items, std::vector<float>& confidence) const {
  int64_t newest = 0;
  for (const Preference& item : items) newest = std::max(newest, item.last_at);
  confidence.clear();
  for (const Preference& item : items) {
    const bool aged = item.strength > 0 && item.last_at > 0;
    confidence.push_back(Confidence(item.strength > 0 ? item.strength : kDislikeStrength, aged ? newest - item.last_at : 0));
  }
}

float IalsWeights::Penalty(float count, float mean_count) const {
  if (frequency_exponent == 0 || mean_count <= 0) return regularization;
  return regularization * std::pow(std::max(count, 1.0f) / mean_count, frequency_exponent);
}

std::vector<float> Gram(std::span<const float> y, size_t n, size_t stride) {
  const size_t blocks = (n + kGramBlock - 1) / kGramBlock;
  std::vector<std::vector<float>> partial(blocks);
  const math::Kernels& kernels = math::BestKernels();
  math::ParallelFor(blocks, [&](size_t b) {
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
  auto model = std::unique_ptr<IalsModel>(new IalsModel(std::move(parts.catalogue)));
  model->own_y_ = std::move(parts.y);
  model->weights_ = parts.weights;
  model->factors_ = parts.factors;
  model->stride_ = math::PaddedTo(model->factors_);
  model->y_ = model->own_y_;
  SEGUE_CHECK(model->y_.size() == model->track_count() * model->stride_);
  model->Prepare();
  return model;
}

Result<std::unique_ptr<Model>> IalsModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  auto model = std::unique_ptr<IalsModel>(new IalsModel(std::move(catalogue)));
  SEGUE_TRY(const auto header, file->Array<Header>("ials", 1));
  const Header& h = header[0];
  if (h.tracks != model->track_count() || h.factors == 0 || h.factors > kMostFactors || h.liked > 1) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: it says " +
                                          std::to_string(h.tracks) + " tracks and " + std::to_string(h.factors) +
                                          " factors"};
  }
  model->factors_ = h.factors;
  model->stride_ = math::PaddedTo(h.factors);
  model->weights_ = {h.alpha, h.regularization, h.frequency_exponent, h.mean_listener_count, static_cast<Liked>(h.liked)};
  if (file->Section("ials_confidence").ok()) {
    SEGUE_TRY(const auto rule, file->Array<ConfidenceHeader>("ials_confidence", 1));
    if (rule[0].linear > 1 || !std::isfinite(rule[0].half_life_days) || rule[0].half_life_days < 0) {
      return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its confidence has no meaning"};
    }
    model->weights_.linear = rule[0].linear == 1;
    model->weights_.half_life_days = rule[0].half_life_days;
  }
  SEGUE_TRY(model->y_, file->Array<float>("factors", h.tracks * model->stride_));
  model->file_ = std::move(file);
  model->Prepare();
  return std::unique_ptr<Model>(std::move(model));
}

void IalsModel::Prepare() {
  gram_ = Gram(y_, track_count(), stride_);
  index_ = FactorIndex(catalogue_, y_, stride_, stride_);
}

/// state: x_u [stride], then U of the half-step's Cholesky factor [stride x stride].
Profile IalsModel::FoldIn(const History& history) const {
  Profile profile = ProfileOf(history);
  std::vector<uint32_t> rows;
  std::vector<float> extra;   // c - 1
  std::vector<float> target;  // c where liked
  bool wanted = false;
  profile.history = ByLiking(history.tracks, weights_.liked);
  std::vector<float> confidence;
  weights_.Confidences(profile.history, confidence);
  for (size_t k = 0; k < confidence.size(); ++k) {
    const Preference& item = profile.history[k];
    if (item.strength == 0 || !catalogue_.Played(item.track)) continue;
    const bool liked = item.strength > 0;
    const float c = confidence[k];
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
    std::copy(catalogue_.popularity().begin(), catalogue_.popularity().end(), scores.begin());
    return;
  }
  index_.Score(profile.state.data(), scores);
}

std::vector<ScoredTrack> IalsModel::Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const {
  if (IsNewcomer(profile)) return catalogue_.Popular(n, exclude);
  return index_.Top(profile.state.data(), n, exclude);
}

Explanation IalsModel::Explain(const Profile& profile, TrackIx track) const {
  if (IsNewcomer(profile)) return {{}, "popular with other listeners"};
  const math::Kernels& kernels = math::BestKernels();
  std::vector<float> z(Row(track), Row(track) + stride_);
  kernels.solve(profile.state.data() + stride_, stride_, factors_, z.data());
  std::vector<ScoredTrack> shares;
  std::vector<float> confidence;
  weights_.Confidences(profile.history, confidence);
  for (size_t k = 0; k < confidence.size(); ++k) {
    const Preference& item = profile.history[k];
    if (item.strength <= 0 || !catalogue_.Played(item.track)) continue;
    float share = 0;
    kernels.dots(Row(item.track), 1, stride_, z.data(), &share);
    share *= confidence[k];
    if (share > 0) shares.push_back({item.track, share});
  }
  return StrongestOf(std::move(shares));
}

std::unique_ptr<IalsModel> IalsModel::WithFactors(Catalogue catalogue, std::vector<float> y) const {
  auto model = Make({std::move(catalogue), factors_, std::move(y), weights_});
  return std::unique_ptr<IalsModel>(static_cast<IalsModel*>(model.release()));
}

Status IalsModel::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  AddTo(writer);
  return writer.Write(file);
}

void IalsModel::AddTo(ModelFileWriter& writer) const {
  const Header header{track_count(),
                      factors_,
                      weights_.alpha,
                      weights_.regularization,
                      weights_.frequency_exponent,
                      weights_.mean_listener_count,
                      static_cast<uint32_t>(weights_.liked)};
  writer.AddArray<Header>("ials", {&header, 1});
  if (weights_.linear || weights_.half_life_days != 0) {
    const ConfidenceHeader rule{weights_.linear ? 1u : 0u, weights_.half_life_days};
    writer.AddArray<ConfidenceHeader>("ials_confidence", {&rule, 1});
  }
  catalogue_.AddTo(writer);
  writer.AddArray<float>("factors", y_);
}

}  // namespace segue::models
