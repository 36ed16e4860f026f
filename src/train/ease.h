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
/// and so many of 50,000 tracks, two cores under load (5 to 8):
///
///   tracks   exact                    300 nearest             100 nearest
///    4,000   .1439    1.6 s  0.2 GB   .1398   1.9 s  0.2 GB   .1341  0.6 s
///    8,000   .1786   12.7 s  0.7 GB   .1784   5.9 s  0.4 GB   .1778  1.9 s
///   12,000   .1012   35.0 s  1.3 GB   .1028   6.9 s  0.9 GB   .1014  2.6 s
///   16,000   .0886  119.6 s  2.3 GB   .0894  18.2 s  1.0 GB   .0882  3.6 s
///   50,000   (20 GB)                  .1104  78.4 s  1.5 GB   .1082  25.6 s
///
/// so that from 8,000 the nearest are as accurate, in less than half the time.
/// On real data (ease.max_dense=1): MovieLens-1M .2454 for .2451, lastfm-2k .2359
/// for .2368. By count, a million tracks of 300 neighbours make an artifact of
/// 2.4 GB and need 8 GB: lower ease.neighbours there.
///
///   λ = ease.regularization · mean square of the weights · sqrt(mean listeners of a track)
///
/// so that one setting fits catalogues of any density and weights of any size:
/// the best λ on Last.fm-2k (play counts) and MovieLens-100k, by NDCG, differ by
/// a factor of 3.3; by this rule they come from 34 and 36.
std::unique_ptr<Trainer> MakeEaseTrainer();

}  // namespace segue::train
