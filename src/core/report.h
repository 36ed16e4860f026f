#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace segue {

/// A mean over listeners with its bootstrap interval (95 %).
struct Figure {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// Listeners by how many tracks the past that a model is given has.
enum class Segment : uint8_t { kNew, kLight, kHeavy };
inline constexpr int kSegments = 3;
/// "new", "light", "heavy".
std::string_view Name(Segment segment);

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
  std::vector<Segment> segment;  ///< [listeners], the same order
};

/// A figure's mean over the listeners of one segment; NaN where there are none
/// of whom it is known.
double MeanOf(const Report& report, const std::string& figure, Segment segment);

}  // namespace segue
