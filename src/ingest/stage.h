#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/instruments.h"
#include "core/result.h"
#include "ingest/formats.h"
#include "ingest/records.h"
#include "ingest/rejects.h"
#include "store/duck.h"

namespace segue::ingest {

/// What came of a file's records.
struct Staged {
  int64_t records = 0;      ///< in the file
  int64_t rows = 0;         ///< staged
  int64_t spoken_word = 0;  ///< podcasts and audiobooks, set aside
  int64_t not_utf8 = 0;     ///< values read as Windows-1252
};

/// Writes the reader's records, as the plan says, to a Parquet file at `out`
/// (core/staged.h). What cannot be read goes to `rejects`. Values are not
/// judged. `duck` is for this call alone. kCorrupt where the input as a whole
/// does not read; kCancelled when asked to stop.
Result<Staged> Stage(RecordReader& reader, const Plan& plan, store::Duck& duck, Rejects& rejects,
                     Instruments& instruments, const std::filesystem::path& out);

}  // namespace segue::ingest
