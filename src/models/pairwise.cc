#include "models/pairwise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "math/kernels/kernels.h"
#include "models/ials.h"

namespace segue::models {
namespace {

/// More is no model of ours; below, sizes in bytes do not overflow.
constexpr uint32_t kMostFactors = 1 << 16;

/// The numbers of an artifact, as written.
struct Header {
  uint64_t tracks;
  uint32_t factors;
  uint32_t liked;
  float mean_weight;
  float spread;
  float penalty;
  float margin;
};
static_assert(sizeof(Header) == 32, "no padding: the bytes are the same everywhere");

bool Positive(float value) { return std::isfinite(value) && value > 0; }

}  // namespace

float PairwiseRule::Weight(float strength) const {
  return std::log1p(std::min(strength > 0 ? strength : kDislikeStrength, std::numeric_limits<float>::max())) / mean_weight;
}

std::unique_ptr<Model> PairwiseModel::Make(Parts parts) {
  SEGUE_CHECK(parts.algorithm == kBpr || parts.algorithm == kWarp);
  auto model = std::unique_ptr<PairwiseModel>(new PairwiseModel(std::move(parts.catalogue)));
  model->algorithm_ = parts.algorithm == kBpr ? kBpr : kWarp;
  model->own_y_ = std::move(parts.y);
  model->rule_ = parts.rule;
  model->factors_ = parts.factors;
  model->stride_ = math::PaddedTo(model->factors_ + 1);
  model->y_ = model->own_y_;
  SEGUE_CHECK(model->y_.size() == model->track_count() * model->stride_);
  model->Prepare();
  return model;
}

Result<std::unique_ptr<Model>> PairwiseModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  SEGUE_TRY(const std::string_view algorithm, file->Section("algorithm"));
  auto model = std::unique_ptr<PairwiseModel>(new PairwiseModel(std::move(catalogue)));
  SEGUE_TRY(const auto header, file->Array<Header>("pairwise", 1));
  const Header& h = header[0];
  if (h.tracks != model->track_count() || h.factors == 0 || h.factors > kMostFactors || h.liked > 1) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: it says " +
                                          std::to_string(h.tracks) + " tracks and " + std::to_string(h.factors) +
                                          " factors"};
  }
  if (!Positive(h.mean_weight) || !Positive(h.spread) || !Positive(h.penalty) || !Positive(h.margin)) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its fold-in has no meaning"};
  }
  model->algorithm_ = algorithm == kBpr ? kBpr : kWarp;
  model->factors_ = h.factors;
  model->stride_ = math::PaddedTo(h.factors + 1);
  model->rule_ = {h.mean_weight, static_cast<Liked>(h.liked), h.spread, h.penalty, h.margin};
  SEGUE_TRY(model->y_, file->Array<float>("factors", h.tracks * model->stride_));
  model->file_ = std::move(file);
  model->Prepare();
  return std::unique_ptr<Model>(std::move(model));
}

void PairwiseModel::Prepare() {
  const size_t n = track_count();
  index_ = FactorIndex(catalogue_, y_, stride_, factors_);
  std::vector<double> sum(stride_, 0.0);
  double played = 0;
  for (size_t i = 0; i < n; ++i) {
    if (!catalogue_.Played(TrackIx{static_cast<uint32_t>(i)})) continue;
    for (size_t j = 0; j < factors_; ++j) sum[j] += y_[i * stride_ + j];
    ++played;
  }
  mean_.assign(stride_, 0.0f);
  if (played > 0) std::transform(sum.begin(), sum.end(), mean_.begin(), [&](double s) { return static_cast<float>(s / played); });
  std::vector<float> z(n * stride_, 0.0f);
  for (size_t i = 0; i < n; ++i) {
    const TrackIx track{static_cast<uint32_t>(i)};
    if (catalogue_.Played(track)) Centred(track, z.data() + i * stride_);
  }
  covariance_ = Gram(z, n, stride_);
  double trace = 0;
  for (float& c : covariance_) c = played > 0 ? static_cast<float>(c / played) : 0;
  for (size_t j = 0; j < factors_; ++j) trace += covariance_[j * stride_ + j];
  scale_ = static_cast<float>(trace / factors_);
}

void PairwiseModel::Centred(TrackIx track, float* z) const {
  const float* y = y_.data() + static_cast<size_t>(Raw(track)) * stride_;
  for (size_t j = 0; j < factors_; ++j) z[j] = y[j] - mean_[j];
  std::fill(z + factors_, z + stride_, 0.0f);
}

Profile PairwiseModel::FoldIn(const History& history) const {
  Profile profile = ProfileOf(history);
  profile.history = ByLiking(history.tracks, rule_.liked);
  std::vector<float> z, weight, target;
  std::vector<uint32_t> row;  // of z
  double total = 0;
  bool wanted = false;
  for (const Preference& item : profile.history) {
    if (item.strength == 0 || !catalogue_.Played(item.track)) continue;
    const float w = rule_.Weight(item.strength);
    z.resize(z.size() + stride_);
    Centred(item.track, z.data() + z.size() - stride_);
    row.push_back(static_cast<uint32_t>(row.size()));
    weight.push_back(w);
    target.push_back(item.strength > 0 ? w * rule_.margin : -w * rule_.margin);
    total += w;
    wanted |= item.strength > 0;
  }
  if (!wanted) return profile;
  const math::Kernels& kernels = math::BestKernels();
  profile.state.assign(stride_ + stride_ * stride_, 0.0f);
  float* x = profile.state.data();
  float* a = x + stride_;
  const float others = rule_.spread * static_cast<float>(total);
  std::transform(covariance_.begin(), covariance_.end(), a, [&](float c) { return others * c; });
  for (size_t j = 0; j < factors_; ++j) a[j * stride_ + j] += rule_.penalty * rule_.spread * scale_;
  kernels.add_outer(a, stride_, z.data(), row.data(), weight.data(), row.size());
  kernels.add_rows(x, stride_, z.data(), row.data(), target.data(), row.size());
  // Where all tracks are alike (there is but one), nothing tells tastes apart.
  if (!kernels.cholesky(a, stride_, factors_)) {
    profile.state.clear();
    return profile;
  }
  kernels.solve(a, stride_, factors_, x);
  x[factors_] = 1;
  return profile;
}

void PairwiseModel::Score(const Profile& profile, std::span<float> scores) const {
  if (IsNewcomer(profile)) {
    std::copy(catalogue_.popularity().begin(), catalogue_.popularity().end(), scores.begin());
    return;
  }
  index_.Score(profile.state.data(), scores);
}

std::vector<ScoredTrack> PairwiseModel::Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const {
  if (IsNewcomer(profile)) return catalogue_.Popular(n, exclude);
  return index_.Top(profile.state.data(), n, exclude);
}

Explanation PairwiseModel::Explain(const Profile& profile, TrackIx track) const {
  if (IsNewcomer(profile)) return {{}, "popular with other listeners"};
  const math::Kernels& kernels = math::BestKernels();
  std::vector<float> of(stride_), z(stride_);
  Centred(track, of.data());
  kernels.solve(profile.state.data() + stride_, stride_, factors_, of.data());
  std::vector<ScoredTrack> shares;
  for (const Preference& item : profile.history) {
    if (item.strength <= 0 || !catalogue_.Played(item.track)) continue;
    Centred(item.track, z.data());
    float share = 0;
    kernels.dots(z.data(), 1, stride_, of.data(), &share);
    share *= rule_.Weight(item.strength) * rule_.margin;
    if (share > 0) shares.push_back({item.track, share});
  }
  return StrongestOf(std::move(shares));
}

Status PairwiseModel::Save(const std::filesystem::path& file) const {
  const Header header{track_count(),   factors_,          static_cast<uint32_t>(rule_.liked), rule_.mean_weight, rule_.spread,
                      rule_.penalty, rule_.margin};
  ModelFileWriter writer;
  writer.Add("algorithm", algorithm_);
  writer.AddArray<Header>("pairwise", {&header, 1});
  catalogue_.AddTo(writer);
  writer.AddArray<float>("factors", y_);
  return writer.Write(file);
}

}  // namespace segue::models
