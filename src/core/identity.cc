#include "core/identity.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <vector>

#include <utf8proc.h>

#include "core/hash.h"

namespace segue {
namespace {

constexpr char kKeySeparator = '\x1f';

/// Windows-1252's 0x80..0x9f; its five holes are the C1 controls, as browsers read them.
constexpr std::array<uint16_t, 32> kWindows1252 = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

void AppendUtf8(std::string& out, int32_t code) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto length = utf8proc_encode_char(code, bytes.data());
  for (utf8proc_ssize_t i = 0; i < length; ++i) out += static_cast<char>(bytes[static_cast<size_t>(i)]);
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// The first code point of `text` (valid UTF-8, not empty) and its length.
struct CodePoint {
  int32_t code = 0;
  size_t length = 0;
};
CodePoint First(std::string_view text) {
  utf8proc_int32_t code = 0;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &code);
  return {code, length > 0 ? static_cast<size_t>(length) : 1};
}

bool IsValidUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const CodePoint point = First(text.substr(i));
    if (point.code < 0) return false;
    i += point.length;
  }
  return true;
}

/// Accents of Latin, Greek and Cyrillic. Marks of other scripts (vowels in
/// Devanagari, dakuten in kana) tell words apart and stay.
bool IsAccent(int32_t code) { return code >= 0x0300 && code <= 0x036F; }

/// NFKD, case-folded, accents dropped, dashes, quotes and spaces each brought
/// to their ASCII form; UTF-8.
std::string Fold(std::string_view text) {
  std::string out;
  if (IsAscii(text)) {
    out.reserve(text.size());
    for (const char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
  }
  const std::string valid = ToUtf8(text);
  constexpr auto kOptions = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                                           UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_LUMP);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(valid.data());
  const auto size = static_cast<utf8proc_ssize_t>(valid.size());
  std::vector<utf8proc_int32_t> codes(valid.size() * 2);
  auto count = utf8proc_decompose(bytes, size, codes.data(), static_cast<utf8proc_ssize_t>(codes.size()), kOptions);
  if (count > static_cast<utf8proc_ssize_t>(codes.size())) {
    codes.resize(static_cast<size_t>(count));
    count = utf8proc_decompose(bytes, size, codes.data(), count, kOptions);
  }
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    const int32_t code = codes[static_cast<size_t>(i)];
    if (!IsAccent(code)) AppendUtf8(out, code);
  }
  return out;
}

bool SeparatesWords(int32_t code) {
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
      return true;
    default:
      return false;
  }
}

/// The words of folded text, "&" as "and", punctuation gone.
std::vector<std::string> Words(std::string_view folded) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  while (!folded.empty()) {
    const CodePoint point = First(folded);
    if (point.code == '&') {
      end_word();
      words.emplace_back("and");
    } else if (SeparatesWords(point.code)) {
      end_word();
    } else {
      word += folded.substr(0, point.length);
    }
    folded.remove_prefix(point.length);
  }
  end_word();
  return words;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

/// Only white space tidied: for names that are nothing but punctuation.
std::string Tidied(std::string_view folded) {
  std::string out;
  for (const char c : folded) {
    const bool space = static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
    if (!space) out += c;
    if (space && !out.empty() && out.back() != ' ') out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

/// Words in normal form, without a leading "the"; punctuation as it is where
/// there is nothing else.
std::string Normal(std::string_view folded) {
  std::vector<std::string> words = Words(folded);
  if (words.size() > 1 && words.front() == "the") words.erase(words.begin());
  const bool only_ampersands =
      std::all_of(words.begin(), words.end(), [](const std::string& word) { return word == "and"; }) &&
      folded.find("and") == std::string_view::npos;
  return words.empty() || only_ampersands ? Tidied(folded) : Joined(words);
}

bool IsDigits(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsYear(std::string_view word) { return word.size() == 4 && IsDigits(word); }

template <size_t N>
bool IsOneOf(std::string_view word, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

constexpr std::array<std::string_view, 3> kGuestWords = {"feat", "ft", "featuring"};

/// "with" opens many a real subtitle: "(With You)", "(With a Little Help)".
constexpr std::array<std::string_view, 17> kNotAGuest = {"a",   "an", "you", "u",  "me",   "my",   "your", "him", "her",
                                                         "us",  "it", "or",  "no", "this", "that", "all",  "love"};

constexpr std::array<std::string_view, 12> kRemasterFillers = {
    "version", "edition", "digital", "digitally", "the",  "in",
    "stereo",  "anniversary", "new", "ver",       "bit", "and"};

bool IsGuestNote(std::string_view bracketed) {
  const std::vector<std::string> words = Words(bracketed);
  if (words.size() < 2) return false;
  if (IsOneOf(words[0], kGuestWords)) return true;
  if (words[0] == "w" && bracketed.find("w/") != std::string_view::npos) return true;
  return words[0] == "with" && !IsOneOf(words[1], kNotAGuest);
}

/// "2011 remaster", "remastered", "digitally remastered 50th anniversary edition".
bool IsRemasterNote(std::string_view text) {
  bool remaster = false;
  for (const std::string& word : Words(text)) {
    if (word.starts_with("remaster")) {
      remaster = true;
      continue;
    }
    const bool ordinal = word.size() > 2 && IsDigits(std::string_view(word).substr(0, word.size() - 2));
    if (!IsDigits(word) && !ordinal && !IsOneOf(word, kRemasterFillers)) return false;
  }
  return remaster;
}

/// A note such as "live / 2011 remaster" without its remaster parts.
std::string WithoutRemasterParts(std::string_view note) {
  std::string kept;
  while (!note.empty()) {
    const size_t cut = note.find_first_of("/;,");
    const std::string_view part = note.substr(0, cut);
    if (!IsRemasterNote(part)) kept.append(part).append(" ");
    note.remove_prefix(cut == std::string_view::npos ? note.size() : cut + 1);
  }
  return kept;
}

/// Bracketed notes that name guests or a remaster taken out; others stay.
std::string WithoutBracketedNotes(std::string_view folded) {
  std::string out;
  while (!folded.empty()) {
    const size_t open = folded.find_first_of("([");
    if (open == std::string_view::npos) break;
    const size_t close = folded.find(folded[open] == '(' ? ')' : ']', open);
    if (close == std::string_view::npos) break;
    out += folded.substr(0, open);
    const std::string_view note = folded.substr(open + 1, close - open - 1);
    const bool opens_the_name = out.find_first_not_of(' ') == std::string::npos;
    if (opens_the_name) {
      out += folded.substr(open, close - open + 1);
    } else if (!IsGuestNote(note)) {
      out.append("(").append(WithoutRemasterParts(note)).append(")");
    }
    folded.remove_prefix(close + 1);
  }
  return out.append(folded);
}

/// Where " feat. somebody" begins, npos if nowhere. "6 ft under" and "Little
/// Feat" name no guest: a number before it, or nothing behind it.
size_t GuestStart(std::string_view folded) {
  for (size_t i = 1; i < folded.size(); ++i) {
    if (folded[i - 1] != ' ' && folded[i - 1] != '(' && folded[i - 1] != '[') continue;
    for (const std::string_view guest : kGuestWords) {
      if (!folded.substr(i).starts_with(guest)) continue;
      std::string_view rest = folded.substr(i + guest.size());
      if (rest.starts_with('.')) rest.remove_prefix(1);
      else if (!rest.starts_with(' ')) continue;
      const std::vector<std::string> before = Words(folded.substr(0, i));
      if (before.empty() || IsDigits(before.back()) || Words(rest).empty()) continue;
      return i;
    }
  }
  return std::string_view::npos;
}

/// A title cut at " - ", each piece without guests; pieces that are remaster
/// notes left out (and a year that stands alone before one: "- 2011 - Remaster").
std::string WithoutDashedNotes(std::string_view folded) {
  std::vector<std::string> pieces;
  while (true) {
    const size_t dash = folded.find(" - ");
    const std::string_view piece = folded.substr(0, dash);
    const size_t guest = GuestStart(piece);
    std::string text(piece.substr(0, guest));
    if (!pieces.empty()) text = WithoutRemasterParts(text);
    const std::vector<std::string> words = Words(text);
    if (words.empty() && pieces.size() > 1 && IsYear(Joined(Words(pieces.back())))) pieces.pop_back();
    if (pieces.empty() || !words.empty()) pieces.push_back(std::move(text));
    if (dash == std::string_view::npos) break;
    folded.remove_prefix(dash + 3);
  }
  std::string out;
  for (const auto& piece : pieces) out.append(piece).append(" ");
  return out;
}

}  // namespace

std::string NormalizeArtist(std::string_view artist) {
  const std::string folded = Fold(artist);
  std::string_view first = folded;
  // A leading separator leaves no first artist: then the whole is the name.
  if (const size_t cut = first.find(';'); cut != std::string_view::npos && !Words(first.substr(0, cut)).empty()) {
    first = first.substr(0, cut);
  }
  if (const size_t guest = GuestStart(first); guest != std::string_view::npos) first = first.substr(0, guest);
  return Normal(first);
}

std::string NormalizeTitle(std::string_view title) {
  const std::string folded = Fold(title);
  const std::string stripped = WithoutDashedNotes(WithoutBracketedNotes(folded));
  return Words(stripped).empty() ? Normal(folded) : Normal(stripped);
}

std::string NameKey(std::string_view artist, std::string_view title) {
  const std::string first = NormalizeArtist(artist);
  if (first.empty()) return {};
  const std::string second = NormalizeTitle(title);
  return second.empty() ? std::string() : first + kKeySeparator + second;
}

std::string TrackIdOf(std::string_view key) { return "t" + Sha256Hex(key).substr(0, 16); }

std::string ToUtf8(std::string_view bytes, bool* changed) {
  const bool valid = IsValidUtf8(bytes);
  if (changed != nullptr) *changed = !valid;
  if (valid) return std::string(bytes);
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    AppendUtf8(out, byte >= 0x80 && byte < 0xA0 ? kWindows1252[byte - 0x80] : byte);
  }
  return out;
}

}  // namespace segue
