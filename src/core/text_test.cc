#include "core/text.h"

#include <cmath>

#include <gtest/gtest.h>

namespace segue {
namespace {

TEST(Text, SignificantDigitsAreRoundedOnceAndKeepTheirZeros) {
  EXPECT_EQ(Significant(0.0123456, 3), "0.0123");
  EXPECT_EQ(Significant(999.96, 4), "1,000");
  EXPECT_EQ(Significant(1234567.8, 3), "1,234,568");
  EXPECT_EQ(Significant(-12345, 2), "-12,345");
  EXPECT_EQ(Significant(0.5, 3), "0.500");
  EXPECT_EQ(Significant(4, 3), "4");
  EXPECT_EQ(Significant(1.5e-7, 2), "1.5e-07");
  EXPECT_EQ(Significant(0, 3), "0");
  EXPECT_EQ(Significant(std::nan(""), 3), "–");
}

TEST(Text, NothingIsWrittenAsMinusZero) {
  EXPECT_EQ(Fixed(-0.001, 2), "0.00");
  EXPECT_EQ(Fixed(-0.5, 2), "-0.50");
  EXPECT_EQ(Fixed(std::nan(""), 2), "–");
}

TEST(Text, PowersBelowTheSmallestDoubleHaveTheirExponent) {
  EXPECT_EQ(FromLog10(std::log10(0.043)), "0.043");
  EXPECT_EQ(FromLog10(-1649.93), "1.2e-1650");
  EXPECT_EQ(FromLog10(-4.0001), "1.0e-4");
  EXPECT_EQ(FromLog10(0), "1");
  EXPECT_EQ(FromLog10(std::nan("")), "–");
}

}  // namespace
}  // namespace segue
