#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace segue {

/// A mean over listeners with its bootstrap interval (95 %).
struct Figure {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// One model judged on one hold-out. Names of figures: "mrr", "mrr_of_record",
/// "hit_rate@10", "ndcg@10", "recall@20", "precision@10", "map@10",
/// "coverage@10", ...: evaluate/evaluator.h defines each.
struct Report {
  std::string model_id;
  std::string algorithm;
  std::string dataset_id;
  std::string protocol;          ///< "discovery" or "next"
  uint64_t listeners = 0;        ///< listeners with at least one held-out track
  uint64_t held_out = 0;         ///< held-out (listener, track) pairs
  uint64_t catalogue = 0;        ///< tracks that were ranked
  std::map<std::string, Figure> figures;
  /// Figure name -> one value a listener, in the hold-out's order of listeners;
  /// what paired tests need. The same order for every model on one hold-out.
  std::map<std::string, std::vector<double>> per_listener;
};

}  // namespace segue
