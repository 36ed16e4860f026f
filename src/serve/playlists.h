#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "serve/http.h"
#include "serve/snapshot.h"

namespace segue::serve {

/// How a list is answered.
enum class Format { kJson, kM3u, kJspf, kXspf };

/// By the parameter `format` (json, m3u, jspf, xspf), else by Accept, where it names
/// one of their content types; JSON where neither does. kInvalid for another format.
Result<Format> FormatOf(std::string_view format, std::string_view accept);

struct Playlist {
  std::string title;
  std::string list_id;              ///< "" none
  int64_t at = 0;                   ///< Unix seconds
  std::span<const std::string> tracks;  ///< ids, in order
};

/// A list in a format that players read:
///
///   M3U   extended, UTF-8: #EXTM3U, #PLAYLIST, and for each track #EXTINF with whole
///         seconds (-1 unknown) and "artist - title"; audio/x-mpegurl
///   JSPF  XSPF's JSON mapping, as ListenBrainz reads it; application/jspf+json
///   XSPF  version 1, https://xspf.org/spec; application/xspf+xml
///
/// Segue knows no files: a track's identifier (in M3U its address) is its
/// MusicBrainz recording where one is known, else "segue:track:ID". What XML or a
/// line cannot hold (control characters) becomes a blank. Ids that the catalogue
/// lacks are left out. `format` is not kJson.
Response PlaylistResponse(Format format, const Snapshot& snapshot, const Playlist& playlist);

}  // namespace segue::serve
