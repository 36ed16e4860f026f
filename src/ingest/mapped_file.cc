#include "ingest/mapped_file.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file_system.h"

namespace segue::ingest {

Result<MappedFile> MappedFile::Open(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return store::SystemError("opening", path, errno);
  struct stat info {};
  if (::fstat(file, &info) != 0) {
    const int why = errno;
    ::close(file);
    return store::SystemError("looking at", path, why);
  }
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) {
    ::close(file);
    return MappedFile(std::string_view());
  }
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  const int why = errno;
  ::close(file);
  if (memory == MAP_FAILED) return store::SystemError("mapping", path, why);
  ::madvise(memory, size, MADV_SEQUENTIAL);
  return MappedFile(std::string_view(static_cast<const char*>(memory), size));
}

void MappedFile::Forget(std::string_view piece) const {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const auto from = (static_cast<size_t>(piece.data() - bytes_.data()) + page - 1) / page * page;
  const auto to = (static_cast<size_t>(piece.data() - bytes_.data()) + piece.size()) / page * page;
  if (from < to) ::madvise(const_cast<char*>(bytes_.data()) + from, to - from, MADV_DONTNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace segue::ingest
