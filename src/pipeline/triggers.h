#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "pipeline/inbox.h"
#include "pipeline/pipeline.h"
#include "pipeline/schedule.h"

namespace segue::pipeline {

/// Why runs start by themselves, but for changes in the inbox: notifications of
/// objects, feedback, listeners to be forgotten, the schedule, changed settings, drift. Keeps in the catalog
/// what has to outlive the program. Not thread-safe.
class Triggers {
 public:
  /// kInvalid where schedule.cron or schedule.timezone is not one.
  static Result<Triggers> Make(const Context& context);

  /// The first that is due; an error where the catalog cannot be read. Cheap: the
  /// rarer reasons are looked at once a second only.
  Result<std::optional<Trigger>> Due(int64_t now_ms);

  /// Call before a run that `Due` asked for, with its trigger, and after any run.
  Status Starting(const Trigger& trigger, int64_t now_ms);
  Status Ended(const store::RunRecord& run);

 private:
  explicit Triggers(const Context& context) : context_(context) {}

  /// A notification that nothing has come of yet (serve/notifications.h writes it).
  struct Waiting {
    int64_t id = 0;
    std::string object;   ///< as it was told
    std::string name;     ///< as the inbox has it
    int64_t told_at = 0;  ///< Unix seconds
  };
  Result<std::vector<Waiting>> WaitingNotifications() const;
  Result<std::optional<Trigger>> Notified(int64_t now_ms);
  static bool TakenIn(const Waiting& waiting, const std::vector<store::ObjectRecord>& objects);
  Status Settle(const Waiting& waiting, const char* state, const nlohmann::json& outcome);
  Result<std::optional<Trigger>> FeedbackDue() const;
  Result<std::optional<Trigger>> ForgottenDue() const;
  Result<std::optional<Trigger>> ScheduleDue(int64_t now_ms);
  Result<std::optional<Trigger>> ConfigDue(int64_t now_ms) const;
  Status ConfigRunEnded(const store::RunRecord& run);
  Result<bool> ConfigMayTry(int64_t now_ms) const;
  Result<std::optional<Trigger>> DriftDue(int64_t now_ms);

  Context context_;
  std::optional<Schedule> schedule_;
  std::map<int64_t, Waiting> seen_;  ///< notifications whose object lay in the inbox
  std::vector<int64_t> answering_;   ///< those that the run is for
  int64_t inbox_looked_ms_ = 0;
  int64_t rare_looked_ms_ = 0;
  int64_t drift_alarm_ = 0;          ///< the alarm that DriftDue found
};

}  // namespace segue::pipeline
