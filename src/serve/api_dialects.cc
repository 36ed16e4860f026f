#include "serve/api.h"

// The addresses at which players speak their dialects.
namespace segue::serve {

std::span<const Api::Row> Api::DialectRows() {
  using Req = const Request&;
  constexpr auto kLb = ListenBrainzError;
  constexpr auto kGo = GorseError;
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
      {"GET", "/api/health/live", Access::kOpen, [](Api& a, Req) { return a.gorse_.Health(); }, kGo},
      {"GET", "/api/health/ready", Access::kOpen, [](Api& a, Req) { return a.gorse_.Health(); }, kGo},
      {"POST", "/api/user", Access::kListen, [](Api& a, Req r) { return a.gorse_.InsertUsers(r, false); }, kGo},
      {"POST", "/api/users", Access::kListen, [](Api& a, Req r) { return a.gorse_.InsertUsers(r, true); }, kGo},
      {"GET", "/api/users", Access::kRead, [](Api& a, Req r) { return a.gorse_.Users(r); }, kGo},
      {"GET", "/api/user/{id}", Access::kOwn, [](Api& a, Req r) { return a.gorse_.User(r); }, kGo},
      {"PATCH", "/api/user/{id}", Access::kListen, [](Api& a, Req r) { return a.gorse_.PatchUser(r); }, kGo},
      {"DELETE", "/api/user/{id}", Access::kOwner, [](Api& a, Req r) { return a.ForgetGorseUser(r); }, kGo},
      {"GET", "/api/user/{id}/feedback", Access::kOwn, [](Api& a, Req r) { return a.gorse_.FeedbackOfUser(r); }, kGo},
      {"GET", "/api/user/{id}/feedback/{type}", Access::kOwn, [](Api& a, Req r) { return a.gorse_.FeedbackOfUser(r); }, kGo},
      {"POST", "/api/item", Access::kListen, [](Api& a, Req r) { return a.gorse_.InsertItems(r, false); }, kGo},
      {"POST", "/api/items", Access::kListen, [](Api& a, Req r) { return a.gorse_.InsertItems(r, true); }, kGo},
      {"GET", "/api/items", Access::kRead, [](Api& a, Req r) { return a.gorse_.Items(r); }, kGo},
      {"GET", "/api/item/{id}", Access::kRead, [](Api& a, Req r) { return a.gorse_.Item(r); }, kGo},
      {"PATCH", "/api/item/{id}", Access::kListen, [](Api& a, Req r) { return a.gorse_.PatchItem(r); }, kGo},
      {"DELETE", "/api/item/{id}", Access::kListen, [](Api& a, Req r) { return a.gorse_.DeleteItem(r); }, kGo},
      {"PUT", "/api/item/{id}/category/{category}", Access::kListen, [](Api& a, Req r) { return a.gorse_.SetCategory(r, true); }, kGo},
      {"DELETE", "/api/item/{id}/category/{category}", Access::kListen, [](Api& a, Req r) { return a.gorse_.SetCategory(r, false); }, kGo},
      {"GET", "/api/item/{id}/feedback", Access::kRead, [](Api& a, Req r) { return a.gorse_.FeedbackOfItem(r); }, kGo},
      {"GET", "/api/item/{id}/feedback/{type}", Access::kRead, [](Api& a, Req r) { return a.gorse_.FeedbackOfItem(r); }, kGo},
      {"POST", "/api/feedback", Access::kListen, [](Api& a, Req r) { return a.gorse_.InsertFeedback(r, false); }, kGo},
      {"PUT", "/api/feedback", Access::kListen, [](Api& a, Req r) { return a.gorse_.InsertFeedback(r, true); }, kGo},
      {"GET", "/api/feedback", Access::kRead, [](Api& a, Req r) { return a.gorse_.Feedback(r); }, kGo},
      {"GET", "/api/feedback/{type}", Access::kRead, [](Api& a, Req r) { return a.gorse_.Feedback(r); }, kGo},
      {"GET", "/api/feedback/{user}/{item}", Access::kOwn, [](Api& a, Req r) { return a.gorse_.FeedbackOfPair(r); }, kGo},
      {"DELETE", "/api/feedback/{user}/{item}", Access::kListen, [](Api& a, Req r) { return a.gorse_.DeleteFeedback(r); }, kGo},
      {"GET", "/api/feedback/{type}/{user}/{item}", Access::kRead, [](Api& a, Req r) { return a.gorse_.FeedbackOfPair(r); }, kGo},
      {"DELETE", "/api/feedback/{type}/{user}/{item}", Access::kListen, [](Api& a, Req r) { return a.gorse_.DeleteFeedback(r); }, kGo},
      {"GET", "/api/recommend/{id}", Access::kOwn, [](Api& a, Req r) { return a.gorse_.Recommend(r); }, kGo},
  };
  return kRows;
}

}  // namespace segue::serve
