#include "ingest/rejects.h"

#include <nlohmann/json.hpp>

#include "core/identity.h"
#include "ingest/records.h"

namespace segue::ingest {
namespace {

constexpr size_t kCatalogRows = 1000;
constexpr size_t kLongestKept = 64 << 10;
constexpr size_t kFlushAt = 1 << 20;

/// `text` cut to `most` bytes, not inside a UTF-8 character.
std::string_view Cut(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  size_t end = most;
  while (end > 0 && most - end < 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  // More than three trailing bytes are no UTF-8: cut anywhere.
  return text.substr(0, (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80 ? most : end);
}

}  // namespace

Rejects::Rejects(std::string sha256, std::string file, std::filesystem::path scratch)
    : sha256_(std::move(sha256)), file_(std::move(file)), path_(std::move(scratch)) {}

void Rejects::Add(int64_t line, std::string_view field, std::string_view reason, std::string_view text) {
  ++count_;
  if (first_.size() < kCatalogRows) {
    first_.push_back({.sha256 = sha256_,
                      .file = file_,
                      .line = line,
                      .field = ToUtf8(field),
                      .reason = ToUtf8(reason),
                      .sample = SampleOf(text)});
  }
  if (!status_.ok()) return;
  if (writer_ == nullptr) {
    auto writer = store::RealFileSystem().Create(path_);
    if (!writer.ok()) {
      status_ = writer.error();
      return;
    }
    writer_ = *std::move(writer);
  }
  const nlohmann::json row = {{"file", file_},
                              {"line", line},
                              {"field", ToUtf8(field)},
                              {"reason", ToUtf8(reason)},
                              {"text", SampleOf(text, kLongestKept)}};
  pending_ += row.dump() + "\n";
  if (pending_.size() >= kFlushAt) {
    status_ = writer_->Append(pending_);
    pending_.clear();
  }
}

Status Rejects::Close() {
  if (writer_ != nullptr && status_.ok()) status_ = writer_->Append(pending_);
  pending_.clear();
  writer_.reset();
  return status_;
}

std::vector<store::QuarantineRow> Rejects::Rows(int64_t at) const {
  std::vector<store::QuarantineRow> rows = first_;
  if (count_ > static_cast<int64_t>(first_.size())) {
    const int64_t more = count_ - static_cast<int64_t>(first_.size());
    rows.push_back({.sha256 = sha256_,
                    .file = file_,
                    .line = first_.back().line,
                    .reason = WithCommas(more) + " more rows were rejected; all are in quarantine/" + sha256_ + "/rows.ndjson"});
  }
  for (auto& row : rows) row.at = at;
  return rows;
}

std::string SampleOf(std::string_view text, size_t most) {
  return std::string(Cut(ToUtf8(Cut(text, most)), most));
}

}  // namespace segue::ingest
