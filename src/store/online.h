#pragma once

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

#include "core/online.h"
#include "store/catalog.h"

namespace segue::store {

/// The lists that were shown from `since` on (Unix seconds), with the feedback
/// that has come to them until now. Reads every row since then: about 2 s for a
/// million lists. Lists that are older than impressions.keep_days are not there.
Result<OnlineLedger> ReadLedger(const Catalog& catalog, int64_t since, int64_t window_s);

/// As the ledger takes it. An arm that this program does not know counts as live.
Showing ShowingOf(const Impression& impression);

/// {"model_id","arm","lists","listeners","failed","judged","hit_rate","like_rate",
/// "dislike_rate","skip_rate","coverage","repetition","made_p50_ms","made_p99_ms"};
/// null where there is nothing to divide by. `catalogue`: its tracks; 0 not known.
nlohmann::json FiguresJson(const ArmFigures& arm, size_t catalogue);

}  // namespace segue::store
