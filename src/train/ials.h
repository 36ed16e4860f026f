#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Implicit-feedback ALS. Minimises over X [m x d], Y [n x d]
///
///   Σ_{u,i} c_ui (p_ui − x_u·y_i)² + Σ_u λ_u |x_u|² + Σ_i λ_i |y_i|²
///
/// with p = 1 where the listener wants the track (strength r > 0), else 0;
/// c = 1 + α·ln(1 + r); dislikes are observed zeros (models/ials.h).
///
/// Source: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback
/// Datasets", ICDM 2008, eq. 3 and 4. Penalty scaled by a row's number of
/// interactions, λ_row = λ·(count/mean count)^ν, after Rendle, Krichene,
/// Zhang, Koren, "Revisiting the Performance of iALS on Item Recommendation
/// Benchmarks", RecSys 2022, eq. 3, normalised so that λ means the same for
/// every ν.
///
/// No more factors are made than there are listeners, or tracks, with anything:
/// the rank of what can be learnt.
///
/// Each half-step solves all rows of one side exactly (Cholesky), on all
/// cores. Rows do not see each other and sums run in index order: same bytes
/// for any number of threads. An epoch is O(nnz·d² + (m + n)·d³).
std::unique_ptr<Trainer> MakeIalsTrainer();

}  // namespace segue::train
