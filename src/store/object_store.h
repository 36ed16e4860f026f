#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/file_system.h"

namespace segue::store {

/// The bucket: immutable objects under keys such as "raw/<sha256>". An object
/// is there whole or not at all: after a Put returned, it survives power loss;
/// after a failed Put, nothing is visible under the key. Putting a key again
/// replaces it whole. Thread-safe.
///
/// Keys are relative, '/' between parts, no part empty, ".", ".." or starting
/// with ".tmp"; anything else is kInvalid.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  virtual Status Put(std::string_view key, std::string_view bytes) = 0;
  /// Takes the local file over (moves it where it can, copies otherwise).
  virtual Status PutFile(std::string_view key, const std::filesystem::path& file) = 0;
  virtual Result<std::string> Get(std::string_view key) const = 0;
  /// A local path to the object's bytes for mapping and for DuckDB; kNotFound
  /// where there is none. Valid as long as the object is not removed.
  virtual Result<std::filesystem::path> LocalPath(std::string_view key) const = 0;
  virtual bool Exists(std::string_view key) const = 0;
  /// All keys under the prefix (a folder), ascending.
  virtual Result<std::vector<std::string>> List(std::string_view prefix) const = 0;
  virtual Status Remove(std::string_view key) = 0;
  /// A folder for work in progress on the same file system. What is left in
  /// it by a killed process is removed at the next start.
  virtual std::filesystem::path ScratchFolder() const = 0;
};

/// A folder. Creates it.
Result<std::unique_ptr<ObjectStore>> OpenFolderStore(const std::filesystem::path& root,
                                                     FileSystem& files = RealFileSystem());

/// Is the key well-formed? The error says what is wrong.
Status CheckKey(std::string_view key);

}  // namespace segue::store
