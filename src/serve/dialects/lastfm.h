#pragma once

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/dialects/lastfm_answer.h"
#include "serve/dialects/scrobbles.h"
#include "serve/http.h"

// The web services of Last.fm, version 2.0 (https://www.last.fm/api), as far as
// players need them.
namespace segue::serve {

using LastFmForm = std::map<std::string, std::string>;

/// artist, track, album, mbid, duration; `index` "[3]" or "".
TrackNaming ReadLastFmTrack(const LastFmForm& form, const std::string& index);

/// One entry of track.scrobble.
struct Scrobble {
  Submission submission;
  int ignored = 0;  ///< Last.fm's code: 1 artist, 2 track, 3 timestamp too old, 4 too new; 0 it counts
};

/// artist[0], track[0], timestamp[0], ... up to [49], or without brackets one.
/// kInvalid where a field that is required is missing, or there are more.
Result<std::vector<Scrobble>> ParseScrobbles(const LastFmForm& form, int64_t now);

/// api_sig: MD5 of all parameters but format, callback and api_sig itself, name
/// and value one after the other, names in the order of ASCII ("artist[10]"
/// before "artist[1]"), and of the shared secret.
std::string LastFmSignature(const LastFmForm& form, std::string_view secret);

/// A refusal before a method is known: 429 is code 29.
Response LastFmRefusal(int status, std::string_view why);

/// Thread-safe.
class LastFm {
 public:
  explicit LastFm(const DialectParts& parts) : parts_(parts) {}

  /// /2.0/, GET and POST.
  Response Call(const Request& request);
  /// /api/auth/: where somebody lets a program in.
  Response AskApproval(const Request& request);
  Response Approve(const Request& request);

 private:
  struct Asked {  // by auth.getToken
    std::string listener;  // "" not approved yet
    int64_t until = 0;     // Unix seconds
  };
  struct Asking {  // one call of a method
    const Request& request;
    LastFmForm form;
    bool json = false;
    std::string listener;  // of the session key; "" without one that is good
  };
  struct Method {
    std::string_view name;
    bool signs = false;    // api_sig has to fit, where serve.lastfm_secret is set
    bool session = false;  // needs a session key
    Response (LastFm::*answer)(const Asking& asking);
  };
  static std::span<const Method> Methods();
  /// At what a listener did; "" at what is nobody's, as the catalogue.
  bool MayLook(const Asking& asking, const std::string& listener);

  Response TakeScrobbles(const Asking& asking);
  Response TakeNowPlaying(const Asking& asking);
  Response Love(const Asking& asking);
  Response Unlove(const Asking& asking);
  Response Judge(const Asking& asking, int verdict);
  Response GiveMobileSession(const Asking& asking);
  Response GiveToken(const Asking& asking);
  Response GiveSession(const Asking& asking);
  Response RecentTracks(const Asking& asking);
  Response SimilarTracks(const Asking& asking);
  Response SimilarArtists(const Asking& asking);

  DialectParts parts_;
  std::mutex mutex_;
  std::map<std::string, Asked> asked_;
};

}  // namespace segue::serve
