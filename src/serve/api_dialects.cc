#include "serve/api.h"

// The addresses at which players speak their dialects.
namespace segue::serve {

std::span<const Api::Row> Api::DialectRows() {
  using Req = const Request&;
  constexpr auto kLb = ListenBrainzError;
  static constexpr Row kRows[] = {
      {"POST", kSubmitListensRoute, Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.SubmitListens(r); }, kLb},
      {"GET", "/1/validate-token", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.ValidateToken(r); }, kLb},
      {"GET", "/1/user/{user}/listens", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.Listens(r); }, kLb},
      {"GET", "/1/user/{user}/listen-count", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.ListenCount(r); }, kLb},
      {"GET", "/1/user/{user}/playing-now", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.PlayingNow(r); }, kLb},
      {"GET", "/1/user/{user}/services", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.Services(r); }, kLb},
      {"POST", "/1/playing-now/delete", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.DeletePlayingNow(r); }, kLb},
      {"POST", "/1/delete-listen", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.DeleteListen(r); }, kLb},
      {"GET", "/1/latest-import", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.LatestImport(r); }, kLb},
      {"POST", "/1/latest-import", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.SetLatestImport(r); }, kLb},
      {"POST", "/1/feedback/recording-feedback", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.RecordingFeedback(r); }, kLb},
      {"GET", "/1/feedback/user/{user}/get-feedback", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.Feedback(r); }, kLb},
      {"GET", "/1/feedback/user/{user}/get-feedback-for-recordings", Access::kItself,
       [](Api& a, Req r) { return a.listenbrainz_.FeedbackForRecordings(r); }, kLb},
      {"POST", "/1/feedback/user/{user}/get-feedback-for-recordings", Access::kItself,
       [](Api& a, Req r) { return a.listenbrainz_.FeedbackForRecordings(r); }, kLb},
      {"GET", "/1/cf/recommendation/user/{user}/recording", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.Recommendations(r); }, kLb},
      {"POST", "/1/recommendation/feedback/submit", Access::kItself, [](Api& a, Req r) { return a.listenbrainz_.RecommendationFeedback(r); }, kLb},
      {"GET", "/2.0", Access::kItself, [](Api& a, Req r) { return a.lastfm_.Call(r); }, LastFmRefusal},
      {"POST", "/2.0", Access::kItself, [](Api& a, Req r) { return a.lastfm_.Call(r); }, LastFmRefusal},
      {"GET", "/api/auth", Access::kItself, [](Api& a, Req r) { return a.lastfm_.AskApproval(r); }},
      {"POST", "/api/auth", Access::kItself, [](Api& a, Req r) { return a.lastfm_.Approve(r); }},
      {"POST", "/np_1.2", Access::kItself, [](Api& a, Req r) { return a.audioscrobbler_.NowPlaying(r); }, AudioscrobblerFailed},
      {"POST", "/protocol_1.2", Access::kItself, [](Api& a, Req r) { return a.audioscrobbler_.Submit(r); }, AudioscrobblerFailed},
  };
  return kRows;
}

}  // namespace segue::serve
