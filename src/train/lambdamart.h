#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "math/trees.h"

namespace segue::train {

/// Rows of several lists (one a listener), to learn an order from.
struct RankingData {
  std::vector<uint64_t> begin{0};   ///< [lists + 1] into rows
  std::vector<float> features;      ///< [rows x width]
  std::vector<uint8_t> relevant;    ///< [rows] 1: was wanted
  std::vector<uint32_t> missing;    ///< [lists] wanted tracks that are in no row: they count in the ideal list
  size_t width = 0;

  size_t lists() const { return begin.size() - 1; }
  size_t rows() const { return relevant.size(); }
};

/// LambdaMART: boosted trees whose gradients are, for a wanted row i and
/// another row j of the same list,
///
///   λ_ij = -|ΔNDCG_ij| / (1 + exp(s_i - s_j)),
///
/// ΔNDCG_ij the change of NDCG where i and j change places. Source: Burges,
/// "From RankNet to LambdaRank to LambdaMART", MSR-TR-2010-82, section 7.
/// Departures: pairs count where either is among the first `truncation`
/// (what is below nobody sees); a list's gradients are scaled by
/// log2(1 + Σ|λ|) / Σ|λ|, as in LightGBM, so that long lists do not rule.
///
/// gradient, hessian [rows]. Sums within a list run in a fixed order: same
/// bytes for any number of threads.
void LambdaGradients(const RankingData& data, std::span<const float> scores, size_t truncation, std::span<float> gradient,
                     std::span<float> hessian);

/// [lists] the mean of NDCG@10 and NDCG@100; 0 for lists without a relevant row.
std::vector<double> ListQualities(const RankingData& data, std::span<const float> scores);
/// Their mean.
double ListQuality(const RankingData& data, std::span<const float> scores);

}  // namespace segue::train
