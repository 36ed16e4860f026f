#include "models/hybrid.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>

#include "core/check.h"

namespace segue::models {
namespace {

constexpr size_t kOfMember = 3;  ///< features a member
constexpr size_t kOfPair = 3;    ///< features beside them
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr uint32_t kMostMembers = 64;

struct Header {
  uint32_t members;
  uint32_t best;
  uint64_t trees;
  uint64_t nodes;
};
static_assert(sizeof(Header) == 24, "no padding: the bytes are the same everywhere");

std::string MemberSection(size_t member) { return "member" + std::to_string(member); }

/// One member's three columns. `heard` [tracks] 1: in the history.
void FillMember(std::span<const float> scores, std::span<const uint8_t> heard, size_t member, size_t width,
                Candidates& candidates) {
  const size_t n = candidates.tracks.size();
  std::vector<uint32_t> order;
  double sum = 0;
  double squares = 0;
  for (uint32_t c = 0; c < n; ++c) {
    const float score = scores[Raw(candidates.tracks[c])];
    if (score == kNever || heard[Raw(candidates.tracks[c])] != 0) continue;
    order.push_back(c);
    sum += score;
    squares += static_cast<double>(score) * score;
  }
  const double count = std::max<double>(1, static_cast<double>(order.size()));
  const double mean = sum / count;
  const double deviation = std::sqrt(std::max(0.0, squares / count - mean * mean)) + 1e-9;
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const float x = scores[Raw(candidates.tracks[a])];
    const float y = scores[Raw(candidates.tracks[b])];
    return x != y ? x > y : a < b;
  });
  for (uint32_t c = 0; c < n; ++c) {
    const float score = scores[Raw(candidates.tracks[c])];
    float* row = candidates.features.data() + c * width + member * kOfMember;
    row[0] = score == kNever ? kNaN : score;
    row[1] = score == kNever ? kNaN : static_cast<float>((score - mean) / deviation);
    row[2] = score == kNever ? 0.0f : 1.0f;  // the heard: as if first
  }
  for (size_t rank = 0; rank < order.size(); ++rank) {
    candidates.features[order[rank] * width + member * kOfMember + 2] = 1 / std::log2(static_cast<float>(rank) + 2);
  }
}

size_t CountWanted(std::span<const Preference> history) {
  return static_cast<size_t>(std::count_if(history.begin(), history.end(), [](const Preference& item) { return item.strength > 0; }));
}

}  // namespace

float Ranker::Linear(const float* row) const {
  float sum = 0;
  for (size_t f = 0; f < weights.size(); ++f) {
    if (weights[f] != 0) sum += weights[f] * (std::isnan(row[f]) ? kUnknownFeature : row[f]);
  }
  return sum;
}

size_t RankingFeatures(size_t members) { return members * kOfMember + kOfPair; }

std::vector<std::string> RankingFeatureNames(std::span<const std::string> members) {
  std::vector<std::string> names;
  for (const std::string& member : members) {
    for (const char* what : {" score", " standard score", " rank"}) names.push_back(member + what);
  }
  for (const char* what : {"popularity", "listener's tracks", "members that have it"}) names.emplace_back(what);
  return names;
}

Candidates GatherCandidates(std::span<const std::unique_ptr<Model>> members, std::span<const Profile> profiles,
                            const Catalogue& catalogue, std::span<const Preference> history, size_t best) {
  const size_t tracks = catalogue.size();
  std::vector<uint8_t> heard(tracks, 0);
  for (const Preference& item : history) heard[Raw(item.track)] = 1;
  std::vector<std::vector<float>> scores(members.size(), std::vector<float>(tracks));
  std::vector<uint8_t> votes(tracks, 0);
  for (size_t m = 0; m < members.size(); ++m) {
    members[m]->Score(profiles[m], scores[m]);
    for (const ScoredTrack& track : SelectTop(scores[m], best, heard)) ++votes[Raw(track.track)];
  }
  Candidates candidates;
  for (uint32_t i = 0; i < tracks; ++i) {
    if (votes[i] > 0 || heard[i] != 0) candidates.tracks.push_back(TrackIx{i});
  }
  const size_t width = RankingFeatures(members.size());
  candidates.features.resize(candidates.tracks.size() * width);
  for (size_t m = 0; m < members.size(); ++m) FillMember(scores[m], heard, m, width, candidates);
  const float wanted = std::log1p(static_cast<float>(CountWanted(history)));
  for (size_t c = 0; c < candidates.tracks.size(); ++c) {
    float* row = candidates.features.data() + (c + 1) * width - kOfPair;
    const float popularity = catalogue.popularity()[Raw(candidates.tracks[c])];
    row[0] = popularity == kNever ? kNaN : popularity;
    row[1] = wanted;
    row[2] = votes[Raw(candidates.tracks[c])];
  }
  return candidates;
}

std::unique_ptr<Model> HybridModel::Make(Parts parts) {
  auto model = std::unique_ptr<HybridModel>(new HybridModel(std::move(parts.catalogue)));
  model->members_ = std::move(parts.members);
  model->own_trees_ = std::move(parts.trees);
  model->own_weights_ = std::move(parts.weights);
  model->ranker_ = {model->own_weights_, model->own_trees_};
  SEGUE_CHECK(model->own_weights_.size() == RankingFeatures(model->members_.size()));
  model->best_ = parts.best;
  for (const auto& member : model->members_) SEGUE_CHECK(member->track_count() == model->track_count());
  return model;
}

Result<std::unique_ptr<Model>> HybridModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  auto model = std::unique_ptr<HybridModel>(new HybridModel(std::move(catalogue)));
  SEGUE_TRY(const auto header, file->Array<Header>("hybrid", 1));
  const Header& h = header[0];
  const auto damaged = [&](const std::string& what) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: " + what};
  };
  if (h.members == 0 || h.members > kMostMembers) return damaged("it says " + std::to_string(h.members) + " members");
  SEGUE_TRY(model->ranker_.weights, file->Array<float>("weights", RankingFeatures(h.members)));
  model->best_ = h.best;
  SEGUE_TRY(model->ranker_.trees.roots, file->Array<uint32_t>("tree_roots", h.trees));
  SEGUE_TRY(model->ranker_.trees.feature, file->Array<int32_t>("tree_feature", h.nodes));
  SEGUE_TRY(model->ranker_.trees.threshold, file->Array<float>("tree_threshold", h.nodes));
  SEGUE_TRY(model->ranker_.trees.left, file->Array<uint32_t>("tree_left", h.nodes));
  SEGUE_TRY(model->ranker_.trees.missing_left, file->Array<uint8_t>("tree_missing_left", h.nodes));
  SEGUE_TRY(model->ranker_.trees.value, file->Array<float>("tree_value", h.nodes));
  if (!model->ranker_.trees.Sound(RankingFeatures(h.members))) return damaged("its trees point nowhere");
  for (uint32_t m = 0; m < h.members; ++m) {
    SEGUE_TRY(auto inside, ModelFile::Inside(file, MemberSection(m)));
    SEGUE_TRY(auto member, Load(std::move(inside)));
    if (member->track_count() != model->track_count()) return damaged("its members know different tracks");
    model->members_.push_back(std::move(member));
  }
  model->file_ = std::move(file);
  return std::unique_ptr<Model>(std::move(model));
}

Profile HybridModel::FoldIn(const History& history) const {
  Profile profile = ProfileOf(history);
  for (const auto& member : members_) profile.members.push_back(member->FoldIn(history));
  return profile;
}

std::vector<ScoredTrack> HybridModel::Ranked(const Profile& profile) const {
  const Candidates candidates = GatherCandidates(members_, profile.members, catalogue_, profile.history, best_);
  const size_t width = RankingFeatures(members_.size());
  std::vector<ScoredTrack> ranked;
  ranked.reserve(candidates.tracks.size());
  for (size_t c = 0; c < candidates.tracks.size(); ++c) {
    ranked.push_back({candidates.tracks[c], ranker_.Score(candidates.features.data() + c * width)});
  }
  return ranked;
}

void HybridModel::Score(const Profile& profile, std::span<float> scores) const {
  if (CountWanted(profile.history) == 0) {
    std::copy(catalogue_.popularity().begin(), catalogue_.popularity().end(), scores.begin());
    return;
  }
  const auto ranked = Ranked(profile);
  float lowest = 0;
  for (const ScoredTrack& track : ranked) lowest = std::min(lowest, track.score);
  // Popularity scores are below 2 · ln(2^32): the rest stays below the candidates.
  constexpr float kBelow = 100;
  const auto popularity = catalogue_.popularity();
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = popularity[i] == kNever ? kNever : lowest - kBelow + popularity[i];
  for (const ScoredTrack& track : ranked) scores[Raw(track.track)] = track.score;
}

std::vector<ScoredTrack> HybridModel::Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const {
  if (CountWanted(profile.history) == 0) return catalogue_.Popular(n, exclude);
  auto ranked = Ranked(profile);
  if (!exclude.empty()) std::erase_if(ranked, [&](const ScoredTrack& track) { return exclude[Raw(track.track)] != 0; });
  if (ranked.size() < n) return Model::Top(profile, n, exclude);  // more than the candidates
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(n), ranked.end(), Better);
  ranked.resize(n);
  return ranked;
}

std::optional<float> HybridModel::PredictRating(const Profile& profile, TrackIx track) const {
  for (size_t m = 0; m < members_.size(); ++m) {
    if (const auto rating = members_[m]->PredictRating(profile.members[m], track)) return rating;
  }
  return std::nullopt;
}

/// The member speaks that ranks the track highest and can name the listener's
/// own tracks; else the one that ranks it highest.
Explanation HybridModel::Explain(const Profile& profile, TrackIx track) const {
  if (CountWanted(profile.history) == 0) return {{}, "popular with other listeners"};
  std::vector<std::pair<size_t, size_t>> by_rank;  // better tracks, member
  std::vector<float> scores(track_count());
  for (size_t m = 0; m < members_.size(); ++m) {
    members_[m]->Score(profile.members[m], scores);
    const float own = scores[Raw(track)];
    if (own == kNever) continue;
    by_rank.emplace_back(static_cast<size_t>(std::count_if(scores.begin(), scores.end(), [&](float s) { return s > own; })), m);
  }
  std::sort(by_rank.begin(), by_rank.end());
  Explanation first;
  for (const auto& [rank, m] : by_rank) {
    Explanation why = members_[m]->Explain(profile.members[m], track);
    if (!why.because.empty()) return why;
    if (first.general.empty()) first = std::move(why);
  }
  if (first.general.empty()) first.general = "popular with other listeners";
  return first;
}

std::vector<ScoredTrack> HybridModel::Similar(TrackIx track, size_t n) const {
  for (const auto& member : members_) {
    if (auto similar = member->Similar(track, n); !similar.empty()) return similar;
  }
  return {};
}

Status HybridModel::Save(const std::filesystem::path& file) const {
  const math::TreesView& trees = ranker_.trees;
  const Header header{static_cast<uint32_t>(members_.size()), best_, trees.roots.size(), trees.feature.size()};
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  writer.AddArray<Header>("hybrid", {&header, 1});
  catalogue_.AddTo(writer);
  writer.AddArray<float>("weights", ranker_.weights);
  writer.AddArray<uint32_t>("tree_roots", trees.roots);
  writer.AddArray<int32_t>("tree_feature", trees.feature);
  writer.AddArray<float>("tree_threshold", trees.threshold);
  writer.AddArray<uint32_t>("tree_left", trees.left);
  writer.AddArray<uint8_t>("tree_missing_left", trees.missing_left);
  writer.AddArray<float>("tree_value", trees.value);
  for (size_t m = 0; m < members_.size(); ++m) {
    const std::filesystem::path part = file.string() + "." + MemberSection(m);
    Status saved = members_[m]->Save(part);
    std::ostringstream bytes;
    if (saved.ok()) bytes << std::ifstream(part, std::ios::binary).rdbuf();
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    SEGUE_RETURN_IF_ERROR(saved);
    writer.Add(MemberSection(m), bytes.view());
  }
  return writer.Write(file);
}

}  // namespace segue::models
