#include "serve/lists.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "serve/random_id.h"
#include "store/blocked_artists.h"

namespace segue::serve {
namespace {

using nlohmann::json;
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
    : context_(context), live_(live), recommender_(context_.settings), rotation_(context_.settings.repeat_after_hours), impressions_(context),
      thread_([this] { FollowShadow(); }) {
  if (const auto read = rotation_.Read(context_.catalog, context_.clock.NowMs()); !read.ok()) {
    context_.instruments.Warn("serve", "tracks of earlier lists may be recommended again: " + read.error().message);
  }
}

Lists::~Lists() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  asked_.notify_all();
  thread_.join();
}

Result<std::vector<std::string>> Lists::BlockedBy(const std::string& listener) const {
  std::vector<std::string> keys;
  if (listener.empty()) return keys;
  SEGUE_TRY(const auto artists, store::BlockedArtistsOf(context_.catalog.documents(), listener));
  for (const auto& artist : artists) keys.push_back(artist.key);
  return keys;
}

Result<Group> Lists::GroupOf(const std::vector<std::string>& listeners, Strategy strategy, const Snapshot& maker) {
  Group group{.listeners = listeners, .strategy = strategy, .blocked = {}, .not_again = {}};
  for (const std::string& listener : listeners) {
    SEGUE_TRY(const auto blocked, BlockedBy(listener));
    group.blocked.insert(group.blocked.end(), blocked.begin(), blocked.end());
    if (context_.settings.repeat_after_hours == 0) continue;
    const json state = {maker.model_id(), maker.dataset_id(), maker.VersionOf(listener), blocked};
    auto out = rotation_.OutFor(listener, state.dump(-1, ' ', false, json::error_handler_t::replace), maker.ground()->TombstoneOf(listener),
                                context_.clock.NowMs());
    group.not_again.insert(group.not_again.end(), out.tracks.begin(), out.tracks.end());
    group.turn += out.turn;
  }
  return group;
}

Result<GivenList> Lists::Give(const std::string& listener, const Wish& wish) {
  const auto models = live_.Models();
  GivenList given{.list_id = RandomHex(), .list = nullptr, .made_by = models->live};
  Arm arm = models->ArmOf(listener);
  if (arm == Arm::kCanary) given.made_by = models->challenger;
  SEGUE_TRY(Group group, GroupOf({listener}, Strategy::kAverage, *given.made_by));
  const auto start = steady_clock::now();
  Recommender::Answer answer;
  if (arm == Arm::kCanary) {
    try {
      answer = recommender_.ListFor(*models->challenger, group, wish);
    } catch (const std::exception& bug) {
      LogCanaryFailure(*models, given.list_id + "-canary", listener, wish.mode, bug.what());
      arm = Arm::kLive;
      given.made_by = models->live;
    }
  }
  if (arm == Arm::kLive) answer = recommender_.ListFor(*models->live, group, wish);
  given.list = answer.list;
  if (given.made_by->model() == nullptr) return given;
  const int64_t now_ms = context_.clock.NowMs();
  rotation_.Note(listener, Rotation::Tracks(given.list, &given.list->tracks), now_ms);
  impressions_.Add({.list_id = given.list_id, .listener = listener, .model_id = given.made_by->model_id(), .arm = std::string(Name(arm)),
                    .mode = std::string(Name(wish.mode)), .at_ms = now_ms, .made_us = answer.kept ? 0 : Microseconds(start),
                    .tracks = given.list->tracks});
  if (models->challenger != nullptr && !models->shown && PlaceOf(given.list_id) < models->share) Shadow(*models, given.list_id, std::move(group), wish);
  return given;
}

Result<GivenList> Lists::GiveTogether(const std::vector<std::string>& listeners, Strategy strategy, const Wish& wish) {
  GivenList given{.list_id = RandomHex(), .list = nullptr, .made_by = live_.Now()};
  SEGUE_TRY(const Group group, GroupOf(listeners, strategy, *given.made_by));
  const auto start = steady_clock::now();
  const auto answer = recommender_.ListFor(*given.made_by, group, wish);
  given.list = answer.list;
  if (given.made_by->model() == nullptr) return given;
  const int64_t now_ms = context_.clock.NowMs(), made_us = answer.kept ? 0 : Microseconds(start);
  for (const std::string& listener : listeners) {
    rotation_.Note(listener, Rotation::Tracks(given.list, &given.list->tracks), now_ms);
    impressions_.Add({.list_id = given.list_id, .listener = listener, .model_id = given.made_by->model_id(), .arm = std::string(Name(Arm::kLive)),
                      .mode = std::string(Name(wish.mode)), .at_ms = now_ms, .made_us = made_us, .tracks = given.list->tracks});
  }
  return given;
}

Result<std::shared_ptr<const MadeList>> Lists::Look(const std::string& listener, const Wish& wish) {
  const auto models = live_.Models();
  const Snapshot& maker = models->ArmOf(listener) == Arm::kCanary ? *models->challenger : *models->live;
  SEGUE_TRY(const Group group, GroupOf({listener}, Strategy::kAverage, maker));
  return recommender_.ListFor(maker, group, wish).list;
}

GivenList Lists::GiveNameless(const std::shared_ptr<Snapshot>& snapshot, const Audience& audience, const Wish& wish, const json& about) const {
  return {.list_id = "", .list = std::make_shared<const MadeList>(recommender_.MakeFor(*snapshot, audience, wish, about)), .made_by = snapshot};
}

std::string Lists::Shown(const std::string& listener, const Snapshot& made_by, std::string_view mode, std::vector<std::string> tracks) {
  if (listener.empty()) return "";
  const auto models = live_.Models();
  const bool canary = models->challenger != nullptr && models->shown && models->challenger->model_id() == made_by.model_id();
  std::string list_id = RandomHex();
  impressions_.Add({.list_id = list_id, .listener = listener, .model_id = made_by.model_id(), .arm = std::string(Name(canary ? Arm::kCanary : Arm::kLive)),
                    .mode = std::string(mode), .at_ms = context_.clock.NowMs(), .tracks = std::move(tracks)});
  return list_id;
}

void Lists::LogCanaryFailure(const ServedModels& models, const std::string& list_id, const std::string& listener, Mode mode, const std::string& why) {
  const std::string& model_id = models.challenger->model_id();
  context_.instruments.Log(LogLevel::kError, "serve", "the canary could not make a list: " + why, {{"model_id", model_id}});
  impressions_.Add({.list_id = list_id, .listener = listener, .model_id = model_id, .arm = std::string(Name(Arm::kCanary)),
                    .mode = std::string(Name(mode)), .at_ms = context_.clock.NowMs(), .error = why});
}

void Lists::Shadow(const ServedModels& models, const std::string& list_id, Group group, const Wish& wish) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMostShadowed) return;
    queue_.push_back({models.challenger, list_id + "-shadow", std::move(group), wish, context_.clock.NowMs()});
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
  store::Impression impression{.list_id = asked.list_id, .listener = asked.group.listeners[0], .model_id = asked.challenger->model_id(),
                               .arm = std::string(Name(Arm::kShadow)), .mode = std::string(Name(asked.wish.mode)), .at_ms = asked.at_ms};
  const auto start = steady_clock::now();
  try {
    impression.tracks = recommender_.Make(*asked.challenger, asked.group, asked.wish).tracks;
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
