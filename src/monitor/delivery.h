#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/instruments.h"
#include "core/result.h"
#include "store/alarms.h"

namespace segue::monitor {

/// What is sent of a change of an alarm:
///   {"delivery": n, "change": "firing"|"resolved"|"acknowledged", "at": "...", "note": null|"...",
///    "alarm": {"id","name","severity","message","value",...}}
/// `delivery` is the same when it has to be sent again, so that a receiver can tell.
std::string DeliveryBody(const store::AlarmChange& change, const store::AlarmRecord& alarm);

/// How long to wait after so many failed attempts: 5 s, 10 s, ... 10 minutes.
int64_t RetryAfterMs(int64_t attempts);

/// Takes changes of alarms to the log and to `send` (empty: to the log only), at
/// least once each, one alarm's in their order; a change that cannot be sent is
/// tried again, later and later, and holds up only its own alarm's. Kept in the
/// catalog, so that a new start goes on. Not thread-safe.
class AlarmDelivery {
 public:
  using Send = std::function<Status(const std::string& body)>;
  AlarmDelivery(store::AlarmBook& book, Instruments& instruments, Send send);

  /// All that is due; how many were delivered. Ends early where `send` says kCancelled.
  Result<int64_t> Round(int64_t now_ms);

 private:
  Result<bool> Deliver(const store::AlarmChange& change, int64_t now_ms);

  store::AlarmBook& book_;
  Instruments& instruments_;
  const Send send_;
};

}  // namespace segue::monitor
