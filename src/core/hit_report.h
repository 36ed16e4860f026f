#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace segue {

/// One classifier of hits judged on held-out songs. Figures are defined in
/// evaluate/classification.h.
struct HitReport {
  std::string model_id;
  std::string algorithm;
  std::string dataset_id;
  uint64_t trained = 0;                ///< labelled songs of the artists that are not held out
  uint64_t songs = 0;                  ///< n, held out
  std::vector<std::string> labels;     ///< two: no hit, hit
  double accuracy = 0;
  double auc = 0;
  double log_loss = 0;
  struct OfClass {
    double precision = 0, recall = 0, f1 = 0;
    uint64_t support = 0;
  };
  std::vector<OfClass> of_class;       ///< [labels]
  std::vector<uint64_t> confusion;     ///< [labels x labels] row: what it is; column: what it was taken for
  // A song each, what paired tests need. The same order for every model on one hold-out.
  std::vector<uint8_t> hit;            ///< [n] what it is
  std::vector<float> probability;      ///< [n] of being a hit, as predicted
};

}  // namespace segue
