#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/instruments.h"
#include "core/result.h"
#include "core/settings.h"
#include "pipeline/pipeline.h"
#include "store/catalog.h"
#include "store/clock.h"
#include "store/layout.h"
#include "store/object_store.h"

namespace segue::cli {

/// Exit codes, for scripts.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;      ///< it was tried and did not work
inline constexpr int kUsage = 2;       ///< wrong flags, settings or input
inline constexpr int kRefused = 3;     ///< the gate said no

/// Flags that every verb has.
struct Common {
  std::string data = "segue-data";
  std::string config;                  ///< "" : <data>/segue.toml where there is one
  std::vector<std::string> set;        ///< KEY=VALUE
  bool json = false;
  bool quiet = false;
};

/// Set when SIGINT or SIGTERM came.
const std::atomic<bool>& Cancelled();
void CatchSignals();
/// From now on SIGHUP ends nothing: HungUp tells of it, once each time.
void CatchHangUp();
bool HungUp();

/// Defaults, then the config file, SEGUE_* from the environment, --set.
/// `KEY` of --set may leave its "<algorithm>.", "train." or "evaluate." out.
Result<Settings> ReadSettings(const Common& common, const std::string& algorithm = "");

/// An open data folder.
struct Program {
  Settings settings;
  store::DataFolder folder;
  store::SystemClock clock;
  std::unique_ptr<store::ObjectStore> bucket;
  std::unique_ptr<store::Catalog> catalog;
  std::unique_ptr<Instruments> instruments;

  pipeline::Context PipelineContext() const {
    return {*bucket, *catalog, clock, settings, *instruments, folder, Cancelled()};
  }
};

enum class Create { kYes, kNo };
enum class Voice { kConsole, kDaemon };

/// Opens (or makes) the data folder; kNotFound names the way to make one.
Result<std::unique_ptr<Program>> OpenProgram(const Common& common, Create create, Voice voice);

/// Puts on the audit what this program's user did: `action` "tokens create".
void Audit(const Program& program, const std::string& action, const std::string& subject, const Status& outcome);

/// Prints the error to stderr and gives its exit code.
int Fail(const Error& error);

}  // namespace segue::cli
