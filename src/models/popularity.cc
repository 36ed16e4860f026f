#include "models/popularity.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace segue::models {

float PopularityScore(float listeners, float plays) {
  if (listeners <= 0) return kNever;
  return std::log1p(listeners) + std::log1p(std::max(0.0f, plays)) / 1000;
}

std::vector<uint32_t> RankedByScore(std::span<const float> scores) {
  std::vector<uint32_t> ranked;
  for (uint32_t i = 0; i < scores.size(); ++i) {
    if (scores[i] != kNever) ranked.push_back(i);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  return ranked;
}

std::vector<ScoredTrack> TopOfRanked(std::span<const uint32_t> ranked, std::span<const float> scores, size_t n,
                                     std::span<const uint8_t> exclude) {
  std::vector<ScoredTrack> top;
  for (const uint32_t row : ranked) {
    if (top.size() == n) break;
    if (!exclude.empty() && exclude[row] != 0) continue;
    top.push_back({TrackIx{row}, scores[row]});
  }
  return top;
}

std::unique_ptr<Model> PopularityModel::Make(std::span<const std::string> track_ids, std::vector<float> listeners,
                                             std::vector<float> plays) {
  SEGUE_CHECK(track_ids.size() == listeners.size() && plays.size() == listeners.size());
  std::vector<float> scores(listeners.size());
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = PopularityScore(listeners[i], plays[i]);
  auto model = std::unique_ptr<PopularityModel>(
      new PopularityModel(Catalogue({track_ids.begin(), track_ids.end()}, std::move(scores))));
  model->own_listeners_ = std::move(listeners);
  model->listeners_ = model->own_listeners_;
  return model;
}

Result<std::unique_ptr<Model>> PopularityModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  auto model = std::unique_ptr<PopularityModel>(new PopularityModel(std::move(catalogue)));
  SEGUE_TRY(model->listeners_, file->Array<float>("listeners", model->track_count()));
  model->file_ = std::move(file);
  return std::unique_ptr<Model>(std::move(model));
}

void PopularityModel::Score(const Profile&, std::span<float> scores) const {
  std::copy(catalogue_.popularity().begin(), catalogue_.popularity().end(), scores.begin());
}

std::vector<ScoredTrack> PopularityModel::Top(const Profile&, size_t n, std::span<const uint8_t> exclude) const {
  return catalogue_.Popular(n, exclude);
}

Explanation PopularityModel::Explain(const Profile&, TrackIx track) const {
  const auto count = static_cast<int64_t>(listeners_[Raw(track)]);
  return {{}, "popular: " + std::to_string(count) + (count == 1 ? " listener plays it" : " listeners play it")};
}

Status PopularityModel::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  catalogue_.AddTo(writer);
  writer.AddArray<float>("listeners", listeners_);
  return writer.Write(file);
}

}  // namespace segue::models
