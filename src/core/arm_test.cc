#include "core/arm.h"

#include <string>

#include <gtest/gtest.h>

namespace segue {
namespace {

TEST(CanaryPlace, IsTheFirstDigitsOfTheDocumentedHash) {
  // printf 'm1\nann' | sha256sum
  EXPECT_DOUBLE_EQ(CanaryPlace("m1", "ann"), static_cast<double>(0xf6a73fa26f6ed) / 0x1.0p52);
}

TEST(CanaryPlace, SpreadsListenersEvenlyAndALargerShareOnlyAddsSome) {
  int small = 0, large = 0, lost = 0;
  constexpr int kListeners = 20'000;
  for (int i = 0; i < kListeners; ++i) {
    const double place = CanaryPlace("m1", "listener-" + std::to_string(i));
    ASSERT_TRUE(place >= 0 && place < 1);
    small += place < 0.1;
    large += place < 0.3;
    lost += place < 0.1 && !(place < 0.3);
  }
  // Four standard deviations of a binomial: 170 and 260.
  EXPECT_NEAR(small, 0.1 * kListeners, 170);
  EXPECT_NEAR(large, 0.3 * kListeners, 260);
  EXPECT_EQ(lost, 0);
}

TEST(CanaryPlace, AnotherChallengerHasOtherListeners) {
  int both = 0, first = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string listener = "listener-" + std::to_string(i);
    const bool in_first = CanaryPlace("m1", listener) < 0.1;
    first += in_first;
    both += in_first && CanaryPlace("m2", listener) < 0.1;
  }
  EXPECT_NEAR(both, 0.1 * first, 4 * 13.4) << "a tenth of a tenth: the draws are independent";
}

}  // namespace
}  // namespace segue
