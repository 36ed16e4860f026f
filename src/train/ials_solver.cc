#include "train/ials_solver.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <tbb/enumerable_thread_specific.h>

#include "math/eigen.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"

namespace segue::train {
namespace {

/// A row with fewer than 7/8 d interactions is solved in its own space: below
/// that the s x s system is the cheaper (bench/als_bench.cc).
constexpr size_t kNarrowOf = 8;
constexpr size_t kNarrowTo = 7;

/// Factors that the data do not need (twelve listeners span twelve) shrink from
/// half-step to half-step, down to where floats are denormal and processors
/// slow by a factor of ten. Below this a factor says nothing beside the others'
/// rounding, and the product of two that are not below it is still a normal float.
constexpr float kNothing = 1e-15f;

void DropNothings(std::span<float> values) {
  for (float& value : values) value = std::fabs(value) < kNothing ? 0.0f : value;
}

/// The fixed side turned so that its Gram matrix is diagonal: scores do not
/// change when both sides turn, and a row's system then starts from a diagonal.
struct Turned {
  std::vector<float> gram;  ///< [d] the diagonal
  std::vector<float> turn;  ///< [stride x stride] row j: what factor j becomes; pads zero
};

/// Turns one row in place. before  [stride] for its use
void TurnRow(const Turned& turned, std::span<const uint32_t> all, float* x, std::vector<float>& before) {
  const size_t stride = math::PaddedTo(all.size());
  before.assign(x, x + stride);
  std::fill_n(x, stride, 0.0f);
  math::BestKernels().add_rows(x, stride, turned.turn.data(), all.data(), before.data(), all.size());
}

std::vector<uint32_t> Numbers(size_t d) {
  std::vector<uint32_t> all(d);
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

/// Turns `fixed` [rows x stride] in place.
Turned Turn(std::span<float> fixed, size_t d, size_t stride) {
  const size_t rows = fixed.size() / stride;
  const math::Eigen eigen = math::SymmetricEigen(models::Gram(fixed, rows, stride), stride, d);
  Turned turned;
  for (const double value : eigen.values) turned.gram.push_back(static_cast<float>(std::max(0.0, value)));
  turned.turn.assign(d * stride, 0.0f);
  for (size_t j = 0; j < d; ++j) {
    for (size_t k = 0; k < d; ++k) turned.turn[j * stride + k] = static_cast<float>(eigen.vectors[j * d + k]);
  }
  turned.turn.resize(stride * stride, 0.0f);
  DropNothings(turned.turn);
  math::ParallelRanges(rows, 64, [&](size_t first, size_t last) {
    const std::vector<float> before(fixed.begin() + static_cast<std::ptrdiff_t>(first * stride),
                                    fixed.begin() + static_cast<std::ptrdiff_t>(last * stride));
    math::BestKernels().products(before.data(), last - first, stride, turned.turn.data(), stride, fixed.data() + first * stride);
    DropNothings(fixed.subspan(first * stride, (last - first) * stride));
  });
  return turned;
}

/// What one thread needs to solve a row; reused.
struct Workspace {
  std::vector<float> extra;    ///< [s] c - 1
  std::vector<float> target;   ///< [s] c where wanted, 0 where disliked
  std::vector<float> a;        ///< [stride x stride], or [s x s] padded
  std::vector<float> columns;  ///< [d x s] padded
  std::vector<float> b;        ///< [stride]
  std::vector<float> z;        ///< [s] padded
  std::vector<float> inverse;  ///< [stride] 1 / sqrt of the system's diagonal
  std::vector<float> error;    ///< [s]
  std::vector<float> scores;   ///< [s]
};

/// Asks for the first factors that row r needs, while the row before is solved.
void Fetch(const Csr& side, size_t r, std::span<const float> fixed, size_t stride) {
  constexpr size_t kMost = 64;
  const auto columns = side.Columns(r);
  for (const uint32_t column : columns.first(std::min(kMost, columns.size()))) {
    const float* y = fixed.data() + static_cast<size_t>(column) * stride;
    for (size_t j = 0; j < stride; j += 16) __builtin_prefetch(y + j);
  }
}

void TakeRow(const Csr& side, size_t r, Workspace& work) {
  work.extra.clear();
  work.target.clear();
  for (const float c : side.Values(r)) {
    work.extra.push_back(std::fabs(c) - 1);
    work.target.push_back(std::max(c, 0.0f));
  }
}

/// The row's system as it is written: d x d. `gram` [d]: the diagonal without the row's part.
bool SolveWide(const Csr& side, size_t r, std::span<const float> fixed, size_t d, size_t stride,
               std::span<const float> gram, float penalty, Workspace& work, float* x) {
  const math::Kernels& kernels = math::BestKernels();
  work.a.assign(stride * stride, 0.0f);
  for (size_t j = 0; j < d; ++j) work.a[j * stride + j] = gram[j] + penalty;
  kernels.add_confident(work.a.data(), x, stride, fixed.data(), side.Columns(r).data(), side.Values(r).data(), side.Columns(r).size());
  if (!kernels.cholesky(work.a.data(), stride, d)) return false;
  kernels.solve(work.a.data(), stride, d, x);
  return true;
}

/// The same for rows with few interactions, s x s (Woodbury). With
/// D = diag(gram) + penalty, Z [s x d] = sqrt(c - 1)·y·D^-½ and b' = D^-½·b:
///
///   x = D^-½ (b' - Zᵀ (I + Z·Zᵀ)^-1 Z·b')
bool SolveNarrow(const Csr& side, size_t r, std::span<const float> fixed, std::span<const uint32_t> all, size_t stride,
                 std::span<const float> gram, float penalty, Workspace& work, float* x) {
  const math::Kernels& kernels = math::BestKernels();
  const size_t d = all.size();
  const auto columns = side.Columns(r);
  const size_t s = columns.size();
  const size_t width = math::PaddedTo(s);
  work.inverse.resize(stride, 0.0f);
  kernels.inverse_roots(gram.data(), penalty, d, work.inverse.data());
  work.columns.resize(std::max(work.columns.size(), stride * width));
  kernels.gather_columns(work.columns.data(), width, x, fixed.data(), stride, columns.data(), side.Values(r).data(), s, work.inverse.data());
  work.a.assign(width * width, 0.0f);
  for (size_t k = 0; k < s; ++k) work.a[k * width + k] = 1;
  kernels.add_outer(work.a.data(), width, work.columns.data(), nullptr, nullptr, d);
  work.z.assign(width, 0.0f);
  kernels.add_rows(work.z.data(), width, work.columns.data(), all.data(), x, d);
  if (!kernels.cholesky(work.a.data(), width, s)) return false;
  kernels.solve(work.a.data(), width, s, work.z.data());
  work.b.resize(stride);
  kernels.dots(work.columns.data(), d, width, work.z.data(), work.b.data());
  for (size_t j = 0; j < d; ++j) x[j] = (x[j] - work.b[j]) * work.inverse[j];
  return true;
}

/// Betters x, `block` factors at a time (iALS++). columns: y of one block, side by side.
bool SolveBlocks(const Csr& side, size_t r, std::span<const float> fixed, size_t d, size_t stride,
                 std::span<const float> gram, float penalty, size_t block, Workspace& work, float* x) {
  const math::Kernels& kernels = math::BestKernels();
  const auto columns = side.Columns(r);
  const size_t s = columns.size();
  const auto rows = Numbers(s);
  work.scores.resize(s);
  work.error.resize(s);
  for (size_t k = 0; k < s; ++k) {
    kernels.dots(fixed.data() + static_cast<size_t>(columns[k]) * stride, 1, stride, x, &work.scores[k]);
  }
  for (size_t first = 0; first < d; first += block) {
    const size_t size = std::min(block, d - first);
    const size_t width = math::PaddedTo(size);
    work.columns.assign(s * width, 0.0f);
    for (size_t k = 0; k < s; ++k) {
      std::copy_n(fixed.data() + static_cast<size_t>(columns[k]) * stride + first, size, work.columns.data() + k * width);
      work.error[k] = work.target[k] - work.extra[k] * work.scores[k];
    }
    work.a.assign(width * width, 0.0f);
    work.b.assign(width, 0.0f);
    for (size_t j = 0; j < size; ++j) {
      const float diagonal = gram[first + j] + penalty;
      work.a[j * width + j] = diagonal;
      work.b[j] = -diagonal * x[first + j];
    }
    kernels.add_outer(work.a.data(), width, work.columns.data(), nullptr, work.extra.data(), s);
    kernels.add_rows(work.b.data(), width, work.columns.data(), rows.data(), work.error.data(), s);
    if (!kernels.cholesky(work.a.data(), width, size)) return false;
    kernels.solve(work.a.data(), width, size, work.b.data());
    for (size_t j = 0; j < size; ++j) x[first + j] += work.b[j];
    work.z.resize(s);
    kernels.dots(work.columns.data(), s, width, work.b.data(), work.z.data());
    for (size_t k = 0; k < s; ++k) work.scores[k] += work.z[k];
  }
  return true;
}

}  // namespace

float MeanCount(const Csr& side) {
  size_t used = 0;
  for (size_t r = 0; r < side.rows(); ++r) used += side.begin[r + 1] > side.begin[r] ? 1 : 0;
  return used == 0 ? 1 : static_cast<float>(side.size()) / static_cast<float>(used);
}

void SolveSide(const Csr& side, std::span<float> fixed, size_t d, size_t stride, const models::IalsWeights& weights,
               size_t block, std::span<float> solved) {
  const Turned turned = Turn(fixed, d, stride);
  const auto all = Numbers(d);
  const float mean_count = MeanCount(side);
  tbb::enumerable_thread_specific<Workspace> workspaces;
  math::ParallelRanges(side.rows(), 16, [&](size_t first, size_t last) {
    Workspace& work = workspaces.local();
    for (size_t r = first; r < last; ++r) {
      float* x = solved.data() + r * stride;
      const size_t s = side.begin[r + 1] - side.begin[r];
      const float penalty = weights.Penalty(static_cast<float>(s), mean_count);
      if (r + 1 < last) Fetch(side, r + 1, fixed, stride);
      const bool narrow = penalty > 0 && s * kNarrowOf < d * kNarrowTo;
      bool solvable = s > 0;
      if (solvable && !narrow && block < d) {
        TakeRow(side, r, work);
        TurnRow(turned, all, x, work.b);
        solvable = SolveBlocks(side, r, fixed, d, stride, turned.gram, penalty, block, work, x);
      } else if (solvable) {
        std::fill_n(x, stride, 0.0f);
        solvable = narrow ? SolveNarrow(side, r, fixed, all, stride, turned.gram, penalty, work, x)
                          : SolveWide(side, r, fixed, d, stride, turned.gram, penalty, work, x);
      }
      if (!solvable) std::fill_n(x, stride, 0.0f);
      DropNothings({x, stride});
    }
  });
}

}  // namespace segue::train
