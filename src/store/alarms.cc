#include "store/alarms.h"

#include <nlohmann/json.hpp>

#include "store/clock.h"

namespace segue::store {
namespace {

using nlohmann::json;

json TimeOrNull(int64_t unix_ms) { return unix_ms == 0 ? json() : json(Iso8601(unix_ms / 1000)); }
json TextOrNull(const std::string& text) { return text.empty() ? json() : json(text); }

}  // namespace

json ToJson(const AlarmRecord& alarm) {
  const bool of_rule = !alarm.rule.empty();
  return {{"id", alarm.id}, {"name", alarm.name}, {"rule", TextOrNull(alarm.rule)}, {"state", alarm.state},
          {"severity", alarm.severity}, {"message", alarm.message}, {"value", of_rule ? json(alarm.value) : json()},
          {"run_id", TextOrNull(alarm.run_id)}, {"at", Iso8601(alarm.at)}, {"pending_since", TimeOrNull(alarm.pending_ms)},
          {"resolved_at", TimeOrNull(alarm.resolved_ms)},
          {"acknowledged", alarm.acknowledged_ms == 0
                               ? json()
                               : json{{"at", TimeOrNull(alarm.acknowledged_ms)}, {"by", alarm.acknowledged_by}}}};
}

json ToJson(const AlarmChange& change) {
  return {{"at", TimeOrNull(change.at_ms)}, {"change", change.change}, {"value", change.value}, {"actor", change.actor},
          {"note", TextOrNull(change.note)}, {"delivered", TimeOrNull(change.delivered_ms)}, {"attempts", change.attempts},
          {"error", TextOrNull(change.error)}};
}

}  // namespace segue::store
