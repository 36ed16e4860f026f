#include "serve/diversify.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "core/random.h"

namespace segue::serve {
namespace {

/// The definition, over all that is left each time.
std::vector<size_t> Slow(const std::vector<float>& wanted, const std::vector<std::vector<float>>& likeness, size_t n, float d) {
  std::vector<size_t> taken;
  while (taken.size() < std::min(n, wanted.size())) {
    size_t best = wanted.size();
    float highest = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (std::find(taken.begin(), taken.end(), i) != taken.end()) continue;
      float most = 0;
      for (const size_t j : taken) most = std::max(most, likeness[i][j]);
      const float value = (1 - d) * wanted[i] - d * most;
      if (best == wanted.size() || value > highest) {
        best = i;
        highest = value;
      }
    }
    taken.push_back(best);
  }
  return taken;
}

constexpr auto kAll = [](size_t) { return true; };

TEST(Diversify, IsTheDefinitionForEveryDial) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const size_t n = 30;
    std::vector<float> wanted(n);
    std::vector<std::vector<float>> likeness(n, std::vector<float>(n));
    // Quarters, so that there are ties and sums are exact.
    for (size_t i = 0; i < n; ++i) {
      wanted[i] = static_cast<float>(random.Below(5)) / 4;
      for (size_t j = 0; j < i; ++j) likeness[i][j] = likeness[j][i] = static_cast<float>(random.Below(5)) / 4;
    }
    for (const double dial : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      for (const size_t wished : {1u, 7u, 30u, 50u}) {
        EXPECT_EQ(Diversify(wanted, wished, dial, [&](size_t a, size_t b) { return likeness[a][b]; }, kAll),
                  Slow(wanted, likeness, wished, static_cast<float>(dial)))
            << seed << " " << dial << " " << wished;
      }
    }
  }
}

TEST(Diversify, LeavesOutWhatMayNotBeTakenAndGoesOn) {
  const std::vector<float> wanted = {1.0f, 0.75f, 0.5f, 0.25f};
  for (const double dial : {0.0, 0.5}) {
    EXPECT_EQ(Diversify(wanted, 2, dial, [](size_t, size_t) { return 0.0f; }, [](size_t i) { return i % 2 == 1; }), (std::vector<size_t>{1, 3}));
  }
}

TEST(Wanted, MixesTheScoresPlaceWithNovelty) {
  const std::vector<float> scores = {10, 6, 2}, novelty = {0, 0.5f, 1};
  EXPECT_EQ(Wanted(scores, novelty, 0), (std::vector<float>{1, 0.5f, 0}));
  EXPECT_EQ(Wanted(scores, novelty, 1), novelty);
  EXPECT_EQ(Wanted(scores, novelty, 0.5), (std::vector<float>{0.5f, 0.5f, 0.5f}));
  EXPECT_EQ(Wanted(std::vector<float>{3, 3}, std::vector<float>{0, 0}, 0), (std::vector<float>{1, 1})) << "all the same";
  EXPECT_TRUE(Wanted({}, {}, 0.5).empty());
}

}  // namespace
}  // namespace segue::serve
