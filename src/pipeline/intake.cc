#include "pipeline/intake.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "ingest/ingest.h"
#include "pipeline/inbox.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

Status ReportProblem(const Context& context, Instruments& log, const InboxProblem& problem) {
  const std::string meta = "inbox_problem:" + problem.name;
  const std::string stamp = std::to_string(problem.changed_ms) + problem.reason;
  SEGUE_TRY(const std::string known, context.catalog.Meta(meta));
  if (known == stamp) return {};
  log.Warn("ingest", problem.name + ": " + problem.reason);
  const store::QuarantineRow row{.file = problem.name, .reason = problem.reason, .at = context.clock.NowSeconds()};
  SEGUE_RETURN_IF_ERROR(context.catalog.AddQuarantine({&row, 1}));
  return context.catalog.SetMeta(meta, stamp);
}

void RemoveTaken(const InboxFile& file, const fs::path& inbox) {
  std::error_code error;
  fs::remove(file.path, error);
  // Folders that became empty by this go too; one that a person just made stays.
  for (fs::path folder = file.path.parent_path(); folder != inbox && folder.has_relative_path(); folder = folder.parent_path()) {
    if (!fs::is_empty(folder, error) || error || !fs::remove(folder, error)) break;
  }
}

/// Somebody who copies files and then asks for a run means these files: waits
/// until none has changed for inbox.settle_ms, unless they go on growing.
InboxListing SettledInbox(const Context& context, bool patient) {
  const auto settle = std::chrono::milliseconds(context.settings.inbox_settle_ms);
  const auto patience = std::chrono::steady_clock::now() + 5 * settle;
  while (true) {
    InboxListing listing = ListInbox(context.folder.inbox());
    const int64_t now = context.clock.NowMs();
    const bool fresh = std::any_of(listing.files.begin(), listing.files.end(),
                                   [&](const InboxFile& file) { return StillSettling(file, now, settle.count()); });
    if (!fresh || !patient || context.cancelled.load() || std::chrono::steady_clock::now() > patience) return listing;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Result<ingest::Outcome> Refuse(const Context& context, Instruments& log, const InboxFile& file, const std::string& why) {
  const std::string sha = Sha256Hex(file.name + "\n" + std::to_string(file.changed_ms));
  log.Warn("ingest", file.name + ": " + why);
  SEGUE_RETURN_IF_ERROR(context.bucket.PutFile("quarantine/" + sha + "/file", file.path));
  const store::QuarantineRow row{.sha256 = sha, .file = file.name, .reason = "reading it failed: " + why, .at = context.clock.NowSeconds()};
  SEGUE_RETURN_IF_ERROR(context.catalog.AddQuarantine({&row, 1}));
  ingest::Outcome outcome;
  outcome.quarantined = 1;
  return outcome;
}

Result<ingest::Outcome> IngestOne(const Context& context, ingest::Ingester& ingester, const std::string& run_id, Instruments& log, const InboxFile& file) {
  // A bug in reading one file must not hold up all others for ever.
  try {
    return ingester.Take({.path = file.path, .name = file.name, .run_id = run_id});
  } catch (const std::exception& bug) {
    return Refuse(context, log, file, bug.what());
  }
}

}  // namespace

Status TakeInbox(const Context& context, const store::RunRecord& run, Instruments& log, json& detail) {
  const InboxListing listing = SettledInbox(context, run.trigger == "person");
  const auto& settled = listing.files;
  ingest::Ingester ingester({context.bucket, context.catalog, context.clock, context.settings, log});
  ingest::Outcome total;
  int64_t waiting = 0;
  for (size_t i = 0; i < settled.size(); ++i) {
    if (context.cancelled.load()) return Error{ErrorCode::kCancelled, "asked to stop"};
    log.Progress("ingest", i, settled.size(), "files");
    const InboxFile& file = settled[i];
    if (StillSettling(file, context.clock.NowMs(), context.settings.inbox_settle_ms)) {
      ++waiting;  // still being written: the next run takes it
      continue;
    }
    SEGUE_TRY(const auto outcome, IngestOne(context, ingester, run.run_id, log, file));
    if (outcome.grew) {
      ++waiting;
      continue;
    }
    RemoveTaken(file, context.folder.inbox());
    total += outcome;
  }
  for (const InboxProblem& problem : listing.problems) SEGUE_RETURN_IF_ERROR(ReportProblem(context, log, problem));
  detail = {{"files", settled.size()}, {"accepted", total.accepted}, {"already_known", total.already_known},
            {"set_aside", total.set_aside}, {"quarantined", total.quarantined}, {"rows", total.rows},
            {"rejected_rows", total.rejected_rows}, {"still_growing", waiting}, {"unreadable", listing.problems.size()}};
  return {};
}

}  // namespace segue::pipeline
