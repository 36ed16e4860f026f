#include "math/kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "core/random.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

constexpr size_t kBlock = 1024;         ///< least rows summed together; part of the result's bytes
constexpr size_t kClustered = 20'000;   ///< points that k is chosen with
constexpr size_t kCompared = 1'000;     ///< of them, points whose silhouettes are taken
constexpr size_t kTrialIterations = 25;

float SquareOf(const float* x, size_t stride) {
  float square = 0;
  BestKernels().dots(x, 1, stride, x, &square);
  return square;
}

std::vector<float> SquaresOf(const Points& points) {
  std::vector<float> squares(points.size());
  for (size_t i = 0; i < squares.size(); ++i) squares[i] = SquareOf(points[i], points.stride);
  return squares;
}

/// nearest[i] = min(nearest[i], |x_i − centre|²); returns their sum.
double Closer(const Points& points, std::span<const float> squares, const float* centre, std::span<float> nearest) {
  const float square = SquareOf(centre, points.stride);
  const size_t blocks = (points.size() + kBlock - 1) / kBlock;
  std::vector<double> sums(blocks, 0.0);
  ParallelFor(blocks, [&](size_t b) {
    const size_t first = b * kBlock;
    const size_t count = std::min(kBlock, points.size() - first);
    float dots[kBlock];
    BestKernels().dots(points[first], count, points.stride, centre, dots);
    for (size_t i = 0; i < count; ++i) {
      float& best = nearest[first + i];
      best = std::min(best, std::max(0.0f, squares[first + i] + square - 2 * dots[i]));
      sums[b] += best;
    }
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

/// The row at which the running sum of weights passes `at`.
size_t Draw(std::span<const float> weights, double at) {
  for (size_t i = 0; i < weights.size(); ++i) {
    at -= weights[i];
    if (at < 0) return i;
  }
  return weights.size() - 1;
}

/// What one block of rows adds to the means.
struct Part {
  std::vector<double> sum;     // [k x stride]
  std::vector<uint64_t> count; // [k]
  double objective = 0;
  bool changed = false;
};

class Iteration {
 public:
  Iteration(const Points& points, size_t k)
      : points_(points), squares_(SquaresOf(points)), k_(k), block_(std::max(kBlock, 16 * k)), distance_(points.size()) {}

  /// Labels every point; the sums of the blocks, in order. True where a label changed.
  bool Assign(std::span<const float> centres, Clusters& clusters) {
    const Points rows{centres, points_.stride};
    const std::vector<float> squares = SquaresOf(rows);
    parts_.assign((points_.size() + block_ - 1) / block_, {});
    ParallelFor(parts_.size(), [&](size_t b) { AssignBlock(rows, squares, b, clusters.label); });
    double objective = 0;
    bool changed = false;
    for (const Part& part : parts_) {
      objective += part.objective;
      changed |= part.changed;
    }
    clusters.objective.push_back(objective);
    return changed;
  }

  void Move(std::vector<float>& centres) const {
    const size_t stride = points_.stride;
    std::vector<double> sum(k_ * stride, 0.0);
    std::vector<uint64_t> count(k_, 0);
    for (const Part& part : parts_) {
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += part.sum[j];
      for (size_t c = 0; c < k_; ++c) count[c] += part.count[c];
    }
    std::vector<float> distance = distance_;
    for (size_t c = 0; c < k_; ++c) {
      if (count[c] > 0) {
        for (size_t j = 0; j < stride; ++j) {
          centres[c * stride + j] = static_cast<float>(sum[c * stride + j] / static_cast<double>(count[c]));
        }
        continue;
      }
      const auto farthest = std::max_element(distance.begin(), distance.end());
      std::copy_n(points_[static_cast<size_t>(farthest - distance.begin())], stride, centres.begin() + static_cast<std::ptrdiff_t>(c * stride));
      *farthest = 0;
    }
  }

 private:
  void AssignBlock(const Points& centres, std::span<const float> squares, size_t b, std::span<uint32_t> label) {
    Part& part = parts_[b];
    part.sum.assign(k_ * points_.stride, 0.0);
    part.count.assign(k_, 0);
    std::vector<float> dots(k_);
    const size_t first = b * block_;
    for (size_t i = first; i < std::min(first + block_, points_.size()); ++i) {
      BestKernels().dots(centres.values.data(), k_, points_.stride, points_[i], dots.data());
      uint32_t best = 0;
      float least = std::numeric_limits<float>::infinity();
      for (uint32_t c = 0; c < k_; ++c) {
        const float beyond = squares[c] - 2 * dots[c];
        if (beyond < least) {
          least = beyond;
          best = c;
        }
      }
      part.changed |= label[i] != best;
      label[i] = best;
      distance_[i] = std::max(0.0f, squares_[i] + least);
      part.objective += distance_[i];
      ++part.count[best];
      double* sum = part.sum.data() + best * points_.stride;
      for (size_t j = 0; j < points_.stride; ++j) sum[j] += points_[i][j];
    }
  }

  const Points& points_;
  const std::vector<float> squares_;
  const size_t k_;
  const size_t block_;
  std::vector<float> distance_;  // [n] squared, to the nearest centre
  std::vector<Part> parts_;
};

/// Some of the rows, drawn; those that are compared come first.
std::vector<float> Sample(const Points& points, uint64_t seed) {
  std::vector<uint32_t> rows(points.size());
  std::iota(rows.begin(), rows.end(), 0u);
  const size_t taken = std::min(kClustered, rows.size());
  Random random(seed);
  for (size_t i = 0; i < taken; ++i) std::swap(rows[i], rows[i + random.Below(rows.size() - i)]);
  std::vector<float> sample;
  sample.reserve(taken * points.stride);
  for (size_t i = 0; i < taken; ++i) sample.insert(sample.end(), points[rows[i]], points[rows[i]] + points.stride);
  return sample;
}

/// [n x n] Euclidean.
std::vector<float> DistancesOf(const Points& points) {
  const size_t n = points.size();
  const std::vector<float> squares = SquaresOf(points);
  std::vector<float> distances(n * n);
  ParallelFor(n, [&](size_t i) {
    float* row = distances.data() + i * n;
    BestKernels().dots(points.values.data(), n, points.stride, points[i], row);
    for (size_t j = 0; j < n; ++j) row[j] = std::sqrt(std::max(0.0f, squares[i] + squares[j] - 2 * row[j]));
    row[i] = 0;
  });
  return distances;
}

Points FirstOf(const Points& points, size_t n) { return {points.values.first(std::min(n, points.size()) * points.stride), points.stride}; }

}  // namespace

std::vector<float> SeedCentres(const Points& points, size_t k, uint64_t seed) {
  SEGUE_CHECK(k > 0 && k <= points.size());
  const std::vector<float> squares = SquaresOf(points);
  Random random(seed);
  std::vector<float> nearest(points.size(), std::numeric_limits<float>::infinity());
  std::vector<float> centres;
  const auto take = [&](size_t row) { centres.insert(centres.end(), points[row], points[row] + points.stride); };
  take(random.Below(points.size()));
  double sum = Closer(points, squares, centres.data(), nearest);
  const auto draws = static_cast<size_t>(2 + std::log(static_cast<double>(k)));
  for (size_t c = 1; c < k; ++c) {
    size_t best_row = 0;
    std::vector<float> best;
    double best_sum = std::numeric_limits<double>::infinity();
    for (size_t d = 0; d < draws; ++d) {
      const size_t row = Draw(nearest, random.Uniform() * sum);
      std::vector<float> trial = nearest;
      const double trial_sum = Closer(points, squares, points[row], trial);
      if (trial_sum >= best_sum) continue;
      best_sum = trial_sum;
      best_row = row;
      best = std::move(trial);
    }
    take(best_row);
    nearest = std::move(best);
    sum = best_sum;
  }
  return centres;
}

Clusters Lloyd(const Points& points, std::vector<float> centres, size_t most_iterations) {
  const size_t k = centres.size() / points.stride;
  SEGUE_CHECK(k > 0 && centres.size() == k * points.stride);
  Clusters clusters;
  clusters.label.assign(points.size(), std::numeric_limits<uint32_t>::max());
  Iteration iteration(points, k);
  for (size_t i = 0; iteration.Assign(centres, clusters) && i < most_iterations; ++i) iteration.Move(centres);
  clusters.centres = std::move(centres);
  return clusters;
}

double Silhouette(std::span<const float> distances, std::span<const uint32_t> labels, size_t k) {
  const size_t n = labels.size();
  std::vector<size_t> size(k, 0);
  for (const uint32_t label : labels) ++size[label];
  if (std::count_if(size.begin(), size.end(), [](size_t s) { return s > 0; }) < 2) return 0;
  double sum = 0;
  std::vector<double> to(k);
  for (size_t i = 0; i < n; ++i) {
    if (size[labels[i]] < 2) continue;
    std::fill(to.begin(), to.end(), 0.0);
    for (size_t j = 0; j < n; ++j) to[labels[j]] += distances[i * n + j];
    const double a = to[labels[i]] / static_cast<double>(size[labels[i]] - 1);
    double b = std::numeric_limits<double>::infinity();
    for (size_t c = 0; c < k; ++c) {
      if (c != labels[i] && size[c] > 0) b = std::min(b, to[c] / static_cast<double>(size[c]));
    }
    if (std::max(a, b) > 0) sum += (b - a) / std::max(a, b);
  }
  return sum / static_cast<double>(n);
}

Choice ChooseCentres(const Points& points, size_t most, uint64_t seed) {
  SEGUE_CHECK(points.size() > 0);
  const std::vector<float> drawn = Sample(points, seed);
  const Points sample{drawn, points.stride};
  const Points compared = FirstOf(sample, kCompared);
  const std::vector<float> distances = DistancesOf(compared);
  Choice best{Lloyd(sample, SeedCentres(sample, 1, seed), 1).centres, 0};
  for (size_t k = 2; k <= std::min(most, compared.size() - 1); k += std::max<size_t>(1, k / 16)) {
    Clusters clusters = Lloyd(sample, SeedCentres(sample, k, seed + k), kTrialIterations);
    const double silhouette = Silhouette(distances, std::span(clusters.label).first(compared.size()), k);
    if (silhouette > best.silhouette) best = {std::move(clusters.centres), silhouette};
  }
  return best;
}

double SilhouetteOf(const Points& points, std::span<const float> centres, uint64_t seed) {
  const std::vector<float> drawn = Sample(points, seed);
  const Points compared = FirstOf({drawn, points.stride}, kCompared);
  const Clusters clusters = Lloyd(compared, {centres.begin(), centres.end()}, 0);
  return Silhouette(DistancesOf(compared), clusters.label, centres.size() / points.stride);
}

}  // namespace segue::math
