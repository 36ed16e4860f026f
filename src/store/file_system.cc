#include "store/file_system.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace segue::store {
namespace {

namespace fs = std::filesystem;

class RealWriter final : public FileSystem::Writer {
 public:
  RealWriter(fs::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~RealWriter() override { ::close(descriptor_); }
  RealWriter(const RealWriter&) = delete;
  RealWriter& operator=(const RealWriter&) = delete;

  Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return SystemError("writing", path_, errno);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

  Status Sync() override {
    if (::fsync(descriptor_) != 0) return SystemError("syncing", path_, errno);
    return {};
  }

 private:
  fs::path path_;
  int descriptor_;
};

Status SyncPath(const fs::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return SystemError("opening", path, errno);
  const int outcome = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (outcome != 0) return SystemError("syncing", path, error);
  return {};
}

class OperatingSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<Writer>> Create(const fs::path& path) override {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) return SystemError("creating", path, errno);
    return std::unique_ptr<Writer>(std::make_unique<RealWriter>(path, descriptor));
  }

  Status Rename(const fs::path& from, const fs::path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return SystemError("moving to", to, errno);
    return {};
  }

  Status SyncFolder(const fs::path& folder) override { return SyncPath(folder, O_RDONLY | O_DIRECTORY); }
  Status SyncFile(const fs::path& file) override { return SyncPath(file, O_RDONLY); }

  Status CreateFolders(const fs::path& folder) override {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return SystemError("making the folder", folder, error.value());
    return {};
  }

  Status Remove(const fs::path& path) override {
    if (::unlink(path.c_str()) != 0) return SystemError("removing", path, errno);
    return {};
  }
};

}  // namespace

FileSystem& RealFileSystem() {
  static OperatingSystem system;  // stateless
  return system;
}

Status WriteFile(const fs::path& path, std::string_view text) {
  SEGUE_TRY(const auto file, RealFileSystem().Create(path));
  return file->Append(text);
}

/// Counts bytes down to the moment the disk is full.
class FaultyFileSystem::FaultyWriter final : public FileSystem::Writer {
 public:
  FaultyWriter(FaultyFileSystem& owner, fs::path path, std::unique_ptr<Writer> base)
      : owner_(owner), path_(std::move(path)), base_(std::move(base)) {}

  Status Append(std::string_view bytes) override {
    if (owner_.bytes_left_ >= 0) {
      if (owner_.bytes_left_ < static_cast<int64_t>(bytes.size())) {
        // A real disk takes what still fits.
        (void)base_->Append(bytes.substr(0, static_cast<size_t>(owner_.bytes_left_))).ok();
        owner_.bytes_left_ = 0;
        return SystemError("writing", path_, ENOSPC);
      }
      owner_.bytes_left_ -= static_cast<int64_t>(bytes.size());
    }
    return base_->Append(bytes);
  }

  Status Sync() override { return base_->Sync(); }

 private:
  FaultyFileSystem& owner_;
  fs::path path_;
  std::unique_ptr<Writer> base_;
};

void FaultyFileSystem::Heal() {
  bytes_left_ = -1;
  fail_renames_ = false;
}

Result<std::unique_ptr<FileSystem::Writer>> FaultyFileSystem::Create(const fs::path& path) {
  SEGUE_TRY(auto base, base_.Create(path));
  return std::unique_ptr<Writer>(std::make_unique<FaultyWriter>(*this, path, std::move(base)));
}

Status FaultyFileSystem::Rename(const fs::path& from, const fs::path& to) {
  if (fail_renames_) return SystemError("moving to", to, EIO);
  return base_.Rename(from, to);
}

Status FaultyFileSystem::SyncFolder(const fs::path& folder) { return base_.SyncFolder(folder); }
Status FaultyFileSystem::SyncFile(const fs::path& file) { return base_.SyncFile(file); }
Status FaultyFileSystem::CreateFolders(const fs::path& folder) { return base_.CreateFolders(folder); }
Status FaultyFileSystem::Remove(const fs::path& path) { return base_.Remove(path); }

Error SystemError(std::string_view doing, const fs::path& path, int error_number) {
  ErrorCode code = ErrorCode::kIo;
  if (error_number == ENOSPC || error_number == EDQUOT) code = ErrorCode::kNoSpace;
  if (error_number == EACCES || error_number == EPERM || error_number == EROFS) code = ErrorCode::kPermission;
  if (error_number == ENOENT || error_number == ENOTDIR) code = ErrorCode::kNotFound;
  return {code, std::string(doing) + " " + path.string() + ": " + std::strerror(error_number)};
}

}  // namespace segue::store
