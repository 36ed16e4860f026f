#include "monitor/shown.h"

#include <set>

#include <gtest/gtest.h>

#include "core/random.h"
#include "monitor/testing.h"

namespace segue::monitor {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kDayMs = 86'400'000;

class WhatIsShown : public WithCatalog {
 protected:
  void Show(const std::string& listener, std::vector<std::string> tracks, int64_t at_ms = kNow, const char* arm = "live", int64_t made_us = 50) {
    const store::Impression shown{.list_id = "l" + std::to_string(++lists_), .listener = listener, .model_id = "m", .arm = arm, .mode = "discovery",
                                  .at_ms = at_ms, .made_us = made_us, .tracks = std::move(tracks)};
    ASSERT_TRUE(catalog_->AppendImpressions({&shown, 1}).ok());
  }
  Shown::Figures Look(int64_t now_ms = kNow) {
    const Status read = shown_.CatchUp(*catalog_, now_ms);
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().message);
    return shown_.Now();
  }
  Shown shown_;
  int lists_ = 0;
};

TEST_F(WhatIsShown, IsNothingAtFirst) {
  EXPECT_EQ(Look().lists, 0);
  EXPECT_EQ(Look().repetition, 0);
}

TEST_F(WhatIsShown, RepeatsATrackWhereTheSameListenerHadItBefore) {
  Show("ann", {"a", "b", "c", "d"});
  EXPECT_EQ(Look().repetition, 0);
  Show("bob", {"a", "b", "c", "d"});
  EXPECT_EQ(Look().repetition, 0) << "another listener";
  Show("ann", {"a", "x", "y", "b"});
  const Shown::Figures shown = Look();
  EXPECT_EQ(shown.lists, 3);
  EXPECT_EQ(shown.tracks, 6);
  EXPECT_DOUBLE_EQ(shown.repetition, 2.0 / 12);
}

TEST_F(WhatIsShown, IsNotWhatAShadowMadeNorWhatFailedNorAListGivenAgain) {
  Show("ann", {"a", "b"});
  Show("ann", {"a", "b"}, kNow, "shadow");
  Show("ann", {"a", "b"}, kNow, "live", 0);
  const store::Impression failed{.list_id = "f", .listener = "ann", .model_id = "m", .arm = "canary", .mode = "next", .at_ms = kNow, .made_us = 3, .error = "no"};
  ASSERT_TRUE(catalog_->AppendImpressions({&failed, 1}).ok());
  EXPECT_EQ(Look().lists, 1);
  EXPECT_EQ(Look().repetition, 0);
}

TEST_F(WhatIsShown, IsOfOneWeek) {
  Show("ann", {"a", "b"}, kNow - 8 * kDayMs);
  Show("ann", {"a", "c"}, kNow - 6 * kDayMs);
  EXPECT_EQ(Look().lists, 1);
  EXPECT_EQ(Look().repetition, 0) << "what was shown before does not count any more";
  Show("ann", {"c"}, kNow);
  EXPECT_DOUBLE_EQ(Look().repetition, 1.0 / 3);
  const Shown::Figures later = Look(kNow + 2 * kDayMs);
  EXPECT_EQ(later.lists, 1);
  EXPECT_EQ(later.tracks, 1);
}

TEST_F(WhatIsShown, IsTheNewestTenThousandListsAndCountsAsItsDefinitionSays) {
  Random random(7);
  std::vector<store::Impression> all;
  for (int i = 0; i < 12'500; ++i) {
    store::Impression one{.list_id = "l" + std::to_string(i), .listener = "listener " + std::to_string(random.Below(300)), .model_id = "m",
                          .arm = random.Below(5) == 0 ? "canary" : "live", .mode = "discovery", .at_ms = kNow - 12'500 + i, .made_us = 9};
    std::set<std::string> tracks;
    while (tracks.size() < 5) tracks.insert("t" + std::to_string(random.Below(900)));
    one.tracks.assign(tracks.begin(), tracks.end());
    all.push_back(one);
  }
  // What comes in between two looks, and a program that starts anew.
  ASSERT_TRUE(catalog_->AppendImpressions(std::span(all).first(11'000)).ok());
  Look();
  ASSERT_TRUE(catalog_->AppendImpressions(std::span(all).subspan(11'000)).ok());
  const Shown::Figures shown = Look();
  std::map<std::string, std::set<std::string>> had;
  std::set<std::string> tracks;
  int64_t repeated = 0;
  // Repetition looks back on all that was in sight when the list came in.
  for (size_t i = 1'000; i < all.size(); ++i) {
    for (const std::string& track : all[i].tracks) {
      if (i >= 2'500) repeated += had[all[i].listener].contains(track) ? 1 : 0;
      if (i >= 2'500) tracks.insert(track);
    }
    had[all[i].listener].insert(all[i].tracks.begin(), all[i].tracks.end());
  }
  EXPECT_EQ(shown.lists, 10'000);
  EXPECT_EQ(shown.tracks, static_cast<int64_t>(tracks.size()));
  EXPECT_DOUBLE_EQ(shown.repetition, static_cast<double>(repeated) / 50'000);
  Shown anew;
  ASSERT_TRUE(anew.CatchUp(*catalog_, kNow).ok());
  EXPECT_EQ(anew.Now().lists, 10'000);
  EXPECT_EQ(anew.Now().tracks, shown.tracks);
}

}  // namespace
}  // namespace segue::monitor
