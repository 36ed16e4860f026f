#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"

namespace segue::pipeline {

struct InboxFile {
  std::filesystem::path path;
  std::string name;          ///< relative to the inbox, '/' between
  uint64_t bytes = 0;
  int64_t changed_ms = 0;    ///< the later of content and metadata change, Unix ms
};

/// Something in the inbox that cannot be taken in as it is.
struct InboxProblem {
  std::string name;
  std::string reason;
  int64_t changed_ms = 0;
};

struct InboxListing {
  std::vector<InboxFile> files;        ///< ascending by name
  std::vector<InboxProblem> problems;  ///< unreadable files and folders, empty folders
};

/// Lists the inbox with all its folders. Hidden files and the half-written ones
/// of copying tools (".part", ".tmp", "~") are not there yet; links are not followed.
InboxListing ListInbox(const std::filesystem::path& inbox);

/// Did the file change less than `settle_ms` ago? One that changed later than now
/// by more than that comes from before the clock was set back, and is old.
bool StillSettling(const InboxFile& file, int64_t now_ms, int64_t settle_ms);

/// Wakes when something changes below the inbox (inotify; folders made later
/// are followed too). Not thread-safe.
class InboxWatch {
 public:
  virtual ~InboxWatch() = default;
  /// Waits for a change, at most `timeout_ms`; true where there was one.
  virtual bool Wait(int timeout_ms) = 0;
};

Result<std::unique_ptr<InboxWatch>> WatchInbox(const std::filesystem::path& inbox);

}  // namespace segue::pipeline
