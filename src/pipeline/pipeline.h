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

/// Why a run starts.
struct Trigger {
  std::string kind = "person";  ///< "inbox", "feedback", "person", "resume"
  std::string detail;
};

/// One run through ingest, clean, train, evaluate, gate and deploy, recorded
/// in the catalog as it goes. Stages whose outcome is in the bucket already
/// are taken from there, which is how an interrupted run is resumed. A failed
/// stage ends the run as "failed"; the live model stays. Returns the record;
/// an error only where even recording failed.
Result<store::RunRecord> RunOnce(const Context& context, const Trigger& trigger);

/// Goes on with a run that a killed process left "running", if there is one.
Result<bool> ResumeInterrupted(const Context& context);

/// Carries out pending commands of kind promote and rollback.
Status FollowCommands(const Context& context);

/// Follows inbox, events and commands until context.cancelled: runs one at a
/// time, bursts coalesced; a trigger during a run starts the next one.
/// Promotions and rollbacks are carried out at once, also during a run.
class Follower {
 public:
  virtual ~Follower() = default;  ///< cancels, joins
};
Result<std::unique_ptr<Follower>> Follow(const Context& context);

}  // namespace segue::pipeline
