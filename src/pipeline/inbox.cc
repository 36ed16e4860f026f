#include "pipeline/inbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "store/file_system.h"

namespace segue::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MODIFY | IN_ATTRIB |
                           IN_DELETE_SELF | IN_ONLYDIR;

bool NotThereYet(std::string_view leaf) {
  return leaf.starts_with('.') || leaf.ends_with(".part") || leaf.ends_with(".tmp") ||
         leaf.ends_with(".crdownload") || leaf.ends_with('~');
}

int64_t Milliseconds(const timespec& time) { return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000; }

int64_t ChangedMs(const struct stat& info) {
  return std::max(Milliseconds(info.st_mtim), Milliseconds(info.st_ctim));
}

class Lister {
 public:
  explicit Lister(const fs::path& inbox) : inbox_(inbox) {}

  InboxListing Take() {
    Folder(inbox_, "");
    std::sort(listing_.files.begin(), listing_.files.end(),
              [](const InboxFile& a, const InboxFile& b) { return a.name < b.name; });
    return std::move(listing_);
  }

 private:
  void Problem(const std::string& name, const std::string& reason, int64_t changed_ms) {
    listing_.problems.push_back({name, reason, changed_ms});
  }

  void Folder(const fs::path& folder, const std::string& prefix) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) return;
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error) {
      Problem(prefix.empty() ? "inbox" : prefix,
              "the folder cannot be read (" + error.message() + "); make it readable for Segue", ChangedMs(info));
      return;
    }
    bool empty = true;
    for (; entries != fs::directory_iterator(); entries.increment(error)) {
      empty = false;
      Entry(*entries, prefix);
      if (error) break;
    }
    if (empty && !prefix.empty()) {
      Problem(prefix, "the folder is empty: there is nothing to take in", ChangedMs(info));
    }
  }

  void Entry(const fs::directory_entry& entry, const std::string& prefix) {
    const std::string leaf = entry.path().filename().string();
    if (NotThereYet(leaf)) return;
    const std::string name = prefix.empty() ? leaf : prefix + "/" + leaf;
    struct stat info {};
    if (::lstat(entry.path().c_str(), &info) != 0) return;
    if (S_ISDIR(info.st_mode)) {
      Folder(entry.path(), name);
    } else if (S_ISREG(info.st_mode)) {
      // For the effective user, who will open it.
      if (::faccessat(AT_FDCWD, entry.path().c_str(), R_OK, AT_EACCESS) != 0) {
        Problem(name, "the file cannot be read (" + std::string(std::strerror(errno)) +
                          "); make it readable for Segue", ChangedMs(info));
      } else {
        listing_.files.push_back({entry.path(), name, static_cast<uint64_t>(info.st_size), ChangedMs(info)});
      }
    } else {
      Problem(name, "neither a file nor a folder (links and devices are not followed)", ChangedMs(info));
    }
  }

  fs::path inbox_;
  InboxListing listing_;
};

class Inotify final : public InboxWatch {
 public:
  explicit Inotify(int descriptor) : descriptor_(descriptor) {}
  ~Inotify() override { ::close(descriptor_); }
  Inotify(const Inotify&) = delete;
  Inotify& operator=(const Inotify&) = delete;

  Status Add(const fs::path& folder) {
    const int watch = ::inotify_add_watch(descriptor_, folder.c_str(), kMask);
    if (watch < 0) {
      // Unreadable or vanished folders are reported by the listing.
      if (errno == EACCES || errno == ENOENT || errno == ENOTDIR) return {};
      return store::SystemError("watching", folder, errno);
    }
    folders_[watch] = folder;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.is_directory(error) && !entry.is_symlink(error)) SEGUE_RETURN_IF_ERROR(Add(entry.path()));
    }
    return {};
  }

  bool Wait(int timeout_ms) override {
    pollfd ready{descriptor_, POLLIN, 0};
    if (::poll(&ready, 1, timeout_ms) <= 0) return false;
    alignas(inotify_event) std::array<char, 16384> buffer;
    bool changed = false;
    for (;;) {
      const ssize_t size = ::read(descriptor_, buffer.data(), buffer.size());
      if (size <= 0) return changed;
      changed = true;
      for (ssize_t at = 0; at < size;) {
        inotify_event event;
        std::memcpy(&event, buffer.data() + at, sizeof event);
        const char* leaf = buffer.data() + at + sizeof event;
        if ((event.mask & IN_ISDIR) != 0 && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
          if (const auto it = folders_.find(event.wd); it != folders_.end()) {
            // A watch that cannot be added is made up for by the follower's regular look.
            (void)Add(it->second / leaf).ok();
          }
        }
        if ((event.mask & IN_IGNORED) != 0) folders_.erase(event.wd);
        at += static_cast<ssize_t>(sizeof event + event.len);
      }
    }
  }

 private:
  int descriptor_;
  std::map<int, fs::path> folders_;
};

}  // namespace

bool StillSettling(const InboxFile& file, int64_t now_ms, int64_t settle_ms) { return std::llabs(now_ms - file.changed_ms) < settle_ms; }

InboxListing ListInbox(const fs::path& inbox) { return Lister(inbox).Take(); }

Result<std::unique_ptr<InboxWatch>> WatchInbox(const fs::path& inbox) {
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return store::SystemError("watching", inbox, errno);
  auto watch = std::make_unique<Inotify>(descriptor);
  SEGUE_RETURN_IF_ERROR(watch->Add(inbox));
  return std::unique_ptr<InboxWatch>(std::move(watch));
}

}  // namespace segue::pipeline
