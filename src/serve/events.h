#pragma once

#include <string_view>
#include <vector>

#include "core/result.h"
#include "serve/snapshot.h"
#include "serve/times.h"
#include "store/catalog.h"

namespace segue::serve {

/// The body of POST /v1/events as events to append. An error names the event
/// and the field, "events[3].kind: ...", or the position in broken JSON.
/// `listener`: whose events these may be, also where they name nobody; "" anybody's.
/// kPermission where one is of somebody else.
Result<std::vector<store::FeedbackEvent>> ParseEvents(std::string_view body, const Snapshot& snapshot, int64_t now,
                                                      const std::string& listener = "");

}  // namespace segue::serve
