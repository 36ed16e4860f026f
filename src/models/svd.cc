#include "models/svd.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "math/kernels/kernels.h"

namespace segue::models {
namespace {

/// More is no model of ours; below, sizes in bytes do not overflow.
constexpr uint32_t kMostFactors = 1 << 16;

/// The numbers of an artifact, as written.
struct Header {
  uint64_t tracks;
  uint64_t listeners;
  uint32_t factors;
  uint32_t implicit;
  RatingScale scale;
  ListenerPenalty penalty;
};
static_assert(sizeof(Header) == 56, "no padding: the bytes are the same everywhere");

bool Valid(const Header& h, size_t tracks) {
  const auto weight = [](float value) { return std::isfinite(value) && value >= 0; };
  return h.tracks == tracks && h.listeners < (uint64_t{1} << 32) && h.factors > 0 && h.factors <= kMostFactors &&
         h.implicit <= 1 && h.scale.Valid() && weight(h.penalty.bias) && weight(h.penalty.factors) &&
         weight(h.penalty.exponent);
}

bool AllFinite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

std::vector<ScoredTrack> Strongest(std::vector<ScoredTrack> shares) {
  const size_t kept = std::min<size_t>(3, shares.size());
  std::partial_sort(shares.begin(), shares.begin() + static_cast<std::ptrdiff_t>(kept), shares.end(), Better);
  shares.resize(kept);
  return shares;
}

bool SolveListener(std::span<const float> tracks, size_t stride, size_t factors, std::span<const uint32_t> rows,
                   std::span<const float> z, float w, const float* penalty, const float* mean, float* x) {
  const math::Kernels& kernels = math::BestKernels();
  const size_t unknown = factors + 1;
  std::vector<float> a(stride * stride, 0.0f);
  std::vector<float> best(stride, 0.0f);
  std::vector<float> weights(rows.size(), w);
  std::vector<float> rest(rows.size());
  for (size_t k = 0; k < rows.size(); ++k) {
    float known = 0;
    kernels.dots(tracks.data() + rows[k] * stride, 1, stride, x, &known);
    rest[k] = w * (z[k] - known);
  }
  kernels.add_outer(a.data(), stride, tracks.data(), rows.data(), weights.data(), rows.size());
  kernels.add_rows(best.data(), stride, tracks.data(), rows.data(), rest.data(), rows.size());
  for (size_t j = 0; j < unknown; ++j) {
    a[j * stride + j] += penalty[j];
    a[j * stride + unknown] = 0;  // b_i has no coefficient of the listener's
    best[j] += penalty[j] * mean[j];
  }
  best[unknown] = 0;
  const bool solved = kernels.cholesky(a.data(), stride, unknown);
  if (solved) kernels.solve(a.data(), stride, unknown, best.data());
  for (size_t j = 0; j < unknown; ++j) x[j] += solved ? best[j] : mean[j];
  return solved;
}

size_t SvdModel::Stride(size_t factors) { return math::PaddedTo(factors + 2); }

std::unique_ptr<Model> SvdModel::Make(Parts parts) {
  auto model = std::unique_ptr<SvdModel>(new SvdModel(std::move(parts.catalogue)));
  model->own_ = std::move(parts);
  const Parts& own = model->own_;
  model->scale_ = own.scale;
  model->penalty_ = own.penalty;
  model->factors_ = own.factors;
  model->stride_ = Stride(own.factors);
  model->listener_count_ = static_cast<uint32_t>(own.names.size());
  model->tracks_ = own.tracks;
  model->implicit_ = own.implicit;
  model->listeners_ = own.listeners;
  SEGUE_CHECK(own.tracks.size() == model->track_count() * model->stride_);
  SEGUE_CHECK(own.implicit.empty() || own.implicit.size() == own.tracks.size());
  SEGUE_CHECK(own.listeners.size() == own.names.size() * model->stride_);
  return model;
}

Result<std::unique_ptr<Model>> SvdModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  auto model = std::unique_ptr<SvdModel>(new SvdModel(std::move(catalogue)));
  SEGUE_TRY(const auto header, file->Array<Header>("svd", 1));
  const Header& h = header[0];
  const auto damaged = [&](const std::string& what) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: " + what};
  };
  if (!Valid(h, model->track_count())) {
    return damaged("it says " + std::to_string(h.tracks) + " tracks, " + std::to_string(h.listeners) +
                   " listeners and " + std::to_string(h.factors) + " factors");
  }
  model->scale_ = h.scale;
  model->penalty_ = h.penalty;
  model->factors_ = h.factors;
  model->stride_ = Stride(h.factors);
  model->listener_count_ = static_cast<uint32_t>(h.listeners);
  SEGUE_TRY(model->tracks_, file->Array<float>("tracks", h.tracks * model->stride_));
  SEGUE_TRY(model->implicit_, file->Array<float>("implicit", h.implicit * h.tracks * model->stride_));
  SEGUE_TRY(model->listeners_, file->Array<float>("listeners", h.listeners * model->stride_));
  SEGUE_TRY(model->mapped_names_, TrackIds::Open(*file, h.listeners, "listener"));
  if (!AllFinite(model->tracks_) || !AllFinite(model->implicit_) || !AllFinite(model->listeners_)) {
    return damaged("it has factors that are not numbers");
  }
  model->file_ = std::move(file);
  return std::unique_ptr<Model>(std::move(model));
}

std::optional<uint32_t> SvdModel::FindListener(std::string_view name) const {
  if (name.empty()) return std::nullopt;
  if (file_ != nullptr) return mapped_names_.Find(name);
  return FindSorted(own_.names, name);
}

/// state: p_u + the implicit sum, b_u, 1 [stride].
Profile SvdModel::FoldIn(const History& history) const {
  Profile profile = ProfileOf(history);
  std::vector<uint32_t> chosen;
  std::vector<uint32_t> rows;
  std::vector<float> z;
  for (const Preference& item : history.tracks) {
    if (RatingScale::Chosen(item)) chosen.push_back(Raw(item.track));
    if (const auto target = scale_.Target(item)) {
      rows.push_back(Raw(item.track));
      z.push_back(*target);
    }
  }
  profile.state.assign(stride_, 0.0f);
  float* x = profile.state.data();
  if (!implicit_.empty() && !chosen.empty()) {
    const std::vector<float> weight(chosen.size(), 1 / std::sqrt(static_cast<float>(chosen.size())));
    math::BestKernels().add_rows(x, stride_, implicit_.data(), chosen.data(), weight.data(), chosen.size());
  }
  if (const auto known = FindListener(history.listener)) {
    profile.listener = *known;
    const float* own = listeners_.data() + size_t{*known} * stride_;
    for (size_t j = 0; j < stride_; ++j) x[j] += own[j];
    return profile;
  }
  x[factors_ + 1] = 1;
  const std::vector<float> zero(factors_ + 1, 0.0f);
  const float many = std::pow(static_cast<float>(std::max<size_t>(1, rows.size())), penalty_.exponent);
  std::vector<float> penalty(factors_ + 1, std::max(many * penalty_.factors, 1e-6f));
  penalty[factors_] = std::max(many * penalty_.bias, 1e-6f);
  SolveListener(tracks_, stride_, factors_, rows, z, 1, penalty.data(), zero.data(), x);
  return profile;
}

bool SvdModel::IsNewcomer(const Profile& profile) const {
  return profile.listener == kStranger && std::none_of(profile.history.begin(), profile.history.end(),
                                                       [&](const Preference& item) { return scale_.Target(item) || RatingScale::Chosen(item); });
}

void SvdModel::Score(const Profile& profile, std::span<float> scores) const {
  const auto popularity = catalogue_.popularity();
  if (IsNewcomer(profile)) {
    std::copy(popularity.begin(), popularity.end(), scores.begin());
    return;
  }
  math::BestKernels().dots(tracks_.data(), scores.size(), stride_, profile.state.data(), scores.data());
  for (size_t i = 0; i < scores.size(); ++i) {
    scores[i] = popularity[i] == kNever ? kNever : scale_.mean + scale_.deviation * scores[i];
  }
}

std::optional<float> SvdModel::PredictRating(const Profile& profile, TrackIx track) const {
  float z = 0;
  math::BestKernels().dots(Track(track), 1, stride_, profile.state.data(), &z);
  return scale_.Rating(z);
}

Explanation SvdModel::Explain(const Profile& profile, TrackIx track) const {
  if (IsNewcomer(profile)) return {{}, "popular with other listeners"};
  const auto chosen = std::count_if(profile.history.begin(), profile.history.end(), RatingScale::Chosen);
  const float root = chosen == 0 ? 0 : 1 / std::sqrt(static_cast<float>(chosen));
  std::vector<float> q(Track(track), Track(track) + stride_);
  q[factors_] = q[factors_ + 1] = 0;
  std::vector<ScoredTrack> shares;
  for (const Preference& item : profile.history) {
    float share = 0;
    if (const auto target = scale_.Target(item); target && item.track != track) {
      float likeness = 0;
      math::BestKernels().dots(Track(item.track), 1, stride_, q.data(), &likeness);
      share += likeness * (*target - profile.state[factors_] - Track(item.track)[factors_ + 1]);
    }
    if (!implicit_.empty() && RatingScale::Chosen(item)) {
      float choice = 0;
      math::BestKernels().dots(implicit_.data() + Raw(item.track) * stride_, 1, stride_, q.data(), &choice);
      share += root * choice;
    }
    if (share > 0) shares.push_back({item.track, share});
  }
  Explanation result{Strongest(std::move(shares)), ""};
  if (result.because.empty()) result.general = "listeners with tastes like yours rate it well";
  return result;
}

std::vector<ScoredTrack> SvdModel::Similar(TrackIx track, size_t n) const {
  std::vector<float> q(Track(track), Track(track) + stride_);
  q[factors_] = q[factors_ + 1] = 0;
  std::vector<float> scores(track_count());
  math::BestKernels().dots(tracks_.data(), scores.size(), stride_, q.data(), scores.data());
  const float norm = std::sqrt(scores[Raw(track)]);
  if (norm == 0) return {};
  for (uint32_t i = 0; i < scores.size(); ++i) {
    const float* row = Track(TrackIx{i});
    float square = 0;
    for (size_t j = 0; j < factors_; ++j) square += row[j] * row[j];
    const bool never = !catalogue_.Played(TrackIx{i}) || square == 0 || i == Raw(track);
    scores[i] = never ? kNever : scores[i] / (norm * std::sqrt(square));
  }
  return SelectTop(scores, n, {});
}

Status SvdModel::Save(const std::filesystem::path& file) const {
  const Header header{track_count(), listener_count_, factors_, implicit_.empty() ? 0u : 1u, scale_, penalty_};
  std::vector<std::string> names;
  for (uint32_t u = 0; u < listener_count_; ++u) names.emplace_back(file_ == nullptr ? std::string_view(own_.names[u]) : mapped_names_[u]);
  ModelFileWriter writer;
  writer.Add("algorithm", algorithm());
  writer.AddArray<Header>("svd", {&header, 1});
  catalogue_.AddTo(writer);
  writer.AddArray<float>("tracks", tracks_);
  writer.AddArray<float>("implicit", implicit_);
  writer.AddArray<float>("listeners", listeners_);
  TrackIds::Add(writer, names, "listener");
  return writer.Write(file);
}

}  // namespace segue::models
