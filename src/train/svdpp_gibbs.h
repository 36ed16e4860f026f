#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// SVD++ with implicit feedback on both sides, its posterior sampled:
///
///   z_ui ~ Normal(Σ_f P_uf·Q_if, 1/α),
///   P_uf = p_uf + |N(u)|^-½ Σ_{j∈N(u)} y_jf      N(u): the tracks u chose
///   Q_if = q_if + |N(i)|^-½ Σ_{v∈N(i)} w_vf      N(i): the listeners who chose i
///
/// over d factors and two more, one where Q = 1 (the listener's bias) and one
/// where P = 1 (the track's). p, q, y, w: Normal(μ_f, 1/λ_f), each kind with its
/// own μ_f ~ Normal(0, 1/λ_f), λ_f ~ Gamma(½, 0.15), and α ~ Gamma(½, ½).
///
/// Source: Rendle, Zhang, Koren, "On the Difficulty of Evaluating Baselines",
/// 2019 (SVD++ and "flipped" SVD++ by Gibbs sampling make the records), after
/// Rendle, "Factorization Machines with libFM", TIST 2012, section 4.4 (one
/// parameter at a time, residuals kept up to date) and Salakhutdinov, Mnih,
/// "Bayesian Probabilistic Matrix Factorization", ICML 2008. Departures: a
/// factor of a listener meets only factors of tracks, as in SVD++ (libFM also
/// multiplies features of one side); predictions are for a listener folded in
/// to each kept sample (models/svd.h), so that any history is served.
///
/// One parameter θ with design x over ratings: precision λ + α·Σx², mean
/// (λμ + α·Σx·(e + x·θ)) / precision. For all of a listener's parameters x is
/// Q_if times a constant, so A_u = ΣQ_if² and B_u = Σe·Q_if are summed once a
/// factor, and drawing y_jf costs only as much as there are listeners who chose
/// j. A sweep is O((ratings + chosen)·d) multiply-adds.
///
/// Threads: rows of p (q) are drawn at once, y (w) one after the other. Every
/// draw has its own random stream: same bytes for any number of threads.
std::unique_ptr<Trainer> MakeSvdppGibbsTrainer();

}  // namespace segue::train
