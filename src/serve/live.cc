#include "serve/live.h"

#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/check.h"

namespace segue::serve {
namespace {

constexpr auto kLook = std::chrono::milliseconds(50);

}  // namespace

Live::Live(const Context& context) : context_(context) {
  LookOnce();
  if (current_ == nullptr) {
    auto empty = Snapshot::Load(context_, "", "", 0);
    SEGUE_CHECK(empty.ok());
    current_ = *std::move(empty);
  }
  thread_ = std::thread([this] { Follow(); });
}

Live::~Live() {
  stop_ = true;
  thread_.join();
}

std::shared_ptr<Snapshot> Live::Now() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Status Live::CatchUp() {
  // Without the lock, so that nobody waits for the catalog's disk. A snapshot
  // that was swapped in meanwhile may have read the log before these events.
  for (;;) {
    const auto now = Now();
    SEGUE_RETURN_IF_ERROR(now->CatchUp());
    if (Now() == now) return {};
  }
}

void Live::Follow() {
  while (!stop_.load()) {
    std::this_thread::sleep_for(kLook);
    try {
      LookOnce();
      // Feedback that another process took in.
      if (const Status status = CatchUp(); !status.ok()) context_.instruments.Warn("serve", status.error().message);
    } catch (const std::exception& bug) {
      context_.instruments.Log(LogLevel::kError, "serve", bug.what(), nlohmann::json());
    }
  }
}

void Live::LookOnce() {
  const auto live = context_.catalog.Live();
  const auto judged = context_.catalog.Meta("judged_dataset");
  if (!live.ok() || !judged.ok()) return;
  const std::string model_id = *live ? (*live)->to_model : "";
  std::string dataset_id = *judged;
  if (dataset_id.empty() && !model_id.empty()) {
    const auto record = context_.catalog.FindModel(model_id);
    if (record.ok() && *record) dataset_id = (*record)->dataset_id;
  }
  const auto now = current_;  // only this thread (or the constructor) changes it
  if (now != nullptr && now->model_id() == model_id && now->dataset_id() == dataset_id) return FollowHits(*now);
  const std::string wanted = model_id + " " + dataset_id;
  if (wanted == failed_) {
    if (now != nullptr) FollowHits(*now);
    return;
  }
  auto loaded = Snapshot::Load(context_, model_id, dataset_id, *live ? (*live)->at : 0);
  if (!loaded.ok()) {
    failed_ = wanted;
    context_.instruments.Log(LogLevel::kError, "serve", "the new model is not served, the one before goes on: " + loaded.error().message, nlohmann::json());
    return;
  }
  failed_.clear();
  FollowHits(**loaded);
  std::shared_ptr<Snapshot> old;
  {
    const std::lock_guard lock(mutex_);
    if (const Status status = (*loaded)->CatchUp(); !status.ok()) context_.instruments.Warn("serve", status.error().message);
    old = std::exchange(current_, *std::move(loaded));
  }
  context_.instruments.Info("serve", "serving", {{"model_id", model_id}, {"dataset_id", dataset_id}});
}

void Live::FollowHits(Snapshot& snapshot) {
  const auto live = context_.catalog.Live(ModelKind::kHits);
  if (!live.ok() || !*live) return;  // a kind that went live once has a live model for ever
  const std::string& model_id = (*live)->to_model;
  if (const auto now = snapshot.hits(); now != nullptr && now->model_id == model_id) return;
  const std::string wanted = model_id + " " + snapshot.dataset_id();
  if (wanted == failed_hits_) return;
  auto view = LoadHitView(context_, model_id, (*live)->at, snapshot.data().tracks);
  if (!view.ok()) {
    failed_hits_ = wanted;
    context_.instruments.Log(LogLevel::kError, "serve", "the new model of hits is not served: " + view.error().message, nlohmann::json());
    return;
  }
  failed_hits_.clear();
  snapshot.SetHits(*std::move(view));
  context_.instruments.Info("serve", "serving hits", {{"model_id", model_id}, {"dataset_id", snapshot.dataset_id()}});
}

}  // namespace segue::serve
