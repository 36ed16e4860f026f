#pragma once

#include <memory>

#include "train/classifier_trainer.h"

namespace segue::train {

/// `gradient_boosting`: trees on the gradients of the log loss (math/trees.h),
/// over a sample of rows and of columns each.
///
///   two labels   g = p - y,        h = p·(1 - p),        p = 1 / (1 + exp(-f))
///   more         g_c = p_c - y_c,  h_c = p_c·(1 - p_c),  p = softmax f, a tree a label
///
/// f starts from the labels' shares. Source: Friedman, "Greedy Function
/// Approximation: A Gradient Boosting Machine", Annals of Statistics 29, 2001,
/// with second-order leaves; "Stochastic Gradient Boosting", 2002.
///
/// The number of rounds: grown on all but a holdout of whole artists (an
/// artist's songs are alike, one in each part would flatter late rounds), the
/// best round by the holdout's log loss counts; then all is grown again on all
/// rows with as many. Columns: features, their CD frame offset and the sums and
/// differences (math/bin_pairs.h) of the features that a short boosting gains
/// most by.
///
/// Bags are whole ensembles of other seeds; their sums are averaged. Tree t of
/// bag b draws from its own stream: same bytes for any number of threads.
/// O(trees · rows · columns · depth).
std::unique_ptr<ClassifierTrainer> MakeBoostingTrainer();

}  // namespace segue::train
