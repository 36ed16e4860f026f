#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Factors and track biases from pairs of a track that the listener wants and
/// one that he does not, s(u, i) = x_u·y_i + b_i (models/pairwise.h).
///
/// BPR minimises Σ_{u, i∈S_u, j∉S_u} −w_ui·ln σ(s(u,i) − s(u,j)) + λ-penalty,
/// j drawn one a pair and epoch.
/// Source: Rendle, Freudenthaler, Gantner, Schmidt-Thieme, "BPR: Bayesian
/// Personalized Ranking from Implicit Feedback", UAI 2009, section 4 (BPR-Opt) and
/// Fig. 4. Departure: j by popularity to the power 0.5, not uniform.
std::unique_ptr<Trainer> MakeBprTrainer();

/// WARP draws j until s(u,j) > s(u,i) − 1, at most 20 times, and minimises
/// Σ_{u, i∈S_u} w_ui·L(rank)·(1 − s(u,i) + s(u,j))₊, rank estimated from the draws
/// that it took: the top of the list counts most.
/// Source: Weston, Bengio, Usunier, "WSABIE", IJCAI 2011, algorithm 1, with
/// listeners for images, as in LightFM (Kula 2015).
std::unique_ptr<Trainer> MakeWarpTrainer();

// Both: w_ui = ln(1 + strength) over its mean; what was met and not wanted, and
// what is disliked, counts as not wanted; steps shrink linearly to 0 over the
// epochs. The steps, their order and their share of the cores:
// train/pairwise_steps.h; the same bytes for any number of threads. An epoch is
// O(pairs·d), WARP's up to the trials more.

}  // namespace segue::train
