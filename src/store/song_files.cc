#include "store/song_files.h"

#include <algorithm>
#include <array>
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
#include "store/record_cutter.h"

namespace segue::store {
namespace {

constexpr size_t kMostLabels = 1000;
constexpr size_t kSniffedRows = 2000;
constexpr size_t kNone = std::numeric_limits<size_t>::max();
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<std::string_view, 15> kCanonical = {
    "danceability", "energy",   "key",     "loudness", "mode",        "speechiness",    "acousticness", "instrumentalness",
    "liveness",     "valence",  "tempo",   "duration_ms", "time_signature", "chorus_hit", "sections"};
constexpr std::array<std::string_view, 7> kIds = {"uri", "track_uri", "spotify_track_uri", "track_id", "song_id", "spotify_id", "id"};
constexpr std::array<std::string_view, 6> kTitles = {"track", "track_name", "song_name", "title", "song", "name"};
constexpr std::array<std::string_view, 5> kArtists = {"artist", "artist_name", "artists", "track_artist", "performer"};
constexpr std::array<std::string_view, 6> kDates = {"decade", "year", "release_year", "release_date", "album_release_date",
                                                    "track_album_release_date"};
// Hold numbers at times, and never tell of the sound.
constexpr std::array<std::string_view, 9> kOther = {"",           "index",      "row", "unnamed:_0", "isrc",
                                                    "popularity", "song_popularity", "track_popularity", "artist_popularity"};

/// Lower case, blanks as underscores: how columns are compared.
std::string Folded(std::string_view name) {
  std::string folded(Trimmed(name));
  for (char& c : folded) c = c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return folded;
}

template <typename Names>
bool IsOneOf(const Names& names, std::string_view folded) {
  return std::find(names.begin(), names.end(), folded) != names.end();
}

/// A number, or true and false, as tables of songs spell `explicit`.
std::optional<double> ParseValue(std::string_view text) {
  if (const auto number = ParseReal(text)) return number;
  const std::string_view word = Trimmed(text);
  if (word == "true" || word == "True" || word == "TRUE") return 1.0;
  if (word == "false" || word == "False" || word == "FALSE") return 0.0;
  return std::nullopt;
}

std::string List(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

Error Invalid(const std::filesystem::path& path, int64_t line, const std::string& what) {
  return {ErrorCode::kInvalid, path.string() + " line " + std::to_string(line) + ": " + what};
}

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

/// One file's text, and how its rows are cut.
struct Form {
  Delimiter delimiter = {",", "comma", true};
  char line_end = '\n';
  std::vector<std::string> header;
};

Result<Form> FormOf(const std::filesystem::path& path, std::string_view text) {
  Form form;
  const std::string_view head = text.substr(0, size_t{1} << 16);
  if (head.find('\n') == std::string_view::npos && head.find('\r') != std::string_view::npos) form.line_end = '\r';
  for (const Delimiter delimiter : {Delimiter{",", "comma", true}, Delimiter{";", "semicolon", true}, Delimiter{"\t", "tab", true}}) {
    Cutter cutter(text, delimiter, form.line_end, {});
    if (cutter.Next() != Cutter::Got::kRecord || cutter.fields().size() <= form.header.size()) continue;
    form.delimiter = delimiter;
    form.header.clear();
    for (const Field& field : cutter.fields()) form.header.emplace_back(Trimmed(field.value_or("")));
  }
  if (form.header.empty() || form.header.size() > kMostColumns) return Invalid(path, 1, "no header of at most " + std::to_string(kMostColumns) + " columns");
  std::vector<std::string> seen;
  for (const std::string& name : form.header) {
    if (ParseReal(name)) return Invalid(path, 1, "'" + name + "' is a number, so this is no header; put the columns' names into the first line");
    if (!name.empty() && IsOneOf(seen, Folded(name))) return Invalid(path, 1, "column '" + name + "' is there twice; rename one of them");
    seen.push_back(Folded(name));
  }
  return form;
}

/// Is a header's column the one that someone named?
bool IsColumn(const std::string& header, const std::string& wanted) {
  return Folded(header) == Folded(wanted) || (!header.empty() && CanonicalFeature(header) == Folded(wanted));
}

size_t Find(const Form& form, const std::string& wanted) {
  for (size_t c = 0; c < form.header.size(); ++c) {
    if (Folded(form.header[c]) == Folded(wanted)) return c;
  }
  for (size_t c = 0; c < form.header.size(); ++c) {
    if (IsColumn(form.header[c], wanted)) return c;
  }
  return kNone;
}

template <typename Names>
size_t FirstOf(const Form& form, const Names& names, size_t except) {
  for (const std::string_view name : names) {
    for (size_t c = 0; c < form.header.size(); ++c) {
      if (c != except && Folded(form.header[c]) == name) return c;
    }
  }
  return kNone;
}

/// The columns of one file by what they are.
struct Roles {
  size_t label = kNone, id = kNone, title = kNone, artist = kNone, date = kNone;
  std::vector<size_t> features;  ///< [features of the table]
};

struct Kinds {
  std::vector<uint8_t> numeric;  ///< [columns] most of the first rows' fields are numbers
  bool any_row = false;
};

Kinds Sniff(std::string_view text, const Form& form) {
  const size_t columns = form.header.size();
  std::vector<size_t> numbers(columns, 0), texts(columns, 0);
  Kinds kinds{std::vector<uint8_t>(columns, 0)};
  Cutter cutter(text, form.delimiter, form.line_end, {});
  cutter.Next();
  for (size_t row = 0; row < kSniffedRows && cutter.Next() == Cutter::Got::kRecord; ++row) {
    kinds.any_row = true;
    for (size_t c = 0; c < std::min(columns, cutter.fields().size()); ++c) {
      const std::string_view field = *cutter.fields()[c];
      if (!IsMissingMark(field)) ++(ParseValue(field) ? numbers : texts)[c];
    }
  }
  for (size_t c = 0; c < columns; ++c) {
    // One wrong field must not turn a column of numbers into one of text, which would hide it.
    const size_t needed = CanonicalFeature(form.header[c]).empty() ? 9 : 1;
    kinds.numeric[c] = numbers[c] >= needed * texts[c];
  }
  return kinds;
}

/// The columns of numbers, those that tell of the sound and the others.
void Choose(const Form& form, const Kinds& kinds, const SongColumns& wanted, size_t label, SongFiles& out) {
  for (size_t c = 0; c < form.header.size(); ++c) {
    const std::string& name = form.header[c];
    const std::string folded = Folded(name);
    if (c == label) continue;
    const bool left_out = std::any_of(wanted.without.begin(), wanted.without.end(), [&](const auto& other) { return IsColumn(name, other); });
    if (!kinds.numeric[c]) {
      out.text_columns.push_back(name);
    } else if (left_out || IsOneOf(kIds, folded) || IsOneOf(kTitles, folded) || IsOneOf(kArtists, folded) ||
               IsOneOf(kDates, folded) || IsOneOf(kOther, folded)) {
      if (!name.empty()) out.set_aside.push_back(name);
    } else {
      const std::string canonical = CanonicalFeature(name);
      out.songs.features.push_back(canonical.empty() ? name : canonical);
    }
  }
}

Error NoColumn(const std::filesystem::path& path, const Form& form, const std::string& name, const std::string& advice) {
  std::vector<std::string> there;
  for (const std::string& column : form.header) there.push_back(column.empty() ? "(unnamed)" : column);
  return Invalid(path, 1, "there is no column '" + name + "'; there are " + List(there) + ". " + advice);
}

Result<Roles> RolesOf(const std::filesystem::path& path, std::string_view text, const Form& form, const SongColumns& wanted,
                      bool first, SongFiles& out) {
  Roles roles;
  if (!wanted.label.empty()) {
    roles.label = Find(form, wanted.label);
    if (roles.label == kNone) return NoColumn(path, form, wanted.label, "Name the column of the labels");
  }
  const Kinds kinds = Sniff(text, form);
  if (!kinds.any_row) return Error{ErrorCode::kInvalid, path.string() + ": there is no row below the header"};
  SongFiles own;
  Choose(form, kinds, wanted, roles.label, own);
  if (first) {
    out.text_columns = own.text_columns;
    out.set_aside = own.set_aside;
    for (const std::string& name : wanted.features) {
      if (Find(form, name) == kNone) return NoColumn(path, form, name, "Choose features that are there");
      const std::string canonical = CanonicalFeature(name);
      out.songs.features.push_back(canonical.empty() ? form.header[Find(form, name)] : canonical);
    }
    if (wanted.features.empty()) out.songs.features = own.songs.features;
    for (const std::string& name : wanted.without) {
      if (Find(form, name) == kNone) return NoColumn(path, form, name, "Leave out what is there");
      std::erase_if(out.songs.features, [&](const std::string& feature) { return IsColumn(feature, name) || IsColumn(form.header[Find(form, name)], feature); });
    }
    if (out.songs.features.empty()) return Invalid(path, 1, "no column of numbers is left to be a feature");
    for (const std::string& feature : out.songs.features) {
      if (std::count(out.songs.features.begin(), out.songs.features.end(), feature) > 1) {
        return Invalid(path, 1, "feature '" + feature + "' is there twice, perhaps by two names; leave one of them out");
      }
    }
  }
  for (const std::string& feature : out.songs.features) {
    roles.features.push_back(Find(form, feature));
    if (roles.features.back() == roles.label && roles.label != kNone) return Invalid(path, 1, "column '" + feature + "' is the label and cannot be a feature too");
    if (roles.features.back() == kNone) {
      return NoColumn(path, form, feature, out.songs.files.front() + " has it; leave it out of the features, or read the files apart");
    }
  }
  for (const std::string& feature : own.songs.features) {
    if (!first && wanted.features.empty() && !IsOneOf(out.songs.features, feature)) {
      return Invalid(path, 1, "has a column of numbers '" + feature + "' that " + out.songs.files.front() + " has not; choose the features, or leave it out");
    }
  }
  roles.id = FirstOf(form, kIds, roles.label);
  roles.title = FirstOf(form, kTitles, roles.label);
  roles.artist = FirstOf(form, kArtists, roles.label);
  roles.date = FirstOf(form, kDates, roles.label);
  return roles;
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
  return Invalid(path, cutter.line(),
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
    if (got == Cutter::Got::kTooLong) return Invalid(path, cutter.line(), "the line is too long for a song");
    const auto& fields = cutter.fields();
    if (fields.size() != form.header.size()) return WrongCount(path, cutter, form, text);
    const auto at = [&](size_t column) { return column == kNone ? std::string_view() : *fields[column]; };
    for (size_t f = 0; f < roles.features.size(); ++f) {
      const std::string_view field = at(roles.features[f]);
      auto value = ParseValue(field);
      if (!value && !IsMissingMark(field)) {
        if (!wanted.text_is_missing) {
          return Invalid(path, cutter.line(), "field '" + form.header[roles.features[f]] + "' is '" + std::string(field.substr(0, 80)) +
                                                  "', expected a number, or nothing. Mend it, leave the column out, or take text for missing");
        }
        ++out.text_for_numbers[f];
      }
      songs.values.push_back(value.value_or(kMissing));
    }
    const auto label = labels.Number(at(roles.label));
    if (!label) {
      return Invalid(path, cutter.line(), "column '" + form.header[roles.label] + "' has more than " + std::to_string(kMostLabels) +
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

std::string CanonicalFeature(std::string_view column) {
  std::string name = Folded(column);
  for (const std::string_view prefix : {"song_", "track_", "audio_"}) {
    if (name.starts_with(prefix) && IsOneOf(kCanonical, std::string_view(name).substr(prefix.size()))) name.erase(0, prefix.size());
  }
  return IsOneOf(kCanonical, name) ? name : "";
}

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
