#include "serve/live.h"

#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/check.h"
#include "store/trial.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr auto kLook = std::chrono::milliseconds(50);

}  // namespace

Live::Live(const Context& context) : context_(context) {
  LookOnce();
  if (current_ == nullptr) {
    auto empty = Snapshot::Load(context_, "", "", 0);
    SEGUE_CHECK(empty.ok());
    current_ = std::make_shared<const ServedModels>(ServedModels{.live = *std::move(empty)});
  }
  thread_ = std::thread([this] { Follow(); });
}

Live::~Live() {
  {
    const std::lock_guard lock(wake_mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::shared_ptr<const ServedModels> Live::Models() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Status Live::CatchUp() {
  // Without the lock, so that nobody waits for the catalog's disk. A ground
  // that was swapped in meanwhile may have read the log before these events.
  for (;;) {
    const auto ground = Now()->ground();
    SEGUE_RETURN_IF_ERROR(ground->CatchUp());
    if (Now()->ground() == ground) return {};
  }
}

void Live::Wake() {
  {
    const std::lock_guard lock(wake_mutex_);
    woken_ = true;
  }
  wake_.notify_all();
}

void Live::Follow() {
  for (;;) {
    {
      std::unique_lock lock(wake_mutex_);
      wake_.wait_for(lock, kLook, [this] { return woken_ || stop_; });
      if (stop_) return;
      woken_ = false;
    }
    try {
      LookOnce();
      // Feedback that another process took in.
      if (const Status status = CatchUp(); !status.ok()) context_.instruments.Warn("serve", status.error().message);
    } catch (const std::exception& bug) {
      context_.instruments.Log(LogLevel::kError, "serve", bug.what(), json());
    }
  }
}

Result<Live::Wanted> Live::Look() const {
  Wanted wanted;
  SEGUE_TRY(const auto live, context_.catalog.Live());
  SEGUE_TRY(wanted.trial, context_.catalog.Trial());
  SEGUE_TRY(wanted.dataset_id, context_.catalog.Meta("judged_dataset"));
  if (live) {
    wanted.model_id = live->to_model;
    wanted.since = live->at;
    // After a rollback the way back leads further; nothing is kept for that.
    if (live->action == "promote") wanted.previous_id = live->from_model;
  }
  if (wanted.trial) wanted.challenger_id = wanted.trial->to_model;
  if (wanted.dataset_id.empty() && !wanted.model_id.empty()) {
    SEGUE_TRY(const auto record, context_.catalog.FindModel(wanted.model_id));
    if (record) wanted.dataset_id = record->dataset_id;
  }
  return wanted;
}

Result<std::shared_ptr<Snapshot>> Live::Get(const std::shared_ptr<Ground>& ground, const std::string& model_id, int64_t since) const {
  const auto now = current_;
  for (const auto& mapped : {now == nullptr ? nullptr : now->live, now == nullptr ? nullptr : now->challenger, previous_}) {
    if (mapped == nullptr || mapped->model_id() != model_id) continue;
    auto snapshot = mapped->ground() == ground ? mapped : mapped->MovedTo(ground);
    snapshot->SetLiveSince(since);
    return snapshot;
  }
  return Snapshot::LoadOn(context_, ground, model_id, since);
}

std::shared_ptr<Snapshot> Live::Challenger(const Wanted& wanted, const std::shared_ptr<Ground>& ground) {
  if (!wanted.trial) failed_challenger_.clear();
  if (!wanted.trial || wanted.challenger_id == failed_challenger_) return nullptr;
  auto challenger = Get(ground, wanted.challenger_id, wanted.trial->at);
  if (challenger.ok()) return *std::move(challenger);
  failed_challenger_ = wanted.challenger_id;
  const std::string message = "challenger " + wanted.challenger_id + " cannot be served, the live model serves everybody: " + challenger.error().message;
  context_.instruments.Log(LogLevel::kError, "serve", message, json());
  const Status kept = context_.catalog.AddAlarm({.at = context_.clock.NowSeconds(), .severity = "critical", .name = "serve", .message = message});
  if (!kept.ok()) context_.instruments.Warn("serve", "the alarm could not be recorded: " + kept.error().message);
  return nullptr;
}

void Live::LookOnce() {
  const auto wanted = Look();
  if (!wanted.ok()) return;
  const auto now = current_;  // only this thread (or the constructor) changes it
  const bool same_ground = now != nullptr && now->live->dataset_id() == wanted->dataset_id;
  const int64_t trial_seq = wanted->trial ? wanted->trial->seq : 0;
  const std::string key = wanted->model_id + " " + wanted->dataset_id + " " + std::to_string(trial_seq);
  const bool nothing_new = same_ground && now->live->model_id() == wanted->model_id && now->trial_seq == trial_seq;
  if (nothing_new || key == failed_) {
    if (nothing_new) KeepPrevious(*wanted);
    if (now != nullptr) FollowHits(*now->live->ground());
    return;
  }
  const auto fail = [&](const Error& error) {
    failed_ = key;
    context_.instruments.Log(LogLevel::kError, "serve", "the new model is not served, the one before goes on: " + error.message, json());
  };
  auto ground = same_ground ? Result<std::shared_ptr<Ground>>(now->live->ground()) : Ground::Load(context_, wanted->dataset_id);
  if (!ground.ok()) return fail(ground.error());
  auto live = Get(*ground, wanted->model_id, wanted->since);
  if (!live.ok()) return fail(live.error());
  failed_.clear();
  ServedModels next{.live = *std::move(live), .challenger = Challenger(*wanted, *ground), .trial_seq = trial_seq};
  if (wanted->trial) {
    next.shown = wanted->trial->action == "canary";
    next.share = store::TrialShare(*wanted->trial);
  }
  FollowHits(**ground);
  Swap(std::make_shared<const ServedModels>(std::move(next)), !same_ground);
  context_.instruments.Info("serve", "serving", {{"model_id", wanted->model_id}, {"dataset_id", wanted->dataset_id},
                                                 {"challenger", wanted->challenger_id.empty() ? json() : json(wanted->challenger_id)}});
}

void Live::Swap(std::shared_ptr<const ServedModels> next, bool new_ground) {
  std::shared_ptr<const ServedModels> old;
  {
    const std::lock_guard lock(mutex_);
    if (new_ground) {
      if (const Status status = next->live->CatchUp(); !status.ok()) context_.instruments.Warn("serve", status.error().message);
    }
    old = std::exchange(current_, std::move(next));
  }
  if (old != nullptr && old->live->model_id() != current_->live->model_id()) previous_ = old->live;
}

/// Maps where a rollback leads, on the present ground, while nobody waits for it.
void Live::KeepPrevious(const Wanted& wanted) {
  const auto& ground = current_->live->ground();
  // The ground before is not kept in memory for it.
  if (previous_ != nullptr && previous_->ground() != ground) previous_ = previous_->MovedTo(ground);
  if (wanted.previous_id.empty() || wanted.previous_id == failed_previous_) return;
  if (previous_ != nullptr && previous_->model_id() == wanted.previous_id) return;
  auto previous = Get(ground, wanted.previous_id, 0);
  if (previous.ok()) {
    previous_ = *std::move(previous);
  } else {
    failed_previous_ = wanted.previous_id;
    context_.instruments.Warn("serve", "the model before cannot be loaded, so that a rollback would fail: " + previous.error().message);
  }
}

void Live::FollowHits(Ground& ground) {
  const auto live = context_.catalog.Live(ModelKind::kHits);
  if (!live.ok() || !*live) return;  // a kind that went live once has a live model for ever
  const std::string& model_id = (*live)->to_model;
  if (const auto now = ground.hits(); now != nullptr && now->model_id == model_id) return;
  const std::string wanted = model_id + " " + ground.data().id;
  if (wanted == failed_hits_) return;
  auto view = LoadHitView(context_, model_id, (*live)->at, ground.data().tracks);
  if (!view.ok()) {
    failed_hits_ = wanted;
    context_.instruments.Log(LogLevel::kError, "serve", "the new model of hits is not served: " + view.error().message, json());
    return;
  }
  failed_hits_.clear();
  ground.SetHits(*std::move(view));
  context_.instruments.Info("serve", "serving hits", {{"model_id", model_id}, {"dataset_id", ground.data().id}});
}

}  // namespace segue::serve
