#include "store/song_files.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/text.h"
#include "store/file_system.h"
#include "store/song_columns.h"

namespace segue::store {
namespace {

constexpr size_t kMostLabels = 1000;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

Result<std::string> ReadWhole(const std::filesystem::path& path) {
  std::error_code no;
  if (!std::filesystem::exists(path, no)) return Error{ErrorCode::kNotFound, path.string() + ": there is no such file"};
  if (std::filesystem::is_directory(path, no)) return Error{ErrorCode::kInvalid, path.string() + " is a folder; name the CSV files in it"};
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return SystemError("opening", path, errno);
  const auto size = in.tellg();
  std::string text(size > 0 ? static_cast<size_t>(size) : 0, '\0');
  in.seekg(0).read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (in.bad()) return SystemError("reading", path, errno);
  return text;
}

/// The text without its byte order mark; kInvalid where it can be no CSV file.
Result<std::string_view> Text(const std::filesystem::path& path, std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  if (Trimmed(bytes.substr(0, 4096)).empty() && Trimmed(bytes).empty()) {
    return Error{ErrorCode::kInvalid, path.string() + ": the file is empty; a header and a song a line were expected"};
  }
  if (bytes.starts_with("\x1f\x8b") || bytes.starts_with("PK\x03\x04")) {
    return Error{ErrorCode::kInvalid, path.string() + ": the file is compressed; unpack it first"};
  }
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff") || bytes.substr(0, 4096).find('\0') != std::string_view::npos) {
    return Error{ErrorCode::kInvalid, path.string() + ": the file is no text in UTF-8; save it as \"CSV UTF-8\""};
  }
  return bytes;
}

/// "1964", "1964-05-06", "60s", "1960s" -> 1960; -1 for anything else.
int32_t DecadeOf(std::string_view text) {
  text = Trimmed(text);
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const bool short_form = digits == 2 && text.substr(2) == "s";
  if (!short_form && digits < 4) return -1;
  int32_t year = 0;
  for (const char c : text.substr(0, short_form ? 2 : 4)) year = year * 10 + (c - '0');
  if (short_form) year += year < 30 ? 2000 : 1900;
  return year >= 1000 && year < 2200 ? year / 10 * 10 : -1;
}

/// Numbers labels as they come.
class Labels {
 public:
  /// -1 for none; nothing where there are too many.
  std::optional<int32_t> Number(std::string_view text) {
    text = Trimmed(text);
    if (IsMissingMark(text)) return -1;
    const auto [found, added] = numbers_.try_emplace(std::string(text), static_cast<int32_t>(names_.size()));
    if (added) names_.push_back(found->first);
    if (names_.size() > kMostLabels) return std::nullopt;
    return found->second;
  }

  /// Puts `table`'s labels in ascending order.
  void Sort(SongTable& table) const {
    const bool numeric = std::all_of(names_.begin(), names_.end(), [](const auto& name) { return ParseReal(name).has_value(); });
    std::vector<size_t> order(names_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto value = [&](size_t i) { return numeric ? *ParseReal(names_[i]) : 0; };
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return numeric ? value(a) < value(b) : names_[a] < names_[b]; });
    std::vector<int32_t> place(names_.size());
    for (size_t i = 0; i < order.size(); ++i) {
      const bool again = i > 0 && numeric && value(order[i]) == value(order[i - 1]);
      if (!again) table.labels.push_back(names_[order[i]]);
      place[order[i]] = static_cast<int32_t>(table.labels.size()) - 1;
    }
    for (int32_t& label : table.label) label = label < 0 ? label : place[static_cast<size_t>(label)];
  }

 private:
  std::unordered_map<std::string, int32_t> numbers_;
  std::vector<std::string> names_;
};

Status WrongCount(const std::filesystem::path& path, const Cutter& cutter, const Form& form, std::string_view text) {
  const bool last = cutter.raw().data() + cutter.raw().size() == text.data() + text.size();
  const bool cut = last && cutter.fields().size() < form.header.size();
  return InvalidLine(path, cutter.line(),
                 "has " + std::to_string(cutter.fields().size()) + " fields, the header has " + std::to_string(form.header.size()) +
                     (cut ? ": the file is cut inside this row. Fetch it again, or take the last line out"
                          : ". Put quotes around a field that holds a " + std::string(form.delimiter.name)));
}

Status ReadRows(const std::filesystem::path& path, std::string_view text, const Form& form, const Roles& roles,
                const SongColumns& wanted, Labels& labels, SongFiles& out) {
  SongTable& songs = out.songs;
  const auto file = static_cast<uint32_t>(songs.files.size() - 1);
  const int32_t decade_of_file = DecadeOfName(path.filename().string());
  Cutter cutter(text, form.delimiter, form.line_end, {});
  cutter.Next();
  for (Cutter::Got got; (got = cutter.Next()) != Cutter::Got::kEnd;) {
    if (got == Cutter::Got::kTooLong) return InvalidLine(path, cutter.line(), "the line is too long for a song");
    const auto& fields = cutter.fields();
    if (fields.size() != form.header.size()) return WrongCount(path, cutter, form, text);
    const auto at = [&](size_t column) { return column == kNoColumn ? std::string_view() : *fields[column]; };
    for (size_t f = 0; f < roles.features.size(); ++f) {
      const std::string_view field = at(roles.features[f]);
      auto value = ParseValue(field);
      if (!value && !IsMissingMark(field)) {
        if (!wanted.text_is_missing) {
          return InvalidLine(path, cutter.line(), "field '" + form.header[roles.features[f]] + "' is '" + std::string(field.substr(0, 80)) +
                                                  "', expected a number, or nothing. Mend it, leave the column out, or take text for missing");
        }
        ++out.text_for_numbers[f];
      }
      songs.values.push_back(value.value_or(kMissing));
    }
    const auto label = labels.Number(at(roles.label));
    if (!label) {
      return InvalidLine(path, cutter.line(), "column '" + form.header[roles.label] + "' has more than " + std::to_string(kMostLabels) +
                                              " different values by here, so it holds no labels; name another");
    }
    songs.label.push_back(*label);
    songs.id.emplace_back(at(roles.id));
    songs.title.emplace_back(at(roles.title));
    songs.artist.emplace_back(at(roles.artist));
    const int32_t decade = DecadeOf(at(roles.date));
    songs.decade.push_back(decade > 0 ? decade : decade_of_file);
    songs.file.push_back(file);
    songs.line.push_back(static_cast<uint64_t>(cutter.line()));
  }
  return {};
}

}  // namespace

int32_t DecadeOfName(std::string_view file_name) {
  for (size_t at = 2; at < file_name.size(); ++at) {
    const auto digit = [&](size_t i) { return std::isdigit(static_cast<unsigned char>(file_name[i])) != 0; };
    if (file_name[at] != 's' || file_name[at - 1] != '0' || !digit(at - 2)) continue;
    if (at + 1 < file_name.size() && std::isalnum(static_cast<unsigned char>(file_name[at + 1])) != 0) continue;
    size_t from = at - 2;
    while (from > 0 && digit(from - 1)) --from;
    if (const int32_t decade = DecadeOf(file_name.substr(from, at + 1 - from)); decade > 0) return decade;
  }
  return -1;
}

Result<SongFiles> ReadSongFiles(std::span<const std::filesystem::path> files, const SongColumns& columns) {
  if (files.empty()) return Error{ErrorCode::kInvalid, "no file of songs was named"};
  SongFiles out;
  Labels labels;
  for (const std::filesystem::path& path : files) {
    SEGUE_TRY(const std::string bytes, ReadWhole(path));
    SEGUE_TRY(const std::string_view text, Text(path, bytes));
    SEGUE_TRY(const Form form, FormOf(path, text));
    out.songs.files.push_back(path.string());
    SEGUE_TRY(const Roles roles, RolesOf(path, text, form, columns, out.songs.files.size() == 1, out));
    out.text_for_numbers.resize(out.songs.features.size(), 0);
    SEGUE_RETURN_IF_ERROR(ReadRows(path, text, form, roles, columns, labels, out));
  }
  labels.Sort(out.songs);
  return out;
}

Result<SongTable> ReadSongs(std::span<const std::filesystem::path> files, const SongColumns& columns) {
  SEGUE_TRY(SongFiles read, ReadSongFiles(files, columns));
  return std::move(read.songs);
}

}  // namespace segue::store
