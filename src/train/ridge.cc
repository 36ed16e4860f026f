#include "train/ridge.h"

#include <algorithm>

#include "core/check.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"

namespace segue::train {
namespace {

/// [stride] Σ_k a_kj · b_kj of each target j, in blocks of fixed size that are
/// added in order.
std::vector<double> DotsByTarget(std::span<const float> a, std::span<const float> b, size_t stride) {
  constexpr size_t kBlock = 4096;
  const size_t rows = a.size() / stride;
  const size_t blocks = (rows + kBlock - 1) / kBlock;
  std::vector<double> partial(blocks * stride, 0.0);
  math::ParallelFor(blocks, [&](size_t block) {
    double* sums = partial.data() + block * stride;
    for (size_t r = block * kBlock; r < std::min(rows, (block + 1) * kBlock); ++r) {
      for (size_t j = 0; j < stride; ++j) sums[j] += static_cast<double>(a[r * stride + j]) * b[r * stride + j];
    }
  });
  std::vector<double> dots(stride, 0.0);
  for (size_t block = 0; block < blocks; ++block) {
    for (size_t j = 0; j < stride; ++j) dots[j] += partial[block * stride + j];
  }
  return dots;
}

/// a[k][j] = own_j · a[k][j] + other_j · b[k][j].
void Combine(std::span<float> a, const std::vector<double>& own, std::span<const float> b,
             const std::vector<double>& other, size_t stride) {
  math::ParallelFor(a.size() / stride, [&](size_t r) {
    for (size_t j = 0; j < stride; ++j) {
      float& value = a[r * stride + j];
      value = static_cast<float>(own[j] * value + other[j] * b[r * stride + j]);
    }
  });
}

void ScaleRows(std::span<float> rows, std::span<const float> weight, size_t stride) {
  for (size_t i = 0; i < weight.size(); ++i) {
    for (size_t j = 0; j < stride; ++j) rows[i * stride + j] *= weight[i];
  }
}

}  // namespace

std::vector<float> Multiply(const Csr& x, std::span<const float> w, size_t stride) {
  std::vector<float> out(x.rows() * stride, 0.0f);
  const math::Kernels& kernels = math::BestKernels();
  math::ParallelFor(x.rows(), [&](size_t i) {
    const auto columns = x.Columns(i);
    kernels.add_rows(out.data() + i * stride, stride, w.data(), columns.data(), x.Values(i).data(), columns.size());
  });
  return out;
}

Result<std::vector<float>> SolveRidge(const Csr& x, size_t columns, std::span<const float> weight,
                                      std::span<const float> y, size_t stride, const RidgeRule& rule,
                                      Instruments& instruments) {
  SEGUE_CHECK(rule.penalty > 0 && weight.size() == x.rows() && y.size() == x.rows() * stride);
  const Csr transposed = Transposed(x, columns);
  std::vector<float> weighted(y.begin(), y.end());
  ScaleRows(weighted, weight, stride);
  std::vector<float> residual = Multiply(transposed, weighted, stride);
  std::vector<float> direction = residual;
  std::vector<float> w(columns * stride, 0.0f);
  std::vector<double> square = DotsByTarget(residual, residual, stride);
  const std::vector<double> first = square;
  const std::vector<double> ones(stride, 1.0);
  for (int64_t step = 0; step < rule.most_steps; ++step) {
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "asked to stop"};
    std::vector<float> image = Multiply(x, direction, stride);
    ScaleRows(image, weight, stride);
    image = Multiply(transposed, image, stride);
    Combine(image, ones, direction, std::vector<double>(stride, rule.penalty), stride);
    const std::vector<double> curvature = DotsByTarget(direction, image, stride);
    std::vector<double> length(stride, 0.0);
    bool moving = false;
    for (size_t j = 0; j < stride; ++j) {
      if (square[j] <= rule.tolerance * rule.tolerance * first[j] || !(curvature[j] > 0)) continue;
      length[j] = square[j] / curvature[j];
      moving = true;
    }
    if (!moving) break;
    Combine(w, ones, direction, length, stride);
    for (double& l : length) l = -l;
    Combine(residual, ones, image, length, stride);
    const std::vector<double> now = DotsByTarget(residual, residual, stride);
    std::vector<double> back(stride, 0.0);
    for (size_t j = 0; j < stride; ++j) back[j] = square[j] > 0 ? now[j] / square[j] : 0;
    Combine(direction, back, residual, ones, stride);
    square = now;
  }
  return w;
}

}  // namespace segue::train
