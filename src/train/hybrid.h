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
///   3. LambdaMART (train/lambdamart.h) learns the order on four fifths of
///      those listeners; the number of trees is where NDCG is best on the other
///      fifth. If no trees beat the best member there, that member ranks
///      alone: the hybrid is never meant to be worse than its best member.
///   4. The trees grow again, as many, on all of those listeners.
///
/// Source: stacking, Wolpert, "Stacked generalization", Neural Networks 1992,
/// with held-out predictions as he asks for; the ranker: Burges 2010.
///
/// Needs (1 + folds) fits of every member. Members fit one after the other,
/// each on all cores; the ranker's rows need about lists · folds · 1.2 kB a
/// candidate-hundred and member. Same bytes for any number of threads.
std::unique_ptr<Trainer> MakeHybridTrainer();

}  // namespace segue::train
