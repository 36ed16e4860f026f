#include "pipeline/delivery.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "deploy/trial.h"
#include "gate/trial.h"
#include "pipeline/records.h"
#include "store/online.h"
#include "store/trial.h"
#include "train/member_list.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
using store::DeploymentRecord;

constexpr int64_t kAlarms = 1000;

/// "deployment 7": how an alarm names the step that it is about.
std::string Named(const DeploymentRecord& step) { return "deployment " + std::to_string(step.seq); }

/// The newest alarm since the trial began that ends it; "" none. A listed one
/// does at any severity, another where it is critical and names the model.
Result<std::string> AlarmAgainst(const Context& context, const DeploymentRecord& trial) {
  const auto names = train::SplitList(context.settings.delivery.rollback_alarms, ',');
  SEGUE_TRY(const auto alarms, context.catalog.Alarms(kAlarms));
  for (const store::AlarmRecord& alarm : alarms) {
    // Our own are what came of it, not why.
    if (alarm.at < trial.at || alarm.name == kRollbackAlarm) continue;
    const bool listed = std::find(names.begin(), names.end(), alarm.name) != names.end();
    const bool names_it = alarm.severity == "critical" && alarm.message.find(trial.to_model) != std::string::npos;
    if (listed || names_it) return "alarm '" + alarm.name + "': " + alarm.message;
  }
  return std::string();
}

/// One look at one trial.
struct Sight {
  gate::TrialRuling ruling;
  json figures;  ///< {"trial_seq","at","checks","waits_for","arms"}
};

Result<Sight> LookAt(const Context& context, const DeploymentRecord& trial) {
  const Settings& settings = context.settings;
  const int64_t now = context.clock.NowSeconds();
  const bool shown = trial.action == "canary";
  SEGUE_TRY(const OnlineLedger ledger, store::ReadLedger(context.catalog, trial.at, settings.impressions.window_s));
  SEGUE_TRY(std::string alarm, AlarmAgainst(context, trial));
  const auto arms = ledger.Figures(now);
  const auto outcomes = ledger.Outcomes(now, settings.delivery.lists_per_listener, settings.delivery.listener_hours * 3600);
  gate::TrialQuestion question{.challenger_id = trial.to_model, .shown = shown, .running_s = now - trial.at, .challenger = {}, .live = {},
                               .outcomes = outcomes, .alarm = std::move(alarm), .settings = settings};
  for (const ArmFigures& arm : arms) {
    if (arm.arm == (shown ? Arm::kCanary : Arm::kShadow) && arm.model_id == trial.to_model) question.challenger = arm;
    if (arm.arm == Arm::kLive && arm.model_id == trial.from_model) question.live = arm;
  }
  Sight sight{gate::Decide(question), {}};
  sight.figures = {{"trial_seq", trial.seq}, {"at", store::Iso8601(now)}, {"checks", ToJson(sight.ruling.checks)},
                   {"waits_for", sight.ruling.waits_for}, {"arms", json::array()}};
  for (const ArmFigures& arm : arms) sight.figures["arms"].push_back(store::FiguresJson(arm, 0));
  return sight;
}

Status Pass(const Context& context, const DeploymentRecord& trial, const Approval& approval, const json& figures) {
  const DeliverySettings& delivery = context.settings.delivery;
  if (trial.action == "shadow" && delivery.after_shadow == "canary") {
    const auto step = deploy::StartTrial(approval, {true, delivery.canary_share}, context.catalog, context.clock, "pipeline",
                                         "its shadow (" + Named(trial) + ") passed without complaint");
    return step.ok() ? Status() : step.error();
  }
  const auto step = deploy::PromoteTried(approval, trial, context.catalog, context.clock, "pipeline",
                                         "its " + trial.action + " (" + Named(trial) + ") passed", figures.dump());
  return step.ok() ? Status() : step.error();
}

/// The alarm of a withdrawal that the pipeline decided, unless it is there.
Status MakeUpForAlarm(const Context& context) {
  SEGUE_TRY(const auto history, context.catalog.Deployments(1));
  if (history.empty() || history.front().action != "withdraw" || history.front().actor != "pipeline") return {};
  const DeploymentRecord& step = history.front();
  const json figures = json::parse(step.figures, nullptr, false);
  const std::string ended = figures.is_object() ? figures.value("ended", "") : "";
  const bool timed_out = ended == deploy::Name(deploy::Withdrawal::kTimedOut);
  if (!timed_out && ended != deploy::Name(deploy::Withdrawal::kRolledBack)) return {};
  SEGUE_TRY(const auto alarms, context.catalog.Alarms(kAlarms));
  const std::string name = "(" + Named(step) + ")";
  if (std::any_of(alarms.begin(), alarms.end(), [&](const store::AlarmRecord& alarm) {
        return alarm.name == kRollbackAlarm && alarm.message.find(name) != std::string::npos;
      })) return {};
  return context.catalog.AddAlarm({.at = step.at, .severity = timed_out ? "warning" : "critical", .name = kRollbackAlarm,
                                   .message = "challenger " + step.from_model + " was withdrawn " + name + ", " + step.to_model + " stays live: " + step.reason});
}

}  // namespace

Status FollowDelivery(const Context& context) {
  SEGUE_TRY(const auto trial, context.catalog.Trial());
  if (!trial) return MakeUpForAlarm(context);
  SEGUE_TRY(const Sight sight, LookAt(context, *trial));
  SEGUE_RETURN_IF_ERROR(context.catalog.SetMeta(store::kTrialLook, sight.figures.dump()));
  if (!sight.ruling.verdict) return {};
  Status done;
  if (const auto* approval = std::get_if<Approval>(&*sight.ruling.verdict)) {
    done = Pass(context, *trial, *approval, sight.figures);
    if (done.ok()) context.instruments.Info("deploy", "challenger " + trial->to_model + " passed its " + trial->action, sight.figures);
  } else {
    const std::string& reason = std::get<Refusal>(*sight.ruling.verdict).reason;
    const auto why = sight.ruling.timed_out ? deploy::Withdrawal::kTimedOut : deploy::Withdrawal::kRolledBack;
    const auto step = deploy::Withdraw(*trial, context.catalog, context.clock, "pipeline", why, reason, sight.figures.dump());
    done = step.ok() ? Status() : step.error();
    if (done.ok()) context.instruments.Log(LogLevel::kError, "deploy", "challenger " + trial->to_model + " was withdrawn: " + reason, sight.figures);
  }
  // Somebody else's step in the same moment ended it: there is nothing left to do.
  if (!done.ok() && done.error().code != ErrorCode::kConflict) return done;
  return MakeUpForAlarm(context);
}

}  // namespace segue::pipeline
