#include "monitor/readings.h"

#include <algorithm>

#include "store/dataset_store.h"

namespace segue::monitor {
namespace {

constexpr int64_t kDay = 86'400;
constexpr int64_t kRunsLookedAt = 100;
constexpr int64_t kFewestAnswers = 50;
constexpr int64_t kFewestLists = 50;

}  // namespace

Reader::Reader(const store::ObjectStore& bucket, const store::Catalog& catalog, const Settings& settings, Instruments& instruments)
    : bucket_(bucket), catalog_(catalog), instruments_(instruments), listening_watch_(bucket, catalog, settings.drift) {}

Readings Reader::Read(int64_t now_ms) {
  Readings readings;
  std::string problem;
  const auto note = [&](const Status& status) {
    if (!status.ok()) problem = status.error().message;
  };
  note(ReadAges(now_ms, readings));
  note(ReadRuns(readings));
  note(ReadReception(now_ms, readings));
  note(ReadShown(now_ms, readings));
  note(ReadQuarantine(now_ms, readings));
  note(ReadListening(now_ms, readings));
  if (!problem.empty() && problem != last_problem_) instruments_.Warn("monitor", problem);
  last_problem_ = problem;
  return readings;
}

Status Reader::ReadAges(int64_t now_ms, Readings& readings) {
  const int64_t now = now_ms / 1000;
  SEGUE_TRY(const auto live, catalog_.Live());
  live_model_ = live ? live->to_model : "";
  if (live) readings["model_age_seconds"] = static_cast<double>(std::max<int64_t>(0, now - live->at));
  SEGUE_TRY(const auto objects, catalog_.Objects("accepted"));
  int64_t newest = 0;
  for (const auto& object : objects) newest = std::max(newest, object.added_at);
  SEGUE_TRY(const int64_t last, catalog_.LastEventSeq());
  SEGUE_TRY(const auto events, catalog_.EventsAfter(last - 1, 1));
  if (!events.empty()) newest = std::max(newest, events.front().received_at);
  if (newest > 0) readings["data_age_seconds"] = static_cast<double>(std::max<int64_t>(0, now - newest));
  return {};
}

Status Reader::ReadRuns(Readings& readings) {
  SEGUE_TRY(const auto runs, catalog_.Runs(0, kRunsLookedAt));
  int64_t refused = 0, failed = 0;
  bool refusing = true, failing = true;
  for (const auto& run : runs) {
    if (run.state == "running" || run.state == "interrupted" || run.state == "dry_run") continue;
    failing = failing && run.state == "failed";
    refusing = refusing && run.state != "approved";
    failed += failing ? 1 : 0;
    refused += refusing && run.state == "refused" ? 1 : 0;
  }
  readings["refused_runs"] = static_cast<double>(refused);
  readings["failed_runs"] = static_cast<double>(failed);
  return {};
}

Status Reader::ReadReception(int64_t now_ms, Readings& readings) {
  SEGUE_TRY(const bool whole, reception_.CatchUp(catalog_, now_ms / 1000));
  const auto week = reception_.Week(now_ms / 1000);
  if (!whole || week.all < kFewestAnswers) return {};
  readings["like_rate"] = week.ShareOf(EventKind::kLike);
  readings["dislike_rate"] = week.ShareOf(EventKind::kDislike);
  return {};
}

Result<int64_t> Reader::CatalogueTracks() {
  if (live_model_ == counted_model_) return counted_tracks_;
  SEGUE_TRY(const auto model, catalog_.FindModel(live_model_));
  if (!model) return Error{ErrorCode::kNotFound, "there is no model " + live_model_};
  counted_tracks_ = store::ManifestNumber(bucket_, model->dataset_id, "tracks");
  counted_model_ = live_model_;
  return counted_tracks_;
}

Status Reader::ReadShown(int64_t now_ms, Readings& readings) {
  SEGUE_RETURN_IF_ERROR(shown_.CatchUp(catalog_, now_ms));
  const Shown::Figures shown = shown_.Now();
  if (shown.lists < kFewestLists) return {};
  readings["shown_repetition"] = shown.repetition;
  SEGUE_TRY(const int64_t tracks, CatalogueTracks());
  if (tracks > 0) readings["shown_coverage"] = std::min(1.0, static_cast<double>(shown.tracks) / static_cast<double>(tracks));
  return {};
}

Status Reader::ReadQuarantine(int64_t now_ms, Readings& readings) {
  SEGUE_TRY(const auto newest, catalog_.Quarantine(0, 1));
  const int64_t last = newest.empty() ? 0 : newest.front().id;
  SEGUE_TRY(const int64_t first, FirstReaching(last, now_ms / 1000 - kDay, [&](int64_t id) -> Result<int64_t> {
              SEGUE_TRY(const auto row, catalog_.Quarantine(id + 1, 1));
              return row.empty() ? 0 : row.front().at;
            }));
  readings["quarantined_last_day"] = static_cast<double>(last - first + 1);
  return {};
}

Status Reader::ReadListening(int64_t now_ms, Readings& readings) {
  SEGUE_TRY(listening_, listening_watch_.Look(live_model_, now_ms));
  if (!listening_) return {};
  const Distance& distance = listening_->jensen_shannon;
  readings["listening_drift"] = distance.value > distance.noise ? distance.value : 0;
  return {};
}

}  // namespace segue::monitor
