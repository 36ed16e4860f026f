#include "math/eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace segue::math {
namespace {

/// z: the matrix going in, the transformation coming out, both [d x d] row by
/// row; diagonal and off-diagonal (from 1) of the tridiagonal form.
void Tridiagonalise(size_t d, std::vector<double>& z, std::vector<double>& diagonal, std::vector<double>& beside) {
  const auto at = [&](size_t i, size_t j) -> double& { return z[i * d + j]; };
  for (size_t i = d - 1; i >= 1; --i) {
    double h = 0;
    if (i > 1) {
      double scale = 0;
      for (size_t k = 0; k < i; ++k) scale += std::fabs(at(i, k));
      if (scale == 0) {
        beside[i] = at(i, i - 1);
      } else {
        for (size_t k = 0; k < i; ++k) {
          at(i, k) /= scale;
          h += at(i, k) * at(i, k);
        }
        const double f = at(i, i - 1);
        const double g = f >= 0 ? -std::sqrt(h) : std::sqrt(h);
        beside[i] = scale * g;
        h -= f * g;
        at(i, i - 1) = f - g;
        double sum = 0;
        for (size_t j = 0; j < i; ++j) {
          at(j, i) = at(i, j) / h;
          double product = 0;
          for (size_t k = 0; k <= j; ++k) product += at(j, k) * at(i, k);
          for (size_t k = j + 1; k < i; ++k) product += at(k, j) * at(i, k);
          beside[j] = product / h;
          sum += beside[j] * at(i, j);
        }
        const double half = sum / (h + h);
        for (size_t j = 0; j < i; ++j) {
          const double left = at(i, j);
          const double right = beside[j] - half * left;
          beside[j] = right;
          for (size_t k = 0; k <= j; ++k) at(j, k) -= left * beside[k] + right * at(i, k);
        }
      }
    } else {
      beside[i] = at(i, i - 1);
    }
    diagonal[i] = h;
  }
  diagonal[0] = 0;
  beside[0] = 0;
  for (size_t i = 0; i < d; ++i) {
    if (diagonal[i] != 0) {
      for (size_t j = 0; j < i; ++j) {
        double product = 0;
        for (size_t k = 0; k < i; ++k) product += at(i, k) * at(k, j);
        for (size_t k = 0; k < i; ++k) at(k, j) -= product * at(k, i);
      }
    }
    diagonal[i] = at(i, i);
    at(i, i) = 1;
    for (size_t j = 0; j < i; ++j) at(j, i) = at(i, j) = 0;
  }
}

/// QL with implicit shifts on the tridiagonal form; z gathers the rotations.
void DiagonaliseTridiagonal(size_t d, std::vector<double>& z, std::vector<double>& diagonal, std::vector<double>& beside) {
  for (size_t i = 1; i < d; ++i) beside[i - 1] = beside[i];
  beside[d - 1] = 0;
  constexpr int kMostRounds = 60;
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
        for (size_t k = 0; k < d; ++k) {
          double* row = z.data() + k * d;
          const double upper = row[i + 1];
          row[i + 1] = sine * row[i] + cosine * upper;
          row[i] = cosine * row[i] - sine * upper;
        }
      }
      if (split) continue;
      diagonal[l] -= p;
      beside[l] = g;
      beside[m] = 0;
    }
  }
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
    for (size_t i = 0; i < d; ++i) result.vectors[i * d + j] = z[i * d + order[j]];
  }
  return result;
}

}  // namespace segue::math
