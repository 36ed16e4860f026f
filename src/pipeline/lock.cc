#include "pipeline/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "store/file_system.h"

namespace segue::pipeline {
namespace {

class FileLock final : public PipelineLock {
 public:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  ~FileLock() override { ::close(descriptor_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace

Result<std::unique_ptr<PipelineLock>> LockPipeline(const std::filesystem::path& data_folder) {
  const auto path = data_folder / "pipeline.lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return store::SystemError("opening", path, errno);
  auto lock = std::make_unique<FileLock>(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return store::SystemError("locking", path, errno);
    return Error{ErrorCode::kConflict, "another segue process runs the pipeline of " + data_folder.string()};
  }
  return std::unique_ptr<PipelineLock>(std::move(lock));
}

}  // namespace segue::pipeline
