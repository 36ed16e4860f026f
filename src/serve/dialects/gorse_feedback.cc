#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "serve/dialects/gorse.h"
#include "serve/record_json.h"

// Gorse's feedback as our events. What stands is read from the events themselves:
// their ids carry the type, and what was taken back is an event too.
namespace segue::serve {
namespace {

using nlohmann::json;
using store::FeedbackEvent;

constexpr std::string_view kSource = "gorse";
constexpr std::string_view kTold = "gorse:";           ///< event ids: "gorse:<type>:<hash of user and item>:<number>"
constexpr std::string_view kRemoved = "gorse-removed:";
constexpr std::string_view kItem = "gorse:";           ///< source ids
constexpr int64_t kBatch = 10'000;

Response ErrorOf(const Error& error) { return GorseError(error.code == ErrorCode::kInvalid ? 400 : ProblemOf(error).status, error.message); }

std::string TypeIn(std::string_view event_id, std::string_view prefix) {
  if (!event_id.starts_with(prefix)) return "";
  event_id.remove_prefix(prefix.size());
  return std::string(event_id.substr(0, event_id.find(':')));
}

/// The item as the client named it.
std::string ItemIn(const FeedbackEvent& event) {
  if (event.source_id.starts_with(kItem)) return event.source_id.substr(kItem.size());
  return event.source_id.empty() ? event.track_id : event.source_id;
}

std::string EventIdOf(std::string_view prefix, const std::string& user, const std::pair<std::string, std::string>& key, int64_t number) {
  return std::string(prefix) + key.first + ":" + Sha256Hex(user + "\x1f" + key.second).substr(0, 24) + ":" + std::to_string(number);
}

bool IsPlay(const std::string& kind) { return kind == "play" || kind == "skip"; }

json FeedbackJson(const FeedbackEvent& event, const std::string& type) {
  return {{"FeedbackType", type}, {"UserId", event.listener}, {"ItemId", ItemIn(event)}, {"Value", event.value},
          {"Timestamp", GorseTime(event.at)}, {"Updated", GorseTime(event.received_at)}, {"Comment", ""}};
}

/// The type that an address asks for; "" all.
std::string TypeAt(const Request& request, size_t place) { return request.path.size() > place ? request.path[place] : ""; }

}  // namespace

Result<Gorse::FeedbackOfOne> Gorse::FeedbackBy(const std::string& user) const {
  FeedbackOfOne standing;
  for (int64_t after = 0;;) {
    SEGUE_TRY(const auto events, parts_.context.catalog.listeners().EventsOf(user, after, kBatch));
    if (events.empty()) return standing;
    for (const FeedbackEvent& event : events) {
      if (event.source != kSource) continue;
      if (const std::string type = TypeIn(event.event_id, kTold); !type.empty()) {
        Standing& one = standing[{type, ItemIn(event)}];
        one.event = event;
        one.stands = true;
        ++one.times;
      } else if (const std::string taken = TypeIn(event.event_id, kRemoved); !taken.empty()) {
        Standing& one = standing[{taken, ItemIn(event)}];
        one.stands = false;
        one.removed.push_back(event.at);
      }
    }
    after = events.back().seq;
  }
}

FeedbackEvent Gorse::Removal(const Snapshot& snapshot, const std::string& user, const std::pair<std::string, std::string>& key,
                             const Standing& standing) const {
  const int64_t now = parts_.context.clock.NowSeconds();
  FeedbackEvent event = standing.event;
  event.seq = 0;
  event.event_id = EventIdOf(kRemoved, user, key, standing.times);
  event.track_id = snapshot.Canonical(event.track_id);
  event.received_at = now;
  event.value = 1;
  const bool play = IsPlay(event.kind);
  event.kind = play ? std::string(store::kTakenBack) : "neutral";
  if (!play) event.at = std::max(now, event.at + 1);
  return event;
}

/// Users and items that feedback names become known by it, as with Gorse.
Status Gorse::AddUnknown(const std::vector<GorseFeedback>& told, std::unordered_map<std::string, GorseItem>& items) {
  const auto snapshot = parts_.live.Now();
  store::Documents& documents = parts_.context.catalog.documents();
  std::map<std::string, bool> users;
  std::vector<store::Document> new_users;
  std::vector<GorseItem> new_items;
  for (const GorseFeedback& one : told) {
    if (users.try_emplace(one.user, true).second) {
      SEGUE_TRY(const auto known, documents.FindDocument(store::kUserDocument, one.user));
      if (!known) new_users.push_back({one.user, ToJson(GorseUser{.id = one.user}).dump()});
    }
    if (items.contains(one.item)) continue;
    SEGUE_TRY(const auto known, FindItem(one.item));
    items[one.item] = known.value_or(GorseItem{.id = one.item});
    // A track of ours is no new item.
    if (!known && !snapshot->RowOf(one.item)) new_items.push_back(items[one.item]);
  }
  if (!new_users.empty()) SEGUE_RETURN_IF_ERROR(documents.PutDocuments(store::kUserDocument, new_users));
  return new_items.empty() ? Status() : PutItems(new_items);
}

Result<std::vector<FeedbackEvent>> Gorse::EventsOf(const Snapshot& snapshot, std::vector<GorseFeedback> told, bool overwrite) {
  std::unordered_map<std::string, GorseItem> items;
  SEGUE_RETURN_IF_ERROR(AddUnknown(told, items));
  std::map<std::string, FeedbackOfOne> standing;
  std::vector<FeedbackEvent> events;
  for (const GorseFeedback& one : told) {
    if (!standing.contains(one.user)) {
      SEGUE_TRY(standing[one.user], FeedbackBy(one.user));
    }
    TrackNaming track = NamingOf(items[one.item]);
    FeedbackEvent event{.listener = one.user, .artist = track.artist, .title = track.title, .kind = std::string(KindOfGorse(one.type)), .at = one.at,
                        .received_at = parts_.context.clock.NowSeconds(), .album = track.album, .source_id = track.source_id, .source = std::string(kSource)};
    if (snapshot.RowOf(one.item)) {
      event.track_id = snapshot.Canonical(one.item);
      event.source_id.clear();
    } else {
      event.track_id = Scrobbles::IdOf(snapshot, track);
    }
    if (event.kind == "rating") event.value = one.value;
    const std::pair key(one.type, ItemIn(event));
    Standing& before = standing[one.user][key];
    if (before.stands && (!overwrite || (before.event.at == one.at && before.event.value == event.value))) continue;
    if (before.stands && IsPlay(event.kind)) {
      events.push_back(Removal(snapshot, one.user, key, before));
      before.removed.push_back(before.event.at);
    }
    // A time that was taken back is taken; and of opinions the newest has to be the one that stands.
    while (std::find(before.removed.begin(), before.removed.end(), event.at) != before.removed.end()) ++event.at;
    if (before.times > 0 && !IsPlay(event.kind)) {
      event.at = std::max(event.at, before.event.at + 1);
      for (const int64_t at : before.removed) event.at = std::max(event.at, at + 1);
    }
    event.event_id = EventIdOf(kTold, one.user, key, before.times++);
    before.event = event;
    before.stands = true;
    events.push_back(std::move(event));
  }
  return events;
}

Status Gorse::Append(const std::vector<FeedbackEvent>& events) {
  if (events.empty()) return {};
  SEGUE_TRY(const auto outcome, parts_.context.catalog.AppendEvents(events));
  (void)outcome;
  // They are durable: what follows may fail without a loss.
  if (const auto caught = parts_.live.CatchUp(); !caught.ok()) parts_.context.instruments.Warn("serve", caught.error().message);
  return {};
}

Response Gorse::InsertFeedback(const Request& request, bool overwrite) {
  auto told = ParseGorseFeedback(request.body, parts_.context.clock.NowSeconds());
  if (!told.ok()) return ErrorOf(told.error());
  for (const GorseFeedback& one : *told) {
    if (request.caller.listener.empty() || request.caller.listener == one.user) continue;
    return GorseError(403, "the token '" + request.caller.name + "' belongs to listener '" + request.caller.listener + "', not to '" + one.user + "'");
  }
  const auto rows = static_cast<int64_t>(told->size());
  const std::lock_guard lock(feedback_mutex_);
  const auto events = EventsOf(*parts_.live.Now(), *std::move(told), overwrite);
  if (!events.ok()) return ErrorOf(events.error());
  if (const auto appended = Append(*events); !appended.ok()) return ErrorOf(appended.error());
  return Json({{"RowAffected", rows}});
}

Response Gorse::Feedback(const Request& request) const {
  const auto n = QueryNumber(request, "n", 100, 1, 10'000);
  const auto cursor = QueryNumber(request, "cursor", 0, 0, INT64_MAX);
  const bool first = FieldOf(request.query, "cursor").empty();  // Gorse's first page
  if (!n.ok() || (!first && !cursor.ok())) return ErrorOf(n.ok() ? cursor.error() : n.error());
  const std::string wanted = TypeAt(request, 2);
  std::map<std::string, FeedbackOfOne> standing;
  json items = json::array();
  for (int64_t after = first ? 0 : *cursor;;) {
    const auto events = parts_.context.catalog.EventsAfter(after, kBatch);
    if (!events.ok()) return ErrorOf(events.error());
    if (events->empty()) return Json({{"Cursor", ""}, {"Feedback", items}});
    for (const FeedbackEvent& event : *events) {
      if (items.size() == static_cast<size_t>(*n)) return Json({{"Cursor", std::to_string(after)}, {"Feedback", items}});
      after = event.seq;
      const std::string type = event.source == kSource ? TypeIn(event.event_id, kTold) : "";
      if (type.empty() || (!wanted.empty() && type != wanted)) continue;
      if (!standing.contains(event.listener)) {
        auto his = FeedbackBy(event.listener);
        if (!his.ok()) return ErrorOf(his.error());
        standing[event.listener] = *std::move(his);
      }
      const Standing& one = standing[event.listener][{type, ItemIn(event)}];
      if (one.stands && one.event.seq == event.seq) items.push_back(FeedbackJson(event, type));
    }
  }
}

Response Gorse::FeedbackOfUser(const Request& request) const {
  const auto standing = FeedbackBy(request.path[2]);
  if (!standing.ok()) return ErrorOf(standing.error());
  const std::string wanted = TypeAt(request, 4);
  json items = json::array();
  for (const auto& [key, one] : *standing) {
    if (one.stands && (wanted.empty() || key.first == wanted)) items.push_back(FeedbackJson(one.event, key.first));
  }
  return Json(items);
}

Response Gorse::FeedbackOfItem(const Request& request) const {
  // There is no index by item: all users' feedback is looked through.
  const std::string wanted = TypeAt(request, 4);
  Request all = request;
  all.path = wanted.empty() ? std::vector<std::string>{"api", "feedback"} : std::vector<std::string>{"api", "feedback", wanted};
  json items = json::array();
  for (std::string cursor;;) {
    all.query = {{"n", "10000"}, {"cursor", cursor}};
    const Response page = Feedback(all);
    if (page.status != 200) return page;
    const json body = json::parse(page.body, nullptr, false);
    for (const json& one : body["Feedback"]) {
      if (one["ItemId"] == request.path[2]) items.push_back(one);
    }
    cursor = body["Cursor"];
    if (cursor.empty()) return Json(items);
  }
}

Response Gorse::FeedbackOfPair(const Request& request) const {
  const bool typed = request.path.size() == 5;
  const std::string &user = request.path[typed ? 3 : 2], &item = request.path[typed ? 4 : 3];
  const auto standing = FeedbackBy(user);
  if (!standing.ok()) return ErrorOf(standing.error());
  json items = json::array();
  for (const auto& [key, one] : *standing) {
    if (one.stands && key.second == item && (!typed || key.first == request.path[2])) items.push_back(FeedbackJson(one.event, key.first));
  }
  if (!typed) return Json(items);
  return items.empty() ? GorseError(404, "feedback not found") : Json(items.front());
}

Response Gorse::DeleteFeedback(const Request& request) {
  const bool typed = request.path.size() == 5;
  const std::string &user = request.path[typed ? 3 : 2], &item = request.path[typed ? 4 : 3];
  if (!request.caller.listener.empty() && request.caller.listener != user) {
    return GorseError(403, "the token '" + request.caller.name + "' belongs to listener '" + request.caller.listener + "', not to '" + user + "'");
  }
  const std::lock_guard lock(feedback_mutex_);
  const auto standing = FeedbackBy(user);
  if (!standing.ok()) return ErrorOf(standing.error());
  const auto snapshot = parts_.live.Now();
  std::vector<FeedbackEvent> events;
  for (const auto& [key, one] : *standing) {
    if (!one.stands || key.second != item || (typed && key.first != request.path[2])) continue;
    if (one.event.kind == "rating") return GorseError(400, "a rating cannot be taken back; PUT another one");
    events.push_back(Removal(*snapshot, user, key, one));
  }
  if (const auto appended = Append(events); !appended.ok()) return ErrorOf(appended.error());
  return Json({{"RowAffected", events.size()}});
}

}  // namespace segue::serve
