#include "store/object_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

namespace segue::store {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestKey = 1024;
constexpr size_t kLongestPart = 255;
constexpr size_t kCopyBytes = 1 << 20;

/// An open file for reading, closed at the end.
struct Reader {
  int descriptor = -1;
  ~Reader() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

class FolderStore final : public ObjectStore {
 public:
  FolderStore(fs::path root, FileSystem& files)
      : root_(std::move(root)), scratch_(root_ / ".tmp" / std::to_string(::getpid())), files_(files) {}
  ~FolderStore() override {
    std::error_code error;
    fs::remove(scratch_, error);  // only if empty: another store of this process may work in it
  }
  FolderStore(const FolderStore&) = delete;
  FolderStore& operator=(const FolderStore&) = delete;

  Status Open() {
    SEGUE_RETURN_IF_ERROR(files_.CreateFolders(scratch_));
    RemoveScratchOfTheDead();
    return {};
  }

  Status Put(std::string_view key, std::string_view bytes) override {
    SEGUE_RETURN_IF_ERROR(CheckKey(key));
    const fs::path scratch = NewScratch();
    if (auto written = Write(scratch, bytes); !written.ok()) return Drop(scratch, written.error());
    return Publish(scratch, key);
  }

  Status PutFile(std::string_view key, const fs::path& file) override {
    SEGUE_RETURN_IF_ERROR(CheckKey(key));
    struct stat mine {}, theirs {};
    if (::stat(file.c_str(), &theirs) != 0) return SystemError("reading", file, errno);
    if (::stat(scratch_.c_str(), &mine) == 0 && mine.st_dev == theirs.st_dev) {
      SEGUE_RETURN_IF_ERROR(files_.SyncFile(file));
      return Publish(file, key);
    }
    const fs::path scratch = NewScratch();
    if (auto copied = Copy(file, scratch); !copied.ok()) return Drop(scratch, copied.error());
    SEGUE_RETURN_IF_ERROR(Publish(scratch, key));
    return files_.Remove(file);
  }

  Result<std::string> Get(std::string_view key) const override {
    SEGUE_TRY(const fs::path path, LocalPath(key));
    std::string bytes;
    SEGUE_RETURN_IF_ERROR(Read(path, [&](std::string_view part) {
      bytes.append(part);
      return Status();
    }));
    return bytes;
  }

  Result<fs::path> LocalPath(std::string_view key) const override {
    SEGUE_RETURN_IF_ERROR(CheckKey(key));
    const fs::path path = root_ / key;
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return Error{ErrorCode::kNotFound, "no object '" + std::string(key) + "'"};
    return path;
  }

  bool Exists(std::string_view key) const override { return LocalPath(key).ok(); }

  Result<std::vector<std::string>> List(std::string_view prefix) const override {
    if (!prefix.empty()) SEGUE_RETURN_IF_ERROR(CheckKey(prefix));
    const fs::path folder = root_ / prefix;
    std::vector<std::string> keys;
    std::error_code error;
    if (!fs::exists(folder, error)) return keys;
    constexpr auto kSkip = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator it(folder, kSkip, error), end; it != end; it.increment(error)) {
      if (error) return SystemError("listing", folder, error.value());
      if (it->path().filename().string().starts_with(".tmp")) {
        it.disable_recursion_pending();
        continue;
      }
      if (it->is_symlink(error) || !it->is_regular_file(error)) continue;
      keys.push_back(it->path().lexically_relative(root_).generic_string());
    }
    if (error) return SystemError("listing", folder, error.value());
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  Status Remove(std::string_view key) override {
    SEGUE_TRY(const fs::path path, LocalPath(key));
    SEGUE_RETURN_IF_ERROR(files_.Remove(path));
    return files_.SyncFolder(path.parent_path());
  }

  fs::path ScratchFolder() const override { return scratch_; }

 private:
  fs::path NewScratch() { return scratch_ / ("put-" + std::to_string(next_scratch_++)); }

  Status Drop(const fs::path& scratch, const Error& why) {
    (void)files_.Remove(scratch).ok();  // the first error is the one to tell
    return why;
  }

  Status Write(const fs::path& path, std::string_view bytes) {
    SEGUE_TRY(auto writer, files_.Create(path));
    SEGUE_RETURN_IF_ERROR(writer->Append(bytes));
    return writer->Sync();
  }

  template <typename Each>
  static Status Read(const fs::path& path, const Each& each) {
    Reader reader{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (reader.descriptor < 0) return SystemError("reading", path, errno);
    std::string buffer(kCopyBytes, '\0');
    for (;;) {
      const ssize_t size = ::read(reader.descriptor, buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return SystemError("reading", path, errno);
      if (size == 0) return {};
      SEGUE_RETURN_IF_ERROR(each(std::string_view(buffer.data(), static_cast<size_t>(size))));
    }
  }

  Status Copy(const fs::path& from, const fs::path& to) {
    SEGUE_TRY(auto writer, files_.Create(to));
    SEGUE_RETURN_IF_ERROR(Read(from, [&](std::string_view part) { return writer->Append(part); }));
    return writer->Sync();
  }

  /// Moves synced bytes under their key and makes the move last.
  Status Publish(const fs::path& scratch, std::string_view key) {
    const fs::path path = root_ / key;
    const fs::path folder = path.parent_path();
    fs::path deepest = folder;  // the deepest folder that is there already
    std::error_code error;
    while (deepest != root_ && !fs::exists(deepest, error)) deepest = deepest.parent_path();
    if (auto made = files_.CreateFolders(folder); !made.ok()) return DropOwn(scratch, made.error());
    if (auto moved = files_.Rename(scratch, path); !moved.ok()) return DropOwn(scratch, moved.error());
    for (fs::path synced = folder;; synced = synced.parent_path()) {
      SEGUE_RETURN_IF_ERROR(files_.SyncFolder(synced));
      if (synced == deepest) return {};
    }
  }

  /// A caller's file stays his after a failure; ours goes.
  Status DropOwn(const fs::path& scratch, const Error& why) {
    if (scratch.filename().string().starts_with("put-") && scratch.parent_path() == scratch_) return Drop(scratch, why);
    return why;
  }

  void RemoveScratchOfTheDead() {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root_ / ".tmp", error)) {
      const std::string name = entry.path().filename().string();
      const bool number = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos && name.size() < 10;
      if (!number) continue;
      const pid_t pid = std::stoi(name);
      if (pid != ::getpid() && ::kill(pid, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), error);
    }
  }

  fs::path root_;
  fs::path scratch_;
  FileSystem& files_;
  std::atomic<uint64_t> next_scratch_{0};
};

Error BadKey(std::string_view key, const std::string& why) {
  return {ErrorCode::kInvalid, "'" + std::string(key.substr(0, 200)) + "' is not a name for an object: " + why};
}

}  // namespace

Status CheckKey(std::string_view key) {
  if (key.empty()) return BadKey(key, "it is empty");
  if (key.size() > kLongestKey) return BadKey(key, "it is longer than 1024 bytes");
  for (const char c : key) {
    if (static_cast<unsigned char>(c) < 32 || c == 127 || c == '\\') {
      return BadKey("(unprintable)", "it has a control character or a backslash");
    }
  }
  for (size_t start = 0; start <= key.size();) {
    const size_t end = std::min(key.find('/', start), key.size());
    const std::string_view part = key.substr(start, end - start);
    if (part.empty()) return BadKey(key, "a part between slashes is empty");
    if (part == "." || part == "..") return BadKey(key, "'.' and '..' are not allowed");
    if (part.starts_with(".tmp")) return BadKey(key, "names that start with .tmp are Segue's own");
    if (part.size() > kLongestPart) return BadKey(key, "a part is longer than 255 bytes");
    start = end + 1;
  }
  return {};
}

Result<std::unique_ptr<ObjectStore>> OpenFolderStore(const fs::path& root, FileSystem& files) {
  auto store = std::make_unique<FolderStore>(root, files);
  SEGUE_RETURN_IF_ERROR(store->Open());
  return std::unique_ptr<ObjectStore>(std::move(store));
}

}  // namespace segue::store
