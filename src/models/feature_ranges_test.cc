#include "models/feature_ranges.h"

#include <limits>

#include <gtest/gtest.h>

namespace segue::models {
namespace {

/// Knows its features' names and nothing else.
class Named final : public Classifier {
 public:
  Named() : Classifier({"tempo", "energy"}, {"0", "1"}) {}
  std::string_view algorithm() const override { return "named"; }
  void Predict(std::span<const float>, std::span<float>) const override {}
  Status Save(const std::filesystem::path&) const override { return {}; }
};

std::vector<float> Tempos() {
  std::vector<float> rows;
  for (int i = 0; i <= 100; ++i) rows.push_back(static_cast<float>(100 + i));
  return rows;
}

TEST(ArrangeFeatures, FindsFeaturesByNameInAnyOrder) {
  const auto rows = ArrangeFeatures(std::vector<std::string>{"energy", "other", "tempo"}, std::vector<double>{0.5, 9, 120, 0.6, 9, 130}, Named());
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(*rows, (std::vector<float>{120, 0.5f, 130, 0.6f}));
}

TEST(ArrangeFeatures, NamesAllThatIsLackingAndWhatMayBeAMisspelling) {
  const auto rows = ArrangeFeatures(std::vector<std::string>{"tempoo"}, std::vector<double>{120}, Named());
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.error().message.find("needs 'tempo', 'energy'"), std::string::npos) << rows.error().message;
  EXPECT_NE(rows.error().message.find("'tempoo'"), std::string::npos);
}

TEST(ArrangeFeatures, RefusesWhatIsGivenTwiceOrIsNotFinite) {
  EXPECT_FALSE(ArrangeFeatures(std::vector<std::string>{"tempo", "energy", "tempo"}, std::vector<double>{1, 2, 3}, Named()).ok());
  const auto infinite = ArrangeFeatures(std::vector<std::string>{"tempo", "energy"}, std::vector<double>{1, 2, std::numeric_limits<double>::infinity(), 2}, Named());
  ASSERT_FALSE(infinite.ok());
  EXPECT_NE(infinite.error().message.find("row 2: 'tempo'"), std::string::npos);
}

TEST(RangeWarnings, OtherUnitsAreTold) {
  const auto ranges = MeasureRanges(Tempos(), 1);
  EXPECT_EQ(ranges[0].least, 100);
  EXPECT_EQ(ranges[0].median, 150);
  EXPECT_EQ(ranges[0].most, 200);
  const auto warnings = RangeWarnings(std::vector<float>{2, 2.5f, 3}, ranges, std::vector<std::string>{"tempo"}, {"a line 2", "a line 3", "a line 4"});
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("other units"), std::string::npos);
}

TEST(RangeWarnings, ARowOutsideIsNamedWithItsValueAndTheTrainedRange) {
  const auto ranges = MeasureRanges(Tempos(), 1);
  const auto warnings = RangeWarnings(std::vector<float>{150, 150, 999}, ranges, std::vector<std::string>{"tempo"}, {"a line 2", "a line 3", "a line 4"});
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("999 (a line 4)"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[0].find("100 to 200"), std::string::npos);
}

TEST(RangeWarnings, WhatIsMissingOrWasNeverKnownIsOutsideOfNothing) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const auto ranges = MeasureRanges(std::vector<float>{1, nan, 2, nan}, 2);
  EXPECT_TRUE(FindOutside(std::vector<float>{nan, 7}, ranges).empty());
}

}  // namespace
}  // namespace segue::models
