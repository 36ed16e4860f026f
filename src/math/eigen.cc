#include "math/eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "math/parallel.h"

namespace segue::math {
namespace {

/// Rotations that are gathered before the vectors turn.
constexpr size_t kRotations = 4096;

double Dot(const double* x, const double* y, size_t n) {
  double sums[8] = {};
  size_t k = 0;
  for (; k + 8 <= n; k += 8) {
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += x[k + lane] * y[k + lane];
  }
  for (; k < n; ++k) sums[0] += x[k] * y[k];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// z [d x d]: the matrix going in (both triangles, so that rows are all that is
/// read), the transposed transformation coming out; diagonal and off-diagonal
/// (from 1) of the tridiagonal form.
void Tridiagonalise(size_t d, std::vector<double>& z, std::vector<double>& diagonal, std::vector<double>& beside) {
  const auto row = [&](size_t i) { return z.data() + i * d; };
  std::vector<double> heights(d, 0.0);  // of the reflections I - u·uᵀ/h, u in row i
  for (size_t i = d - 1; i >= 1; --i) {
    double* u = row(i);
    double scale = 0;
    for (size_t k = 0; k < i; ++k) scale += std::fabs(u[k]);
    if (i == 1 || scale == 0) {
      beside[i] = u[i - 1];
      continue;
    }
    for (size_t k = 0; k < i; ++k) u[k] /= scale;
    double h = Dot(u, u, i);
    const double f = u[i - 1];
    const double g = f >= 0 ? -std::sqrt(h) : std::sqrt(h);
    beside[i] = scale * g;
    h -= f * g;
    u[i - 1] = f - g;
    double sum = 0;
    for (size_t j = 0; j < i; ++j) {
      beside[j] = Dot(row(j), u, i) / h;
      sum += beside[j] * u[j];
    }
    const double half = sum / (h + h);
    for (size_t j = 0; j < i; ++j) beside[j] -= half * u[j];
    for (size_t j = 0; j < i; ++j) {
      double* other = row(j);
      const double left = u[j];
      const double right = beside[j];
      for (size_t k = 0; k < i; ++k) other[k] -= left * beside[k] + right * u[k];
    }
    heights[i] = h;
  }
  beside[0] = 0;
  std::vector<double> u(d), product(d);
  for (size_t i = 0; i < d; ++i) {
    if (heights[i] != 0) {
      std::copy_n(row(i), i, u.begin());
      for (size_t j = 0; j < i; ++j) {
        double* other = row(j);
        const double share = Dot(other, u.data(), i) / heights[i];
        for (size_t k = 0; k < i; ++k) other[k] -= share * u[k];
      }
    }
    diagonal[i] = row(i)[i];
    row(i)[i] = 1;
    for (size_t j = 0; j < i; ++j) row(j)[i] = row(i)[j] = 0;
  }
}

/// Rows upper and upper + 1 of the vectors turn.
struct Rotation {
  size_t upper;
  double sine;
  double cosine;
};

/// Column by column the same, so that columns are shared out among threads.
void Rotate(std::span<const Rotation> rotations, size_t d, std::vector<double>& vectors) {
  constexpr size_t kColumns = 64;
  ParallelRanges(d, kColumns, [&](size_t first, size_t last) {
    for (const auto& [upper, sine, cosine] : rotations) {
      double* __restrict a = vectors.data() + upper * d;
      double* __restrict b = vectors.data() + (upper + 1) * d;
      for (size_t k = first; k < last; ++k) {
        const double was = b[k];
        b[k] = sine * a[k] + cosine * was;
        a[k] = cosine * a[k] - sine * was;
      }
    }
  });
}

/// QL with implicit shifts on the tridiagonal form; the rows of `vectors` turn along.
void DiagonaliseTridiagonal(size_t d, std::vector<double>& vectors, std::vector<double>& diagonal, std::vector<double>& beside) {
  for (size_t i = 1; i < d; ++i) beside[i - 1] = beside[i];
  beside[d - 1] = 0;
  constexpr int kMostRounds = 60;
  std::vector<Rotation> rotations;
  for (size_t l = 0; l < d; ++l) {
    for (int round = 0; round < kMostRounds; ++round) {
      size_t m = l;
      for (; m + 1 < d; ++m) {
        const double size = std::fabs(diagonal[m]) + std::fabs(diagonal[m + 1]);
        if (std::fabs(beside[m]) <= std::numeric_limits<double>::epsilon() * size) break;
      }
      if (m == l) break;
      double g = (diagonal[l + 1] - diagonal[l]) / (2 * beside[l]);
      double r = std::hypot(g, 1.0);
      g = diagonal[m] - diagonal[l] + beside[l] / (g + std::copysign(r, g));
      double sine = 1;
      double cosine = 1;
      double p = 0;
      bool split = false;
      for (size_t i = m; i-- > l;) {
        const double f = sine * beside[i];
        const double b = cosine * beside[i];
        r = std::hypot(f, g);
        beside[i + 1] = r;
        if (r == 0) {
          diagonal[i + 1] -= p;
          beside[m] = 0;
          split = true;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = diagonal[i + 1] - p;
        r = (diagonal[i] - g) * sine + 2 * cosine * b;
        p = sine * r;
        diagonal[i + 1] = g + p;
        g = cosine * r - b;
        rotations.push_back({i, sine, cosine});
      }
      if (!split) {
        diagonal[l] -= p;
        beside[l] = g;
        beside[m] = 0;
      }
      if (rotations.size() >= kRotations) {
        Rotate(rotations, d, vectors);
        rotations.clear();
      }
    }
  }
  Rotate(rotations, d, vectors);
}

}  // namespace

Eigen SymmetricEigen(std::span<const float> a, size_t stride, size_t d) {
  if (d == 0) return {};
  std::vector<double> z(d * d), diagonal(d), beside(d);
  for (size_t i = 0; i < d; ++i) {
    for (size_t j = i; j < d; ++j) z[i * d + j] = z[j * d + i] = a[i * stride + j];
  }
  Tridiagonalise(d, z, diagonal, beside);
  DiagonaliseTridiagonal(d, z, diagonal, beside);
  std::vector<size_t> order(d);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return diagonal[x] > diagonal[y]; });
  Eigen result{std::vector<double>(d), std::vector<double>(d * d)};
  for (size_t j = 0; j < d; ++j) {
    result.values[j] = diagonal[order[j]];
    for (size_t i = 0; i < d; ++i) result.vectors[i * d + j] = z[order[j] * d + i];
  }
  return result;
}

}  // namespace segue::math
