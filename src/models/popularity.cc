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
  auto model = std::make_unique<PopularityModel>();
  model->own_ids_.assign(track_ids.begin(), track_ids.end());
  model->own_listeners_ = std::move(listeners);
  model->own_plays_ = std::move(plays);
  model->listeners_ = model->own_listeners_;
  model->plays_ = model->own_plays_;
  model->Prepare();
  return model;
}

Result<std::unique_ptr<Model>> PopularityModel::Open(std::shared_ptr<const ModelFile> file) {
  auto model = std::make_unique<PopularityModel>();
  SEGUE_TRY(const std::string_view bytes, file->Section("listeners"));
  const size_t n = bytes.size() / sizeof(float);
  SEGUE_TRY(model->listeners_, file->Array<float>("listeners", n));
  SEGUE_TRY(model->plays_, file->Array<float>("plays", n));
  SEGUE_TRY(model->mapped_ids_, TrackIds::Open(*file, n));
  model->file_ = std::move(file);
  model->Prepare();
  return std::unique_ptr<Model>(std::move(model));
}

void PopularityModel::Prepare() {
  scores_.resize(listeners_.size());
  for (size_t i = 0; i < scores_.size(); ++i) scores_[i] = PopularityScore(listeners_[i], plays_[i]);
  ranked_ = RankedByScore(scores_);
}

std::string_view PopularityModel::TrackId(TrackIx track) const {
  return file_ == nullptr ? std::string_view(own_ids_[Raw(track)]) : mapped_ids_[Raw(track)];
}

Profile PopularityModel::FoldIn(std::span<const Preference> history) const {
  return {{}, {history.begin(), history.end()}};
}

void PopularityModel::Score(const Profile&, std::span<float> scores) const {
  std::copy(scores_.begin(), scores_.end(), scores.begin());
}

std::vector<ScoredTrack> PopularityModel::Top(const Profile&, size_t n, std::span<const uint8_t> exclude) const {
  return TopOfRanked(ranked_, scores_, n, exclude);
}

Explanation PopularityModel::Explain(const Profile&, TrackIx track) const {
  const auto count = static_cast<int64_t>(listeners_[Raw(track)]);
  return {{}, "popular: " + std::to_string(count) + (count == 1 ? " listener plays it" : " listeners play it")};
}

std::vector<ScoredTrack> PopularityModel::Similar(TrackIx, size_t) const { return {}; }

Status PopularityModel::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  std::vector<std::string> ids;
  for (uint32_t i = 0; i < track_count(); ++i) ids.emplace_back(TrackId(TrackIx{i}));
  TrackIds::Add(writer, ids);
  writer.AddArray<float>("listeners", listeners_);
  writer.AddArray<float>("plays", plays_);
  return writer.Write(file);
}

}  // namespace segue::models
