#include "math/kmeans.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "core/random.h"
#include "math/parallel.h"
#include "math/kernels/kernels.h"

namespace segue::math {
namespace {

constexpr size_t kD = 5;
constexpr size_t kStride = PaddedTo(kD);

/// `each` points about each of `clusters` corners of a cube of side 20.
std::vector<float> Planted(size_t clusters, size_t each, double spread, uint64_t seed) {
  std::vector<float> values(clusters * each * kStride, 0.0f);
  for (size_t c = 0; c < clusters; ++c) {
    for (size_t i = 0; i < each; ++i) {
      Random random(seed + 1, c * each + i);
      for (size_t j = 0; j < kD; ++j) {
        // Clusters alternate, so that blocks of rows have some of each.
        values[(i * clusters + c) * kStride + j] = static_cast<float>(((c >> j) % 2 == 0 ? 10 : -10) + spread * random.Normal());
      }
    }
  }
  return values;
}

double Distance(const float* a, const float* b) {
  double square = 0;
  for (size_t j = 0; j < kD; ++j) square += (static_cast<double>(a[j]) - b[j]) * (static_cast<double>(a[j]) - b[j]);
  return square;
}

TEST(KMeans, EveryAssignmentIsToTheNearestCentreAndEveryCentreIsTheMeanOfItsPoints) {
  const auto values = Planted(6, 300, 4, 1);
  const Points points{values, kStride};
  const Clusters clusters = Lloyd(points, SeedCentres(points, 4, 2), 500);
  std::vector<double> sum(4 * kD, 0.0);
  std::vector<double> count(4, 0.0);
  double objective = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const float* own = clusters.centres.data() + clusters.label[i] * kStride;
    for (size_t c = 0; c < 4; ++c) {
      EXPECT_LE(Distance(points[i], own), Distance(points[i], clusters.centres.data() + c * kStride) + 1e-3);
    }
    for (size_t j = 0; j < kD; ++j) sum[clusters.label[i] * kD + j] += points[i][j];
    ++count[clusters.label[i]];
    objective += Distance(points[i], own);
  }
  for (size_t c = 0; c < 4; ++c) {
    for (size_t j = 0; j < kD; ++j) EXPECT_NEAR(clusters.centres[c * kStride + j], sum[c * kD + j] / count[c], 1e-3);
  }
  EXPECT_NEAR(clusters.objective.back(), objective, 1e-4 * objective);
}

TEST(KMeans, TheObjectiveNeverRises) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const auto values = Planted(9, 200, 8, seed);
    const Points points{values, kStride};
    const auto objective = Lloyd(points, SeedCentres(points, 12, seed), 60).objective;
    ASSERT_GT(objective.size(), 2u);
    for (size_t i = 1; i < objective.size(); ++i) EXPECT_LE(objective[i], objective[i - 1] * (1 + 1e-5)) << i;
  }
}

TEST(KMeans, ACentreThatNobodyIsNearestToIsPutToUse) {
  const auto values = Planted(3, 50, 0.5, 4);
  const Points points{values, kStride};
  std::vector<float> centres(3 * kStride, 0.0f);
  for (size_t c = 1; c < 3; ++c) centres[c * kStride] = 1e4f;  // far from all
  const Clusters clusters = Lloyd(points, centres, 50);
  EXPECT_EQ(std::set<uint32_t>(clusters.label.begin(), clusters.label.end()).size(), 3u);
}

TEST(KMeans, ChoosesAsManyClustersAsWerePlanted) {
  for (const size_t planted : {2, 3, 5, 8, 13}) {
    const auto values = Planted(planted, 120, 0.7, 20 + planted);
    const Choice choice = ChooseCentres({values, kStride}, 32, 3);
    EXPECT_EQ(choice.centres.size() / kStride, planted);
    EXPECT_GT(choice.silhouette, 0.5);
  }
}

TEST(KMeans, PointsThatAreAllTheSameAreOneCluster) {
  const std::vector<float> values(40 * kStride, 1.0f);
  EXPECT_EQ(ChooseCentres({values, kStride}, 8, 1).centres.size() / kStride, 1u);
  EXPECT_EQ(ChooseCentres({std::span(values).first(kStride), kStride}, 8, 1).centres.size() / kStride, 1u);
}

/// Two pairs on a line: 0 and 1, 10 and 11.
TEST(KMeans, TheSilhouetteOfTwoPairsIsAsByHand) {
  const float at[] = {0, 1, 10, 11};
  std::vector<float> distances;
  for (const float a : at) {
    for (const float b : at) distances.push_back(std::fabs(a - b));
  }
  const std::vector<uint32_t> labels = {0, 0, 1, 1};
  // Outer points: a = 1, b = 10.5; inner ones: a = 1, b = 9.5.
  EXPECT_NEAR(Silhouette(distances, labels, 2), (9.5 / 10.5 + 8.5 / 9.5) / 2, 1e-9);
  EXPECT_EQ(Silhouette(distances, std::vector<uint32_t>{1, 1, 1, 1}, 2), 0);
}

TEST(KMeans, GivesTheSameBytesForAnyNumberOfThreads) {
  const auto values = Planted(7, 900, 6, 8);
  const Points points{values, kStride};
  Choice one;
  Clusters clusters;
  for (const int threads : {1, 2, 3}) {
    WithThreads(threads, [&] {
      const Choice choice = ChooseCentres(points, 10, 5);
      const Clusters now = Lloyd(points, choice.centres, 30);
      if (threads == 1) {
        one = choice;
        clusters = now;
        return;
      }
      EXPECT_EQ(choice.centres, one.centres) << threads;
      EXPECT_EQ(now.centres, clusters.centres) << threads;
      EXPECT_EQ(now.label, clusters.label) << threads;
      EXPECT_EQ(now.objective, clusters.objective) << threads;
    });
  }
}

}  // namespace
}  // namespace segue::math
