#include "models/model.h"

#include <algorithm>
#include <limits>

#include "models/ease.h"
#include "models/hit_chance.h"
#include "models/hybrid.h"
#include "models/content.h"
#include "models/content_map.h"
#include "models/ials.h"
#include "models/item_knn.h"
#include "models/model_file.h"
#include "models/pairwise.h"
#include "models/popularity.h"
#include "models/svd.h"
#include "models/trending.h"
#include "models/user_knn.h"
#include "models/groups.h"
#include "models/ials.h"
#include "models/markov.h"
#include "models/model_file.h"
#include "models/popularity.h"
#include "models/session_knn.h"

namespace segue::models {
namespace {

using Opener = Result<std::unique_ptr<Model>> (*)(std::shared_ptr<const ModelFile>);

/// Every algorithm that has artifacts, one line each.
constexpr std::pair<std::string_view, Opener> kArtifacts[] = {
    {PopularityModel::kAlgorithm, PopularityModel::Open},
    {TrendingModel::kAlgorithm, TrendingModel::Open},
    {ItemKnnModel::kAlgorithm, ItemKnnModel::Open},
    {UserKnnModel::kAlgorithm, UserKnnModel::Open},
    {UserKnnModel::kFriends, UserKnnModel::Open},
    {SvdModel::kSvd, SvdModel::Open},
    {SvdModel::kSvdpp, SvdModel::Open},
    {SvdModel::kGibbs, SvdModel::Open},
    {IalsModel::kAlgorithm, IalsModel::Open},
    {PairwiseModel::kBpr, PairwiseModel::Open},
    {PairwiseModel::kWarp, PairwiseModel::Open},
    {EaseModel::kAlgorithm, EaseModel::Open},
    {HybridModel::kAlgorithm, HybridModel::Open},
    {ContentModel::kAudio, ContentModel::Open},
    {ContentModel::kText, ContentModel::Open},
    {ContentModel::kBoth, ContentModel::Open},
    {IalsContentModel::kAlgorithm, IalsContentModel::Open},
    {SessionKnnModel::kAlgorithm, SessionKnnModel::Open},
    {MarkovModel::kAlgorithm, MarkovModel::Open},
    {GroupsModel::kAlgorithm, GroupsModel::Open},
    {HitChanceModel::kAlgorithm, HitChanceModel::Open},
};

}  // namespace

bool Better(const ScoredTrack& a, const ScoredTrack& b) {
  return a.score != b.score ? a.score > b.score : a.track < b.track;
}

std::vector<std::string_view> KnownArtifacts() {
  std::vector<std::string_view> names;
  for (const auto& [name, open] : kArtifacts) names.push_back(name);
  return names;
}

std::optional<float> Model::PredictRating(const Profile&, TrackIx) const { return std::nullopt; }

std::optional<float> Model::Likeness(TrackIx, TrackIx) const { return std::nullopt; }

std::optional<TrackIx> Model::Find(std::string_view track_id) const {
  uint32_t low = 0;
  uint32_t high = track_count();
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (TrackId(TrackIx{middle}) < track_id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == track_count() || TrackId(TrackIx{low}) != track_id) return std::nullopt;
  return TrackIx{low};
}

std::vector<ScoredTrack> Model::Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const {
  std::vector<float> scores(track_count());
  Score(profile, scores);
  return SelectTop(scores, n, exclude);
}

std::vector<ScoredTrack> SelectTop(std::span<const float> scores, size_t n, std::span<const uint8_t> exclude) {
  std::vector<ScoredTrack> all;
  all.reserve(scores.size());
  for (uint32_t i = 0; i < scores.size(); ++i) {
    if (!exclude.empty() && exclude[i] != 0) continue;
    if (scores[i] == kNever) continue;
    all.push_back({TrackIx{i}, scores[i]});
  }
  const size_t kept = std::min(n, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), Better);
  all.resize(kept);
  return all;
}

Explanation StrongestOf(std::vector<ScoredTrack> shares) {
  const size_t kept = std::min<size_t>(3, shares.size());
  std::partial_sort(shares.begin(), shares.begin() + static_cast<std::ptrdiff_t>(kept), shares.end(), Better);
  shares.resize(kept);
  if (shares.empty()) return {{}, "listeners with tastes like yours play it"};
  return {std::move(shares), ""};
}

Result<std::unique_ptr<Model>> Load(const std::filesystem::path& file) {
  SEGUE_TRY(auto mapped, ModelFile::Map(file));
  return Load(std::move(mapped));
}

Result<std::unique_ptr<Model>> Load(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(const std::string_view algorithm, file->Section("algorithm"));
  std::string known;
  for (const auto& [name, open] : kArtifacts) {
    if (name == algorithm) return open(std::move(file));
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is of algorithm '" + std::string(algorithm) +
                                        "', which this segue does not know (it knows " + known + ")"};
}

}  // namespace segue::models
