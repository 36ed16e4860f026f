#include "serve/dialects/submission.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace segue::serve {
namespace {

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

}  // namespace

int64_t ParseWholeNumber(std::string_view text) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 ? value : -1;
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

std::string MbidSource(std::string_view mbid) { return IsUuid(mbid) ? "mbid:" + Lower(mbid) : ""; }

std::string IsrcSource(std::string_view isrc) {
  std::string code;
  for (const char c : isrc) {
    if (c != '-') code += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  const bool good = code.size() == 12 && std::all_of(code.begin(), code.end(), [](unsigned char c) { return std::isalnum(c) != 0; }) &&
                    std::all_of(code.begin() + 5, code.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return good ? "isrc:" + code : "";
}

std::string SpotifySource(std::string_view id) {
  static constexpr std::string_view kUri = "spotify:track:";
  size_t start = std::string_view::npos;
  if (id.starts_with(kUri)) start = kUri.size();
  if (const size_t at = id.find("open.spotify.com/track/"); at != std::string_view::npos) start = at + 23;
  if (start == std::string_view::npos) return "";
  const std::string_view code = id.substr(start, 22);
  const bool good = code.size() == 22 && std::all_of(code.begin(), code.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
  return good ? std::string(kUri) + std::string(code) : "";
}

// tABCDEFGHIJKLMNOP <-> ABCDEFGH-IJKL-8MNO-aP5e-90e000000000: the id's 16 digits
// around the fixed version and variant.
std::string MsidOf(std::string_view track_id) {
  if (track_id.size() != 17 || track_id.front() != 't' || !IsHex(track_id.substr(1))) return "";
  const std::string digits(track_id.substr(1));
  return digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-8" + digits.substr(12, 3) + "-a" + digits.substr(15, 1) + "5e-90e000000000";
}

std::string TrackIdOfMsid(std::string_view msid) {
  if (!IsUuid(msid)) return "";
  const std::string text = Lower(msid);
  const std::string id = "t" + text.substr(0, 8) + text.substr(9, 4) + text.substr(15, 3) + text.substr(20, 1);
  return MsidOf(id) == text ? id : "";
}

}  // namespace segue::serve
