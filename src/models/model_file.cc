#include "models/model_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "core/check.h"
#include "core/hash.h"
#include "store/file_system.h"

namespace segue::models {
namespace {

static_assert(std::endian::native == std::endian::little, "the artifact is little-endian");

constexpr std::string_view kMagic = "SEGUEMDL";
constexpr uint32_t kVersion = 1;
constexpr size_t kHashAt = 24;
constexpr size_t kTableAt = 56;
constexpr size_t kNameBytes = 24;
constexpr size_t kEntryBytes = kNameBytes + 16;
constexpr size_t kAlign = 64;
constexpr uint32_t kMostSections = 1000;

std::string Unhex(std::string_view hex) {
  std::string bytes;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

template <typename T>
void Append(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
T Read(std::string_view from, size_t at) {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  return value;
}

size_t Aligned(size_t at) { return (at + kAlign - 1) / kAlign * kAlign; }

Error Corrupt(const std::filesystem::path& path, const std::string& what) {
  return {ErrorCode::kCorrupt, "model file " + path.string() + " is damaged: " + what};
}

class Mapped final : public ModelFile {
 public:
  explicit Mapped(std::filesystem::path path) : path_(std::move(path)) {}
  /// Of bytes that `outer` keeps.
  Mapped(std::shared_ptr<const ModelFile> outer, std::string_view bytes) : path_(outer->path()), outer_(std::move(outer)), bytes_(bytes) {}
  ~Mapped() override {
    if (data_ != nullptr) ::munmap(data_, size_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  Status Open() {
    const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return store::SystemError("opening the model", path_, errno);
    struct stat info {};
    ::fstat(descriptor, &info);
    size_ = static_cast<size_t>(info.st_size);
    if (size_ > 0) {
      void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
      if (mapped != MAP_FAILED) data_ = mapped;
    }
    ::close(descriptor);
    if (size_ == 0) return Corrupt(path_, "it has only 0 bytes");
    if (data_ == nullptr) return store::SystemError("mapping the model", path_, errno);
    bytes_ = {static_cast<const char*>(data_), size_};
    return Check();
  }

  Status Check() {
    const std::string_view bytes = bytes_;
    if (bytes.size() < kTableAt) return Corrupt(path_, "it has only " + std::to_string(bytes.size()) + " bytes");
    if (bytes.substr(0, kMagic.size()) != kMagic) return Corrupt(path_, "it does not start as a Segue model does");
    const auto version = Read<uint32_t>(bytes, 8);
    if (version != kVersion) {
      return Error{ErrorCode::kCorrupt, "model file " + path_.string() + " is of version " + std::to_string(version) +
                                            ", this segue reads version " + std::to_string(kVersion)};
    }
    if (Read<uint64_t>(bytes, 16) != bytes.size()) {
      return Corrupt(path_, "it has " + std::to_string(bytes.size()) + " bytes, " + std::to_string(Read<uint64_t>(bytes, 16)) +
                                " were written");
    }
    if (Unhex(Sha256Hex(bytes.substr(kTableAt))) != bytes.substr(kHashAt, 32)) {
      return Corrupt(path_, "its bytes are not those that were written");
    }
    return ReadTable(bytes);
  }

  const std::filesystem::path& path() const override { return path_; }

  Result<std::string_view> Section(std::string_view name) const override {
    const auto it = sections_.find(std::string(name));
    if (it == sections_.end()) return Corrupt(path_, "section '" + std::string(name) + "' is missing");
    return it->second;
  }

 private:
  Status ReadTable(std::string_view bytes) {
    const auto count = Read<uint32_t>(bytes, 12);
    if (count == 0 || count > kMostSections || kTableAt + count * kEntryBytes > bytes.size()) {
      return Corrupt(path_, "its table of " + std::to_string(count) + " sections does not fit");
    }
    // The count is not hashed: it is right where sections lie end to end, from
    // the table's end to the file's.
    uint64_t expected = Aligned(kTableAt + count * kEntryBytes);
    for (uint32_t i = 0; i < count; ++i) {
      const size_t at = kTableAt + i * kEntryBytes;
      const std::string name(bytes.data() + at, strnlen(bytes.data() + at, kNameBytes));
      const auto offset = Read<uint64_t>(bytes, at + kNameBytes);
      const auto length = Read<uint64_t>(bytes, at + kNameBytes + 8);
      if (offset != expected || offset > bytes.size() || length > bytes.size() - offset ||
          (i + 1 == count && offset + length != bytes.size())) {
        return Corrupt(path_, "section '" + name + "' does not fit");
      }
      sections_[name] = bytes.substr(offset, length);
      expected = Aligned(offset + length);
    }
    return {};
  }

  std::filesystem::path path_;
  void* data_ = nullptr;  // null inside another
  size_t size_ = 0;
  std::shared_ptr<const ModelFile> outer_;
  std::string_view bytes_;
  std::map<std::string, std::string_view> sections_;
};

}  // namespace

void ModelFileWriter::Add(std::string_view name, std::string_view bytes) {
  SEGUE_CHECK(name.size() <= kNameBytes);
  sections_.emplace_back(name, bytes);
}

Status ModelFileWriter::Write(const std::filesystem::path& file) const {
  std::string table;
  size_t offset = Aligned(kTableAt + sections_.size() * kEntryBytes);
  for (const auto& [name, bytes] : sections_) {
    std::string padded = name;
    padded.resize(kNameBytes);
    table += padded;
    Append<uint64_t>(table, offset);
    Append<uint64_t>(table, bytes.size());
    offset = Aligned(offset + bytes.size());
  }
  // All after byte 56, in pieces: a model may be as large as the memory that is left.
  static constexpr char kZeros[kAlign] = {};
  std::vector<std::string_view> pieces = {table};
  uint64_t size = kTableAt + table.size();
  for (const auto& [name, bytes] : sections_) {
    pieces.emplace_back(kZeros, Aligned(size) - size);
    pieces.emplace_back(bytes);
    size = Aligned(size) + bytes.size();
  }
  Sha256 hash;
  for (const std::string_view piece : pieces) hash.Update(piece);
  std::string head(kMagic);
  Append<uint32_t>(head, kVersion);
  Append<uint32_t>(head, static_cast<uint32_t>(sections_.size()));
  Append<uint64_t>(head, size);
  head += Unhex(hash.HexDigest());
  SEGUE_TRY(auto writer, store::RealFileSystem().Create(file));
  SEGUE_RETURN_IF_ERROR(writer->Append(head));
  for (const std::string_view piece : pieces) SEGUE_RETURN_IF_ERROR(writer->Append(piece));
  return writer->Sync();
}

Error ModelFile::WrongLength(std::string_view name, size_t is, size_t expected) const {
  return Corrupt(path(), "section '" + std::string(name) + "' has " + std::to_string(is) + " bytes, expected " +
                             std::to_string(expected));
}

Result<std::shared_ptr<const ModelFile>> ModelFile::Map(const std::filesystem::path& file) {
  auto mapped = std::make_shared<Mapped>(file);
  SEGUE_RETURN_IF_ERROR(mapped->Open());
  return std::shared_ptr<const ModelFile>(std::move(mapped));
}

Result<std::shared_ptr<const ModelFile>> ModelFile::Inside(std::shared_ptr<const ModelFile> outer, std::string_view name) {
  SEGUE_TRY(const std::string_view bytes, outer->Section(name));
  auto inside = std::make_shared<Mapped>(std::move(outer), bytes);
  SEGUE_RETURN_IF_ERROR(inside->Check());
  return std::shared_ptr<const ModelFile>(std::move(inside));
}

void TrackIds::Add(ModelFileWriter& writer, std::span<const std::string> ids, std::string_view what) {
  std::vector<uint64_t> offsets = {0};
  std::string text;
  for (const std::string& id : ids) {
    text += id;
    offsets.push_back(text.size());
  }
  writer.AddArray<uint64_t>(std::string(what) + "_offsets", offsets);
  writer.Add(std::string(what) + "_ids", text);
}

std::optional<uint32_t> TrackIds::Find(std::string_view id) const {
  size_t low = 0;
  size_t high = size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if ((*this)[middle] < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == size() || (*this)[low] != id) return std::nullopt;
  return static_cast<uint32_t>(low);
}

Result<TrackIds> TrackIds::Open(const ModelFile& file, size_t count, std::string_view what) {
  TrackIds ids;
  SEGUE_TRY(ids.offsets_, file.Array<uint64_t>(std::string(what) + "_offsets", count + 1));
  SEGUE_TRY(ids.text_, file.Section(std::string(what) + "_ids"));
  for (size_t i = 0; i < count; ++i) {
    if (ids.offsets_[i] > ids.offsets_[i + 1] || ids.offsets_[i + 1] > ids.text_.size() || (i > 0 && ids[i] <= ids[i - 1])) {
      return Corrupt(file.path(), "its " + std::string(what) + " ids are not in order");
    }
  }
  return ids;
}

}  // namespace segue::models
