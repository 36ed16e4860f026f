#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace segue::store {

/// The few calls through which everything durable is written, so that tests can
/// make them fail (full disk) or forget (power loss). Errors carry the path
/// and what the operating system said (ENOSPC is kNoSpace, EACCES kPermission,
/// ENOENT kNotFound). Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// A file being written. Nothing is durable before Sync.
  class Writer {
   public:
    virtual ~Writer() = default;  ///< closes
    virtual Status Append(std::string_view bytes) = 0;
    virtual Status Sync() = 0;
  };

  virtual Result<std::unique_ptr<Writer>> Create(const std::filesystem::path& path) = 0;
  virtual Status Rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual Status SyncFolder(const std::filesystem::path& folder) = 0;
  virtual Status SyncFile(const std::filesystem::path& file) = 0;
  virtual Status CreateFolders(const std::filesystem::path& folder) = 0;
  virtual Status Remove(const std::filesystem::path& path) = 0;
};

/// The operating system's. Stateless; lives as long as the program.
FileSystem& RealFileSystem();

/// A whole file, made or replaced, where a person said; not synced.
Status WriteFile(const std::filesystem::path& path, std::string_view text);

/// Passes through to `base` until told to fail. For tests.
class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& base) : base_(base) {}

  /// Append fails with kNoSpace once `bytes` more have been written.
  void FailAfterBytes(int64_t bytes) { bytes_left_ = bytes; }
  /// The next and all later Rename calls fail with kIo (power loss before it).
  void FailRenames(bool fail) { fail_renames_ = fail; }
  void Heal();

  Result<std::unique_ptr<Writer>> Create(const std::filesystem::path& path) override;
  Status Rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  Status SyncFolder(const std::filesystem::path& folder) override;
  Status SyncFile(const std::filesystem::path& file) override;
  Status CreateFolders(const std::filesystem::path& folder) override;
  Status Remove(const std::filesystem::path& path) override;

 private:
  class FaultyWriter;
  FileSystem& base_;
  int64_t bytes_left_ = -1;  // -1: no limit
  bool fail_renames_ = false;
};

/// The error for errno after `doing` to `path`.
Error SystemError(std::string_view doing, const std::filesystem::path& path, int error_number);

}  // namespace segue::store
