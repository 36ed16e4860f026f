#include "serve/lists.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "serve/random_id.h"

namespace segue::serve {
namespace {

using std::chrono::steady_clock;

constexpr size_t kMostShadowed = 256;
constexpr auto kFlushPatience = std::chrono::seconds(2);

int64_t Microseconds(steady_clock::time_point start) {
  // At least one: none means that the list was kept from before.
  return std::max<int64_t>(1, std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start).count());
}

/// In [0, 1), by the list's id, which is random.
double PlaceOf(const std::string& list_id) {
  uint64_t place = 0;
  std::from_chars(list_id.data(), list_id.data() + list_id.size(), place, 16);
  return static_cast<double>(place >> 11) * 0x1.0p-53;
}

}  // namespace

Lists::Lists(const Context& context, const Live& live)
    : context_(context), live_(live), recommender_(context_.settings), impressions_(context), thread_([this] { FollowShadow(); }) {}

Lists::~Lists() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  asked_.notify_all();
  thread_.join();
}

GivenList Lists::Give(const std::string& listener, Mode mode, size_t n) {
  const auto models = live_.Models();
  GivenList given{.list_id = RandomHex(), .list = nullptr};
  Arm arm = models->ArmOf(listener);
  const auto start = steady_clock::now();
  Recommender::Answer answer;
  if (arm == Arm::kCanary) {
    try {
      answer = recommender_.ListFor(*models->challenger, listener, mode, n);
    } catch (const std::exception& bug) {
      LogCanaryFailure(*models, given.list_id + "-canary", listener, mode, bug.what());
      arm = Arm::kLive;
    }
  }
  if (arm == Arm::kLive) answer = recommender_.ListFor(*models->live, listener, mode, n);
  given.list = answer.list;
  const Snapshot& made_by = arm == Arm::kCanary ? *models->challenger : *models->live;
  if (made_by.model() == nullptr) return given;
  impressions_.Add({.list_id = given.list_id, .listener = listener, .model_id = made_by.model_id(), .arm = std::string(Name(arm)),
                    .mode = std::string(Name(mode)), .at_ms = context_.clock.NowMs(), .made_us = answer.kept ? 0 : Microseconds(start),
                    .tracks = given.list->tracks});
  if (models->challenger != nullptr && !models->shown && PlaceOf(given.list_id) < models->share) Shadow(*models, given.list_id, listener, mode, n);
  return given;
}

std::shared_ptr<const MadeList> Lists::Look(const std::string& listener, Mode mode, size_t n) {
  const auto models = live_.Models();
  const Snapshot& maker = models->ArmOf(listener) == Arm::kCanary ? *models->challenger : *models->live;
  return recommender_.ListFor(maker, listener, mode, n).list;
}

void Lists::LogCanaryFailure(const ServedModels& models, const std::string& list_id, const std::string& listener, Mode mode, const std::string& why) {
  const std::string& model_id = models.challenger->model_id();
  context_.instruments.Log(LogLevel::kError, "serve", "the canary could not make a list: " + why, {{"model_id", model_id}});
  impressions_.Add({.list_id = list_id, .listener = listener, .model_id = model_id, .arm = std::string(Name(Arm::kCanary)),
                    .mode = std::string(Name(mode)), .at_ms = context_.clock.NowMs(), .error = why});
}

void Lists::Shadow(const ServedModels& models, const std::string& list_id, const std::string& listener, Mode mode, size_t n) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMostShadowed) return;
    queue_.push_back({models.challenger, list_id + "-shadow", listener, mode, n, context_.clock.NowMs()});
  }
  asked_.notify_one();
}

void Lists::FollowShadow() {
  std::unique_lock lock(mutex_);
  for (;;) {
    asked_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (stop_) return;  // what a shadow would have shown is not worth a slower stop
    const Shadowed asked = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    MakeShadow(asked);
    lock.lock();
    busy_ = false;
    if (queue_.empty()) idle_.notify_all();
  }
}

void Lists::MakeShadow(const Shadowed& asked) {
  store::Impression impression{.list_id = asked.list_id, .listener = asked.listener, .model_id = asked.challenger->model_id(),
                               .arm = std::string(Name(Arm::kShadow)), .mode = std::string(Name(asked.mode)), .at_ms = asked.at_ms};
  const auto start = steady_clock::now();
  try {
    impression.tracks = recommender_.Make(*asked.challenger, asked.listener, asked.mode, asked.n).tracks;
    impression.made_us = Microseconds(start);
  } catch (const std::exception& bug) {
    impression.error = bug.what();
  }
  impressions_.Add(std::move(impression));
}

void Lists::Flush() {
  {
    std::unique_lock lock(mutex_);
    idle_.wait_for(lock, kFlushPatience, [this] { return queue_.empty() && !busy_; });
  }
  impressions_.Flush();
}

}  // namespace segue::serve
