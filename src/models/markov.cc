#include "models/markov.h"

#include <algorithm>

#include "core/check.h"

namespace segue::models {

std::unique_ptr<Model> MarkovModel::Make(Parts parts) {
  auto model = std::unique_ptr<MarkovModel>(new MarkovModel(std::move(parts.catalogue), parts.rule));
  model->own_ = std::move(parts);
  model->next_ = {model->own_.begin, model->own_.column, model->own_.value};
  model->left_ = model->own_.left;
  SEGUE_CHECK(model->next_.rows() == model->track_count() && model->left_.size() == model->track_count());
  return model;
}

Result<std::unique_ptr<Model>> MarkovModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  SEGUE_TRY(const auto rule, file->Array<SequenceRule>("sequence", 1));
  if (!Valid(rule[0])) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its settings cannot be"};
  }
  auto model = std::unique_ptr<MarkovModel>(new MarkovModel(std::move(catalogue), rule[0]));
  const size_t n = model->track_count();
  SEGUE_TRY(model->next_, MappedRows::Open(*file, "next", n, n, MappedRows::With::kValues));
  SEGUE_TRY(model->left_, file->Array<float>("left", n));
  if (!std::all_of(model->left_.begin(), model->left_.end(), [](float v) { return v > 0 && v <= 1; })) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: a share is none"};
  }
  model->file_ = std::move(file);
  return std::unique_ptr<Model>(std::move(model));
}

float MarkovModel::AddNext(std::span<const WeightedTrack> context, float share, std::span<float> scores) const {
  float left = 0;
  for (const WeightedTrack& from : context) {
    const auto columns = next_.Columns(Raw(from.track));
    const auto values = next_.Values(Raw(from.track));
    for (size_t k = 0; k < columns.size(); ++k) scores[columns[k]] += share * from.weight * values[k];
    left += share * from.weight * left_[Raw(from.track)];
  }
  // Habits may be all of the score; popularity still orders the rest.
  return std::max(left, 1e-6f);
}

std::vector<ScoredTrack> MarkovModel::Reasons(std::span<const WeightedTrack> context, TrackIx track) const {
  std::vector<ScoredTrack> reasons;
  for (const WeightedTrack& from : context) {
    const auto columns = next_.Columns(Raw(from.track));
    const auto at = std::lower_bound(columns.begin(), columns.end(), Raw(track));
    if (at == columns.end() || *at != Raw(track)) continue;
    const auto k = static_cast<size_t>(at - columns.begin());
    reasons.push_back({from.track, from.weight * next_.Values(Raw(from.track))[k]});
  }
  return reasons;
}

std::vector<ScoredTrack> MarkovModel::Similar(TrackIx track, size_t n) const {
  const auto columns = next_.Columns(Raw(track));
  const auto values = next_.Values(Raw(track));
  std::vector<ScoredTrack> next;
  for (size_t k = 0; k < columns.size(); ++k) next.push_back({TrackIx{columns[k]}, values[k]});
  std::sort(next.begin(), next.end(), Better);
  next.resize(std::min(n, next.size()));
  return next;
}

Status MarkovModel::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  catalogue_.AddTo(writer);
  writer.AddArray<SequenceRule>("sequence", {&rule_, 1});
  next_.AddTo(writer, "next");
  writer.AddArray<float>("left", left_);
  return writer.Write(file);
}

}  // namespace segue::models
