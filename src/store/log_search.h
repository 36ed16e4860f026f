#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "store/catalog.h"
#include "store/layout.h"
#include "store/object_store.h"

namespace segue::store {

/// What to look for in the logs of runs and of requests; "" and 0 leave it open.
struct LogQuery {
  std::string run_id;
  std::string stage;    ///< "clean", ...; "request" of the log of requests
  std::string level;    ///< this level or a more serious one: debug, info, warning, error
  std::string text;     ///< in message or fields, whatever the case
  std::string since;    ///< UTC, ISO 8601, as far as given: "2026-03-01", "2026-03-01T12:30"
  std::string until;    ///< the same, inclusive
  int64_t limit = 100;
  std::string cursor;   ///< LogPage::next of the page before
};

struct LogEntry {
  std::string at;       ///< "2026-03-01T12:00:00.250Z"
  std::string run_id;   ///< "" a request
  std::string line;     ///< the JSON object as it was written: at, level, stage, message, fields
};

/// Newest first.
struct LogPage {
  std::vector<LogEntry> entries;
  std::string next;     ///< "" no more
};

/// kInvalid names the part of the query that is wrong, kNotFound a run that is
/// not there. Reads no file whose time lies outside of what is asked for, and
/// none older than what fills a page. Lines that are no JSON are passed over.
Result<LogPage> SearchLogs(const ObjectStore& bucket, const Catalog& catalog, const DataFolder& folder, const LogQuery& query);

}  // namespace segue::store
