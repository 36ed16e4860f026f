#include "models/hit_chance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/songs.h"
#include "models/feature_ranges.h"

namespace segue::models {
namespace {

constexpr double kLeast = 1e-6;

float LogOdds(float chance) {
  if (std::isnan(chance)) return kNever;
  const double p = std::clamp(static_cast<double>(chance), kLeast, 1 - kLeast);
  return static_cast<float>(std::log(p / (1 - p)));
}

bool HasAudio(const Tracks& tracks, size_t row) {
  const auto first = tracks.features.begin() + static_cast<std::ptrdiff_t>(row * kAudioFeatures.size());
  return std::any_of(first, first + kAudioFeatures.size(), [](float value) { return !std::isnan(value); });
}

}  // namespace

Result<std::vector<float>> HitChances(const Classifier& model, const Tracks& tracks) {
  if (model.labels().size() != 2) return Error{ErrorCode::kInvalid, "the model is none of hits: it has other classes than two"};
  const SongTable songs = SongsOf(tracks);
  SEGUE_TRY(const auto rows, ArrangeFeatures(songs.features, songs.values, model));
  std::vector<float> p(tracks.size() * 2);
  model.Predict(rows, p);
  std::vector<float> chances(tracks.size());
  for (size_t row = 0; row < chances.size(); ++row) {
    chances[row] = HasAudio(tracks, row) ? p[row * 2 + 1] : std::numeric_limits<float>::quiet_NaN();
  }
  return chances;
}

std::unique_ptr<Model> HitChanceModel::Make(std::span<const std::string> track_ids, std::span<const float> chances) {
  std::vector<float> scores(chances.size());
  std::transform(chances.begin(), chances.end(), scores.begin(), LogOdds);
  return std::unique_ptr<HitChanceModel>(new HitChanceModel(Catalogue({track_ids.begin(), track_ids.end()}, std::move(scores))));
}

Result<std::unique_ptr<Model>> HitChanceModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  for (const float score : catalogue.popularity()) {
    if (score != kNever && !std::isfinite(score)) {
      return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: a track's score is no number"};
    }
  }
  auto model = std::unique_ptr<HitChanceModel>(new HitChanceModel(std::move(catalogue)));
  model->file_ = std::move(file);
  return std::unique_ptr<Model>(std::move(model));
}

void HitChanceModel::Score(const Profile&, std::span<float> scores) const {
  std::copy(catalogue_.popularity().begin(), catalogue_.popularity().end(), scores.begin());
}

std::vector<ScoredTrack> HitChanceModel::Top(const Profile&, size_t n, std::span<const uint8_t> exclude) const {
  return catalogue_.Popular(n, exclude);
}

Explanation HitChanceModel::Explain(const Profile&, TrackIx track) const {
  const float score = catalogue_.popularity()[Raw(track)];
  if (score == kNever) return {{}, "nothing is known of how it sounds"};
  const double percent = 100 / (1 + std::exp(-static_cast<double>(score)));
  return {{}, "sounds like a hit (" + std::to_string(std::lround(percent)) + " %)"};
}

Status HitChanceModel::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  catalogue_.AddTo(writer);
  return writer.Write(file);
}

}  // namespace segue::models
