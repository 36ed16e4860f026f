#include "train/markov.h"

#include <algorithm>
#include <cmath>

#include <tbb/enumerable_thread_specific.h>

#include "math/parallel.h"
#include "models/markov.h"
#include "train/popularity.h"
#include "train/sessions.h"
#include "train/sparse.h"

namespace segue::train {
namespace {

/// Where in the sessions each track stands: CSR over tracks.
struct Positions {
  std::vector<uint64_t> begin;
  std::vector<uint64_t> at;       // into Sessions::tracks, ascending
  std::vector<uint32_t> session;  // of that place
};

Positions Locate(const Sessions& sessions, size_t tracks) {
  Positions result;
  std::vector<uint64_t> counts(tracks, 0);
  for (const uint32_t track : sessions.tracks) ++counts[track];
  result.begin = Offsets(std::move(counts));
  result.at.resize(sessions.tracks.size());
  result.session.resize(sessions.tracks.size());
  std::vector<uint64_t> next(result.begin.begin(), result.begin.end() - 1);
  for (size_t s = 0; s < sessions.size(); ++s) {
    for (uint64_t at = sessions.begin[s]; at < sessions.begin[s + 1]; ++at) {
      const uint64_t slot = next[sessions.tracks[at]]++;
      result.at[slot] = at;
      result.session[slot] = static_cast<uint32_t>(s);
    }
  }
  return result;
}

/// One row of c: a dense sum with a list of what was touched.
struct Counter {
  explicit Counter(size_t tracks) : count(tracks, 0.0) {}
  std::vector<double> count;
  std::vector<uint32_t> touched;

  void Add(uint32_t track, double value) {
    if (count[track] == 0) touched.push_back(track);
    count[track] += value;
  }
};

struct Row {
  std::vector<uint32_t> column;
  std::vector<float> value;
  float left = 1;
};

class Counting {
 public:
  Counting(const Sessions& sessions, size_t tracks, const MarkovSettings& settings)
      : sessions_(sessions), settings_(settings), where_(Locate(sessions, tracks)) {}

  Row RowOf(uint32_t track, Counter& counter) const {
    for (uint64_t slot = where_.begin[track]; slot < where_.begin[track + 1]; ++slot) {
      const uint32_t session = where_.session[slot];
      if (sessions_.ordered[session] != 0) {
        AddNear(track, where_.at[slot], session, counter);
      } else {
        AddAll(track, session, counter);
      }
    }
    return Finish(counter);
  }

 private:
  void AddNear(uint32_t track, uint64_t at, uint32_t session, Counter& counter) const {
    const double fresh = sessions_.Freshness(session, settings_.half_life_days);
    if (fresh == 0) return;
    const auto steps = static_cast<uint64_t>(settings_.steps);
    for (uint64_t d = 1; d <= steps && at + d < sessions_.begin[session + 1]; ++d) {
      const uint32_t next = sessions_.tracks[at + d];
      if (next != track) counter.Add(next, fresh / static_cast<double>(d));
    }
    if (settings_.backward == 0) return;
    for (uint64_t d = 1; d <= steps && at >= sessions_.begin[session] + d; ++d) {
      const uint32_t before = sessions_.tracks[at - d];
      if (before != track) counter.Add(before, settings_.backward * fresh / static_cast<double>(d));
    }
  }

  void AddAll(uint32_t track, uint32_t session, Counter& counter) const {
    const auto tracks = sessions_.Of(session);
    const double weight = 1 / std::sqrt(static_cast<double>(tracks.size()));
    for (const uint32_t other : tracks) {
      if (other != track) counter.Add(other, weight);
    }
  }

  Row Finish(Counter& counter) const {
    const auto& count = counter.count;
    auto& touched = counter.touched;
    std::sort(touched.begin(), touched.end());
    double total = 0;
    for (const uint32_t other : touched) total += count[other];
    const double divisor = total + settings_.smoothing;
    Row row;
    row.left = static_cast<float>(settings_.smoothing / divisor);
    auto best = touched;
    const size_t kept = std::min(best.size(), static_cast<size_t>(settings_.kept));
    std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(kept), best.end(),
                      [&](uint32_t a, uint32_t b) { return count[a] != count[b] ? count[a] > count[b] : a < b; });
    best.resize(kept);
    std::sort(best.begin(), best.end());
    for (const uint32_t other : best) {
      row.column.push_back(other);
      row.value.push_back(static_cast<float>(count[other] / divisor));
    }
    for (const uint32_t other : touched) counter.count[other] = 0;
    touched.clear();
    return row;
  }

  const Sessions& sessions_;
  const MarkovSettings& settings_;
  const Positions where_;
};

class MarkovTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::MarkovModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t,
                                             Instruments& instruments) const override {
    auto preferences = SumPreferences(data, {settings.skip_weight, settings.like_weight});
    const models::Liked liked = models::LikedRule(settings.liked, preferences);
    models::ApplyLiking(preferences, liked);
    const Sessions sessions = CutSessions(data, preferences, settings.markov.past.gap_minutes * 60);
    if (sessions.size() == 0) {
      return Error{ErrorCode::kInvalid, "markov: there are no plays, likes or ratings to train on"};
    }
    const size_t n = data.tracks.size();
    const Counting counting(sessions, n, settings.markov);
    std::vector<Row> rows(n);
    math::WithThreads(settings.threads, [&] {
      tbb::enumerable_thread_specific<Counter> counters([&] { return Counter(n); });
      math::ParallelRanges(n, 64, [&](size_t first, size_t last) {
        if (instruments.Cancelled()) return;
        Counter& counter = counters.local();
        for (size_t track = first; track < last; ++track) rows[track] = counting.RowOf(track, counter);
      });
    });
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "markov: asked to stop"};
    models::MarkovModel::Parts parts{models::Catalogue(data.tracks.id, PopularityOf(preferences, n)),
                                     SequenceRuleOf(settings.markov.past, liked), {0}, {}, {}, {}};
    for (const Row& row : rows) {
      parts.column.insert(parts.column.end(), row.column.begin(), row.column.end());
      parts.value.insert(parts.value.end(), row.value.begin(), row.value.end());
      parts.begin.push_back(parts.column.size());
      parts.left.push_back(row.left);
    }
    instruments.Progress("train", n, n, "tracks");
    return models::MarkovModel::Make(std::move(parts));
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeMarkovTrainer() { return std::make_unique<MarkovTrainer>(); }

}  // namespace segue::train
