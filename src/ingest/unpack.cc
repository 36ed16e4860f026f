#include "ingest/unpack.h"

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/hash.h"
#include "core/identity.h"
#include "ingest/naming.h"
#include "store/file_system.h"

namespace segue::ingest {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = 256 << 10;
constexpr int kDeepest = 4;

enum class Packing { kPlain, kGzip, kArchive };

Packing PackingOf(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("\x1f\x8b"sv)) return Packing::kGzip;
  for (const std::string_view magic : {"PK\x03\x04"sv, "PK\x05\x06"sv, "PK\x07\x08"sv, "BZh"sv, "\xfd"
                                                                                             "7zXZ\0"sv,
                                       "\x28\xb5\x2f\xfd"sv}) {
    if (head.starts_with(magic)) return Packing::kArchive;
  }
  return head.size() >= 262 && head.substr(257, 5) == "ustar" ? Packing::kArchive : Packing::kPlain;
}

class InputFile {
 public:
  static Result<InputFile> Open(const fs::path& path) {
    // O_NONBLOCK: opening a pipe must not wait for its writer.
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return store::SystemError("opening", path, errno);
    InputFile input(path, file);
    struct stat info {};
    if (::fstat(file, &info) != 0) return store::SystemError("looking at", path, errno);
    if (!S_ISREG(info.st_mode)) return Error{ErrorCode::kInvalid, path.string() + " is not a regular file"};
    return input;
  }
  InputFile(InputFile&& other) noexcept : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile() {
    if (file_ >= 0) ::close(file_);
  }

  /// Fills `block` from the file; fewer bytes only at its end.
  Result<std::string_view> Read(std::vector<char>& block) {
    size_t filled = 0;
    while (filled < block.size()) {
      const ssize_t got = ::read(file_, block.data() + filled, block.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return store::SystemError("reading", path_, errno);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    return std::string_view(block.data(), filled);
  }

 private:
  InputFile(fs::path path, int file) : path_(std::move(path)), file_(file) {}
  fs::path path_;
  int file_;
};

/// What tells that a file is being written to.
struct Fingerprint {
  ino_t inode = 0;
  off_t size = 0;
  int64_t changed_ns = 0;
  bool operator==(const Fingerprint&) const = default;
};

std::optional<Fingerprint> FingerprintOf(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return Fingerprint{info.st_ino, info.st_size, info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec};
}

struct CloseArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};
using ArchivePtr = std::unique_ptr<archive, CloseArchive>;

std::string Why(archive* a) {
  const char* text = archive_error_string(a);
  return text == nullptr ? "damaged" : text;
}

class Unpacker {
 public:
  Unpacker(fs::path scratch, int64_t limit) : scratch_(std::move(scratch)), limit_(limit), left_(limit) {}

  /// Takes in `path`; what comes out is appended to files(). `own`: the file
  /// lies in the scratch folder already and is ours.
  Status Take(const fs::path& path, const std::string& name, const Unpacked* own, int depth) {
    std::vector<char> block(kBlock);
    Packing packing = Packing::kPlain;
    {
      SEGUE_TRY(InputFile input, InputFile::Open(path));
      SEGUE_TRY(const std::string_view head, input.Read(block));
      packing = PackingOf(head);
    }
    if (packing != Packing::kPlain && depth >= kDeepest) {
      SEGUE_TRY(Unpacked whole, own != nullptr ? Result<Unpacked>(*own) : Copy(path, name));
      whole.refusal = "archives in archives, more than " + std::to_string(kDeepest) + " deep";
      files_.push_back(std::move(whole));
      return {};
    }
    if (packing == Packing::kPlain) {
      SEGUE_TRY(Unpacked whole, own != nullptr ? Result<Unpacked>(*own) : Copy(path, name));
      files_.push_back(std::move(whole));
      return {};
    }
    const size_t before = files_.size();
    const int64_t left_before = left_;
    SEGUE_RETURN_IF_ERROR(packing == Packing::kGzip ? TakeGzip(path, name, own, depth)
                                                    : TakeArchive(path, name, own, depth));
    if (!refusal_.empty()) {
      // The whole archive goes, not the part of it that fitted.
      for (size_t i = before; i < files_.size(); ++i) Discard(files_[i].path);
      files_.resize(before);
      left_ = left_before;
      // Only the outermost is refused: what is inside is of no use to anybody.
      if (depth > 0) return {};
      SEGUE_TRY(Unpacked whole, Copy(path, name));
      whole.refusal = std::exchange(refusal_, {});
      files_.push_back(std::move(whole));
      return {};
    }
    if (own != nullptr) Discard(own->path);
    return {};
  }

  std::vector<Unpacked>& files() { return files_; }

 private:
  /// A scratch file being written, hashed on the way.
  struct Output {
    Unpacked file;
    std::unique_ptr<store::FileSystem::Writer> writer;
    Sha256 hash;

    Status Append(std::string_view bytes) {
      hash.Update(bytes);
      file.bytes += static_cast<int64_t>(bytes.size());
      return writer->Append(bytes);
    }
    Unpacked Finish() {
      writer.reset();
      file.sha256 = hash.HexDigest();
      return std::move(file);
    }
  };

  Status Begin(Output& output, const std::string& name) {
    output.file.name = ToUtf8(name);
    output.file.path = scratch_ / std::to_string(next_++);
    auto writer = store::RealFileSystem().Create(output.file.path);
    if (!writer.ok()) return writer.error();
    output.writer = *std::move(writer);
    return {};
  }

  static void Discard(const fs::path& path) {
    std::error_code ignored;
    fs::remove(path, ignored);
  }

  Result<Unpacked> Copy(const fs::path& path, const std::string& name) {
    SEGUE_TRY(InputFile input, InputFile::Open(path));
    Output output;
    SEGUE_RETURN_IF_ERROR(Begin(output, name));
    std::vector<char> block(kBlock);
    while (true) {
      SEGUE_TRY(const std::string_view bytes, input.Read(block));
      SEGUE_RETURN_IF_ERROR(output.Append(bytes));
      if (bytes.size() < block.size()) return output.Finish();
    }
  }

  /// False once the archive unpacks to more than is allowed.
  bool Spend(size_t bytes) {
    left_ -= static_cast<int64_t>(bytes);
    if (left_ >= 0) return true;
    refusal_ = "unpacks to more than " + std::to_string(limit_) +
               " bytes. If that is right, raise ingest.max_expanded_bytes";
    return false;
  }

  /// A member is complete: it may be an archive itself.
  Status Finish(Output& output, int depth) {
    const Unpacked file = output.Finish();
    if (!file.refusal.empty()) {
      files_.push_back(file);
      return {};
    }
    return Take(file.path, file.name, &file, depth + 1);
  }

  /// zlib itself rather than libarchive: of a stream that is cut short, it
  /// gives every byte up to the cut.
  Status TakeGzip(const fs::path& path, const std::string& name, const Unpacked* own, int depth) {
    SEGUE_TRY(InputFile input, InputFile::Open(path));
    Output output;
    SEGUE_RETURN_IF_ERROR(Begin(output, name));
    if (own != nullptr) output.file.loss = own->loss;
    std::vector<char> block(kBlock);
    std::vector<char> plain(kBlock);
    z_stream stream{};
    if (inflateInit2(&stream, 15 + 16) != Z_OK) return Error{ErrorCode::kIo, "zlib does not start"};
    const std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&stream, inflateEnd);
    bool ended = false;
    std::string damage;
    while (damage.empty() && refusal_.empty()) {
      SEGUE_TRY(const std::string_view bytes, input.Read(block));
      if (bytes.empty()) break;
      stream.next_in = reinterpret_cast<Bytef*>(block.data());
      stream.avail_in = static_cast<uInt>(bytes.size());
      while (stream.avail_in > 0 && damage.empty() && refusal_.empty()) {
        if (std::exchange(ended, false)) {
          // Several streams behind one another are one file; other bytes behind are padding.
          if (*stream.next_in != 0x1f) {
            ended = true;
            break;
          }
          inflateReset(&stream);
        }
        do {
          stream.next_out = reinterpret_cast<Bytef*>(plain.data());
          stream.avail_out = static_cast<uInt>(plain.size());
          const int state = inflate(&stream, Z_NO_FLUSH);
          const size_t got = plain.size() - stream.avail_out;
          if (!Spend(got)) break;
          SEGUE_RETURN_IF_ERROR(output.Append({plain.data(), got}));
          ended = state == Z_STREAM_END;
          if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
            damage = stream.msg == nullptr ? "damaged" : stream.msg;
          }
        } while (stream.avail_out == 0 && !ended && damage.empty());
      }
    }
    if (!refusal_.empty()) {
      Discard(output.file.path);
      return {};
    }
    if (!damage.empty()) {
      output.file.loss = "the gzip stream is damaged (" + damage + ") after " + std::to_string(output.file.bytes) +
                         " unpacked bytes; the rest is lost";
    } else if (!ended) {
      output.file.loss = "the gzip stream is cut short after " + std::to_string(output.file.bytes) +
                         " unpacked bytes; the rest is lost";
    }
    return Finish(output, depth);
  }

  Status TakeArchive(const fs::path& path, const std::string& name, const Unpacked* own, int depth) {
    const ArchivePtr reader(archive_read_new());
    archive* const a = reader.get();
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_format_zip(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_raw(a);
    std::string loss = own == nullptr ? "" : own->loss;
    if (archive_read_open_filename(a, path.c_str(), kBlock) != ARCHIVE_OK) {
      return Unreadable(path, name, "the archive does not open: " + Why(a));
    }
    const size_t before = files_.size();
    while (refusal_.empty()) {
      archive_entry* entry = nullptr;
      const int state = archive_read_next_header(a, &entry);
      if (state == ARCHIVE_EOF) break;
      if (state == ARCHIVE_FATAL || state == ARCHIVE_FAILED || state == ARCHIVE_RETRY) {
        loss = "the archive is damaged or cut short (" + Why(a) + "); members behind that are lost";
        break;
      }
      if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) continue;
      SEGUE_TRY(const bool more, TakeMember(a, entry, name, depth));
      if (!more) break;
    }
    if (!refusal_.empty()) return {};
    if (files_.size() == before) {
      return Unreadable(path, name, loss.empty() ? "the archive holds no files" : loss);
    }
    if (!loss.empty() && files_.back().loss.empty()) files_.back().loss = loss;
    return {};
  }

  /// False where the archive cannot be read any further.
  Result<bool> TakeMember(archive* a, archive_entry* entry, const std::string& name, int depth) {
    const char* raw_name = archive_entry_pathname_utf8(entry);
    if (raw_name == nullptr) raw_name = archive_entry_pathname(entry);
    const std::string member = ToUtf8(raw_name == nullptr ? "" : raw_name);
    if (IsClutter(member)) return true;
    const bool single = archive_format(a) == ARCHIVE_FORMAT_RAW;  // x.json.bz2 holds just x.json
    Output output;
    SEGUE_RETURN_IF_ERROR(Begin(output, single ? name : name + "!" + member));
    if (!single && IsUnsafeMember(member)) {
      output.file.refusal = "the member's name '" + member + "' points out of the archive";
    }
    if (archive_entry_is_encrypted(entry) != 0) output.file.refusal = "the member is encrypted";
    std::vector<char> block(kBlock);
    bool more = true;
    while (true) {
      const la_ssize_t got = archive_read_data(a, block.data(), block.size());
      if (got == 0) break;
      if (got < 0) {
        more = got != ARCHIVE_FATAL;
        output.file.loss = "damaged or cut short (" + Why(a) + ") after " + std::to_string(output.file.bytes) +
                           " unpacked bytes; the rest is lost";
        break;
      }
      if (!Spend(static_cast<size_t>(got))) {
        Discard(output.file.path);
        return false;
      }
      SEGUE_RETURN_IF_ERROR(output.Append({block.data(), static_cast<size_t>(got)}));
    }
    SEGUE_RETURN_IF_ERROR(Finish(output, depth));
    return more;
  }

  /// Nothing of the archive can be read: it is kept whole, refused.
  Status Unreadable(const fs::path& path, const std::string& name, std::string why) {
    SEGUE_TRY(Unpacked whole, Copy(path, name));
    whole.refusal = std::move(why);
    files_.push_back(std::move(whole));
    return {};
  }

  fs::path scratch_;
  int64_t limit_;
  int64_t left_;
  int64_t next_ = 0;
  std::string refusal_;
  std::vector<Unpacked> files_;
};

}  // namespace

Result<UnpackResult> Unpack(const fs::path& input, const std::string& name, const fs::path& scratch,
                            int64_t max_expanded_bytes) {
  const auto before = FingerprintOf(input);
  Unpacker unpacker(scratch, max_expanded_bytes);
  SEGUE_RETURN_IF_ERROR(unpacker.Take(input, name, nullptr, 0));
  UnpackResult result;
  result.grew = before != FingerprintOf(input);
  result.files = std::move(unpacker.files());
  return result;
}

}  // namespace segue::ingest
