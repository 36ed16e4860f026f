#pragma once

#include <memory>

#include "train/classifier_trainer.h"

// The makers that train/classifiers.cc lists; each one's file has the formulas.

namespace segue::train {

std::unique_ptr<ClassifierTrainer> MakeKnnClassifierTrainer();   ///< knn_classifier.cc
std::unique_ptr<ClassifierTrainer> MakeLogisticTrainer();        ///< logistic.cc
std::unique_ptr<ClassifierTrainer> MakeMlpTrainer();             ///< mlp.cc
std::unique_ptr<ClassifierTrainer> MakeEnsembleTrainer();        ///< ensemble.cc

}  // namespace segue::train
