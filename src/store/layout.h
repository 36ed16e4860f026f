#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace segue::store {

/// In DataFolder::logs(): what is being written; older ones are requests-<Unix ms>.ndjson.
inline constexpr const char* kRequestLog = "requests.ndjson";

/// Where things lie in a data folder (`--data DIR`), named in one place.
struct DataFolder {
  std::filesystem::path root;

  std::filesystem::path bucket() const { return root / "bucket"; }
  std::filesystem::path inbox() const { return bucket() / "inbox"; }
  std::filesystem::path catalog() const { return root / "catalog.sqlite"; }
  std::filesystem::path config() const { return root / "segue.toml"; }
  std::filesystem::path spill() const { return root / "spill"; }
  std::filesystem::path logs() const { return root / "logs"; }
  /// A run's log while it is written; a finished run's is in the bucket.
  std::filesystem::path run_log(std::string_view run_id) const {
    return logs() / (std::string(run_id) + ".ndjson");
  }
};

// Keys in the bucket.
inline std::string RunKey(std::string_view run_id, std::string_view leaf) {
  return "runs/" + std::string(run_id) + "/" + std::string(leaf);
}
inline std::string DatasetKey(std::string_view dataset_id, std::string_view leaf) {
  return "datasets/" + std::string(dataset_id) + "/" + std::string(leaf);
}
/// leaf: "model.segue" (the artifact) or "manifest.json".
inline std::string ModelKey(std::string_view model_id, std::string_view leaf) {
  return "models/" + std::string(model_id) + "/" + std::string(leaf);
}

}  // namespace segue::store
