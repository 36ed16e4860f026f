#include "math/bins.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/random.h"
#include "math/bin_pairs.h"

namespace segue::math {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

TEST(Bins, FewValuesHaveABinEachAndNeighboursShareTheGapBetweenThem) {
  const std::vector<float> rows = {1, 3, 3, 7, kNaN};
  const BinEdges edges = FindEdges(rows, 1);
  EXPECT_EQ(edges.edges, (std::vector<float>{2, 5}));
  const BinEdgesView view = edges.view();
  EXPECT_EQ(view.Bin(0, -9), 0);
  EXPECT_EQ(view.Bin(0, 2), 0) << "an edge belongs to the bin below";
  EXPECT_EQ(view.Bin(0, 2.01f), 1);
  EXPECT_EQ(view.Bin(0, 99), 2);
  EXPECT_EQ(view.Bin(0, kNaN), kMissingBin);
}

TEST(Bins, InfinitiesAndTheLargestFloatsKeepTheirOrder) {
  const float most = std::numeric_limits<float>::max();
  const std::vector<float> values = {-kInf, -most, -1, 0, std::nextafter(0.0f, 1.0f), 1, most, kInf};
  const BinEdges edges = FindEdges(values, 1);
  EXPECT_TRUE(edges.view().Sound());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(edges.view().Bin(0, values[i]), i) << values[i];
}

TEST(Bins, ManyValuesMakeBinsOfAboutTheSameNumberOfRows) {
  Random random(3);
  std::vector<float> rows(20'000);
  for (float& x : rows) x = std::exp(static_cast<float>(random.Normal()));
  const BinEdges edges = FindEdges(rows, 1);
  std::vector<int> count(kBinSlots, 0);
  for (const float x : rows) ++count[edges.view().Bin(0, x)];
  for (size_t b = 0; b <= edges.edges.size(); ++b) {
    EXPECT_GT(count[b], 20'000 / 255 / 2);
    EXPECT_LT(count[b], 20'000 / 255 * 2);
  }
}

TEST(Bins, RowsAndColumnsAreBinnedAlike) {
  Random random(5);
  std::vector<float> rows(300 * 4);
  for (float& x : rows) x = random.Uniform() < 0.1 ? kNaN : static_cast<float>(random.Below(50));
  const BinEdges edges = FindEdges(rows, 4);
  const auto columns = BinColumns(edges.view(), rows);
  std::vector<uint8_t> bins(rows.size());
  BinRows(edges.view(), rows, bins);
  for (size_t r = 0; r < 300; ++r) {
    for (size_t f = 0; f < 4; ++f) EXPECT_EQ(columns[f * 300 + r], bins[r * 4 + f]);
  }
}

TEST(Bins, DamagedEdgesAreNotSound) {
  EXPECT_TRUE((BinEdgesView{std::vector<uint32_t>{0, 2}, std::vector<float>{1, 2}}).Sound());
  const std::vector<uint32_t> begin = {0, 2}, far = {0, 9}, back = {0, 2, 1};
  const std::vector<float> edges = {1, 2}, unordered = {2, 1}, none = {1, kNaN};
  EXPECT_FALSE((BinEdgesView{far, edges}).Sound());
  EXPECT_FALSE((BinEdgesView{back, edges}).Sound());
  EXPECT_FALSE((BinEdgesView{begin, unordered}).Sound());
  EXPECT_FALSE((BinEdgesView{begin, none}).Sound());
  const std::vector<uint32_t> many = {0, 255};
  std::vector<float> ascending(255);
  for (size_t i = 0; i < 255; ++i) ascending[i] = static_cast<float>(i);
  EXPECT_FALSE((BinEdgesView{many, ascending}).Sound()) << "a bin would be taken for the missing";
}

TEST(BinPairs, SumsAndDifferencesAreThoseOfTheRanks) {
  // Ranks by definition: share of rows below the middle of the bin, of 254.
  const std::vector<uint8_t> bins = {0, 0, 0, 1, 1, 0, 2, 1, kMissingBin, 1};  // [5 x 2]
  const auto rank = RanksOfBins(bins, 2);
  EXPECT_EQ(rank[0], 254 / 4);                     // 2 of 4 rows in bin 0: middle at 1 of 4
  EXPECT_EQ(rank[1], 254 * 5 / 8);
  EXPECT_EQ(rank[kBinSlots + 1], 254 * 7 / 10);    // 3 of 5 in bin 1, 2 below
  const std::vector<BinPair> pairs = {{0, 1, 0}, {0, 1, 1}};
  const BinPairsView view{rank, pairs};
  EXPECT_TRUE(view.Sound(2));
  std::vector<uint8_t> out(5 * 4);
  view.Append(bins, 2, out);
  for (size_t r = 0; r < 5; ++r) {
    EXPECT_EQ(out[r * 4], bins[r * 2]);
    const int a = rank[bins[r * 2]], b = rank[kBinSlots + bins[r * 2 + 1]];
    const bool missing = bins[r * 2] == kMissingBin;
    EXPECT_EQ(out[r * 4 + 2], missing ? kMissingBin : (a + b) / 2);
    EXPECT_EQ(out[r * 4 + 3], missing ? kMissingBin : (a - b + 254) / 2);
  }
  const std::vector<BinPair> wild = {{0, 2, 0}};
  EXPECT_FALSE((BinPairsView{rank, wild}).Sound(2));
  EXPECT_FALSE(view.Sound(3));
}

}  // namespace
}  // namespace segue::math
