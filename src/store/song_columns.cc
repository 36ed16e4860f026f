#include "store/song_columns.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/text.h"

namespace segue::store {
namespace {

constexpr size_t kSniffedRows = 2000;
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
  return kNoColumn;
}

template <typename Names>
size_t FirstOf(const Form& form, const Names& names, size_t except) {
  for (const std::string_view name : names) {
    for (size_t c = 0; c < form.header.size(); ++c) {
      if (c != except && Folded(form.header[c]) == name) return c;
    }
  }
  return kNoColumn;
}

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
  return InvalidLine(path, 1, "there is no column '" + name + "'; there are " + Joined(there) + ". " + advice);
}

}  // namespace

std::optional<double> ParseValue(std::string_view text) {
  if (const auto number = ParseReal(text)) return number;
  const std::string_view word = Trimmed(text);
  if (word == "true" || word == "True" || word == "TRUE") return 1.0;
  if (word == "false" || word == "False" || word == "FALSE") return 0.0;
  return std::nullopt;
}

Error InvalidLine(const std::filesystem::path& path, int64_t line, const std::string& what) {
  return {ErrorCode::kInvalid, path.string() + " line " + std::to_string(line) + ": " + what};
}

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
  if (form.header.empty() || form.header.size() > kMostColumns) return InvalidLine(path, 1, "no header of at most " + std::to_string(kMostColumns) + " columns");
  std::vector<std::string> seen;
  for (const std::string& name : form.header) {
    if (ParseReal(name)) return InvalidLine(path, 1, "'" + name + "' is a number, so this is no header; put the columns' names into the first line");
    if (!name.empty() && IsOneOf(seen, Folded(name))) return InvalidLine(path, 1, "column '" + name + "' is there twice; rename one of them");
    seen.push_back(Folded(name));
  }
  return form;
}

Result<Roles> RolesOf(const std::filesystem::path& path, std::string_view text, const Form& form, const SongColumns& wanted,
                      bool first, SongFiles& out) {
  Roles roles;
  if (!wanted.label.empty()) {
    roles.label = Find(form, wanted.label);
    if (roles.label == kNoColumn) return NoColumn(path, form, wanted.label, "Name the column of the labels");
  }
  const Kinds kinds = Sniff(text, form);
  if (!kinds.any_row) return Error{ErrorCode::kInvalid, path.string() + ": there is no row below the header"};
  SongFiles own;
  Choose(form, kinds, wanted, roles.label, own);
  if (first) {
    out.text_columns = own.text_columns;
    out.set_aside = own.set_aside;
    for (const std::string& name : wanted.features) {
      if (Find(form, name) == kNoColumn) return NoColumn(path, form, name, "Choose features that are there");
      const std::string canonical = CanonicalFeature(name);
      out.songs.features.push_back(canonical.empty() ? form.header[Find(form, name)] : canonical);
    }
    if (wanted.features.empty()) out.songs.features = own.songs.features;
    for (const std::string& name : wanted.without) {
      if (Find(form, name) == kNoColumn) return NoColumn(path, form, name, "Leave out what is there");
      std::erase_if(out.songs.features, [&](const std::string& feature) { return IsColumn(feature, name) || IsColumn(form.header[Find(form, name)], feature); });
    }
    if (out.songs.features.empty()) return InvalidLine(path, 1, "no column of numbers is left to be a feature");
    for (const std::string& feature : out.songs.features) {
      if (std::count(out.songs.features.begin(), out.songs.features.end(), feature) > 1) {
        return InvalidLine(path, 1, "feature '" + feature + "' is there twice, perhaps by two names; leave one of them out");
      }
    }
  }
  for (const std::string& feature : out.songs.features) {
    roles.features.push_back(Find(form, feature));
    if (roles.features.back() == roles.label && roles.label != kNoColumn) return InvalidLine(path, 1, "column '" + feature + "' is the label and cannot be a feature too");
    if (roles.features.back() == kNoColumn) {
      return NoColumn(path, form, feature, out.songs.files.front() + " has it; leave it out of the features, or read the files apart");
    }
  }
  for (const std::string& feature : own.songs.features) {
    if (!first && wanted.features.empty() && !IsOneOf(out.songs.features, feature)) {
      return InvalidLine(path, 1, "has a column of numbers '" + feature + "' that " + out.songs.files.front() + " has not; choose the features, or leave it out");
    }
  }
  roles.id = FirstOf(form, kIds, roles.label);
  roles.title = FirstOf(form, kTitles, roles.label);
  roles.artist = FirstOf(form, kArtists, roles.label);
  roles.date = FirstOf(form, kDates, roles.label);
  return roles;
}

std::string CanonicalFeature(std::string_view column) {
  std::string name = Folded(column);
  for (const std::string_view prefix : {"song_", "track_", "audio_"}) {
    if (name.starts_with(prefix) && IsOneOf(kCanonical, std::string_view(name).substr(prefix.size()))) name.erase(0, prefix.size());
  }
  return IsOneOf(kCanonical, name) ? name : "";
}

}  // namespace segue::store
