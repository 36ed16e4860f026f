#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/instruments.h"
#include "core/settings.h"
#include "math/trees.h"

namespace segue::train {

/// What an ensemble is boosted on.
struct BoostingData {
  std::shared_ptr<const math::BinnedColumns> table;
  std::span<const int32_t> label;      ///< [rows]
  size_t labels = 2;
  std::vector<uint8_t> held;           ///< [rows] 1: not learned from; empty: none

  size_t outputs() const { return labels == 2 ? 1 : labels; }
};

struct Boosted {
  std::vector<float> base;             ///< [outputs]
  math::Trees trees;                   ///< tree t is of output t mod outputs
  std::vector<double> gain;            ///< [columns]
  size_t best = 0;                     ///< rounds with the least log loss of the held rows; all where none are
  double loss = 0;                     ///< then
};

/// Boosts `rounds` rounds, or fewer where held rows have not gained for
/// boosting.patience of them. Nothing where it was asked to stop.
std::optional<Boosted> Boost(const BoostingData& data, const BoostingSettings& settings, size_t rounds, uint64_t seed,
                             Instruments& instruments);

}  // namespace segue::train
