#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clean/cleaner.h"
#include "core/result.h"

namespace segue::clean {

/// Part of every dataset's id. Raise it when cleaning changes what it
/// computes, so that an old id never names new bytes.
inline constexpr const char* kCleanVersion = "3";

/// One staged Parquet object to be cleaned.
struct Input {
  int64_t file = 0;         ///< number: rank by (name, sha256, listener); events last
  int64_t content_rank = 0; ///< rank by (sha256, listener): does not depend on names
  std::string name;         ///< for people
  std::string sha256;       ///< of the raw file; of the object itself for events
  std::string listener;     ///< "" the rows name it
  std::string format;
  std::string table;        ///< "listens", "events" (listens too), "tracks", "tag_names", "taggings"
  std::string path;         ///< local
  int64_t unreadable = 0;   ///< rows that ingest could not read
  int64_t latest = 0;       ///< a later time than this is in the future, Unix seconds
  int64_t came_in = 0;      ///< Unix seconds; 0 of events, which each know their own
  bool forgotten = false;   ///< its listener was forgotten after it came in: nothing names him

  // Filled by cleaning.
  int64_t rows = 0;
  bool left_out = false;    ///< too large a share of its rows was rejected
};

struct Inputs {
  std::vector<Input> list;  ///< ascending by `file`
  std::vector<store::ForgottenListener> forgotten;  ///< by id
  std::string dataset_id;   ///< "d" and 16 hex digits
};

/// All accepted objects that were staged, and the flushed events. The id is a
/// hash of contents: raw hashes with listeners, event objects with their
/// hashes, who was forgotten, the clean.* settings that change results, and kCleanVersion.
/// kNotFound where there is nothing at all.
Result<Inputs> GatherInputs(const Context& context);

}  // namespace segue::clean
