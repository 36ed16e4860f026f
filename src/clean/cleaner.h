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
/// (core/staged.h, listens; with seq, list_id and received_at), one object a day
/// of receipt and call, numbers by seq. Idempotent: the bucket itself tells how far
/// it got, so that after a crash no event is written twice.
Status FlushEvents(const Context& context);

/// The same of the lists that were shown: impressions/<yyyy>/<mm>/<dd>/<first>-<last>.parquet
/// with list_id, listener, model_id, arm, mode, at_ms, made_us, error, position
/// (from 1) and track_id, a row a track (or one row of a list without any). Then
/// removes from the catalog what is in the bucket and older than
/// impressions.keep_days. Reads at most a few thousand lists at a time.
Status FlushImpressions(const Context& context);

/// All accepted objects and flushed events -> datasets/<id>/: tracks, aliases,
/// interactions, reviews, rejected rows (store/dataset_store.h), quality.json
/// (clean/quality.h) and manifest.json, which is written last: a dataset
/// without a manifest is not there. Rules: clean/rules.h; when two plays are
/// the same: clean/listens.h; when two names are the same track: clean/identity.h.
///
/// The id is a hash of the inputs' contents and listeners, the clean.* settings
/// that change results and the code version. The same id is the same bytes of
/// tracks, aliases, interactions and reviews, on any machine and for any number of
/// threads; rejected rows and the quality report also carry the files' names.
/// Where the dataset is there already, nothing is done. "In the future" is
/// judged by the day on which a file came in, not by today.
///
/// Bad files. A file of which more than clean.max_rejected_share of the rows,
/// and more than 20, were rejected (unreadable ones included; duplicates,
/// podcasts and plays of 0 ms are not) is left out as a whole: its rows are in
/// rejected.parquet, an alarm names it, once, and the others go on, so that a
/// bad file cannot block training for ever. `stop` is set where the share is
/// too large over all inputs that the dataset before did not have: such a
/// delivery stops one run, not the next, which has other news.
///
/// Errors: kNotFound where there is nothing to clean, kCancelled, and what
/// storage and DuckDB report; nothing is then visible but files without a
/// manifest, and the same call can be made again.
Result<Outcome> Clean(const Context& context);

/// quality.json as text for people: what came in, what was removed by which
/// rule, how tracks were joined, the columns' profiles.
std::string ReadableReport(const nlohmann::json& quality);

}  // namespace segue::clean
