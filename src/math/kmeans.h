#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace segue::math {

/// k-means over float points. Rows of `points` and `centres` are `stride`
/// apart, a multiple of kLane, pads zero (math/kernels). Runs on the caller's
/// TBB arena; sums are of fixed blocks of rows, added in order: same bytes for
/// any number of threads.
struct Points {
  std::span<const float> values;  ///< [size x stride]
  size_t stride = 0;

  size_t size() const { return stride == 0 ? 0 : values.size() / stride; }
  const float* operator[](size_t row) const { return values.data() + row * stride; }
};

/// First centres by k-means++: each next one is a point drawn with probability
/// proportional to D(x)², its squared distance to the nearest so far; of
/// 2 + ln k draws the one that leaves the least sum of D² is taken.
///
/// Source: Arthur, Vassilvitskii, "k-means++: The Advantages of Careful
/// Seeding", SODA 2007, section 2.2; the several draws: section 7.
/// [k x stride]. 0 < k <= points.size(). O(n·k·stride·ln k).
std::vector<float> SeedCentres(const Points& points, size_t k, uint64_t seed);

struct Clusters {
  std::vector<float> centres;    ///< [k x stride] means of their points
  std::vector<uint32_t> label;   ///< [n] row of the nearest centre, ties to the first
  std::vector<double> objective; ///< Σ |x − centre|² after each assignment; never rises
};

/// Lloyd's iteration from the given centres until no label changes or
/// `most_iterations` are done: assign each point to its nearest centre, move
/// each centre to the mean of its points. A centre that nobody is nearest to
/// goes to the point that is farthest from its own. Plain: with kernels for the
/// dot products, distances to all centres cost less than the bounds that would
/// save them (Hamerly, SDM 2010) at the few dozen dimensions and centres of
/// listeners' groups. O(iterations · n·k·stride).
Clusters Lloyd(const Points& points, std::vector<float> centres, size_t most_iterations);

/// Mean silhouette of labelled points: (b − a) / max(a, b), a the mean distance
/// to the others of a point's cluster, b the least mean distance to another
/// cluster's; 0 for a point alone. Source: Rousseeuw, J. Comp. Appl. Math. 20,
/// 1987, eq. (3). 0 where fewer than two clusters have points.
///   distances  [n x n]   labels  [n] < k
double Silhouette(std::span<const float> distances, std::span<const uint32_t> labels, size_t k);

struct Choice {
  std::vector<float> centres;  ///< [k x stride]; one where the points show no clusters
  double silhouette = 0;
};

/// Chooses k by the data: clusters a sample of the points (at most 20,000) for
/// each k from 2 to `most`, and takes the greatest mean silhouette over a part
/// of the sample (at most 1,000), the smallest k where they are equal. Every k
/// is tried up to 16, then ever fewer (steps of k/16). One centre where no
/// silhouette is above 0.
Choice ChooseCentres(const Points& points, size_t most, uint64_t seed);

/// Mean silhouette of the clusters around `centres`, over the same part of the
/// same sample as ChooseCentres with that seed.
double SilhouetteOf(const Points& points, std::span<const float> centres, uint64_t seed);

}  // namespace segue::math
