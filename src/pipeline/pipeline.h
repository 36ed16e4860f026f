#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/instruments.h"
#include "core/result.h"
#include "core/settings.h"
#include "store/catalog.h"
#include "store/clock.h"
#include "store/layout.h"
#include "store/object_store.h"

namespace segue::pipeline {

struct Context {
  store::ObjectStore& bucket;
  store::Catalog& catalog;
  const store::Clock& clock;
  const Settings& settings;
  Instruments& instruments;   ///< of the program; each run has its own log besides
  store::DataFolder folder;
  const std::atomic<bool>& cancelled;
};

/// Kind of trigger of a run that only says what would come of it.
inline constexpr const char* kDryRun = "dry_run";

/// Why a run starts.
struct Trigger {
  /// "inbox", "notification", "feedback", "forgotten", "schedule", "config", "drift", "person", or kDryRun
  std::string kind = "person";
  std::string detail;  ///< what exactly: the object, the settings, who asked
};

/// One run through ingest, clean, train, evaluate, gate and deploy, recorded
/// in the catalog as it goes. Stages whose outcome is in the bucket already
/// are taken from there, which is how an interrupted run is resumed. A failed
/// stage ends the run as "failed"; the live model stays. Returns the record;
/// an error only where even recording failed.
///
/// A run that the inbox, a notification or the schedule started ends as
/// "nothing_new" where there is nothing to learn from that the last verdict did
/// not know, and the settings are the same; others go on.
///
/// A dry run (kDryRun) cleans, trains, evaluates and asks the gate with what is
/// there, and ends as "dry_run" with the verdict in its record. It leaves the
/// inbox alone, deploys nothing, raises no alarm, changes no verdict of a model
/// that was there before, and leaves all that it looked at new for the next run.
Result<store::RunRecord> RunOnce(const Context& context, const Trigger& trigger);

/// Goes on with a run that a killed process left "running", if there is one.
Result<bool> ResumeInterrupted(const Context& context);

/// Carries out pending commands of kind promote and rollback.
Status FollowCommands(const Context& context);

/// Follows inbox, notifications, events, listeners to be forgotten, schedule, settings, alarms of drift and
/// commands until context.cancelled: runs one at a time, bursts coalesced; a
/// trigger during a run starts the next one.
/// Promotions and rollbacks are carried out at once, also during a run; so is what
/// the gate says of a challenger that is being tried (pipeline/delivery.h).
/// Impressions are flushed to the bucket each hour.
class Follower {
 public:
  virtual ~Follower() = default;  ///< cancels, joins
};
Result<std::unique_ptr<Follower>> Follow(const Context& context);

}  // namespace segue::pipeline
