#include "train/session_knn.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"
#include "models/session_knn.h"
#include "train/popularity.h"
#include "train/sessions.h"
#include "train/sparse.h"

namespace segue::train {
namespace {

/// The sessions as sets, those to keep first: by time, newest first, then by
/// the seed's draw. A row of the result is sessions[rank].
std::vector<uint32_t> Ranked(const Sessions& sessions, uint64_t seed) {
  std::vector<uint64_t> draw(sessions.size());
  for (size_t s = 0; s < draw.size(); ++s) draw[s] = Random(seed, s).Next();
  std::vector<uint32_t> ranked(sessions.size());
  std::iota(ranked.begin(), ranked.end(), 0u);
  std::sort(ranked.begin(), ranked.end(), [&](uint32_t a, uint32_t b) {
    if (sessions.at[a] != sessions.at[b]) return sessions.at[a] > sessions.at[b];
    return draw[a] != draw[b] ? draw[a] < draw[b] : a < b;
  });
  return ranked;
}

Csr AsSets(const Sessions& sessions, std::span<const uint32_t> ranked) {
  Csr sets;
  for (const uint32_t session : ranked) {
    const auto tracks = sessions.Of(session);
    std::vector<uint32_t> set(tracks.begin(), tracks.end());
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    sets.column.insert(sets.column.end(), set.begin(), set.end());
    sets.EndRow();
  }
  sets.value.assign(sets.size(), 1.0f);
  return sets;
}

models::SessionKnnModel::Parts Indexed(const Sessions& sessions, size_t tracks, const SessionSettings& settings,
                                       uint64_t seed) {
  const auto ranked = Ranked(sessions, seed);
  const Csr sets = AsSets(sessions, ranked);
  const Csr by_track = Transposed(sets, tracks);  // each row's sessions by rank
  const auto most = static_cast<size_t>(settings.most_sessions);

  models::SessionKnnModel::Parts parts;
  parts.neighbours = static_cast<uint32_t>(settings.neighbours);
  std::vector<uint32_t> row(sets.rows(), 0);  // 1: some track keeps it; then its new row
  for (size_t t = 0; t < tracks; ++t) {
    const auto of = by_track.Columns(t);
    for (const uint32_t rank : of.first(std::min(most, of.size()))) row[rank] = 1;
  }
  parts.session_begin = {0};
  for (size_t rank = 0; rank < sets.rows(); ++rank) {
    if (row[rank] == 0) continue;
    row[rank] = static_cast<uint32_t>(parts.freshness.size());
    const auto set = sets.Columns(rank);
    parts.session_track.insert(parts.session_track.end(), set.begin(), set.end());
    parts.session_begin.push_back(parts.session_track.size());
    parts.freshness.push_back(sessions.Freshness(ranked[rank], settings.half_life_days));
  }
  parts.index_begin = {0};
  for (size_t t = 0; t < tracks; ++t) {
    const auto of = by_track.Columns(t);
    for (const uint32_t rank : of.first(std::min(most, of.size()))) parts.index_session.push_back(row[rank]);
    parts.index_begin.push_back(parts.index_session.size());
    const double share = static_cast<double>(sets.rows()) / static_cast<double>(std::max<size_t>(1, of.size()));
    parts.idf.push_back(of.empty() ? 0.0f : static_cast<float>(std::log1p(share)));
  }
  return parts;
}

class SessionKnnTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::SessionKnnModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t seed,
                                             Instruments& instruments) const override {
    auto preferences = SumPreferences(data, {settings.skip_weight, settings.like_weight});
    const models::Liked liked = models::LikedRule(settings.liked, preferences);
    models::ApplyLiking(preferences, liked);
    const Sessions sessions = CutSessions(data, preferences, settings.session_knn.past.gap_minutes * 60);
    if (sessions.size() == 0) {
      return Error{ErrorCode::kInvalid, "session_knn: there are no plays, likes or ratings to train on"};
    }
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "session_knn: asked to stop"};
    instruments.Progress("train", 0, sessions.size(), "sessions");
    auto parts = Indexed(sessions, data.tracks.size(), settings.session_knn, seed);
    parts.catalogue = models::Catalogue(data.tracks.id, PopularityOf(preferences, data.tracks.size()));
    parts.rule = SequenceRuleOf(settings.session_knn.past, liked);
    instruments.Progress("train", sessions.size(), sessions.size(), "sessions");
    return models::SessionKnnModel::Make(std::move(parts));
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeSessionKnnTrainer() { return std::make_unique<SessionKnnTrainer>(); }

}  // namespace segue::train
