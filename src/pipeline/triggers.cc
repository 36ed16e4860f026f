#include "pipeline/triggers.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "pipeline/judged.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

constexpr int64_t kRareLookMs = 1000;
constexpr int64_t kInboxLookMs = 500;
/// Somebody may tell of an object a little after it was taken in.
constexpr int64_t kToldLateSeconds = 300;

constexpr const char* kScheduleMeta = "schedule_reference";  ///< "<Unix seconds> <time zone> <cron>"
constexpr const char* kDriftAlarmMeta = "drift_alarm";       ///< id of the last alarm that a run answered
constexpr const char* kDriftRunMeta = "drift_run_ms";        ///< when the last such run started
/// "<when it failed, ms> <how often> <hash of the settings>" of settings whose runs fail
constexpr const char* kConfigFailedMeta = "config_failed";
constexpr int64_t kFirstConfigRetryMs = 600'000;
constexpr int64_t kLongestConfigRetryMs = 86'400'000;

int64_t NumberOf(const std::string& text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct FailedConfig {
  int64_t at_ms = 0, times = 0;
  std::string settings;
};

FailedConfig ReadFailedConfig(const std::string& text) {
  FailedConfig failed;
  std::istringstream(text) >> failed.at_ms >> failed.times >> failed.settings;
  return failed;
}

std::string ScheduleText(const Settings& settings) { return settings.schedule_timezone + " " + settings.schedule_cron; }

}  // namespace

Result<Triggers> Triggers::Make(const Context& context) {
  Triggers triggers(context);
  const Settings& settings = context.settings;
  if (settings.schedule_cron.empty()) return triggers;
  const auto cron = ParseCron(settings.schedule_cron);
  if (!cron.ok()) return cron.error().In("schedule.cron");
  const auto zone = LoadTimeZone(settings.schedule_timezone);
  if (!zone.ok()) return zone.error().In("schedule.timezone");
  SEGUE_TRY(const std::string kept, context.catalog.Meta(kScheduleMeta));
  const size_t blank = kept.find(' ');
  int64_t reference = context.clock.NowSeconds();
  if (blank != std::string::npos && kept.substr(blank + 1) == ScheduleText(settings)) {
    // What was due while the program was off is due once.
    reference = NumberOf(kept);
  } else {
    SEGUE_RETURN_IF_ERROR(context.catalog.SetMeta(kScheduleMeta, std::to_string(reference) + " " + ScheduleText(settings)));
  }
  triggers.schedule_.emplace(*cron, *zone, reference);
  return triggers;
}

Result<std::optional<Trigger>> Triggers::Due(int64_t now_ms) {
  SEGUE_TRY(auto notified, Notified(now_ms));
  if (notified) return notified;
  SEGUE_TRY(auto feedback, FeedbackDue());
  if (feedback) return feedback;
  // A clock that was set back must not stop the looks.
  if (std::llabs(now_ms - rare_looked_ms_) < kRareLookMs) return std::optional<Trigger>();
  rare_looked_ms_ = now_ms;
  SEGUE_TRY(auto forgotten, ForgottenDue());
  if (forgotten) return forgotten;
  SEGUE_TRY(auto scheduled, ScheduleDue(now_ms));
  if (scheduled) return scheduled;
  SEGUE_TRY(auto config, ConfigDue(now_ms));
  if (config) return config;
  return DriftDue(now_ms);
}

Status Triggers::Starting(const Trigger& trigger, int64_t now_ms) {
  rare_looked_ms_ = 0;
  if (trigger.kind == "schedule" && schedule_) {
    schedule_->Done(now_ms / 1000);
    return context_.catalog.SetMeta(kScheduleMeta, std::to_string(schedule_->reference()) + " " + ScheduleText(context_.settings));
  }
  if (trigger.kind == "drift" && drift_alarm_ != 0) {
    SEGUE_RETURN_IF_ERROR(context_.catalog.SetMeta(kDriftRunMeta, std::to_string(now_ms)));
    return context_.catalog.SetMeta(kDriftAlarmMeta, std::to_string(drift_alarm_));
  }
  return {};
}

/// Settings with which a run fails will do so again: the next try is later each time, until they are others.
Status Triggers::ConfigRunEnded(const store::RunRecord& run) {
  if (run.state == "interrupted") return {};
  if (run.state != "failed") return context_.catalog.SetMeta(kConfigFailedMeta, "");
  const std::string settings = Sha256Hex(ConfigFingerprint(context_.settings));
  SEGUE_TRY(const std::string kept, context_.catalog.Meta(kConfigFailedMeta));
  const FailedConfig before = ReadFailedConfig(kept);
  const int64_t times = before.settings == settings ? before.times + 1 : 1;
  return context_.catalog.SetMeta(kConfigFailedMeta, std::to_string(run.finished_ms) + " " + std::to_string(times) + " " + settings);
}

Result<bool> Triggers::ConfigMayTry(int64_t now_ms) const {
  SEGUE_TRY(const std::string kept, context_.catalog.Meta(kConfigFailedMeta));
  const FailedConfig failed = ReadFailedConfig(kept);
  if (failed.times == 0 || failed.settings != Sha256Hex(ConfigFingerprint(context_.settings))) return true;
  int64_t wait = kFirstConfigRetryMs;
  for (int64_t i = 1; i < failed.times && wait < kLongestConfigRetryMs; ++i) wait *= 2;
  // A clock that was set back must not stop the tries.
  return std::llabs(now_ms - failed.at_ms) >= std::min(wait, kLongestConfigRetryMs);
}

Status Triggers::Ended(const store::RunRecord& run) {
  if (run.trigger == "config") SEGUE_RETURN_IF_ERROR(ConfigRunEnded(run));
  // A failed run is tried again, for the same notifications.
  if (run.trigger != "notification" || run.state == "failed" || run.state == "interrupted") return {};
  for (const int64_t id : answering_) {
    SEGUE_RETURN_IF_ERROR(context_.catalog.FinishCommand(id, "done", json{{"run_id", run.run_id}, {"state", run.state}}.dump()));
    seen_.erase(id);
  }
  answering_.clear();
  return {};
}

Result<std::vector<Triggers::Waiting>> Triggers::WaitingNotifications() const {
  SEGUE_TRY(const auto commands, context_.catalog.PendingCommands());
  std::vector<Waiting> waiting;
  for (const auto& command : commands) {
    if (command.kind != "notification") continue;
    const json arguments = json::parse(command.arguments, nullptr, false);
    if (!arguments.is_object()) continue;
    Waiting one{.id = command.id, .object = arguments.value("key", ""), .name = arguments.value("key", ""),
                .told_at = arguments.value("at", int64_t{0})};
    // A bucket's key has the inbox's folder before it; who syncs the inbox alone leaves it out.
    if (one.name.starts_with("inbox/")) one.name.erase(0, 6);
    waiting.push_back(std::move(one));
  }
  return waiting;
}

bool Triggers::TakenIn(const Waiting& waiting, const std::vector<store::ObjectRecord>& objects) {
  return std::any_of(objects.begin(), objects.end(), [&](const store::ObjectRecord& object) {
    const bool named = object.name == waiting.name || object.name.starts_with(waiting.name + "!");
    return named && object.added_at >= waiting.told_at - kToldLateSeconds;
  });
}

Status Triggers::Settle(const Waiting& waiting, const char* state, const json& outcome) {
  seen_.erase(waiting.id);
  return context_.catalog.FinishCommand(waiting.id, state, outcome.dump());
}

Result<std::optional<Trigger>> Triggers::Notified(int64_t now_ms) {
  answering_.clear();
  SEGUE_TRY(const auto waiting, WaitingNotifications());
  if (waiting.empty() || std::llabs(now_ms - inbox_looked_ms_) < kInboxLookMs) return std::optional<Trigger>();
  inbox_looked_ms_ = now_ms;
  const InboxListing listing = ListInbox(context_.folder.inbox());
  SEGUE_TRY(const auto objects, context_.catalog.Objects(""));
  std::string first;
  for (const Waiting& one : waiting) {
    const auto file = std::find_if(listing.files.begin(), listing.files.end(), [&](const InboxFile& f) { return f.name == one.name; });
    if (file != listing.files.end()) {
      seen_[one.id] = one;
      if (StillSettling(*file, now_ms, context_.settings.inbox_settle_ms)) continue;  // still being written
      if (first.empty()) first = one.object;
      answering_.push_back(one.id);
      continue;
    }
    if (TakenIn(one, objects) || seen_.contains(one.id)) {
      SEGUE_RETURN_IF_ERROR(Settle(one, "done", {{"state", "taken in by another run"}}));
    } else if (now_ms / 1000 - one.told_at > context_.settings.notifications_patience_s) {
      const std::string why = "the object has not come within notifications.patience_s (" +
                              std::to_string(context_.settings.notifications_patience_s) + " s)";
      context_.instruments.Warn("run", "notification of " + one.object + ": " + why);
      SEGUE_RETURN_IF_ERROR(Settle(one, "failed", {{"code", "not_found"}, {"message", why}}));
    }
  }
  if (answering_.empty()) return std::optional<Trigger>();
  const size_t more = answering_.size() - 1;
  return std::optional(Trigger{"notification", first + (more == 0 ? "" : " and " + std::to_string(more) + " more")});
}

Result<std::optional<Trigger>> Triggers::FeedbackDue() const {
  const int64_t wanted = context_.settings.feedback_trigger;
  if (wanted == 0) return std::optional<Trigger>();
  SEGUE_TRY(const int64_t last, context_.catalog.LastEventSeq());
  SEGUE_TRY(const std::string judged, context_.catalog.Meta("judged_seq"));
  const int64_t fresh = last - NumberOf(judged);
  if (fresh < wanted) return std::optional<Trigger>();
  return std::optional(Trigger{"feedback", std::to_string(fresh) + " new events"});
}

Result<std::optional<Trigger>> Triggers::ForgottenDue() const {
  SEGUE_TRY(const std::string judged, context_.catalog.Meta("judged_forgotten"));
  SEGUE_TRY(const auto fresh, context_.catalog.listeners().ForgottenAfter(NumberOf(judged)));
  if (fresh.empty()) return std::optional<Trigger>();
  // Without a dataset there is nothing that he would have to be taken out of.
  SEGUE_TRY(const std::string dataset, context_.catalog.Meta("judged_dataset"));
  if (dataset.empty()) return std::optional<Trigger>();
  return std::optional(Trigger{"forgotten", fresh.size() == 1 ? "a listener was forgotten" : std::to_string(fresh.size()) + " listeners were forgotten"});
}

Result<std::optional<Trigger>> Triggers::ScheduleDue(int64_t now_ms) {
  if (!schedule_ || !schedule_->Due(now_ms / 1000)) return std::optional<Trigger>();
  return std::optional(Trigger{"schedule", context_.settings.schedule_cron + " (" + context_.settings.schedule_timezone + "), due " +
                                               store::Iso8601(schedule_->next())});
}

Result<std::optional<Trigger>> Triggers::ConfigDue(int64_t now_ms) const {
  if (context_.settings.config_trigger != "on") return std::optional<Trigger>();
  SEGUE_TRY(const std::string change, ConfigNews(context_));
  if (change.empty()) return std::optional<Trigger>();
  SEGUE_TRY(const bool may_try, ConfigMayTry(now_ms));
  return may_try ? std::optional(Trigger{"config", change}) : std::nullopt;
}

Result<std::optional<Trigger>> Triggers::DriftDue(int64_t now_ms) {
  const int64_t hours = context_.settings.drift_trigger_hours;
  if (hours == 0) return std::optional<Trigger>();
  SEGUE_TRY(const auto alarms, context_.catalog.Alarms(100));
  const auto newest = std::find_if(alarms.begin(), alarms.end(), [](const store::AlarmRecord& alarm) { return alarm.name == "drift"; });
  if (newest == alarms.end()) return std::optional<Trigger>();
  SEGUE_TRY(const std::string answered, context_.catalog.Meta(kDriftAlarmMeta));
  if (newest->id <= NumberOf(answered)) return std::optional<Trigger>();
  SEGUE_TRY(const auto runs, context_.catalog.Runs(0, 20));
  const auto judging = std::find_if(runs.begin(), runs.end(), [](const store::RunRecord& run) { return run.trigger != kDryRun; });
  // Alarms tell whole seconds: a run of the same second may have come before.
  if (judging != runs.end() && judging->started_ms >= (newest->at + 1) * 1000) return std::optional<Trigger>();
  SEGUE_TRY(const std::string last, context_.catalog.Meta(kDriftRunMeta));
  if (!last.empty() && std::llabs(now_ms - NumberOf(last)) < hours * 3'600'000) return std::optional<Trigger>();
  drift_alarm_ = newest->id;
  return std::optional(Trigger{"drift", newest->message});
}

}  // namespace segue::pipeline
