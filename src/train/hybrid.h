#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// The hybrid: many models' candidates, one learned order (models/hybrid.h).
///
///   1. Every member is fitted on all the data; one that cannot learn from
///      them (no tags, no friends) is left out.
///   2. On hybrid.folds inner splits (train/inner_split.h) the members are
///      fitted again without what is held out, and rank for up to
///      hybrid.lists listeners. Candidates that were held out are relevant.
///   3. A weighted sum of the members' standard scores and ranks goes down the
///      lists' loss from the best member alone; LambdaMART
///      (train/lambdamart.h) grows trees on top. They learn from four fifths
///      of those listeners; how many steps and trees is decided by NDCG on
///      the other fifth, where none at all leaves the best member as it is.
///   4. The same number of steps and trees again, on all of those listeners.
///
/// Source: stacking, Wolpert, "Stacked generalization", Neural Networks 1992,
/// with held-out predictions as he asks for; the ranker: Burges 2010.
///
/// Needs (1 + folds) fits of every member. Members fit one after the other,
/// each on all cores; the ranker's rows need about lists · folds · 1.2 kB a
/// candidate-hundred and member. Same bytes for any number of threads.
std::unique_ptr<Trainer> MakeHybridTrainer();

}  // namespace segue::train
