#include "ingest/naming.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace segue::ingest {
namespace {

std::string Lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Lower-case letters and digits only, so that "my_spotify_data (1)" and
/// "My Spotify Data" compare.
std::string Squeezed(std::string_view text) {
  std::string out;
  for (const char c : Lowered(text)) {
    if (std::isalnum(static_cast<unsigned char>(c))) out += c;
  }
  return out;
}

/// "2024", "2024-03", "20240301", "2024-03-01_12".
bool IsDate(std::string_view folder) {
  const bool shape = std::all_of(folder.begin(), folder.end(),
                                 [](char c) { return IsDigit(c) || c == '-' || c == '_' || c == '.'; });
  return shape && folder.size() >= 4 && (folder.starts_with("19") || folder.starts_with("20")) && IsDigit(folder[2]) &&
         IsDigit(folder[3]);
}

bool IsGeneric(std::string_view folder) {
  static constexpr std::array<std::string_view, 8> kBeginnings = {
      "export", "mydata", "myspotifydata", "spotifyaccountdata", "spotifyextendedstreaminghistory",
      "inbox",  "extended", "streaming"};
  const std::string squeezed = Squeezed(folder);
  return folder.empty() || folder == "." || IsDate(folder) ||
         std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view beginning) { return squeezed.starts_with(beginning); });
}

std::string_view Stem(std::string_view file) {
  for (const std::string_view ending : {".gz", ".bz2", ".xz", ".zst"}) {
    if (file.size() > ending.size() && file.ends_with(ending)) file.remove_suffix(ending.size());
  }
  const size_t dot = file.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? file : file.substr(0, dot);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t cut = text.find(separator);
    parts.push_back(text.substr(0, cut));
    if (cut == std::string_view::npos) return parts;
    text.remove_prefix(cut + 1);
  }
}

}  // namespace

std::string NearestFolder(std::string_view name) {
  const std::vector<std::string_view> layers = Split(name, '!');
  for (size_t layer = layers.size(); layer-- > 0;) {
    std::vector<std::string_view> folders = Split(layers[layer], '/');
    // The last part is the file itself, or the archive that holds the layer behind.
    folders.back() = layer + 1 == layers.size() ? std::string_view() : Stem(folders.back());
    for (size_t i = folders.size(); i-- > 0;) {
      if (!IsGeneric(folders[i])) return std::string(folders[i]);
    }
  }
  return {};
}

std::string LeafOf(std::string_view name) {
  const size_t cut = name.find_last_of("/!");
  return std::string(cut == std::string_view::npos ? name : name.substr(cut + 1));
}

std::string DecadeTag(std::string_view name) {
  const std::string leaf = Lowered(LeafOf(name));
  for (size_t s = 2; s < leaf.size(); ++s) {
    if (leaf[s] != 's' || leaf[s - 1] != '0' || !IsDigit(leaf[s - 2])) continue;
    if (s + 1 < leaf.size() && std::isalnum(static_cast<unsigned char>(leaf[s + 1]))) continue;
    size_t begin = s - 1;
    while (begin > 0 && IsDigit(leaf[begin - 1])) --begin;
    const std::string digits = leaf.substr(begin, s - begin);
    if (digits.size() == 4 && (digits.starts_with("19") || digits.starts_with("20"))) return "decade:" + digits + "s";
    if (digits.size() == 2) return (digits[0] <= '2' ? "decade:20" : "decade:19") + digits + "s";
  }
  return {};
}

bool IsSpotifyAccountFile(std::string_view name) {
  static constexpr std::array<std::string_view, 19> kBeginnings = {
      "accountdata", "duonewfamily",  "familyplan",         "follow",      "identifier",
      "identity",    "inferences",    "marquee",            "messagedata", "payments",
      "playlist",    "searchqueries", "spotifyyourlibrary", "userdata",    "yourlibrary",
      "yoursound",   "wrapped",       "readmefirst",        "userprompts"};
  const std::string leaf = LeafOf(name);
  const std::string stem = Squeezed(Stem(leaf));
  const std::string ending = Lowered(leaf.substr(std::min(leaf.size(), Stem(leaf).size())));
  return (ending == ".json" || ending == ".pdf") &&
         std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view beginning) { return stem.starts_with(beginning); });
}

bool IsClutter(std::string_view member) {
  const std::string leaf = LeafOf(member);
  return member.starts_with("__MACOSX/") || leaf == ".DS_Store" || leaf == "Thumbs.db" || leaf == "desktop.ini" ||
         leaf.starts_with("._");
}

bool IsUnsafeMember(std::string_view member) {
  if (member.empty() || member.front() == '/' || member.find('\\') != std::string_view::npos) return true;
  if (member.size() > 1 && member[1] == ':') return true;
  if (std::any_of(member.begin(), member.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) return true;
  const std::vector<std::string_view> parts = Split(member, '/');
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

}  // namespace segue::ingest
