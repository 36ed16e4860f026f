#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/catalog.h"
#include "store/file_system.h"

namespace segue::ingest {

/// The rejected rows of one file: all of them as lines of JSON in a scratch
/// file, the first thousand as rows for the catalog.
class Rejects {
 public:
  Rejects(std::string sha256, std::string file, std::filesystem::path scratch);

  /// `text`: the row as it is in the file. A write that fails is told by Close.
  void Add(int64_t line, std::string_view field, std::string_view reason, std::string_view text);

  /// Ends the scratch file (there is none where nothing was added).
  Status Close();

  int64_t count() const { return count_; }
  const std::filesystem::path& path() const { return path_; }
  /// The first ones and, where there are more, one row that says how many.
  std::vector<store::QuarantineRow> Rows(int64_t at) const;

 private:
  std::string sha256_;
  std::string file_;
  std::filesystem::path path_;
  std::unique_ptr<store::FileSystem::Writer> writer_;
  Status status_;
  std::string pending_;
  std::vector<store::QuarantineRow> first_;
  int64_t count_ = 0;
};

/// The start of `text` as valid UTF-8, at most `most` bytes.
std::string SampleOf(std::string_view text, size_t most = 200);

}  // namespace segue::ingest
