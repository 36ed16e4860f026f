#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serve/dialects/scrobbles.h"
#include "serve/http.h"

// The Audioscrobbler realtime submission protocol 1.2 (its document of 2008 is
// kept at https://www.last.fm/api/submissions): MPD with mpdscribble, and what
// else is of that age. Its answers are lines of text with status 200.
namespace segue::serve {

struct LegacySubmissions {
  std::string session;
  std::vector<Submission> listens;
  int64_t ignored = 0;  ///< entries that no repetition would make right: without artist, title or a possible time
};

/// The body of a submission: s, and a[0], t[0], i[0], ... up to [49]. kInvalid
/// where it is no form, or has no entry.
Result<LegacySubmissions> ParseLegacySubmissions(std::string_view body, int64_t now);

/// The body of a now-playing notification: s, a, t, b, l, n, m.
Result<LegacySubmissions> ParseLegacyNowPlaying(std::string_view body);

/// "FAILED why": clients try again later.
Response AudioscrobblerFailed(int status, std::string_view why);

/// The answer to a handshake, "a": md5(md5(password) + t), all in hexadecimal.
std::string LegacyAnswer(std::string_view md5_of_password, std::string_view timestamp);

/// Thread-safe. Sessions are kept in memory: after a restart clients are told
/// BADSESSION and shake hands again, as the protocol has it.
class Audioscrobbler {
 public:
  explicit Audioscrobbler(const DialectParts& parts) : parts_(parts) {}

  /// GET /?hs=true&p=1.2.1&c=&v=&u=&t=&a=
  Response Handshake(const Request& request);
  Response NowPlaying(const Request& request);
  Response Submit(const Request& request);

 private:
  struct Session {
    std::string listener;
    std::string token_hash;  // "" where the request needed no token
    int64_t since = 0;
  };
  /// Who shakes hands; none where the answer is wrong.
  Result<std::optional<Session>> Authenticate(const Request& request, const std::string& user, const std::string& timestamp,
                                              const std::string& answer) const;
  std::optional<std::string> ListenerOf(const std::string& session);

  DialectParts parts_;
  std::mutex mutex_;
  std::map<std::string, Session, std::less<>> sessions_;
};

/// "https://segue.example": where players reach this server.
std::string BaseAddress(const Settings& settings, const Request& request);

}  // namespace segue::serve
