#include "models/svd.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/check.h"
#include "math/kernels/kernels.h"

namespace segue::models {
namespace {

/// More is no model of ours; below, sizes in bytes do not overflow.
constexpr uint32_t kMostFactors = 1 << 16;
constexpr float kLeastPrecision = 1e-6f;  ///< without any, the regression of few ratings has no one answer
constexpr uint32_t kMostSamples = 1 << 16;

/// Artifacts say by number which of them they are.
constexpr std::string_view kNames[] = {SvdModel::kSvd, SvdModel::kSvdpp, SvdModel::kGibbs};

/// The numbers of an artifact, as written.
struct Header {
  uint64_t tracks;
  uint64_t listeners;
  uint32_t name;
  uint32_t factors;
  uint32_t samples;
  uint32_t implicit;
  RatingScale scale;
  float exponent;
};
static_assert(sizeof(Header) == 56, "no padding: the bytes are the same everywhere");

bool Valid(const Header& h, size_t tracks) {
  return h.tracks == tracks && h.listeners < (uint64_t{1} << 32) && h.name < std::size(kNames) && h.factors > 0 &&
         h.factors <= kMostFactors && h.samples > 0 && h.samples <= kMostSamples && h.implicit <= 1 &&
         (h.listeners == 0 || h.samples == 1) && h.scale.Valid() && std::isfinite(h.exponent);
}

bool AllFinite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

/// Solves the regression of models/svd.h for one sample.
///   rows, z          the listener's tracks and targets
///   x                [stride] in: s, and 1 at factors + 1; out: s + (p, b)
///   mean, precision  [factors + 1]
/// Where a pivot is not positive, x has the mean added.
void SolveListener(std::span<const float> tracks, size_t stride, size_t factors, std::span<const uint32_t> rows,
                   std::span<const float> z, float w, std::span<const float> mean, std::span<const float> precision,
                   float* x) {
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
    a[j * stride + j] += precision[j];
    a[j * stride + unknown] = 0;  // b_i has no coefficient of the listener's
    best[j] += precision[j] * mean[j];
  }
  best[unknown] = 0;
  const bool solved = kernels.cholesky(a.data(), stride, unknown);
  if (solved) kernels.solve(a.data(), stride, unknown, best.data());
  for (size_t j = 0; j < unknown; ++j) x[j] += solved ? best[j] : mean[j];
}

}  // namespace

size_t SvdModel::Stride(size_t factors) { return math::PaddedTo(factors + 2); }

std::unique_ptr<Model> SvdModel::Make(Parts parts) {
  auto model = std::unique_ptr<SvdModel>(new SvdModel(std::move(parts.catalogue)));
  model->own_ = std::move(parts);
  const Parts& own = model->own_;
  model->algorithm_ = own.algorithm;
  model->scale_ = own.scale;
  model->exponent_ = own.exponent;
  model->factors_ = own.factors;
  model->samples_ = own.samples;
  model->stride_ = Stride(own.factors);
  model->listener_count_ = static_cast<uint32_t>(own.names.size());
  model->tracks_ = own.tracks;
  model->implicit_ = own.implicit;
  model->listeners_ = own.listeners;
  model->weight_ = own.weight;
  model->mean_ = own.mean;
  model->precision_ = own.precision;
  SEGUE_CHECK(own.tracks.size() == own.samples * model->track_count() * model->stride_);
  SEGUE_CHECK(own.implicit.empty() || own.implicit.size() == own.tracks.size());
  SEGUE_CHECK(own.listeners.size() == own.names.size() * model->stride_ && (own.names.empty() || own.samples == 1));
  SEGUE_CHECK(own.weight.size() == own.samples && own.mean.size() == own.samples * model->stride_);
  SEGUE_CHECK(own.precision.size() == own.mean.size());
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
    return damaged("it says " + std::to_string(h.tracks) + " tracks, " + std::to_string(h.listeners) + " listeners, " +
                   std::to_string(h.factors) + " factors and " + std::to_string(h.samples) + " samples");
  }
  model->algorithm_ = kNames[h.name];
  model->scale_ = h.scale;
  model->exponent_ = h.exponent;
  model->factors_ = h.factors;
  model->samples_ = h.samples;
  model->listener_count_ = static_cast<uint32_t>(h.listeners);
  const size_t stride = model->stride_ = Stride(h.factors);
  SEGUE_TRY(model->tracks_, file->Array<float>("tracks", h.samples * h.tracks * stride));
  SEGUE_TRY(model->implicit_, file->Array<float>("implicit", h.implicit * h.samples * h.tracks * stride));
  SEGUE_TRY(model->listeners_, file->Array<float>("listeners", h.listeners * stride));
  SEGUE_TRY(model->weight_, file->Array<float>("weight", h.samples));
  SEGUE_TRY(model->mean_, file->Array<float>("mean", h.samples * stride));
  SEGUE_TRY(model->precision_, file->Array<float>("precision", h.samples * stride));
  SEGUE_TRY(model->mapped_names_, TrackIds::Open(*file, h.listeners, "listener"));
  for (const auto values :
       {model->tracks_, model->implicit_, model->listeners_, model->weight_, model->mean_, model->precision_}) {
    if (!AllFinite(values)) return damaged("it has factors that are not numbers");
  }
  model->file_ = std::move(file);
  return std::unique_ptr<Model>(std::move(model));
}

std::optional<uint32_t> SvdModel::FindListener(std::string_view name) const {
  if (name.empty()) return std::nullopt;
  if (file_ != nullptr) return mapped_names_.Find(name);
  return FindSorted(own_.names, name);
}

/// state: p_u + the implicit sum, b_u, 1 [S x stride].
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
  const std::vector<float> root(chosen.size(), chosen.empty() ? 0 : 1 / std::sqrt(static_cast<float>(chosen.size())));
  const float many = std::pow(static_cast<float>(std::max<size_t>(1, rows.size())), exponent_);
  const auto known = FindListener(history.listener);
  if (known) profile.listener = *known;
  profile.state.assign(samples_ * stride_, 0.0f);
  for (size_t s = 0; s < samples_; ++s) {
    float* x = profile.state.data() + s * stride_;
    if (!implicit_.empty()) {
      math::BestKernels().add_rows(x, stride_, Implicit(s, TrackIx{0}), chosen.data(), root.data(), chosen.size());
    }
    if (known) {
      const float* own = listeners_.data() + size_t{*known} * stride_;
      for (size_t j = 0; j < stride_; ++j) x[j] += own[j];
      continue;
    }
    x[factors_ + 1] = 1;
    std::vector<float> precision(factors_ + 1);
    for (size_t j = 0; j <= factors_; ++j) precision[j] = std::max(many * precision_[s * stride_ + j], kLeastPrecision);
    SolveListener(Tracks(s), stride_, factors_, rows, z, weight_[s], mean_.subspan(s * stride_, stride_), precision, x);
  }
  return profile;
}

bool SvdModel::IsNewcomer(const Profile& profile) const {
  if (profile.listener != kStranger) return false;
  return std::none_of(profile.history.begin(), profile.history.end(),
                      [&](const Preference& item) { return scale_.Target(item) || RatingScale::Chosen(item); });
}

void SvdModel::Score(const Profile& profile, std::span<float> scores) const {
  const auto popularity = catalogue_.popularity();
  if (IsNewcomer(profile)) {
    std::copy(popularity.begin(), popularity.end(), scores.begin());
    return;
  }
  std::vector<float> one(scores.size());
  std::fill(scores.begin(), scores.end(), 0.0f);
  for (size_t s = 0; s < samples_; ++s) {
    math::BestKernels().dots(Tracks(s).data(), one.size(), stride_, profile.state.data() + s * stride_, one.data());
    for (size_t i = 0; i < one.size(); ++i) scores[i] += one[i];
  }
  const float scale = scale_.deviation / static_cast<float>(samples_);
  for (size_t i = 0; i < scores.size(); ++i) {
    scores[i] = popularity[i] == kNever ? kNever : scale_.mean + scale * scores[i];
  }
}

std::optional<float> SvdModel::PredictRating(const Profile& profile, TrackIx track) const {
  float sum = 0;
  for (size_t s = 0; s < samples_; ++s) {
    float z = 0;
    const float* row = Tracks(s).data() + Raw(track) * stride_;
    math::BestKernels().dots(row, 1, stride_, profile.state.data() + s * stride_, &z);
    sum += z;
  }
  return scale_.Rating(sum / static_cast<float>(samples_));
}

Explanation SvdModel::Explain(const Profile& profile, TrackIx track) const {
  if (IsNewcomer(profile)) return {{}, "popular with other listeners"};
  const auto chosen = std::count_if(profile.history.begin(), profile.history.end(), RatingScale::Chosen);
  const float root = chosen == 0 ? 0 : 1 / std::sqrt(static_cast<float>(chosen));
  const auto dot = [&](const float* a, const float* b) {
    float sum = 0;
    math::BestKernels().dots(a, 1, stride_, b, &sum);
    return sum;
  };
  std::vector<float> shares(profile.history.size(), 0.0f);
  for (size_t s = 0; s < samples_; ++s) {
    const auto rows = Tracks(s);
    const float* x = profile.state.data() + s * stride_;
    std::vector<float> q(rows.begin() + static_cast<std::ptrdiff_t>(Raw(track) * stride_),
                         rows.begin() + static_cast<std::ptrdiff_t>((Raw(track) + size_t{1}) * stride_));
    q[factors_] = q[factors_ + 1] = 0;
    for (size_t k = 0; k < shares.size(); ++k) {
      const Preference& item = profile.history[k];
      const float* row = rows.data() + Raw(item.track) * stride_;
      const auto target = scale_.Target(item);
      if (target && item.track != track) shares[k] += dot(row, q.data()) * (*target - x[factors_] - row[factors_ + 1]);
      if (!implicit_.empty() && RatingScale::Chosen(item)) shares[k] += root * dot(Implicit(s, item.track), q.data());
    }
  }
  Explanation result;
  for (size_t k = 0; k < shares.size(); ++k) {
    if (shares[k] > 0) result.because.push_back({profile.history[k].track, shares[k] / static_cast<float>(samples_)});
  }
  const size_t kept = std::min<size_t>(3, result.because.size());
  std::partial_sort(result.because.begin(), result.because.begin() + static_cast<std::ptrdiff_t>(kept),
                    result.because.end(), Better);
  result.because.resize(kept);
  if (result.because.empty()) result.general = "listeners with tastes like yours rate it well";
  return result;
}

std::vector<ScoredTrack> SvdModel::Similar(TrackIx track, size_t n) const {
  std::vector<float> scores(track_count(), 0.0f);
  std::vector<float> squares(track_count(), 0.0f);
  std::vector<float> one(track_count());
  for (size_t s = 0; s < samples_; ++s) {
    const float* rows = Tracks(s).data();
    std::vector<float> q(rows + Raw(track) * stride_, rows + (Raw(track) + size_t{1}) * stride_);
    q[factors_] = q[factors_ + 1] = 0;
    math::BestKernels().dots(rows, one.size(), stride_, q.data(), one.data());
    for (size_t i = 0; i < one.size(); ++i) {
      scores[i] += one[i];
      for (size_t j = 0; j < factors_; ++j) squares[i] += rows[i * stride_ + j] * rows[i * stride_ + j];
    }
  }
  const float square = squares[Raw(track)];
  if (square == 0) return {};
  for (uint32_t i = 0; i < scores.size(); ++i) {
    const bool never = !catalogue_.Played(TrackIx{i}) || squares[i] == 0 || i == Raw(track);
    scores[i] = never ? kNever : scores[i] / std::sqrt(square * squares[i]);
  }
  return SelectTop(scores, n, {});
}

Status SvdModel::Save(const std::filesystem::path& file) const {
  const auto name = std::find(std::begin(kNames), std::end(kNames), algorithm_) - std::begin(kNames);
  const Header header{track_count(), listener_count_, static_cast<uint32_t>(name),
                      factors_,      samples_,        implicit_.empty() ? 0u : 1u,
                      scale_,        exponent_};
  std::vector<std::string> names;
  for (uint32_t u = 0; u < listener_count_; ++u) {
    names.emplace_back(file_ == nullptr ? std::string_view(own_.names[u]) : mapped_names_[u]);
  }
  ModelFileWriter writer;
  writer.Add("algorithm", algorithm_);
  writer.AddArray<Header>("svd", {&header, 1});
  catalogue_.AddTo(writer);
  writer.AddArray<float>("tracks", tracks_);
  writer.AddArray<float>("implicit", implicit_);
  writer.AddArray<float>("listeners", listeners_);
  writer.AddArray<float>("weight", weight_);
  writer.AddArray<float>("mean", mean_);
  writer.AddArray<float>("precision", precision_);
  TrackIds::Add(writer, names, "listener");
  return writer.Write(file);
}

}  // namespace segue::models
