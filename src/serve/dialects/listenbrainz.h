#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/dialects/scrobbles.h"
#include "serve/http.h"

// The HTTP API of ListenBrainz (https://listenbrainz.readthedocs.io), as far as
// players speak it: Navidrome, multi-scrobbler, Pano Scrobbler, Maloja's clients.
namespace segue::serve {

inline constexpr std::string_view kSubmitListensRoute = "/1/submit-listens";
/// 1000 listens of 10,240 bytes each.
inline constexpr uint64_t kMostSubmittedBytes = 10'240'000;

enum class ListenType { kSingle, kPlayingNow, kImport };

struct SubmittedListens {
  ListenType type = ListenType::kSingle;
  std::vector<Submission> listens;
};

/// The body of POST /1/submit-listens; kInvalid with ListenBrainz's own words.
/// `now`: Unix seconds.
Result<SubmittedListens> ParseSubmitListens(std::string_view body, int64_t now);

/// {"code":400,"error":"..."}.
Response ListenBrainzError(int status, std::string_view why);

/// Thread-safe.
class ListenBrainz {
 public:
  explicit ListenBrainz(const DialectParts& parts) : parts_(parts) {}

  Response SubmitListens(const Request& request);
  Response ValidateToken(const Request& request);
  Response Listens(const Request& request);
  Response ListenCount(const Request& request);
  Response PlayingNow(const Request& request);
  Response DeletePlayingNow(const Request& request);
  Response DeleteListen(const Request& request);
  Response LatestImport(const Request& request);
  Response SetLatestImport(const Request& request);
  Response Services(const Request& request);
  Response RecordingFeedback(const Request& request);
  Response Feedback(const Request& request);
  Response FeedbackForRecordings(const Request& request);
  Response Recommendations(const Request& request);
  Response RecommendationFeedback(const Request& request);

 private:
  /// Whose token the request has; 401 in `refusal` where it has none that counts.
  std::optional<std::string> Caller(const Request& request, Response& refusal);
  /// May the caller look at the listener whom the address names? On ListenBrainz
  /// everybody may; here a token of his, or of role read or admin. Else why not.
  std::optional<Response> MayLook(const Request& request, const std::string& listener);
  Response Judge(const std::string& listener, const TrackNaming& track, int verdict);

  DialectParts parts_;
};

}  // namespace segue::serve
