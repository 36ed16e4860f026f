#include "pipeline/retry.h"

#include <gtest/gtest.h>

namespace segue::pipeline {
namespace {

const Trigger kInbox{"inbox", "2 files in the inbox"};

store::RunRecord Ended(const char* state) {
  store::RunRecord run;
  run.state = state;
  return run;
}

TEST(Retries, WaitTwiceAsLongEachTimeUpToADay) {
  Retry retry;
  int64_t now = 1'000;
  int64_t wait = 10'000;
  for (int failures = 0; failures < 20; ++failures) {
    retry.Ended(kInbox, Ended("failed"), now);
    EXPECT_TRUE(retry.Waits(now + wait - 1)) << failures;
    EXPECT_FALSE(retry.Due(now + wait - 1)) << failures;
    ASSERT_TRUE(retry.Due(now + wait)) << failures;
    EXPECT_EQ(retry.Due(now + wait)->kind, "inbox");
    EXPECT_EQ(retry.Due(now + wait)->detail, "again after a failure: 2 files in the inbox");
    now += wait;
    wait = std::min<int64_t>(2 * wait, 86'400'000);
  }
  EXPECT_EQ(wait, 86'400'000);
}

TEST(Retries, OfARetryDoNotPileUpWords) {
  Retry retry;
  retry.Ended(kInbox, Ended("failed"), 0);
  retry.Ended(*retry.Due(10'000), Ended("failed"), 10'000);
  EXPECT_EQ(retry.Due(30'000)->detail, "again after a failure: 2 files in the inbox");
}

TEST(Retries, EndWithARunThatDoesNotFail) {
  for (const char* state : {"approved", "refused", "nothing_new", "interrupted"}) {
    Retry retry;
    retry.Ended(kInbox, Ended("failed"), 0);
    retry.Ended(kInbox, Ended(state), 10'000);
    EXPECT_FALSE(retry.Waits(10'000)) << state;
    EXPECT_FALSE(retry.Due(1'000'000)) << state;
  }
}

TEST(Retries, AreNotStretchedByAClockThatIsSetBack) {
  Retry retry;
  retry.Ended(kInbox, Ended("failed"), 100'000'000);
  EXPECT_TRUE(retry.Waits(100'000'000));
  EXPECT_TRUE(retry.Due(50'000));
}

TEST(Retries, LeaveSettingsAndNotificationsToTheirOwnPatience) {
  for (const char* kind : {"config", "notification"}) {
    Retry retry;
    retry.Ended({kind, ""}, Ended("failed"), 0);
    EXPECT_TRUE(retry.Waits(9'999)) << kind;
    EXPECT_FALSE(retry.Due(10'000)) << kind;
  }
}

TEST(Retries, AreNotChangedByADryRun) {
  Retry retry;
  retry.Ended({kDryRun, ""}, Ended("failed"), 0);
  EXPECT_FALSE(retry.Waits(0));
  retry.Ended(kInbox, Ended("failed"), 0);
  retry.Ended({kDryRun, ""}, Ended("dry_run"), 5'000);
  EXPECT_TRUE(retry.Waits(9'999));
  EXPECT_TRUE(retry.Due(10'000));
}

TEST(Retries, FollowARunThatCouldNotBegin) {
  Retry retry;
  retry.Ended(kInbox, Error{ErrorCode::kIo, "the catalog is locked"}, 0);
  EXPECT_TRUE(retry.Due(10'000));
}

}  // namespace
}  // namespace segue::pipeline
