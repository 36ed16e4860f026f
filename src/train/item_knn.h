#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Nearest tracks of every track (models/item_knn.h), by the listeners they
/// have in common: train/knn_matrix.h has the weightings and similarities.
///
/// Gustavson's sparse product, a row of it at a time: Σ_u |u|² multiply-adds, u
/// a listener's tracks; the row's nearest are picked at once, so that the whole
/// product is never kept. Rows are shared out to threads, each is summed in
/// listener order: same bytes for any number of threads. Memory: the matrix
/// three times, the lists twice.
std::unique_ptr<Trainer> MakeItemKnnTrainer();

}  // namespace segue::train
