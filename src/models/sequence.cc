#include "models/sequence.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace segue::models {
namespace {

/// Weights to sum 1. False where there is nothing to share.
bool Normalise(std::vector<WeightedTrack>& tracks) {
  double sum = 0;
  for (const WeightedTrack& item : tracks) sum += item.weight;
  if (!(sum > 0)) return false;
  for (WeightedTrack& item : tracks) item.weight = static_cast<float>(item.weight / sum);
  return true;
}

bool Wanted(const Profile& profile, TrackIx track) {
  const auto at = std::lower_bound(profile.history.begin(), profile.history.end(), track,
                                   [](const Preference& a, TrackIx b) { return a.track < b; });
  return at != profile.history.end() && at->track == track && at->strength > 0;
}

/// The newest plays, a weight each; a track may come more than once.
std::vector<WeightedTrack> Window(const Profile& profile, const SequenceRule& rule) {
  std::vector<WeightedTrack> window;
  for (size_t back = profile.recent.size(); back-- > 0 && window.size() < rule.window;) {
    const TrackIx track = profile.recent[back].track;
    if (!Wanted(profile, track)) continue;
    window.push_back({track, std::exp2(-static_cast<float>(window.size()) / rule.window_half_life)});
  }
  return window;
}

/// share · all + (1 − share) · some, each summing to 1 first; `all` ascends by
/// track and has all that `some` has. Where some is nothing: all.
std::vector<WeightedTrack> Mixed(std::vector<WeightedTrack> all, std::vector<WeightedTrack> some, float share) {
  if (!Normalise(all)) return {};
  if (!Normalise(some)) return all;
  for (WeightedTrack& item : all) item.weight *= share;
  for (const WeightedTrack& item : some) {
    const auto at = std::lower_bound(all.begin(), all.end(), item.track,
                                     [](const WeightedTrack& a, TrackIx b) { return a.track < b; });
    at->weight += (1 - share) * item.weight;
  }
  return all;
}

/// The newest of all is of now; what is older than floats can say still counts
/// a little, so that no weight is 0.
float Faded(int64_t seconds, float half_life_days) {
  return std::exp2(std::max(-100.0f, -static_cast<float>(seconds) / 86'400 / half_life_days));
}

Error Damaged(const ModelFile& file, std::string_view what) {
  return {ErrorCode::kCorrupt, "model file " + file.path().string() + " is damaged: " + std::string(what)};
}

}  // namespace

std::vector<WeightedTrack> ContextOf(const Profile& profile, const SequenceRule& rule) {
  std::vector<WeightedTrack> all;
  for (const Preference& item : profile.history) {
    if (item.strength > 0) all.push_back({item.track, std::log1p(item.strength)});
  }
  auto context = Mixed(std::move(all), Window(profile, rule), rule.long_term);
  if (context.size() <= kMostContext) return context;
  std::stable_sort(context.begin(), context.end(),
                   [](const WeightedTrack& a, const WeightedTrack& b) { return a.weight > b.weight; });
  context.resize(kMostContext);
  std::sort(context.begin(), context.end(), [](const WeightedTrack& a, const WeightedTrack& b) { return a.track < b.track; });
  Normalise(context);
  return context;
}

std::vector<WeightedTrack> HabitsOf(const Profile& profile, const SequenceRule& rule) {
  int64_t now = 0;
  for (const Preference& item : profile.history) now = std::max(now, item.last_at);
  std::vector<WeightedTrack> habits;
  for (const Preference& item : profile.history) {
    if (item.strength <= 0) continue;
    habits.push_back({item.track, std::log1p(item.strength) * Faded(now - item.last_at, rule.repeat_half_life_days)});
  }
  std::vector<WeightedTrack> lately;
  for (const Played& play : profile.recent) {
    if (Wanted(profile, play.track)) lately.push_back({play.track, Faded(now - play.at, rule.lately_half_life_days)});
  }
  return Mixed(std::move(habits), std::move(lately), 1 - rule.lately);
}

void MappedRows::AddTo(ModelFileWriter& writer, std::string_view name) const {
  writer.AddArray<uint64_t>(std::string(name) + "_begin", begin);
  writer.AddArray<uint32_t>(std::string(name) + "_column", column);
  if (!value.empty() || column.empty()) writer.AddArray<float>(std::string(name) + "_value", value);
}

Result<MappedRows> MappedRows::Open(const ModelFile& file, std::string_view name, size_t rows, size_t columns,
                                    With with) {
  MappedRows result;
  SEGUE_TRY(result.begin, file.Array<uint64_t>(std::string(name) + "_begin", rows + 1));
  SEGUE_TRY(const std::string_view columns_bytes, file.Section(std::string(name) + "_column"));
  const size_t entries = columns_bytes.size() / sizeof(uint32_t);
  SEGUE_TRY(result.column, file.Array<uint32_t>(std::string(name) + "_column", entries));
  if (result.begin.front() != 0 || result.begin.back() != entries ||
      !std::is_sorted(result.begin.begin(), result.begin.end())) {
    return Damaged(file, "the rows of '" + std::string(name) + "' are not in order");
  }
  for (size_t row = 0; row < rows; ++row) {
    const auto of = result.Columns(row);
    const bool ascending = std::adjacent_find(of.begin(), of.end(), std::greater_equal<>()) == of.end();
    if (!ascending || (!of.empty() && of.back() >= columns)) {
      return Damaged(file, "a row of '" + std::string(name) + "' has columns that cannot be");
    }
  }
  if (with == With::kColumnsOnly) return result;
  SEGUE_TRY(result.value, file.Array<float>(std::string(name) + "_value", entries));
  if (!std::all_of(result.value.begin(), result.value.end(), [](float v) { return std::isfinite(v) && v >= 0; })) {
    return Damaged(file, "'" + std::string(name) + "' has values that cannot be");
  }
  return result;
}

SequenceModel::SequenceModel(Catalogue catalogue, const SequenceRule& rule)
    : CatalogueModel(std::move(catalogue)), rule_(rule), popular_share_(track_count(), 0.0f) {
  double sum = 0;
  for (const uint32_t row : catalogue_.ranked()) sum += std::expm1(catalogue_.popularity()[row]);
  for (const uint32_t row : catalogue_.ranked()) {
    popular_share_[row] = static_cast<float>(std::expm1(catalogue_.popularity()[row]) / sum);
  }
}

bool SequenceModel::Valid(const SequenceRule& rule) {
  const auto share = [](float v) { return v >= 0 && v <= 1; };
  const auto positive = [](float v) { return std::isfinite(v) && v > 0; };
  return positive(rule.window_half_life) && share(rule.long_term) && share(rule.repeat) &&
         positive(rule.repeat_half_life_days) && share(rule.lately) && positive(rule.lately_half_life_days) &&
         static_cast<uint32_t>(rule.liked) <= 1;
}

Profile SequenceModel::FoldIn(const History& history) const {
  Profile profile = ProfileOf(history);
  profile.history = ByLiking(history.tracks, rule_.liked);
  // What the model knows nothing of leads nowhere.
  std::erase_if(profile.history, [&](const Preference& item) { return !catalogue_.Played(item.track); });
  return profile;
}

void SequenceModel::Score(const Profile& profile, std::span<float> scores) const {
  const auto context = ContextOf(profile, rule_);
  if (context.empty()) {
    std::copy(catalogue_.popularity().begin(), catalogue_.popularity().end(), scores.begin());
    return;
  }
  std::fill(scores.begin(), scores.end(), 0.0f);
  const float left = AddNext(context, 1 - rule_.repeat, scores);
  for (const WeightedTrack& habit : HabitsOf(profile, rule_)) scores[Raw(habit.track)] += rule_.repeat * habit.weight;
  for (size_t i = 0; i < scores.size(); ++i) {
    scores[i] = popular_share_[i] > 0 ? scores[i] + left * popular_share_[i] : kNever;
  }
}

Explanation SequenceModel::Explain(const Profile& profile, TrackIx track) const {
  const auto context = ContextOf(profile, rule_);
  if (context.empty()) return {{}, "popular with other listeners"};
  if (Wanted(profile, track)) return {{}, "you come back to it"};
  Explanation result;
  result.because = Reasons(context, track);
  std::erase_if(result.because, [](const ScoredTrack& reason) { return !(reason.score > 0); });
  const size_t kept = std::min<size_t>(3, result.because.size());
  std::partial_sort(result.because.begin(), result.because.begin() + static_cast<std::ptrdiff_t>(kept),
                    result.because.end(), Better);
  result.because.resize(kept);
  if (result.because.empty()) result.general = "popular with other listeners";
  return result;
}

}  // namespace segue::models
