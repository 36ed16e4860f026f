#include "models/item_knn.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace segue::models {
namespace {

constexpr float kBm25K = 1.2f;
constexpr float kBm25B = 0.75f;
constexpr float kRankOffset = 10;
constexpr float kLeastWeight = 1e-15f;
constexpr float kMostWeight = 1e15f;

struct Header {
  uint64_t neighbours;
  uint32_t weighting;
  uint32_t liked;
  uint32_t scoring;
  float mean_length;
};
static_assert(sizeof(Header) == 24, "no padding: the bytes are the same everywhere");

}  // namespace

KnnWeighting ParseKnnWeighting(std::string_view name) {
  if (name == "none") return KnnWeighting::kNone;
  if (name == "binary") return KnnWeighting::kBinary;
  if (name == "bm25") return KnnWeighting::kBm25;
  if (name == "tfidf") return KnnWeighting::kTfidf;
  return KnnWeighting::kLog;
}

KnnSimilarity ParseKnnSimilarity(std::string_view name) {
  if (name == "pearson") return KnnSimilarity::kPearson;
  if (name == "euclidean") return KnnSimilarity::kEuclidean;
  if (name == "jaccard") return KnnSimilarity::kJaccard;
  return KnnSimilarity::kCosine;
}

KnnScoring ParseKnnScoring(std::string_view name) {
  if (name == "mean") return KnnScoring::kMean;
  if (name == "max") return KnnScoring::kMax;
  if (name == "rank") return KnnScoring::kRank;
  return KnnScoring::kSum;
}

float KnnScale::WeightOf(float r, float length, float idf) const {
  float weight = r;
  if (weighting == KnnWeighting::kBinary) weight = 1;
  if (weighting == KnnWeighting::kLog || weighting == KnnWeighting::kTfidf) weight = std::log1p(r);
  if (weighting == KnnWeighting::kBm25) {
    const float logarithm = std::log1p(r);
    weight = logarithm * (kBm25K + 1) / (logarithm + kBm25K * (1 - kBm25B + kBm25B * length / mean_length));
  }
  if (weighting == KnnWeighting::kBm25 || weighting == KnnWeighting::kTfidf) weight *= idf;
  return std::clamp(weight, kLeastWeight, kMostWeight);
}

std::vector<std::pair<TrackIx, float>> KnnScale::Weigh(std::span<const Preference> history, std::span<const float> idf) const {
  std::vector<std::pair<TrackIx, float>> weights;
  float length = 0;
  for (const Preference& item : ByLiking(history, liked)) {
    if (item.strength <= 0) continue;
    length += std::log1p(item.strength);
    weights.emplace_back(item.track, item.strength);
  }
  for (auto& [track, weight] : weights) weight = WeightOf(weight, length, idf[Raw(track)]);
  return weights;
}

std::unique_ptr<Model> ItemKnnModel::Make(Parts parts) {
  auto model = std::unique_ptr<ItemKnnModel>(new ItemKnnModel(std::move(parts.catalogue)));
  model->own_ = std::move(parts);
  const Parts& own = model->own_;
  SEGUE_CHECK(own.begin.size() == model->track_count() + 1u && own.idf.size() == model->track_count());
  model->scale_ = own.scale;
  model->scoring_ = own.scoring;
  model->idf_ = own.idf;
  model->begin_ = own.begin;
  model->neighbour_ = own.neighbour;
  model->similarity_ = own.similarity;
  return model;
}

Result<std::unique_ptr<Model>> ItemKnnModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  auto model = std::unique_ptr<ItemKnnModel>(new ItemKnnModel(std::move(catalogue)));
  SEGUE_TRY(const auto header, file->Array<Header>("item_knn", 1));
  const Header& h = header[0];
  const size_t n = model->track_count();
  SEGUE_TRY(model->idf_, file->Array<float>("idf", n));
  SEGUE_TRY(model->begin_, file->Array<uint64_t>("begin", n + 1));
  const bool sound = h.weighting <= 4 && h.liked <= 1 && h.scoring <= 3 && h.neighbours <= n * n && h.mean_length > 0 &&
                     model->begin_[0] == 0 && model->begin_[n] == h.neighbours && std::is_sorted(model->begin_.begin(), model->begin_.end());
  if (!sound) return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its neighbour lists do not fit"};
  SEGUE_TRY(model->neighbour_, file->Array<uint32_t>("neighbour", h.neighbours));
  SEGUE_TRY(model->similarity_, file->Array<float>("similarity", h.neighbours));
  if (std::any_of(model->neighbour_.begin(), model->neighbour_.end(), [&](uint32_t row) { return row >= n; })) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: a neighbour is no track"};
  }
  model->scale_ = {static_cast<KnnWeighting>(h.weighting), static_cast<Liked>(h.liked), h.mean_length};
  model->scoring_ = static_cast<KnnScoring>(h.scoring);
  model->file_ = std::move(file);
  return std::unique_ptr<Model>(std::move(model));
}

Profile ItemKnnModel::FoldIn(const History& history) const {
  Profile profile = ProfileOf(history);
  const auto weights = scale_.Weigh(history.tracks, idf_);
  if (weights.empty()) return profile;
  profile.state.assign(profile.history.size(), 0.0f);
  size_t at = 0;
  for (const auto& [track, weight] : weights) {  // both ascend
    while (profile.history[at].track != track) ++at;
    profile.state[at] = weight;
  }
  return profile;
}

void ItemKnnModel::Score(const Profile& profile, std::span<float> scores) const {
  const auto popularity = catalogue_.popularity();
  if (profile.state.empty()) {
    std::copy(popularity.begin(), popularity.end(), scores.begin());
    return;
  }
  std::fill(scores.begin(), scores.end(), 0.0f);
  std::vector<float> voted(scoring_ == KnnScoring::kMean ? scores.size() : 0, 0.0f);
  for (size_t h = 0; h < profile.history.size(); ++h) {
    const float weight = profile.state[h];
    if (weight <= 0) continue;
    const uint32_t j = Raw(profile.history[h].track);
    for (uint64_t k = begin_[j]; k < begin_[j + 1]; ++k) {
      float& score = scores[neighbour_[k]];
      const float vote = weight * similarity_[k];
      switch (scoring_) {
        case KnnScoring::kSum: score += vote; break;
        case KnnScoring::kMax: score = std::max(score, vote); break;
        case KnnScoring::kRank: score += weight / (kRankOffset + static_cast<float>(k - begin_[j])); break;
        case KnnScoring::kMean:
          score += vote;
          voted[neighbour_[k]] += weight;
          break;
      }
    }
  }
  for (size_t i = 0; i < scores.size(); ++i) {
    if (popularity[i] == kNever) {
      scores[i] = kNever;
      continue;
    }
    if (!voted.empty() && voted[i] > 0) scores[i] /= voted[i];
    scores[i] += kPopularityHint * popularity[i];
  }
}

Explanation ItemKnnModel::Explain(const Profile& profile, TrackIx track) const {
  Explanation result;
  for (size_t h = 0; h < profile.state.size(); ++h) {
    if (profile.state[h] <= 0) continue;
    const uint32_t j = Raw(profile.history[h].track);
    for (uint64_t k = begin_[j]; k < begin_[j + 1]; ++k) {
      if (neighbour_[k] == Raw(track)) result.because.push_back({profile.history[h].track, profile.state[h] * similarity_[k]});
    }
  }
  const size_t kept = std::min<size_t>(3, result.because.size());
  std::partial_sort(result.because.begin(), result.because.begin() + static_cast<std::ptrdiff_t>(kept), result.because.end(), Better);
  result.because.resize(kept);
  if (result.because.empty()) result.general = "popular with other listeners";
  return result;
}

std::vector<ScoredTrack> ItemKnnModel::Similar(TrackIx track, size_t n) const {
  std::vector<ScoredTrack> similar;
  for (uint64_t k = begin_[Raw(track)]; k < begin_[Raw(track) + 1] && similar.size() < n; ++k) {
    similar.push_back({TrackIx{neighbour_[k]}, similarity_[k]});
  }
  return similar;
}

Status ItemKnnModel::Save(const std::filesystem::path& file) const {
  const Header header{neighbour_.size(), static_cast<uint32_t>(scale_.weighting), static_cast<uint32_t>(scale_.liked),
                      static_cast<uint32_t>(scoring_), scale_.mean_length};
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  writer.AddArray<Header>("item_knn", {&header, 1});
  catalogue_.AddTo(writer);
  writer.AddArray<float>("idf", idf_);
  writer.AddArray<uint64_t>("begin", begin_);
  writer.AddArray<uint32_t>("neighbour", neighbour_);
  writer.AddArray<float>("similarity", similarity_);
  return writer.Write(file);
}

}  // namespace segue::models
