#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// What players tell, whatever dialect they tell it in.
namespace segue::serve {

/// How a player names a track.
struct TrackNaming {
  std::string artist, title;  ///< "" where it is named by an id alone
  std::string album;          ///< "" unknown
  std::string source_id;      ///< "mbid:...", "isrc:...", "spotify:track:..."; "" none
  int64_t duration_ms = 0;    ///< 0 unknown
};

/// A track that was listened to, or is being listened to.
struct Submission {
  TrackNaming track;
  int64_t listened_at = 0;    ///< when it began, Unix seconds; 0: it is playing now
  int64_t ms_played = -1;     ///< how long it was heard; -1: not told
  bool skipped = false;       ///< the player says that it was skipped
  int verdict = 0;            ///< 1 loved, -1 banned with it; 0 nothing said
};

/// Before this no listen can have been: Audioscrobbler began in October 2002.
inline constexpr int64_t kFirstListen = 1'033'430'400;
/// Clocks of players may be so many seconds ahead.
inline constexpr int64_t kClockAhead = 3600;

/// Digits alone, as forms have them; -1 where the text is none.
int64_t ParseWholeNumber(std::string_view text);

/// Is this a UUID in its usual form, of any case?
bool IsUuid(std::string_view text);

/// "mbid:" and the UUID in lower case; "" where it is none.
std::string MbidSource(std::string_view mbid);

/// "isrc:USEE10001992" of an ISRC with or without dashes; "" where it is none.
std::string IsrcSource(std::string_view isrc);

/// "spotify:track:..." of that or of an address at open.spotify.com; "" where it is none.
std::string SpotifySource(std::string_view id);

/// A track's id as a UUID, for dialects that name tracks by UUIDs of the
/// server's ("recording_msid"): version 8 of RFC 9562, which carries the id's
/// digits, so that it leads back without a table. "" where `track_id` is no id of ours.
std::string MsidOf(std::string_view track_id);
/// The track id in such a UUID; "" where it is none.
std::string TrackIdOfMsid(std::string_view msid);

}  // namespace segue::serve
