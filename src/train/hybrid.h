#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// The hybrid: many models' candidates, one learned order (models/hybrid.h).
///
///   1. Every member (train/hybrid_members.h) is fitted on all the data; one
///      that cannot learn from them (no tags, no friends) is left out.
///   2. On hybrid.folds inner splits (train/inner_split.h) the members are
///      fitted again without what is held out, and rank for up to
///      hybrid.lists listeners: once knowing his whole past, once five tracks
///      of it (train/hybrid_lists.h). Candidates that were held out are relevant.
///   3. The members' weights are selected on these lists
///      (train/ensemble_selection.h), for listeners of long past and of short
///      past apart. Members of next to no weight are left out of the model.
///   4. LambdaMART (train/lambdamart.h) grows trees on top, on the lists of
///      four fifths of the listeners. How many is decided by NDCG on the other
///      fifth; they stay only where they gain there by more than two standard
///      errors, and are then grown again on all lists.
///
/// Source: stacking, Wolpert, "Stacked generalization", Neural Networks 1992,
/// with held-out predictions as he asks for; selection: Caruana et al., ICML
/// 2004; the ranker: Burges 2010.
///
/// Needs (1 + folds) fits of every member. Members fit one after the other,
/// each on all cores; the lists need about 2 · lists · folds · 5 kB and twice
/// that for each member. Same bytes for any number of threads.
std::unique_ptr<Trainer> MakeHybridTrainer();

}  // namespace segue::train
