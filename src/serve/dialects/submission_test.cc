#include "serve/dialects/submission.h"

#include "serve/dialects/scrobbles.h"
#include "serve/testing.h"

namespace segue::serve {
namespace {

TEST(SourceIds, AreWrittenOneWay) {
  EXPECT_EQ(MbidSource("6F1C8A52-3b1e-4c8e-9f0a-2d5b7c9e1f30"), "mbid:6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30");
  EXPECT_EQ(MbidSource("6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f3"), "");
  EXPECT_EQ(MbidSource("6f1c8a52x3b1e-4c8e-9f0a-2d5b7c9e1f30"), "");
  EXPECT_EQ(IsrcSource("us-ee1-00-01992"), "isrc:USEE10001992");
  EXPECT_EQ(IsrcSource("USEE1000199"), "");
  EXPECT_EQ(SpotifySource("http://open.spotify.com/track/6rqhFgbbKwnb9MLmUQDhG6?si=1"), "spotify:track:6rqhFgbbKwnb9MLmUQDhG6");
  EXPECT_EQ(SpotifySource("spotify:track:6rqhFgbbKwnb9MLmUQDhG6"), "spotify:track:6rqhFgbbKwnb9MLmUQDhG6");
  EXPECT_EQ(SpotifySource("spotify:album:6rqhFgbbKwnb9MLmUQDhG6"), "");
}

TEST(Msid, IsAUuidThatLeadsBackToTheTrack) {
  const std::string id = TrackIdOf(NameKey("Rick Astley", "Never Gonna Give You Up"));
  const std::string msid = MsidOf(id);
  EXPECT_TRUE(IsUuid(msid)) << msid;
  EXPECT_EQ(msid[14], '8') << "RFC 9562: version 8";
  EXPECT_EQ(msid[19], 'a') << "and its variant";
  EXPECT_EQ(TrackIdOfMsid(msid), id);
  EXPECT_NE(MsidOf(TrackIdOf("other")), msid);
  EXPECT_EQ(TrackIdOfMsid("6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30"), "") << "somebody else's";
  EXPECT_EQ(MsidOf("an-older-id"), "");
}

/// What was told, as the event log has it.
class ScrobblesTest : public Serving {
 protected:
  void SetUp() override {
    Serving::SetUp();
    PutIalsLive("m1");
    context_.emplace(Context{*bucket_, *catalog_, fake_, settings_, instruments_, folder_});
    live_.emplace(*context_);
    scrobbles_.emplace(*context_, *live_);
  }
  void TearDown() override {
    live_.reset();
    Serving::TearDown();
  }
  std::vector<store::FeedbackEvent> Log() const { return *catalog_->EventsAfter(0, 100); }
  static Submission Heard(const std::string& artist, const std::string& title, int64_t at) {
    return {.track = {.artist = artist, .title = title}, .listened_at = at};
  }
  Scrobbles::Taken Take(const Submission& submission, std::string_view source = "listenbrainz", const std::string& listener = "bob") {
    return *scrobbles_->Take(listener, {&submission, 1}, source);
  }

  static constexpr int64_t kNow = 1'700'000'000;
  store::FakeClock fake_{kNow * 1000};
  std::optional<Context> context_;
  std::optional<Live> live_;
  std::optional<Scrobbles> scrobbles_;
};

TEST_F(ScrobblesTest, TheSameListenCountsOnceWhoeverTellsIt) {
  EXPECT_EQ(Take(Heard("Artist A", "Song Number 0", kNow)).accepted, 1);
  EXPECT_EQ(Take(Heard("Artist A", "Song Number 0", kNow)).duplicates, 1) << "a retry";
  EXPECT_EQ(Take(Heard("ARTIST A feat. B", "Song Number 0 (feat. B)", kNow), "audioscrobbler").duplicates, 1) << "another program, another spelling";
  EXPECT_EQ(Take(Heard("Artist A", "Song Number 0", kNow + 200)).accepted, 1) << "heard again";
  EXPECT_EQ(Take(Heard("Artist A", "Song Number 10", kNow)).accepted, 1) << "another track";
  EXPECT_EQ(Take(Heard("Artist A", "Song Number 0", kNow), "listenbrainz", "eve").accepted, 1) << "another listener";
  EXPECT_EQ(Log().size(), 4u);
}

TEST_F(ScrobblesTest, AListenIsOfTheCataloguesTrackOrMakesOne) {
  EXPECT_EQ(Take(Heard("Artist A", "Song Number 0", kNow)).track_ids.at(0), IdOf(0));
  Submission unheard = Heard("Nobody Yet", "New", kNow);
  unheard.track.album = "Debut";
  unheard.track.duration_ms = 200'000;
  unheard.track.source_id = "mbid:6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30";
  EXPECT_EQ(Take(unheard).track_ids.at(0), TrackIdOf(NameKey("Nobody Yet", "New")));
  const auto event = Log().back();
  EXPECT_EQ(event.artist, "Nobody Yet");
  EXPECT_EQ(event.album, "Debut");
  EXPECT_EQ(event.duration_ms, 200'000);
  EXPECT_EQ(event.source_id, unheard.track.source_id);
  EXPECT_EQ(event.source, "listenbrainz");
  EXPECT_EQ(event.at, kNow);
  const TrackNaming by_id{.source_id = unheard.track.source_id};
  EXPECT_EQ(Scrobbles::IdOf(*live_->Now(), by_id), event.track_id) << "from now on its MBID names it";
}

TEST_F(ScrobblesTest, WhatWasHardlyHeardIsASkip) {
  const auto kind = [&](int64_t played_ms, int64_t duration_ms, bool skipped = false) {
    static int64_t at = kNow - 1000;
    Submission submission = Heard("Artist A", "Song Number 0", ++at);
    submission.ms_played = played_ms;
    submission.track.duration_ms = duration_ms;
    submission.skipped = skipped;
    Take(submission);
    return Log().back().kind;
  };
  EXPECT_EQ(kind(-1, 0), "play") << "nothing is told: players tell what counts";
  EXPECT_EQ(kind(5'000, 200'000), "skip");
  EXPECT_EQ(kind(180'000, 200'000), "play");
  EXPECT_EQ(kind(12'000, 20'000), "play") << "more than half of a short track";
  EXPECT_EQ(kind(5'000, 0), "skip");
  EXPECT_EQ(kind(250'000, 3'000'000), "play") << "four minutes of an hour";
  EXPECT_EQ(kind(-1, 0, true), "skip");
}

TEST_F(ScrobblesTest, AVerdictIsToldOnceAndTheLastOneStands) {
  const TrackNaming track{.artist = "Artist A", .title = "Song Number 0"};
  for (const int verdict : {0, 1, 1, -1, 0, 0, 1}) ASSERT_TRUE(scrobbles_->Judge("bob", track, verdict, "lastfm").ok());
  std::vector<std::string> kinds;
  for (const auto& event : Log()) kinds.push_back(event.kind);
  EXPECT_EQ(kinds, (std::vector<std::string>{"like", "dislike", "neutral", "like"}));
  const auto opinions = live_->Now()->OpinionsOf("bob");
  ASSERT_EQ(opinions.size(), 1u);
  EXPECT_EQ(opinions[0].verdict, 1) << "all in one second, and still the last";
  const auto now = live_->Now()->Listener("bob");
  EXPECT_TRUE(now.disliked.empty());
  EXPECT_GT(now.past.tracks.at(0).strength, 0);
}

TEST_F(ScrobblesTest, AListenThatIsTakenBackIsGoneFromTheNextLookOn) {
  Take(Heard("Artist A", "Song Number 0", kNow));
  Take(Heard("Nobody Yet", "New", kNow + 1));
  EXPECT_EQ(live_->Now()->ListensOf("bob", 0, INT64_MAX, 10).size(), 2u);
  ASSERT_TRUE(scrobbles_->TakeBack("bob", IdOf(0), kNow, "listenbrainz").ok());
  ASSERT_TRUE(scrobbles_->TakeBack("bob", TrackIdOf(NameKey("Nobody Yet", "New")), kNow + 1, "listenbrainz").ok());
  ASSERT_TRUE(scrobbles_->TakeBack("ann", ids_[0], 1, "listenbrainz").ok()) << "there is no such listen";
  EXPECT_TRUE(live_->Now()->ListensOf("bob", 0, INT64_MAX, 10).empty());
  EXPECT_EQ(live_->Now()->ListensOf("ann", 0, INT64_MAX, 10).size(), 5u);
  ASSERT_TRUE(scrobbles_->TakeBack("ann", IdOf(2), 1'600'000'002, "listenbrainz").ok());
  EXPECT_EQ(live_->Now()->ListensOf("ann", 0, INT64_MAX, 10).size(), 4u) << "of the dataset's too";
  EXPECT_EQ(live_->Now()->CountListens("ann"), 4u);
}

TEST_F(ScrobblesTest, ListensComeNewestFirstFromDatasetAndLogAlike) {
  Take(Heard("Nobody Yet", "New", 1'600'000'002), "x", "ann");
  Take(Heard("Artist F", "Song Number 15", kNow), "x", "ann");
  std::vector<int64_t> times;
  for (const Listen& listen : live_->Now()->ListensOf("ann", 1'600'000'001, kNow + 1, 4)) times.push_back(listen.at);
  EXPECT_EQ(times, (std::vector<int64_t>{kNow, 1'600'000'004, 1'600'000'003, 1'600'000'002}));
  EXPECT_EQ(live_->Now()->CountListens("ann"), 7u);
}

TEST_F(ScrobblesTest, WhatPlaysNowIsForgottenWhenItHasPlayed) {
  Submission playing = Heard("Artist A", "Song Number 0", 0);
  playing.track.duration_ms = 100'000;
  scrobbles_->SetPlaying("bob", playing);
  fake_.Advance(99'000);
  ASSERT_TRUE(scrobbles_->Playing("bob").has_value());
  EXPECT_EQ(scrobbles_->Playing("bob")->track.title, "Song Number 0");
  fake_.Advance(10'000);
  EXPECT_FALSE(scrobbles_->Playing("bob").has_value());
  EXPECT_TRUE(Log().empty()) << "it is no listen";
}

}  // namespace
}  // namespace segue::serve
