#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/program.h"
#include "core/dataset.h"
#include "ingest/ingest.h"

namespace segue::cli {

// Where verbs have their listening from.

/// Files of what was named on the command line, each with the name that the
/// inbox would know it by (folders matter: they name listeners). `listener`
/// says who listened; "" from folder or file. kNotFound, kInvalid where there
/// are no files.
Result<std::vector<ingest::Input>> FindInputs(std::span<const std::string> paths, const std::string& listener);

/// Takes them in until asked to stop; sums of what became of them.
Result<ingest::Outcome> IngestAll(Program& program, std::span<const ingest::Input> inputs);

/// The dataset that the live model was trained on.
Result<Dataset> LiveDataset(const Common& common);

/// The dataset of these histories and tables of tracks, ingested and cleaned as
/// a run does it, in a data folder of its own below `scratch`, which is gone
/// when this returns. Warns of what was refused.
Result<Dataset> DatasetOfFiles(const Common& common, const Settings& settings, std::span<const std::string> histories,
                               std::span<const std::string> tracks, const std::filesystem::path& scratch);

}  // namespace segue::cli
