#pragma once

#include <cstddef>
#include <span>

#include "models/ials.h"
#include "train/sparse.h"

namespace segue::train {

/// One half-step of implicit ALS, solved exactly: for every row r of `side`,
///
///   x_r = (YᵀY + Σ_k (c_k − 1)·y_k·y_kᵀ + λ_r·I)⁻¹ · Σ_{k wanted} c_k·y_k
///
/// Source: Hu, Koren, Volinsky, ICDM 2008, eq. 4, with YᵀY taken out of the sum.
///
/// `fixed` turns first: Y becomes Y·Q, with YᵀY = Q·Λ·Qᵀ, which changes no
/// score (the solved rows turn with it) and makes the common part of every
/// row's system a diagonal, Λ + λ_r. So a row with s interactions, s below
/// 7/8 d, is solved as an s x s system (Woodbury identity; Golub, Van Loan,
/// "Matrix Computations", 2.1.4), although every row has a λ of its own.
///
///   side    rows to solve; columns are rows of fixed; value c, or -c for a
///           dislike: confidence without a target. |c| >= 1
///   fixed   [columns x stride] Y, turned in place
///   solved  [rows x stride]; rows without interactions become 0. Where
///           block < d, what the last half-step of this side left (any, 0 at
///           first), in the coordinates that fixed has when it comes in
///
/// Where block < d, rows too long for the small system are not solved but
/// bettered, `block` factors π at a time with the others as they are:
///
///   x_π -= (Λ_π + λ_r·I + Σ_k (c_k − 1)·y_kπ·y_kπᵀ)⁻¹ · (Σ_k e_k·y_kπ + (Λ_π + λ_r)·x_π),
///   e_k = (c_k − 1)·x·y_k − c_k·[k wanted]
///
/// Source: Rendle, Krichene, Zhang, Koren, "iALS++: Speeding up Matrix
/// Factorization with Subspace Optimization", 2021, algorithm 2. With Y turned
/// their Gram term is one product a factor.
///
/// O(min(s²·d + s³, s·d·block + d·block², s·d² + d³)) a row. Rows do not see each other and sums run
/// in index order: same bytes for any number of threads.
///
/// Floor: min(s·d² + d³/3, s²·d + s³/3) operations a row at the processor's peak;
/// 4·s·d bytes bind less. bench/speed.py measures both and prints the share: on
/// 10 million synthetic interactions, machine shared, 39 % with 64 factors, 50 %
/// with 128; the rest is mostly waiting for rows of `fixed` and Cholesky's pivots.
void SolveSide(const Csr& side, std::span<float> fixed, size_t d, size_t stride, const models::IalsWeights& weights,
               size_t block, std::span<float> solved);

/// Mean interactions of the rows that have any; 1 where none has.
float MeanCount(const Csr& side);

}  // namespace segue::train
