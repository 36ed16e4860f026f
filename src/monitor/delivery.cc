#include "monitor/delivery.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "store/clock.h"

namespace segue::monitor {
namespace {

using nlohmann::json;

constexpr int64_t kFirstRetryMs = 5'000;
constexpr int64_t kLongestRetryMs = 600'000;
constexpr int64_t kMostInARound = 1000;

}  // namespace

std::string DeliveryBody(const store::AlarmChange& change, const store::AlarmRecord& alarm) {
  json told = ToJson(alarm);
  // The alarm may be further by now than the change that is told of.
  if (change.change != "acknowledged") told["state"] = change.change;
  const json body = {{"delivery", change.seq}, {"change", change.change}, {"at", store::Iso8601(change.at_ms / 1000)},
                     {"note", change.note.empty() ? json() : json(change.note)}, {"alarm", told}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

int64_t RetryAfterMs(int64_t attempts) {
  int64_t wait = kFirstRetryMs;
  for (int64_t i = 1; i < attempts && wait < kLongestRetryMs; ++i) wait *= 2;
  return std::min(wait, kLongestRetryMs);
}

AlarmDelivery::AlarmDelivery(store::AlarmBook& book, Instruments& instruments, Send send)
    : book_(book), instruments_(instruments), send_(std::move(send)) {}

Result<int64_t> AlarmDelivery::Round(int64_t now_ms) {
  int64_t delivered = 0;
  // An alarm's next change is due once the one before is delivered.
  for (bool more = true; more;) {
    more = false;
    SEGUE_TRY(const auto changes, book_.UndeliveredChanges(kMostInARound));
    for (const store::AlarmChange& change : changes) {
      // A clock that was set back must not put a change off for ever.
      if (change.next_ms > now_ms && change.next_ms - now_ms <= kLongestRetryMs) continue;
      SEGUE_TRY(const bool sent, Deliver(change, now_ms));
      if (sent) ++delivered;
      more = more || sent;
    }
  }
  return delivered;
}

Result<bool> AlarmDelivery::Deliver(const store::AlarmChange& change, int64_t now_ms) {
  SEGUE_TRY(const auto alarms, book_.FindAlarm(change.alarm_id));
  if (alarms.empty()) return Error{ErrorCode::kCorrupt, "alarm " + std::to_string(change.alarm_id) + " has a change and is not there"};
  const store::AlarmRecord& alarm = alarms.front();
  if (change.attempts == 0) {
    const bool fires = change.change == store::kAlarmFiring;
    const LogLevel level = !fires ? LogLevel::kInfo : alarm.severity == "critical" ? LogLevel::kError : LogLevel::kWarning;
    instruments_.Log(level, "alarm", alarm.name + " " + change.change + (fires ? ": " + alarm.message : ""),
                     {{"id", alarm.id}, {"severity", alarm.severity}});
  }
  if (send_) {
    if (const Status sent = send_(DeliveryBody(change, alarm)); !sent.ok()) {
      if (sent.error().code == ErrorCode::kCancelled) return sent.error();
      SEGUE_RETURN_IF_ERROR(book_.DeliveryFailed(change.seq, now_ms + RetryAfterMs(change.attempts + 1), sent.error().message));
      if (change.attempts == 0) instruments_.Warn("alarm", "the alarm " + alarm.name + " could not be sent, it is tried again: " + sent.error().message);
      return false;
    }
  }
  SEGUE_RETURN_IF_ERROR(book_.ChangeDelivered(change.seq, now_ms));
  return true;
}

}  // namespace segue::monitor
