#include "evaluate/evaluator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>

#include <tbb/enumerable_thread_specific.h>

#include "core/check.h"
#include "core/preferences.h"
#include "evaluate/metrics.h"
#include "math/bootstrap.h"
#include "math/parallel.h"
#include "models/past.h"

namespace segue::evaluate {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr uint32_t kUnknown = std::numeric_limits<uint32_t>::max();
constexpr size_t kTop = 10;  ///< of coverage, novelty, popularity rank

/// A list with its hits marked.
struct Judged {
  std::vector<uint8_t> hits;
  size_t relevant = 0;
};

/// A figure of one list.
struct ListFigure {
  const char* name;
  double (*of)(const Judged& list);
};

constexpr std::array kListFigures = {
    ListFigure{"mrr", [](const Judged& list) { return ReciprocalRank(list.hits); }},
    ListFigure{"hit_rate@1", [](const Judged& list) { return HitRate(list.hits, 1); }},
    ListFigure{"hit_rate@5", [](const Judged& list) { return HitRate(list.hits, 5); }},
    ListFigure{"hit_rate@10", [](const Judged& list) { return HitRate(list.hits, 10); }},
    ListFigure{"hit_rate@20", [](const Judged& list) { return HitRate(list.hits, 20); }},
    ListFigure{"precision@10", [](const Judged& list) { return Precision(list.hits, 10); }},
    ListFigure{"recall@10", [](const Judged& list) { return Recall(list.hits, 10, list.relevant); }},
    ListFigure{"recall@20", [](const Judged& list) { return Recall(list.hits, 20, list.relevant); }},
    ListFigure{"recall@50", [](const Judged& list) { return Recall(list.hits, 50, list.relevant); }},
    ListFigure{"recall@100", [](const Judged& list) { return Recall(list.hits, 100, list.relevant); }},
    ListFigure{"ndcg@10", [](const Judged& list) { return Ndcg(list.hits, 10, list.relevant); }},
    ListFigure{"ndcg@100", [](const Judged& list) { return Ndcg(list.hits, 100, list.relevant); }},
    ListFigure{"map@10", [](const Judged& list) { return AveragePrecision(list.hits, 10, list.relevant); }},
};
/// Behind those: what needs more than the hits.
enum Extra : size_t { kOfRecord = kListFigures.size(), kNovelty, kPopularityRank, kDiversity, kFigures };

const char* FigureName(size_t figure) {
  switch (figure) {
    case kOfRecord: return "mrr_of_record";
    case kNovelty: return "novelty@10";
    case kPopularityRank: return "popularity_rank@10";
    case kDiversity: return "diversity@10";
    default: return kListFigures[figure].name;
  }
}

/// [tracks] listeners of the train part who have the track.
std::vector<uint32_t> CountListeners(const Dataset& train) {
  std::vector<uint32_t> heard_by(train.tracks.size(), 0);
  std::vector<uint32_t> last(train.tracks.size(), kUnknown);
  for (uint32_t u = 0; u < train.listener_count(); ++u) {
    for (const Event& event : train.EventsOf(UserIx{u})) {
      if (last[Raw(event.track)] == u) continue;
      last[Raw(event.track)] = u;
      ++heard_by[Raw(event.track)];
    }
  }
  return heard_by;
}

/// One evaluation: what all listeners share, read-only, and where each writes.
class Examination {
 public:
  Examination(const models::Model& model, const Split& split, const Settings& settings)
      : model_(model),
        split_(split),
        rule_{settings.skip_weight, settings.like_weight},
        list_length_(static_cast<size_t>(settings.list_length)),
        discovery_(settings.protocol == "discovery"),
        new_below_(static_cast<size_t>(settings.new_below)),
        heavy_from_(static_cast<size_t>(settings.heavy_from)),
        rows_(model, split.train.tracks.id),
        unknown_(model.track_count(), 1),
        heard_by_(model.track_count(), 0),
        in_a_top_(model.track_count(), 0) {
    const auto heard_by = CountListeners(split.train);
    const auto ranks = PopularityRanks(heard_by);
    const auto unknown = UnknownTracks(split.train);
    known_tracks_ = static_cast<uint64_t>(std::count(unknown.begin(), unknown.end(), 0));
    popularity_rank_.assign(model.track_count(), 1);
    for (uint32_t track = 0; track < heard_by.size(); ++track) {
      const uint32_t row = rows_[TrackIx{track}];
      if (row == models::RowMap::kNone) continue;
      unknown_[row] = unknown[track];
      heard_by_[row] = heard_by[track];
      popularity_rank_[row] = ranks[track];
    }
    for (auto& column : columns_) column.resize(split.listeners.size());
    segment_.resize(split.listeners.size());
    std::unordered_map<std::string_view, uint32_t> numbers;
    artist_.assign(model.track_count(), kUnknown);
    for (uint32_t track = 0; track < split.train.tracks.artist.size(); ++track) {
      const std::string& name = split.train.tracks.artist[track];
      const uint32_t row = rows_[TrackIx{track}];
      if (name.empty() || row == models::RowMap::kNone) continue;
      artist_[row] = numbers.emplace(name, static_cast<uint32_t>(numbers.size())).first->second;
    }
  }

  /// [track_count] what no list may have: how `exclude` is before and after each Examine.
  const std::vector<uint8_t>& unknown() const { return unknown_; }

  /// Ranks for the i-th listener of the split.
  void Examine(size_t i, std::vector<uint8_t>& exclude) {
    const UserIx user = split_.listeners[i];
    const auto past = rows_.PastOf(split_.train.listeners[Raw(user)], split_.train.EventsOf(user), rule_);
    if (discovery_) {
      for (const Preference& item : past.tracks) exclude[Raw(item.track)] = 1;
    }
    const auto scored = model_.Top(model_.FoldIn(past.View()), list_length_, exclude);
    for (const Preference& item : past.tracks) exclude[Raw(item.track)] = unknown_[Raw(item.track)];

    std::vector<TrackIx> ranked;
    ranked.reserve(scored.size());
    for (const models::ScoredTrack& item : scored) ranked.push_back(item.track);
    for (size_t rank = 0; rank < std::min(kTop, ranked.size()); ++rank) {
      std::atomic_ref(in_a_top_[Raw(ranked[rank])]).store(1, std::memory_order_relaxed);
    }

    const Judged list = Judge(i, ranked, false);
    for (size_t f = 0; f < kListFigures.size(); ++f) columns_[f][i] = kListFigures[f].of(list);
    const Judged of_record = Judge(i, ranked, true);
    columns_[kOfRecord][i] = of_record.relevant > 0 ? ReciprocalRank(of_record.hits) : kNaN;
    columns_[kNovelty][i] = Novelty(ranked, kTop, heard_by_, split_.train.listener_count());
    columns_[kDiversity][i] = ArtistShare(ranked);
    segment_[i] = SegmentOf(past.tracks.size());
    columns_[kPopularityRank][i] = MeanPopularityRank(ranked, kTop, popularity_rank_);
  }

  double Coverage() const {
    if (known_tracks_ == 0) return kNaN;
    return static_cast<double>(std::count(in_a_top_.begin(), in_a_top_.end(), 1)) / static_cast<double>(known_tracks_);
  }

  std::array<std::vector<double>, kFigures>& columns() { return columns_; }
  std::vector<Segment>& segment() { return segment_; }

 private:
  Segment SegmentOf(size_t known) const {
    return known < new_below_ ? Segment::kNew : known < heavy_from_ ? Segment::kLight : Segment::kHeavy;
  }

  /// Different artists in the top 10, of its length; a track of unknown artist is one by itself.
  double ArtistShare(std::span<const TrackIx> ranked) const {
    const size_t n = std::min(kTop, ranked.size());
    if (n == 0) return kNaN;
    std::set<uint32_t> artists;
    size_t alone = 0;
    for (size_t rank = 0; rank < n; ++rank) {
      const uint32_t artist = artist_[Raw(ranked[rank])];
      if (artist == kUnknown) ++alone;
      else artists.insert(artist);
    }
    return static_cast<double>(artists.size() + alone) / static_cast<double>(n);
  }

  Judged Judge(size_t i, std::span<const TrackIx> ranked, bool of_record) const {
    std::vector<TrackIx> relevant;
    size_t unranked = 0;
    for (uint64_t at = split_.begin[i]; at < split_.begin[i + 1]; ++at) {
      const HeldOut& held = split_.held_out[at];
      if (of_record && !held.at_or_above_mean) continue;
      const uint32_t row = rows_[held.track];
      if (row == models::RowMap::kNone) {
        ++unranked;
      } else {
        relevant.push_back(TrackIx{row});
      }
    }
    std::sort(relevant.begin(), relevant.end());
    return {MarkHits(ranked, relevant), relevant.size() + unranked};
  }

  const models::Model& model_;
  const Split& split_;
  const StrengthRule rule_;
  const size_t list_length_;
  const bool discovery_;
  const size_t new_below_;
  const size_t heavy_from_;
  uint64_t known_tracks_ = 0;           ///< of the split
  const models::RowMap rows_;
  std::vector<uint8_t> unknown_;        ///< [model rows] UnknownTracks, and what only the model knows
  std::vector<uint32_t> heard_by_;      ///< [model rows]
  std::vector<float> popularity_rank_;  ///< [model rows]
  std::vector<uint32_t> artist_;        ///< [model rows] a number each; kUnknown
  std::vector<Segment> segment_;        ///< [listeners of the split]
  std::vector<uint8_t> in_a_top_;       ///< [model rows] written by all threads, only ever 1
  std::array<std::vector<double>, kFigures> columns_;  ///< each [listeners of the split]
};

/// False where it was cancelled on the way.
bool ExamineAll(Examination& examination, size_t listeners, Instruments& instruments) {
  constexpr size_t kGrain = 64;
  tbb::enumerable_thread_specific<std::vector<uint8_t>> excludes([&] { return examination.unknown(); });
  std::atomic<uint64_t> done{0};
  std::atomic<bool> cancelled{false};
  math::ParallelRanges(listeners, kGrain, [&](size_t first, size_t last) {
    if (cancelled.load() || instruments.Cancelled()) {
      cancelled.store(true);
      return;
    }
    auto& exclude = excludes.local();
    for (size_t i = first; i < last; ++i) examination.Examine(i, exclude);
    instruments.Progress("evaluate", done += last - first, listeners, "listeners");
  });
  return !cancelled.load();
}

}  // namespace

Result<Report> Evaluate(const models::Model& model, const Split& split, const Settings& settings,
                        uint64_t seed, Instruments& instruments) {
  const size_t listeners = split.listeners.size();
  SEGUE_CHECK(split.begin.size() == listeners + 1);
  if (listeners == 0) {
    return Error{ErrorCode::kInvalid,
                 "evaluate: nothing is held out (" + split.description + "), so no model can be judged. " +
                     "More listening is needed, or another evaluate.split or evaluate.holdout_share" +
                     (settings.protocol == "discovery"
                          ? "; if listeners only replay what they know, evaluate.protocol=next"
                          : "") +
                     "."};
  }
  Examination examination(model, split, settings);
  std::vector<math::Interval> figures;
  bool finished = false;
  math::WithThreads(settings.threads, [&] {
    finished = ExamineAll(examination, listeners, instruments);
    if (!finished) return;
    const auto& columns = examination.columns();
    const std::vector<std::span<const double>> spans(columns.begin(), columns.end());
    figures = math::BootstrapMeans(spans, settings.bootstrap_samples, 0.95, seed);
  });
  if (!finished) return Error{ErrorCode::kCancelled, "evaluate: asked to stop"};

  Report report;
  report.algorithm = std::string(model.algorithm());
  report.dataset_id = split.train.id;
  report.protocol = settings.protocol;
  report.listeners = listeners;
  report.held_out = split.held_out.size();
  report.catalogue = model.track_count();
  for (size_t f = 0; f < kFigures; ++f) {
    report.figures[FigureName(f)] = {figures[f].mean, figures[f].low, figures[f].high};
    report.per_listener[FigureName(f)] = std::move(examination.columns()[f]);
  }
  report.segment = std::move(examination.segment());
  const double coverage = examination.Coverage();
  report.figures["coverage@10"] = {coverage, coverage, coverage};
  return report;
}

}  // namespace segue::evaluate
