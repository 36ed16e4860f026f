#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Biased matrix factorisation by stochastic gradient descent (models/svd.h has
/// the model). Minimises over the observed ratings z
///
///   Σ_{(u,i)} (z_ui − b_u − b_i − q_iᵀ(p_u + s_u))² + λ_b(u)·b_u² + λ_b(i)·b_i²
///             + λ(u)·|p_u|² + λ(i)·|q_i|² + λ(u)·Σ_{j∈N(u)} |y_j|²,
///   s_u = |N(u)|^-½ Σ_{j∈N(u)} y_j
///
/// with λ(row) = λ · n_row^-frequency_exponent, n_row the row's ratings: 0
/// weighs the penalty once a rating, as Koren does; 1 once a row.
///
/// Source: svd: Koren, Bell, Volinsky, IEEE Computer 2009, eq. 5; svdpp: Koren,
/// KDD 2008, eq. 15 and the update rules below it. Departures: ratings have mean
/// 0 and deviation 1 (models/rating_scale.h), so that steps and penalties mean
/// the same on any scale; the step shrinks by `decay` an epoch; listeners come
/// in a new random order every epoch, and so do each listener's ratings.
///
/// The rules change every y_j of N(u) at every rating by the same amount:
///   y_j ← (1 − γλ)·y_j + γ·e·q_i/√|N(u)|.
/// So s_u can be carried along, s ← (1 − γλ)·s + γ·e·q_i, and the y_j brought up
/// to date once a listener, which comes to exactly the same:
///   y_j ← (1 − γλ)^n·y_j + (s_after − (1 − γλ)^n·s_before)/√|N(u)|.
/// After Chen et al., "SVDFeature", JMLR 2012, section 3 (user-grouped feedback).
///
/// An epoch is O((ratings + Σ|N(u)|)·d) instead of O(Σ ratings_u·|N(u)|·d). One
/// thread: same bytes for any number of them.
std::unique_ptr<Trainer> MakeSvdTrainer();
std::unique_ptr<Trainer> MakeSvdppTrainer();

}  // namespace segue::train
