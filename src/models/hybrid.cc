#include "models/hybrid.h"

#include <algorithm>
#include <bit>
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

struct Header {
  uint32_t members;
  uint32_t best;
  float many_wanted;
  uint32_t nothing;  ///< 0
  uint64_t trees;
  uint64_t nodes;
};
static_assert(sizeof(Header) == 32, "no padding: the bytes are the same everywhere");

std::string MemberSection(size_t member) { return "member" + std::to_string(member); }

uint32_t CountWanted(std::span<const Preference> history) {
  return static_cast<uint32_t>(std::count_if(history.begin(), history.end(), [](const Preference& item) { return item.strength > 0; }));
}

/// 1 / log2(rank + 1) of one member, the best candidate's rank being 1; the
/// heard as if first. out: every `stride`th float.
void FillRanks(const Candidates& candidates, size_t member, size_t stride, float* out) {
  const auto score = [&](uint32_t c) { return candidates.scores[c * candidates.members + member]; };
  std::vector<uint32_t> order;
  for (uint32_t c = 0; c < candidates.tracks.size(); ++c) {
    out[c * stride] = score(c) == kNever ? 0.0f : 1.0f;
    if (score(c) != kNever && candidates.heard[c] == 0) order.push_back(c);
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return score(a) != score(b) ? score(a) > score(b) : a < b; });
  for (size_t rank = 0; rank < order.size(); ++rank) out[order[rank] * stride] = 1 / std::log2(static_cast<float>(rank) + 2);
}

template <typename Keep>
Candidates Filtered(const Candidates& from, std::span<const size_t> members, const Keep& keep) {
  Candidates to;
  to.members = members.size();
  to.wanted = from.wanted;
  for (size_t c = 0; c < from.tracks.size(); ++c) {
    uint64_t votes = 0;
    for (size_t m = 0; m < members.size(); ++m) votes |= (from.votes[c] >> members[m] & 1) << m;
    if (!keep(c, votes)) continue;
    to.tracks.push_back(from.tracks[c]);
    for (const size_t m : members) to.scores.push_back(from.scores[c * from.members + m]);
    to.votes.push_back(votes);
    to.heard.push_back(from.heard[c]);
    to.popularity.push_back(from.popularity[c]);
  }
  return to;
}

}  // namespace

Candidates Candidates::Only(std::span<const size_t> kept) const {
  return Filtered(*this, kept, [&](size_t c, uint64_t of_kept) { return of_kept != 0 || heard[c] != 0; });
}

Candidates Candidates::Unheard() const {
  std::vector<size_t> all(members);
  std::iota(all.begin(), all.end(), size_t{0});
  return Filtered(*this, all, [&](size_t c, uint64_t) { return heard[c] == 0; });
}

Candidates GatherCandidates(std::span<const std::unique_ptr<Model>> members, std::span<const Profile> profiles,
                            const Catalogue& catalogue, std::span<const Preference> heard,
                            std::span<const uint8_t> exclude, size_t best, std::vector<std::vector<float>>& scores) {
  const size_t tracks = catalogue.size();
  std::vector<uint8_t> is_heard(tracks, 0), is_out(tracks, 0);
  if (!exclude.empty()) is_out.assign(exclude.begin(), exclude.end());
  for (const Preference& item : heard) is_heard[Raw(item.track)] = is_out[Raw(item.track)] = 1;
  std::vector<uint64_t> votes(tracks, 0);
  scores.assign(members.size(), std::vector<float>(tracks));
  for (size_t m = 0; m < members.size(); ++m) {
    members[m]->Score(profiles[m], scores[m]);
    for (const ScoredTrack& track : SelectTop(scores[m], best, is_out)) votes[Raw(track.track)] |= uint64_t{1} << m;
  }
  Candidates candidates;
  candidates.members = members.size();
  candidates.wanted = CountWanted(heard);
  for (uint32_t i = 0; i < tracks; ++i) {
    if (votes[i] == 0 && is_heard[i] == 0) continue;
    candidates.tracks.push_back(TrackIx{i});
    for (const auto& of_member : scores) candidates.scores.push_back(of_member[i]);
    candidates.votes.push_back(votes[i]);
    candidates.heard.push_back(is_heard[i]);
    candidates.popularity.push_back(catalogue.popularity()[i]);
  }
  return candidates;
}

float ScoreScale::Standard(float score) const { return score == kNever ? kNaN : (score - mean) / deviation; }

std::vector<ScoreScale> ScalesOf(const Candidates& candidates) {
  std::vector<ScoreScale> scales(candidates.members);
  for (size_t m = 0; m < candidates.members; ++m) {
    double sum = 0;
    double squares = 0;
    double count = 0;
    for (size_t c = 0; c < candidates.tracks.size(); ++c) {
      const float score = candidates.scores[c * candidates.members + m];
      if (score == kNever || candidates.heard[c] != 0) continue;
      sum += score;
      squares += static_cast<double>(score) * score;
      count += 1;
    }
    count = std::max(1.0, count);
    const double mean = sum / count;
    scales[m] = {static_cast<float>(mean), static_cast<float>(std::sqrt(std::max(0.0, squares / count - mean * mean)) + 1e-9)};
  }
  return scales;
}

std::vector<float> StandardScores(const Candidates& candidates) {
  const auto scales = ScalesOf(candidates);
  std::vector<float> standard(candidates.scores.size());
  for (size_t k = 0; k < standard.size(); ++k) standard[k] = scales[k % candidates.members].Standard(candidates.scores[k]);
  return standard;
}

size_t RankingFeatures(size_t members) { return members * kOfMember + kOfPair; }

std::vector<float> FeatureRows(const Candidates& candidates) {
  const size_t width = RankingFeatures(candidates.members);
  const auto standard = StandardScores(candidates);
  std::vector<float> rows(candidates.tracks.size() * width);
  for (size_t m = 0; m < candidates.members; ++m) FillRanks(candidates, m, width, rows.data() + m * kOfMember + 2);
  const float wanted = std::log1p(static_cast<float>(candidates.wanted));
  for (size_t c = 0; c < candidates.tracks.size(); ++c) {
    float* row = rows.data() + c * width;
    for (size_t m = 0; m < candidates.members; ++m) {
      const float score = candidates.scores[c * candidates.members + m];
      row[m * kOfMember] = score == kNever ? kNaN : score;
      row[m * kOfMember + 1] = standard[c * candidates.members + m];
    }
    float* pair = row + width - kOfPair;
    pair[0] = candidates.popularity[c] == kNever ? kNaN : candidates.popularity[c];
    pair[1] = wanted;
    pair[2] = static_cast<float>(std::popcount(candidates.votes[c]));
  }
  return rows;
}

float MeanOfKnown(std::span<const float> weights, const float* standard) {
  float sum = 0;
  float known = 0;
  for (size_t m = 0; m < weights.size(); ++m) {
    if (std::isnan(standard[m])) continue;
    sum += weights[m] * standard[m];
    known += weights[m];
  }
  return known > 0 ? sum / known : kUnknown;
}

float Ranker::Warmth(uint32_t wanted) const {
  const float n = std::max(static_cast<float>(wanted), kFew);
  return std::clamp(std::log(n / kFew) / std::log(many_wanted / kFew), 0.0f, 1.0f);
}

std::vector<float> Ranker::WeightsAt(float warmth) const {
  std::vector<float> weights(few.size());
  for (size_t m = 0; m < weights.size(); ++m) weights[m] = (1 - warmth) * few[m] + warmth * many[m];
  return weights;
}

std::vector<float> Ranker::Scores(const Candidates& candidates) const {
  const float warmth = Warmth(candidates.wanted);
  const auto weights = WeightsAt(warmth);
  const auto standard = StandardScores(candidates);
  std::vector<float> scores(candidates.tracks.size());
  for (size_t c = 0; c < scores.size(); ++c) scores[c] = MeanOfKnown(weights, standard.data() + c * candidates.members);
  if (trees.roots.empty() || warmth == 0) return scores;
  const size_t width = RankingFeatures(candidates.members);
  const auto rows = FeatureRows(candidates);
  for (size_t c = 0; c < scores.size(); ++c) scores[c] += warmth * trees.Predict(rows.data() + c * width);
  return scores;
}

std::unique_ptr<Model> HybridModel::Make(Parts parts) {
  auto model = std::unique_ptr<HybridModel>(new HybridModel(std::move(parts.catalogue)));
  model->members_ = std::move(parts.members);
  model->own_trees_ = std::move(parts.trees);
  model->own_few_ = std::move(parts.few);
  model->own_many_ = std::move(parts.many);
  SEGUE_CHECK(model->own_few_.size() == model->members_.size() && model->own_many_.size() == model->members_.size());
  SEGUE_CHECK(parts.many_wanted > Ranker::kFew && model->members_.size() <= kMostMembers);
  model->ranker_ = {model->own_few_, model->own_many_, parts.many_wanted, model->own_trees_};
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
  if (!(h.many_wanted > Ranker::kFew) || !std::isfinite(h.many_wanted)) return damaged("its warm listeners are impossible");
  Ranker& ranker = model->ranker_;
  ranker.many_wanted = h.many_wanted;
  SEGUE_TRY(ranker.few, file->Array<float>("few_weights", h.members));
  SEGUE_TRY(ranker.many, file->Array<float>("many_weights", h.members));
  for (const float weight : ranker.few) if (!(weight >= 0 && weight <= 1)) return damaged("a weight is impossible");
  for (const float weight : ranker.many) if (!(weight >= 0 && weight <= 1)) return damaged("a weight is impossible");
  model->best_ = h.best;
  SEGUE_TRY(ranker.trees.roots, file->Array<uint32_t>("tree_roots", h.trees));
  SEGUE_TRY(ranker.trees.feature, file->Array<int32_t>("tree_feature", h.nodes));
  SEGUE_TRY(ranker.trees.threshold, file->Array<float>("tree_threshold", h.nodes));
  SEGUE_TRY(ranker.trees.left, file->Array<uint32_t>("tree_left", h.nodes));
  SEGUE_TRY(ranker.trees.missing_left, file->Array<uint8_t>("tree_missing_left", h.nodes));
  SEGUE_TRY(ranker.trees.value, file->Array<float>("tree_value", h.nodes));
  if (!ranker.trees.Sound(RankingFeatures(h.members))) return damaged("its trees point nowhere");
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

void HybridModel::Score(const Profile& profile, std::span<float> scores) const {
  if (CountWanted(profile.history) == 0) {
    std::copy(catalogue_.popularity().begin(), catalogue_.popularity().end(), scores.begin());
    return;
  }
  std::vector<std::vector<float>> all;
  const Candidates candidates = GatherCandidates(members_, profile.members, catalogue_, profile.history, {}, best_, all);
  const auto ranked = ranker_.Scores(candidates);
  const auto scales = ScalesOf(candidates);
  const auto weights = ranker_.WeightsAt(ranker_.Warmth(candidates.wanted));
  std::vector<uint8_t> is_candidate(scores.size(), 0);
  for (const TrackIx track : candidates.tracks) is_candidate[Raw(track)] = 1;
  std::vector<float> standard(members_.size());
  float highest = kNever;  // of the rest
  for (size_t i = 0; i < scores.size(); ++i) {
    bool known = false;
    for (size_t m = 0; m < members_.size(); ++m) {
      standard[m] = scales[m].Standard(all[m][i]);
      known = known || !std::isnan(standard[m]);
    }
    scores[i] = known ? MeanOfKnown(weights, standard.data()) : kNever;
    if (is_candidate[i] == 0) highest = std::max(highest, scores[i]);
  }
  float lowest = std::numeric_limits<float>::infinity();  // of the candidates
  for (size_t c = 0; c < ranked.size(); ++c) {
    if (scores[Raw(candidates.tracks[c])] != kNever) lowest = std::min(lowest, ranked[c]);
  }
  // The rest go below the candidates as they are.
  const float shift = highest != kNever && highest >= lowest ? highest - lowest + 1 : 0;
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = is_candidate[i] == 0 && scores[i] != kNever ? scores[i] - shift : scores[i];
  for (size_t c = 0; c < ranked.size(); ++c) {
    float& score = scores[Raw(candidates.tracks[c])];
    if (score != kNever) score = ranked[c];
  }
}

std::vector<ScoredTrack> HybridModel::Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const {
  if (CountWanted(profile.history) == 0) return catalogue_.Popular(n, exclude);
  std::vector<std::vector<float>> all;
  const Candidates candidates = GatherCandidates(members_, profile.members, catalogue_, profile.history, exclude, best_, all);
  const auto scores = ranker_.Scores(candidates);
  std::vector<ScoredTrack> ranked;
  for (size_t c = 0; c < scores.size(); ++c) {
    const TrackIx track = candidates.tracks[c];
    const bool known = candidates.votes[c] != 0 || std::any_of(all.begin(), all.end(), [&](const auto& of) { return of[Raw(track)] != kNever; });
    if (known && (exclude.empty() || exclude[Raw(track)] == 0)) ranked.push_back({track, scores[c]});
  }
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

std::vector<size_t> HybridModel::ByWeight() const {
  std::vector<size_t> order(members_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ranker_.many[a] > ranker_.many[b]; });
  return order;
}

Explanation HybridModel::Explain(const Profile& profile, TrackIx track) const {
  if (CountWanted(profile.history) == 0) return {{}, "popular with other listeners"};
  Explanation first;
  for (const size_t m : ByWeight()) {
    Explanation why = members_[m]->Explain(profile.members[m], track);
    if (!why.because.empty()) return why;
    if (first.general.empty()) first = std::move(why);
  }
  if (first.general.empty()) first.general = "popular with other listeners";
  return first;
}

std::vector<ScoredTrack> HybridModel::Similar(TrackIx track, size_t n) const {
  for (const size_t m : ByWeight()) {
    if (auto similar = members_[m]->Similar(track, n); !similar.empty()) return similar;
  }
  return {};
}

std::optional<float> HybridModel::Likeness(TrackIx a, TrackIx b) const {
  for (const size_t m : ByWeight()) {
    if (const auto likeness = members_[m]->Likeness(a, b)) return likeness;
  }
  return std::nullopt;
}

Status HybridModel::Save(const std::filesystem::path& file) const {
  const math::TreesView& trees = ranker_.trees;
  const Header header{static_cast<uint32_t>(members_.size()), best_, ranker_.many_wanted, 0, trees.roots.size(), trees.feature.size()};
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  writer.AddArray<Header>("hybrid", {&header, 1});
  catalogue_.AddTo(writer);
  writer.AddArray<float>("few_weights", ranker_.few);
  writer.AddArray<float>("many_weights", ranker_.many);
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
