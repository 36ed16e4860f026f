#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// EASE^R (models/ease.h). Inverts the smaller of X·Xᵀ and XᵀX, plus λ
/// (math/inverse.h): O(min(listeners, tracks)³), and that squared of memory.
/// Above ease.max_dense (of the smaller side) every track is predicted from its
/// ease.neighbours nearest alone (train/ease_sparse.h). Same bytes for any number
/// of threads.
///
/// NDCG@10, seconds and peak memory of the program, synthetic, 100,000 listeners
/// and so many of 50,000 tracks, two cores under load (5 to 8),
/// with ease.popularity_penalty and ease.listener_exponent 0:
///
///   tracks   exact                    300 nearest             100 nearest
///    4,000   .1439    1.6 s  0.2 GB   .1398   1.9 s  0.2 GB   .1341  0.6 s
///    8,000   .1786   12.7 s  0.7 GB   .1784   5.9 s  0.4 GB   .1778  1.9 s
///   12,000   .1012   35.0 s  1.3 GB   .1028   6.9 s  0.9 GB   .1014  2.6 s
///   16,000   .0886  119.6 s  2.3 GB   .0894  18.2 s  1.0 GB   .0882  3.6 s
///   50,000   (20 GB)                  .1104  78.4 s  1.5 GB   .1082  25.6 s
///
/// so that from 8,000 the nearest are as accurate, in less than half the time.
/// On real data (ease.max_dense=1): MovieLens-1M .2482 for .2476, lastfm-2k .2340
/// for .2363. By count, a million tracks of 300 neighbours make an artifact of
/// 2.4 GB and need 8 GB: lower ease.neighbours there.
///
/// Weights W of listeners and penalties Λ of tracks:
///
///   w_u = (n_u / mean n)^-β                  n_u tracks of listener u, β = ease.listener_exponent
///   λ_i = λ + ease.popularity_penalty · g_ii   g_ii = Σ_u w_u·x_ui²
///   λ   = ease.regularization · mean of w_u·x_ui² · sqrt(mean listeners of a track)
///
/// w_u: else those with long histories, whose tracks say least of each other,
/// decide. λ_i: a predictor drops out more often the more listeners it has, as in
/// Steck's denoising (models/ease.h; there p/(1 − p)·g_ii); λ: one setting for
/// catalogues of any density and weights of any size. NDCG@10 on a held-out fifth
/// of the training parts, the mean of so many fifths, before (β = 0, no
/// popularity_penalty, regularization 35) and with the defaults, which are the
/// same for all three (grid of β to .6, popularity_penalty to 3, regularization
/// 20 to 60; neighbours of the best lie within .001):
///
///   MovieLens-100k, 4 and 5 stars (3)   .2237   .2289
///   Last.fm-2k (3)                      .1738   .1780
///   MovieLens-1M, 3 stars and more (1)  .2451   .2536
std::unique_ptr<Trainer> MakeEaseTrainer();

}  // namespace segue::train
