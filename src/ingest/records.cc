#include "ingest/records.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <unordered_set>

#include "ingest/values.h"

namespace segue::ingest {
namespace {

using namespace std::string_view_literals;

constexpr size_t kHead = 64 << 10;

Error NotRecords(std::string message) { return {ErrorCode::kInvalid, std::move(message)}; }

std::string LfsPointer(std::string_view bytes) {
  std::string message = "is a git-LFS pointer, not the file itself";
  if (const size_t at = bytes.find("\nsize "); at != std::string_view::npos) {
    if (const auto size = ParseInteger(bytes.substr(at + 6, bytes.find('\n', at + 6) - at - 6))) {
      message += " (which has " + WithCommas(*size) + " bytes)";
    }
  }
  return message + ". Fetch it with `git lfs pull` where it came from";
}

bool LooksLikeHtml(std::string_view head) {
  std::string start(head.substr(0, 15));
  for (char& c : start) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

/// Does the text begin as JSON that can hold records?
bool LooksLikeJson(std::string_view text) {
  const auto skip_blanks = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  };
  skip_blanks();
  if (text.starts_with('[')) {
    text.remove_prefix(1);
    skip_blanks();
    return text.empty() || text.front() == '{' || text.front() == ']';
  }
  if (!text.starts_with('{')) return false;
  text.remove_prefix(1);
  skip_blanks();
  return text.empty() || text.front() == '"' || text.front() == '}';
}

}  // namespace

Result<std::unique_ptr<RecordReader>> OpenRecords(const std::filesystem::path& path, std::string_view bytes,
                                                  const RecordLimits& limits) {
  if (bytes.empty()) return NotRecords("the file is empty");
  const std::string_view head = bytes.substr(0, kHead);
  if (head.starts_with("PAR1"sv)) return OpenParquet(path);
  if (head.starts_with("version https://git-lfs.github.com/spec/"sv)) return NotRecords(LfsPointer(head));
  if (head.starts_with("\xff\xfe"sv) || head.starts_with("\xfe\xff"sv)) {
    return NotRecords("the text is UTF-16. Save it as UTF-8");
  }
  if (bytes.starts_with("\xef\xbb\xbf"sv)) bytes.remove_prefix(3);
  if (Trimmed(head).empty() && Trimmed(bytes).empty()) return NotRecords("the file holds nothing but blank lines");
  if (head.starts_with("%PDF"sv)) return NotRecords("is a PDF, which holds no table that can be read");
  if (LooksLikeHtml(Trimmed(head))) {
    return NotRecords("is an HTML page, perhaps an error or log-in page in place of a download");
  }
  // A table may have a stray NUL; a file with many is no text.
  const auto odd = static_cast<size_t>(std::count_if(head.begin(), head.end(), [](char c) {
    return (c >= 0 && c < ' ' && std::strchr("\t\n\r\f\x1b", c) == nullptr) || c == '\0';
  }));
  if (odd > 8 && odd > head.size() / 100) return NotRecords("is neither text nor a known binary form");
  if (LooksLikeJson(bytes.substr(0, kHead))) return OpenJson(bytes, limits);
  return OpenTable(bytes, limits);
}

std::vector<std::string> DistinctNames(const std::vector<std::string>& names) {
  std::vector<std::string> distinct;
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string base = names[i].empty() ? "column" + std::to_string(i + 1) : names[i];
    std::string name = base;
    for (int copy = 2; !seen.insert(name).second; ++copy) name = base + " (" + std::to_string(copy) + ")";
    distinct.push_back(std::move(name));
  }
  return distinct;
}

}  // namespace segue::ingest
