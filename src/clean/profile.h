#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "clean/workshop.h"
#include "core/result.h"

namespace segue::clean {

/// A profile of each column of a relation (a table's name or `read_parquet(...)`):
///   {"rows": n, "columns": {"tempo": {"type": "DOUBLE", "nulls", "distinct",
///    "min", "max", "quantiles": {"0.01": ...}, "histogram": {"low", "width", "counts": [20]}},
///    "artist": {"type": "VARCHAR", "nulls", "distinct", "min", "max", "top": [{"value","rows"}]}}}
/// The same rows give the same profile for any number of threads. `sample_key`
/// names columns, comma between, whose hash chooses the rows for quantiles
/// where there are more than 2 million.
Result<nlohmann::json> ProfileColumns(Workshop& work, const std::string& relation, const std::string& sample_key);

}  // namespace segue::clean
