#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "core/instruments.h"
#include "core/result.h"
#include "core/settings.h"
#include "store/catalog.h"
#include "store/clock.h"
#include "store/object_store.h"

namespace segue::clean {

struct Context {
  store::ObjectStore& bucket;
  store::Catalog& catalog;
  const store::Clock& clock;
  const Settings& settings;
  Instruments& instruments;
};

struct Outcome {
  std::string dataset_id;
  bool existed = false;       ///< the same inputs had been cleaned before
  int64_t rows_in = 0;
  int64_t rows_kept = 0;
  int64_t listeners = 0;
  int64_t tracks = 0;
  bool stop = false;          ///< too many rows rejected: the run must not go on
  std::string stop_reason;
};

/// Writes events not yet in the bucket to events/<yyyy>/<mm>/<dd>/<first>-<last>.parquet
/// (core/staged.h, listens). Idempotent; after a crash the same objects come out.
Status FlushEvents(const Context& context);

/// All accepted objects and flushed events -> datasets/<id>/: tracks, aliases,
/// interactions, rejected rows, quality.json and manifest.json (written last:
/// a dataset without a manifest is not there). The id is a hash of the inputs'
/// hashes, the clean.* settings and the code version.
Result<Outcome> Clean(const Context& context);

/// quality.json as text for people: what came in, what was removed by which
/// rule, how tracks were joined, the columns' profiles.
std::string ReadableReport(const nlohmann::json& quality);

}  // namespace segue::clean
