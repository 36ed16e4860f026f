#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace segue::models {

/// The artifact: one file, named sections, mapped read-only.
///
///   0   8 bytes   "SEGUEMDL"
///   8   u32       format version (1)
///   12  u32       sections n
///   16  u64       file size in bytes
///   24  u8[32]    SHA-256 of everything after byte 56
///   56  n times   char[24] name, zero-padded; u64 offset; u64 bytes
///   ... sections in the table's order, each at the next multiple of 64 bytes;
///       the file ends with the last
///
/// Little-endian. A file whose size, hash or table is not as written, or whose
/// version is newer, is refused as a whole.
class ModelFileWriter {
 public:
  /// Name: at most 24 bytes. The bytes are copied.
  void Add(std::string_view name, std::string_view bytes);
  template <typename T>
  void AddArray(std::string_view name, std::span<const T> values) {
    Add(name, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  /// Written and synced; a failure leaves a partial file, which Map refuses.
  Status Write(const std::filesystem::path& file) const;

 private:
  std::vector<std::pair<std::string, std::string>> sections_;
};

/// A mapped artifact. Sections are valid as long as it lives.
class ModelFile {
 public:
  /// kNotFound, or kCorrupt with what is wrong.
  static Result<std::shared_ptr<const ModelFile>> Map(const std::filesystem::path& file);
  /// The artifact that is section `name` of `outer`, which it keeps alive.
  static Result<std::shared_ptr<const ModelFile>> Inside(std::shared_ptr<const ModelFile> outer, std::string_view name);
  virtual ~ModelFile() = default;

  virtual const std::filesystem::path& path() const = 0;
  /// kCorrupt where the section is missing.
  virtual Result<std::string_view> Section(std::string_view name) const = 0;

  /// As an array of T; kCorrupt where its length is not `count`.
  template <typename T>
  Result<std::span<const T>> Array(std::string_view name, size_t count) const {
    SEGUE_TRY(const std::string_view bytes, Section(name));
    if (bytes.size() != count * sizeof(T)) return WrongLength(name, bytes.size(), count * sizeof(T));
    return std::span<const T>(reinterpret_cast<const T*>(bytes.data()), count);
  }

 private:
  Error WrongLength(std::string_view name, size_t is, size_t expected) const;
};

/// Ids of tracks (or listeners) in an artifact: ascending texts, found by bisection.
class TrackIds {
 public:
  /// Sections <what>_offsets and <what>_ids.
  static void Add(ModelFileWriter& writer, std::span<const std::string> ids, std::string_view what = "track");
  /// kCorrupt where they are not `count` ascending texts.
  static Result<TrackIds> Open(const ModelFile& file, size_t count, std::string_view what = "track");

  /// O(log n).
  std::optional<uint32_t> Find(std::string_view id) const;

  std::string_view operator[](size_t row) const {
    return text_.substr(offsets_[row], offsets_[row + 1] - offsets_[row]);
  }
  size_t size() const { return offsets_.size() - 1; }

 private:
  std::span<const uint64_t> offsets_;
  std::string_view text_;
};

}  // namespace segue::models
