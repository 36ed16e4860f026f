#pragma once

#include <filesystem>
#include <string_view>

#include "core/result.h"

namespace segue::ingest {

/// A file's bytes, read in place. Memory stays bounded by what is being looked
/// at: the pages are the kernel's. For files of our own only: one that shrinks
/// while it is mapped ends the program.
class MappedFile {
 public:
  /// kNotFound, kPermission, kIo as the operating system says.
  static Result<MappedFile> Open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return bytes_; }

  /// Gives the memory under a piece of bytes() back. It may be read again.
  void Forget(std::string_view piece) const;

 private:
  explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes_;
};

}  // namespace segue::ingest
