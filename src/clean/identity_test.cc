#include "clean/identity.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "clean/testing.h"

namespace segue::clean {
namespace {

std::string AliasOf(const Identity& identity, const std::string& alias) {
  for (const auto& member : identity.aliases) {
    if (member.key == alias) return identity.track_ids.at(member.track);
  }
  return "";
}

TEST(Identity, ASharedIdJoinsTwoNamesAndASharedNameTwoIds) {
  const Identity identity = ResolveIdentity({{"id1", "b"}, {"id1", "a"}, {"id2", "a"}, {"id3", ""}, {"", "c"}});
  EXPECT_EQ(identity.track_ids.size(), 3U);
  for (const char* alias : {"id1", "id2"}) EXPECT_EQ(AliasOf(identity, alias), TrackIdOf("a")) << alias;
  EXPECT_EQ(AliasOf(identity, TrackIdOf("b")), TrackIdOf("a"));
  EXPECT_EQ(AliasOf(identity, TrackIdOf("id2")), TrackIdOf("a"));
  EXPECT_EQ(AliasOf(identity, "id3"), TrackIdOf("id3"));
  EXPECT_EQ(AliasOf(identity, TrackIdOf("c")), TrackIdOf("c"));
  EXPECT_EQ(identity.tracks_with_several_names, 1);
  EXPECT_EQ(identity.tracks_with_several_ids, 1);
  EXPECT_EQ(identity.merged, 1);
}

TEST(Identity, DoesNotDependOnTheOrderOfNamings) {
  std::vector<Naming> namings;
  for (int i = 0; i < 300; ++i) {
    namings.push_back({"id" + std::to_string(i * 7 % 90), "name" + std::to_string(i * 13 % 210)});
  }
  const Identity forward = ResolveIdentity(namings);
  std::reverse(namings.begin(), namings.end());
  const Identity backward = ResolveIdentity(namings);
  EXPECT_EQ(forward.track_ids, backward.track_ids);
  ASSERT_EQ(forward.aliases.size(), backward.aliases.size());
  for (size_t i = 0; i < forward.aliases.size(); ++i) {
    EXPECT_EQ(forward.aliases[i].key, backward.aliases[i].key);
    EXPECT_EQ(forward.aliases[i].track, backward.aliases[i].track);
  }
}

TEST(Identity, IdsHandedOutEarlierStayValidWhenALaterSourceLinksTwoNames) {
  const Identity before = ResolveIdentity({{"", "x"}, {"", "y"}});
  EXPECT_EQ(before.track_ids.size(), 2U);
  const Identity after = ResolveIdentity({{"", "x"}, {"", "y"}, {"id", "x"}, {"id", "y"}});
  ASSERT_EQ(after.track_ids.size(), 1U);
  for (const auto& id : before.track_ids) EXPECT_EQ(AliasOf(after, id), after.track_ids[0]);
}

TEST(Identity, AnIdOfOursStandsForTheKeyThatItWasMadeOf) {
  const Identity identity = ResolveIdentity({{TrackIdOf("x"), ""}, {"id", "x"}, {TrackIdOf("nothing"), ""}});
  ASSERT_EQ(identity.track_ids.size(), 1U);
  EXPECT_EQ(AliasOf(identity, TrackIdOf("x")), TrackIdOf("x"));
  EXPECT_EQ(AliasOf(identity, TrackIdOf("nothing")), "");
  EXPECT_EQ(identity.unknown_own_ids, 1);
  EXPECT_EQ(identity.source_ids, 1) << "our own ids are no source's";
}

TEST(Identity, AnIdAndANameThatReadTheSameAreNotMistakenForEachOther) {
  const Identity identity = ResolveIdentity({{"same", "other"}, {"", "third"}});
  EXPECT_EQ(identity.track_ids.size(), 2U);
}

TEST_F(CleanTest, FeedbackOnAMergedTracksOldIdReachesTheTrack) {
  const std::string first = NameKey("A", "one");
  const std::string second = NameKey("A", "one (single)");
  Stage("a.json", "listens",
        All({Play("ann", "A", "one", kNow - 100, kHeard, 1, "play", "uri:1"),
             Play("ann", "A", "one (single)", kNow - 90, kHeard, 1, "play", "uri:1"),
             Play("ann", "", "", kNow - 80, "NULL", 1, "like", TrackIdOf(second)),
             Play("ann", "", "", kNow - 70, "NULL", 1, "like", "t0123456789abcdef")}));
  CleanNow();
  EXPECT_EQ(last.tracks, 1);
  EXPECT_EQ(Count("SELECT count(DISTINCT track_id) FROM " + Table("interactions")), 1);
  EXPECT_EQ(Kept(), 3);
  EXPECT_EQ(Rejected("unknown_track"), 1);
  for (const auto& alias : {TrackIdOf(first), TrackIdOf(second), TrackIdOf("uri:1"), std::string("uri:1")}) {
    EXPECT_EQ(One("SELECT track_id FROM " + Table("aliases") + " WHERE alias = '" + alias + "'"), TrackIdOf(std::min(first, second)));
  }
  EXPECT_EQ(Count("SELECT count(*) - count(DISTINCT alias) FROM " + Table("aliases")), 0);
}

TEST_F(CleanTest, UnknownArtistDoesNotJoinTracksOfDifferentIds) {
  Stage("a.json", "listens",
        All({Play("ann", "Unknown Artist", "Unknown Track", kNow - 100, kHeard, 1, "play", "uri:1"),
             Play("ann", "Unknown Artist", "Unknown Track", kNow - 50, kHeard, 1, "play", "uri:2")}));
  CleanNow();
  EXPECT_EQ(last.tracks, 2);
}

}  // namespace
}  // namespace segue::clean
