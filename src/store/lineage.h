#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "store/catalog.h"
#include "store/object_store.h"

namespace segue::store {

/// Where a model comes from, down to the files that people dropped:
///   {"model_id","kind","algorithm","run_id","created","settings","seed","artifact_sha256",
///    "dataset": {"dataset_id","rows_in","rows_kept","listeners","tracks","code_version",
///      "objects": [{"sha256","name","listener","table","rows","format","added","left_out","raw"}],
///      "events": {"through_seq","objects":[{"key","sha256"}]}}}
/// "raw" is the bucket key of the file's bytes; "left_out" why cleaning left it
/// out, or false. `model` may be an alias. kNotFound where the registry does not
/// have the model. A manifest that is not there any more leaves nulls.
Result<nlohmann::json> LineageOf(const ObjectStore& bucket, const Catalog& catalog, std::string_view model);

}  // namespace segue::store
