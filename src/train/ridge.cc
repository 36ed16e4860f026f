#include "train/ridge.h"

#include <algorithm>

#include "core/check.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"

namespace segue::train {
namespace {

/// Rows of `x` with weight, each times it, as columns: XᵀΩ.
Csr WeightedColumns(const Csr& x, size_t columns, std::span<const float> weight) {
  Csr result = Transposed(x, columns);
  for (size_t k = 0; k < result.size(); ++k) result.value[k] *= weight[result.column[k]];
  return result;
}

/// Only rows that weigh anything: the others say nothing.
struct Told {
  Csr x;
  std::vector<float> weight;
  std::vector<float> y;
};

Told OnlyWeighty(const Csr& x, std::span<const float> weight, std::span<const float> y, size_t stride) {
  Told told;
  for (size_t i = 0; i < x.rows(); ++i) {
    if (weight[i] == 0 || x.Columns(i).empty()) continue;
    told.x.column.insert(told.x.column.end(), x.Columns(i).begin(), x.Columns(i).end());
    told.x.value.insert(told.x.value.end(), x.Values(i).begin(), x.Values(i).end());
    told.x.EndRow();
    told.weight.push_back(weight[i]);
    const auto row = y.subspan(i * stride, stride);
    told.y.insert(told.y.end(), row.begin(), row.end());
  }
  return told;
}

/// [columns] one over the diagonal of XᵀΩX + λI.
std::vector<float> InverseDiagonal(const Csr& x, const Csr& weighted, double penalty) {
  const Csr columns = Transposed(x, weighted.rows());
  std::vector<float> inverse(weighted.rows());
  for (size_t c = 0; c < weighted.rows(); ++c) {
    double sum = penalty;
    for (size_t k = 0; k < weighted.Values(c).size(); ++k) sum += static_cast<double>(weighted.Values(c)[k]) * columns.Values(c)[k];
    inverse[c] = static_cast<float>(1 / sum);
  }
  return inverse;
}

/// Conjugate gradients' vectors of all targets, [columns x stride] each. Passes
/// go over blocks of rows whose sums are added in order.
class Descent {
 public:
  Descent(std::vector<float> residual, std::vector<float> inverse_diagonal, size_t stride)
      : residual_(std::move(residual)), inverse_diagonal_(std::move(inverse_diagonal)), stride_(stride),
        w_(residual_.size(), 0.0f), direction_(residual_.size()) {
    for (size_t k = 0; k < direction_.size(); ++k) direction_[k] = inverse_diagonal_[k / stride] * residual_[k];
  }

  const std::vector<float>& direction() const { return direction_; }
  std::vector<float> TakeW() { return std::move(w_); }

  /// r·D⁻¹r
  std::vector<double> Size() const {
    return Sums([&](size_t r, size_t j) { return static_cast<double>(residual_[r * stride_ + j]) * inverse_diagonal_[r] * residual_[r * stride_ + j]; });
  }
  /// p·Ap, and image = XᵀΩXp becomes Ap.
  std::vector<double> Curvature(std::span<float> image, float penalty) const {
    return Sums([&](size_t r, size_t j) {
      float& value = image[r * stride_ + j];
      value += penalty * direction_[r * stride_ + j];
      return static_cast<double>(direction_[r * stride_ + j]) * value;
    });
  }
  /// w += αp, r −= αAp
  void Advance(std::span<const float> image, const std::vector<float>& length) {
    math::ParallelRanges(inverse_diagonal_.size(), kBlock, [&](size_t first, size_t last) {
      for (size_t r = first; r < last; ++r) {
        for (size_t j = 0; j < stride_; ++j) {
          const size_t k = r * stride_ + j;
          w_[k] += length[j] * direction_[k];
          residual_[k] -= length[j] * image[k];
        }
      }
    });
  }
  /// p = D⁻¹r + βp
  void Turn(const std::vector<float>& back) {
    math::ParallelRanges(inverse_diagonal_.size(), kBlock, [&](size_t first, size_t last) {
      for (size_t r = first; r < last; ++r) {
        for (size_t j = 0; j < stride_; ++j) {
          const size_t k = r * stride_ + j;
          direction_[k] = inverse_diagonal_[r] * residual_[k] + back[j] * direction_[k];
        }
      }
    });
  }

 private:
  static constexpr size_t kBlock = 1024;

  template <typename Value>
  std::vector<double> Sums(const Value& value) const {
    const size_t rows = inverse_diagonal_.size();
    const size_t blocks = (rows + kBlock - 1) / kBlock;
    std::vector<double> partial(blocks * stride_, 0.0);
    math::ParallelFor(blocks, [&](size_t block) {
      double* sums = partial.data() + block * stride_;
      for (size_t r = block * kBlock; r < std::min(rows, (block + 1) * kBlock); ++r) {
        for (size_t j = 0; j < stride_; ++j) sums[j] += value(r, j);
      }
    });
    std::vector<double> total(stride_, 0.0);
    for (size_t block = 0; block < blocks; ++block) {
      for (size_t j = 0; j < stride_; ++j) total[j] += partial[block * stride_ + j];
    }
    return total;
  }

  std::vector<float> residual_;
  std::vector<float> inverse_diagonal_;
  size_t stride_;
  std::vector<float> w_;
  std::vector<float> direction_;
};

void MultiplyInto(const Csr& x, std::span<const float> w, size_t stride, std::vector<float>& out) {
  out.resize(x.rows() * stride);
  const math::Kernels& kernels = math::BestKernels();
  math::ParallelFor(x.rows(), [&](size_t i) {
    const auto columns = x.Columns(i);
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(i * stride), stride, 0.0f);
    kernels.add_rows(out.data() + i * stride, stride, w.data(), columns.data(), x.Values(i).data(), columns.size());
  });
}

}  // namespace

std::vector<float> Multiply(const Csr& x, std::span<const float> w, size_t stride) {
  std::vector<float> out;
  MultiplyInto(x, w, stride, out);
  return out;
}

Result<std::vector<float>> SolveRidge(const Csr& x, size_t columns, std::span<const float> weight,
                                      std::span<const float> y, size_t stride, const RidgeRule& rule,
                                      Instruments& instruments) {
  SEGUE_CHECK(rule.penalty > 0 && weight.size() == x.rows() && y.size() == x.rows() * stride);
  const Told told = OnlyWeighty(x, weight, y, stride);
  const Csr transposed = WeightedColumns(told.x, columns, told.weight);
  Descent descent(Multiply(transposed, told.y, stride), InverseDiagonal(told.x, transposed, rule.penalty), stride);
  std::vector<double> size = descent.Size();
  const std::vector<double> first = size;
  std::vector<float> forecast, image;
  for (int64_t step = 0; step < rule.most_steps; ++step) {
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "asked to stop"};
    MultiplyInto(told.x, descent.direction(), stride, forecast);
    MultiplyInto(transposed, forecast, stride, image);
    const std::vector<double> curvature = descent.Curvature(image, static_cast<float>(rule.penalty));
    std::vector<float> length(stride, 0.0f);
    bool moving = false;
    for (size_t j = 0; j < stride; ++j) {
      if (size[j] <= rule.tolerance * rule.tolerance * first[j] || !(curvature[j] > 0)) continue;
      length[j] = static_cast<float>(size[j] / curvature[j]);
      moving = true;
    }
    if (!moving) break;
    descent.Advance(image, length);
    const std::vector<double> now = descent.Size();
    std::vector<float> back(stride, 0.0f);
    for (size_t j = 0; j < stride; ++j) back[j] = size[j] > 0 ? static_cast<float>(now[j] / size[j]) : 0;
    descent.Turn(back);
    size = now;
  }
  return descent.TakeW();
}

}  // namespace segue::train
