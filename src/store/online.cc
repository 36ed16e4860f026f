#include "store/online.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace segue::store {
namespace {

constexpr int64_t kBatch = 2'000;  ///< others wait for the catalog no longer than for these

/// The last sequence number of before `since`. Rows are in the order of their
/// times but for clocks that were set; `time_after(seq)` is the time of the first row
/// behind seq, if there is one.
template <typename TimeAfter>
Result<int64_t> LastBefore(int64_t last, int64_t since, const TimeAfter& time_after) {
  int64_t low = 0, high = last;  // the rows behind `high` are all wanted
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    SEGUE_TRY(const std::optional<int64_t> time, time_after(middle));
    if (time && *time < since) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Result<int64_t> ImpressionsBefore(const Catalog& catalog, int64_t since) {
  SEGUE_TRY(const int64_t last, catalog.LastImpressionSeq());
  return LastBefore(last, since, [&](int64_t seq) -> Result<std::optional<int64_t>> {
    SEGUE_TRY(const auto row, catalog.ImpressionsAfter(seq, 1));
    return row.empty() ? std::nullopt : std::optional(row.front().at_ms / 1000);
  });
}

Result<int64_t> EventsBefore(const Catalog& catalog, int64_t since) {
  SEGUE_TRY(const int64_t last, catalog.LastEventSeq());
  return LastBefore(last, since, [&](int64_t seq) -> Result<std::optional<int64_t>> {
    SEGUE_TRY(const auto row, catalog.EventsAfter(seq, 1));
    return row.empty() ? std::nullopt : std::optional(row.front().received_at);
  });
}

}  // namespace

Showing ShowingOf(const Impression& impression) {
  return {.list_id = impression.list_id, .listener = impression.listener, .model_id = impression.model_id,
          .arm = ParseArm(impression.arm).value_or(Arm::kLive), .at = impression.at_ms / 1000, .made_us = impression.made_us,
          .failed = !impression.error.empty(), .tracks = impression.tracks};
}

nlohmann::json FiguresJson(const ArmFigures& arm, size_t catalogue) {
  using nlohmann::json;
  const auto share = [](int64_t part, int64_t of) { return of == 0 ? json() : json(static_cast<double>(part) / static_cast<double>(of)); };
  return {{"model_id", arm.model_id}, {"arm", Name(arm.arm)}, {"lists", arm.lists}, {"listeners", arm.listeners}, {"failed", arm.failed},
          {"judged", arm.judged}, {"hit_rate", share(arm.hit, arm.judged)}, {"like_rate", share(arm.liked, arm.judged)},
          {"dislike_rate", share(arm.disliked, arm.judged)}, {"skip_rate", share(arm.skipped, arm.judged)},
          {"coverage", share(arm.distinct_tracks, static_cast<int64_t>(catalogue))},
          {"repetition", share(arm.shown - arm.distinct_pairs, arm.shown)},
          {"made_p50_ms", arm.made_p50_ms}, {"made_p99_ms", arm.made_p99_ms}};
}

Result<OnlineLedger> ReadLedger(const Catalog& catalog, int64_t since, int64_t window_s) {
  OnlineLedger ledger(window_s);
  SEGUE_TRY(int64_t shown, ImpressionsBefore(catalog, since));
  // An event that comes while the lists are read may be there before its list: it is read the next time.
  SEGUE_TRY(const int64_t through, catalog.LastEventSeq());
  for (;;) {
    SEGUE_TRY(const auto rows, catalog.ImpressionsAfter(shown, kBatch));
    if (rows.empty()) break;
    for (const Impression& row : rows) {
      if (row.at_ms / 1000 >= since) ledger.Show(ShowingOf(row));
    }
    shown = rows.back().seq;
  }
  SEGUE_TRY(int64_t answered, EventsBefore(catalog, since));
  while (answered < through) {
    SEGUE_TRY(const auto events, catalog.EventsAfter(answered, std::min(kBatch, through - answered)));
    if (events.empty()) break;
    for (const FeedbackEvent& event : events) {
      const auto kind = ParseEventKind(event.kind);
      if (kind) ledger.Answer({event.listener, event.track_id, event.list_id, *kind, event.at});
    }
    answered = events.back().seq;
  }
  return ledger;
}

}  // namespace segue::store
