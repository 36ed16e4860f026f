#pragma once

#include <filesystem>
#include <memory>

#include "core/result.h"

namespace segue::pipeline {

/// The right to run the pipeline of a data folder: one process at a time. Held
/// until destroyed; the operating system lets go of it when the process dies.
class PipelineLock {
 public:
  virtual ~PipelineLock() = default;
};

/// kConflict where another process holds it.
Result<std::unique_ptr<PipelineLock>> LockPipeline(const std::filesystem::path& data_folder);

}  // namespace segue::pipeline
