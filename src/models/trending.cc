#include "models/trending.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace segue::models {
namespace {

/// "3 days", "1 day", "0.5 days".
std::string Days(float days) {
  std::string text = std::to_string(std::round(days * 10) / 10);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text + (text == "1" ? " day" : " days");
}

}  // namespace

float TrendingScore(double heat, float popularity) {
  if (popularity == kNever) return kNever;
  return static_cast<float>(std::log1p(heat) + static_cast<double>(popularity) / 1000);
}

std::unique_ptr<Model> TrendingModel::Make(Parts parts) {
  auto model = std::unique_ptr<TrendingModel>(new TrendingModel(std::move(parts.catalogue)));
  model->own_ = std::move(parts);
  const Parts& own = model->own_;
  SEGUE_CHECK(own.listeners.size() == model->track_count() && own.lately.size() == model->track_count());
  model->half_life_days_ = own.half_life_days;
  model->listeners_ = own.listeners;
  model->lately_ = own.lately;
  return model;
}

Result<std::unique_ptr<Model>> TrendingModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  auto model = std::unique_ptr<TrendingModel>(new TrendingModel(std::move(catalogue)));
  SEGUE_TRY(const auto half_life_days, file->Array<float>("half_life_days", 1));
  SEGUE_TRY(model->listeners_, file->Array<uint32_t>("listeners", model->track_count()));
  SEGUE_TRY(model->lately_, file->Array<uint32_t>("lately", model->track_count()));
  model->half_life_days_ = half_life_days[0];
  if (!(std::isfinite(model->half_life_days_) && model->half_life_days_ > 0)) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its half-life is no number of days"};
  }
  for (uint32_t i = 0; i < model->track_count(); ++i) {
    const float score = model->catalogue_.popularity()[i];
    if ((score != kNever && !std::isfinite(score)) || model->lately_[i] > model->listeners_[i]) {
      return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: track " + std::to_string(i) + " has impossible counts"};
    }
  }
  model->file_ = std::move(file);
  return std::unique_ptr<Model>(std::move(model));
}

void TrendingModel::Score(const Profile&, std::span<float> scores) const {
  std::copy(catalogue_.popularity().begin(), catalogue_.popularity().end(), scores.begin());
}

std::vector<ScoredTrack> TrendingModel::Top(const Profile&, size_t n, std::span<const uint8_t> exclude) const {
  return catalogue_.Popular(n, exclude);
}

Explanation TrendingModel::Explain(const Profile&, TrackIx track) const {
  const uint32_t all = listeners_[Raw(track)];
  const uint32_t lately = lately_[Raw(track)];
  if (lately == 0) return {{}, "popular in the past: " + std::to_string(all) + (all == 1 ? " listener" : " listeners")};
  return {{}, "trending: " + std::to_string(lately) + (lately == 1 ? " listener" : " listeners") + " within " + Days(half_life_days_)};
}

Status TrendingModel::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  catalogue_.AddTo(writer);
  writer.AddArray<float>("half_life_days", {&half_life_days_, 1});
  writer.AddArray<uint32_t>("listeners", listeners_);
  writer.AddArray<uint32_t>("lately", lately_);
  return writer.Write(file);
}

}  // namespace segue::models
