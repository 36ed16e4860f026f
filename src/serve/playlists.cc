#include "serve/playlists.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/identity.h"
#include "core/text.h"
#include "store/clock.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr std::string_view kRecording = "https://musicbrainz.org/recording/";

struct FormatInfo {
  std::string_view name;
  Format format;
  std::array<std::string_view, 3> types;  ///< the first is what we answer
};
constexpr std::array<FormatInfo, 4> kFormats = {{{"json", Format::kJson, {"application/json"}},
                                                 {"m3u", Format::kM3u, {"audio/x-mpegurl", "audio/mpegurl"}},
                                                 {"jspf", Format::kJspf, {"application/jspf+json"}},
                                                 {"xspf", Format::kXspf, {"application/xspf+xml"}}}};

/// Valid UTF-8 without characters that XML 1.0 (section 2.2) has no place for; a line.
std::string Plain(std::string_view text) {
  std::string plain = ToUtf8(text);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  // U+FFFE and U+FFFF.
  for (const std::string_view none : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    for (size_t at = plain.find(none); at != std::string::npos; at = plain.find(none, at)) plain.replace(at, none.size(), " ");
  }
  return plain;
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : Plain(text)) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

/// An id as a part of a URI (RFC 3986).
std::string InUri(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string uri;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || c == '-' || c == '_' || c == '.' || c == '~';
    uri += plain ? std::string(1, c) : std::string{'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return uri;
}

struct Song {
  std::string title, artist, album, uri;
  int64_t duration_ms = 0;
};

std::vector<Song> SongsOf(const Snapshot& snapshot, std::span<const std::string> ids) {
  std::vector<Song> songs;
  const Tracks& tracks = snapshot.data().tracks;
  for (const std::string& id : ids) {
    const auto row = snapshot.RowOf(id);
    if (!row) continue;
    const std::string mbid = snapshot.MbidOf(tracks.id[*row]);
    songs.push_back({Plain(tracks.title[*row]), Plain(tracks.artist[*row]), Plain(tracks.album[*row]),
                     mbid.empty() ? "segue:track:" + InUri(tracks.id[*row]) : std::string(kRecording) + InUri(mbid), tracks.duration_ms[*row]});
  }
  return songs;
}

std::string ListUri(const std::string& list_id) { return list_id.empty() ? "" : "segue:list:" + list_id; }

std::string M3u(const Playlist& playlist, std::span<const Song> songs) {
  std::string text = "#EXTM3U\n#PLAYLIST:" + Plain(playlist.title) + "\n";
  for (const Song& song : songs) {
    text += "#EXTINF:" + std::to_string(song.duration_ms > 0 ? (song.duration_ms + 500) / 1000 : -1) + "," +
            (song.artist.empty() ? "" : song.artist + " - ") + song.title + "\n" + song.uri + "\n";
  }
  return text;
}

std::string Jspf(const Playlist& playlist, std::span<const Song> songs) {
  json list = {{"title", Plain(playlist.title)}, {"creator", "Segue"}, {"date", store::Iso8601(playlist.at)}, {"track", json::array()}};
  if (!playlist.list_id.empty()) list["identifier"] = ListUri(playlist.list_id);
  for (const Song& song : songs) {
    json track = {{"title", song.title}, {"creator", song.artist}, {"identifier", json::array({song.uri})}};
    if (!song.album.empty()) track["album"] = song.album;
    if (song.duration_ms > 0) track["duration"] = song.duration_ms;
    list["track"].push_back(std::move(track));
  }
  return json{{"playlist", list}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Xspf(const Playlist& playlist, std::span<const Song> songs) {
  std::string text;
  const auto element = [&](const char* indent, const std::string& name, const std::string& value) {
    if (!value.empty()) text += indent + ("<" + name + ">") + Escaped(value) + "</" + name + ">\n";
  };
  text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\">\n";
  element("  ", "title", playlist.title);
  element("  ", "creator", "Segue");
  element("  ", "identifier", ListUri(playlist.list_id));
  element("  ", "date", store::Iso8601(playlist.at));
  text += "  <trackList>\n";
  for (const Song& song : songs) {
    text += "    <track>\n";
    element("      ", "identifier", song.uri);
    element("      ", "title", song.title);
    element("      ", "creator", song.artist);
    element("      ", "album", song.album);
    if (song.duration_ms > 0) element("      ", "duration", std::to_string(song.duration_ms));
    text += "    </track>\n";
  }
  return text + "  </trackList>\n</playlist>\n";
}

/// The q of "type;q=0.5", 1 where it has none.
double QualityOf(std::string_view parameters) {
  const size_t at = parameters.find("q=");
  if (at == std::string_view::npos) return 1;
  return ParseReal(Trimmed(parameters.substr(at + 2, parameters.substr(at + 2).find(';')))).value_or(0);
}

}  // namespace

Result<Format> FormatOf(std::string_view format, std::string_view accept) {
  if (!format.empty()) {
    for (const FormatInfo& info : kFormats) {
      if (info.name == format) return info.format;
    }
    return Error{ErrorCode::kInvalid, "parameter 'format' is '" + std::string(format) + "', expected json, m3u, jspf or xspf"};
  }
  Format best = Format::kJson;
  double best_quality = 0;
  while (!accept.empty()) {
    const size_t comma = std::min(accept.find(','), accept.size());
    const std::string_view entry = accept.substr(0, comma);
    const size_t semicolon = std::min(entry.find(';'), entry.size());
    std::string type(Trimmed(entry.substr(0, semicolon)));
    std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
    const double quality = QualityOf(entry.substr(semicolon));
    for (const FormatInfo& info : kFormats) {
      const bool named = !type.empty() && std::find(info.types.begin(), info.types.end(), type) != info.types.end();
      const bool any = info.format == Format::kJson && (type == "*/*" || type == "application/*");
      if ((named || any) && quality > best_quality) {
        best = info.format;
        best_quality = quality;
      }
    }
    accept.remove_prefix(std::min(comma + 1, accept.size()));
  }
  return best;
}

Response PlaylistResponse(Format format, const Snapshot& snapshot, const Playlist& playlist) {
  const auto songs = SongsOf(snapshot, playlist.tracks);
  Response response;
  switch (format) {
    case Format::kJson: break;
    case Format::kM3u: response.body = M3u(playlist, songs); break;
    case Format::kJspf: response.body = Jspf(playlist, songs); break;
    case Format::kXspf: response.body = Xspf(playlist, songs); break;
  }
  response.type = std::string(kFormats.at(static_cast<size_t>(format)).types[0]) + (format == Format::kM3u ? "; charset=utf-8" : "");
  return response;
}

}  // namespace segue::serve
