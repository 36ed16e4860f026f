#include "train/search_space.h"

#include <cmath>
#include <cstdio>
#include <set>

#include "models/ensemble_classifier.h"
#include "train/member_list.h"

namespace segue::train {
namespace {

constexpr SearchRange kRanges[] = {
    // recommenders
    {"trending", "trending.half_life_days", 1, 365, false, true},
    {"item_knn", "item_knn.weighting", 0, 0, false, false, "log|bm25|tfidf"},
    {"item_knn", "item_knn.neighbours", 30, 400, true, true},
    {"item_knn", "item_knn.shrinkage", 0, 50},
    {"item_knn", "item_knn.popular", 0.2, 0.6},
    {"user_knn", "user_knn.weighting", 0, 0, false, false, "log|bm25|tfidf"},
    {"user_knn", "user_knn.neighbours", 20, 400, true, true},
    {"user_knn", "user_knn.locality", 0.5, 4, false, true},
    {"ials", "ials.factors", 32, 192, true, true},
    {"ials", "ials.alpha", 0.3, 12, false, true},
    {"ials", "ials.regularization", 0.3, 12, false, true},
    {"ials", "ials.frequency_exponent", 0.2, 0.9},
    {"ials", "ials.confidence", 0, 0, false, false, "linear|log"},
    {"ials_content", "ials.factors", 32, 192, true, true},
    {"ials_content", "ials.alpha", 0.3, 12, false, true},
    {"ials_content", "ials.regularization", 0.3, 12, false, true},
    {"ials_content", "ials_content.regularization", 0.03, 10, false, true},
    {"ials_content", "ials_content.prior_listeners", 1, 100, false, true},
    {"ease", "ease.regularization", 3, 300, false, true},
    {"ease", "ease.popularity_penalty", 0, 6},
    {"ease", "ease.listener_exponent", 0, 0.8},
    {"bpr", "bpr.learning_rate", 0.03, 1, false, true},
    {"bpr", "bpr.regularization", 0.005, 0.5, false, true},
    {"warp", "warp.learning_rate", 0.02, 0.5, false, true},
    {"warp", "warp.regularization", 0.02, 1, false, true},
    {"content", "content.audio_weight", 0.02, 2, false, true},
    {"content", "content.popularity_weight", 0.05, 2, false, true},
    {"content_text", "content.popularity_weight", 0.05, 2, false, true},
    {"content_audio", "content.popularity_weight", 0.05, 2, false, true},
    {"session_knn", "session_knn.neighbours", 20, 400, true, true},
    {"session_knn", "session_knn.long_term", 0, 1},
    {"session_knn", "session_knn.window_half_life", 5, 100, false, true},
    {"markov", "markov.steps", 2, 30, true, true},
    {"markov", "markov.long_term", 0, 1},
    {"markov", "markov.smoothing", 1, 50, false, true},
    // classifiers of songs
    {"knn", "knn.neighbours", 10, 150, true, true},
    {"knn", "knn.power", 0, 4},
    {"knn", "knn.scales", 0, 0, false, false, "equal|learned"},
    {"logistic", "logistic.regularization", 0.01, 1000, false, true},
    {"logistic", "logistic.parts", 0, 16, true},
    {"logistic", "logistic.interactions", 0, 0, false, false, "none|pairs"},
    {"mlp", "mlp.hidden", 48, 320, true, true},
    {"mlp", "mlp.hidden2", 32, 160, true, true},
    {"mlp", "mlp.learning_rate", 5e-4, 1e-2, false, true},
    {"mlp", "mlp.weight_decay", 1e-3, 0.5, false, true},
    {"mlp", "mlp.dropout", 0, 0.5},
    {"mlp", "mlp.parts", 4, 30, true, true},
    {"random_forest", "forest.tried", 1, 12, true, true},
    {"random_forest", "forest.min_leaf_rows", 1, 30, true, true},
    {"random_forest", "forest.bootstrap", 0, 1, true},
    {"extra_trees", "extra_trees.tried", 1, 12, true, true},
    {"extra_trees", "extra_trees.min_leaf_rows", 1, 30, true, true},
    {"extra_trees", "extra_trees.bootstrap", 0, 1, true},
    {"gradient_boosting", "boosting.learning_rate", 0.01, 0.2, false, true},
    {"gradient_boosting", "boosting.depth", 3, 10, true},
    {"gradient_boosting", "boosting.l2", 0.1, 100, false, true},
    {"gradient_boosting", "boosting.min_child_rows", 5, 200, true, true},
    {"gradient_boosting", "boosting.rows", 0.4, 1},
    {"gradient_boosting", "boosting.columns", 0.3, 1},
};

}  // namespace

std::string Draw(const SearchRange& range, Random& random) {
  if (!range.choices.empty()) {
    const auto choices = SplitList(range.choices, '|');
    return choices[random.Below(choices.size())];
  }
  const double u = random.Uniform();
  const double value = range.logarithmic ? range.least * std::pow(range.most / range.least, u) : range.least + u * (range.most - range.least);
  char text[32];
  std::snprintf(text, sizeof text, range.whole ? "%.0f" : "%.3g", value);
  return text;
}

std::vector<SearchRange> SearchRanges(std::string_view algorithm, const Settings& settings) {
  std::vector<SearchRange> ranges;
  if (algorithm == models::EnsembleClassifier::kAlgorithm) {
    std::set<std::string> members;
    for (const std::string& name : SplitList(settings.ensemble.members, ',')) members.insert(name.substr(0, name.find('(')));
    for (const std::string& member : members) {
      const auto more = SearchRanges(member, settings);
      ranges.insert(ranges.end(), more.begin(), more.end());
    }
    return ranges;
  }
  for (const SearchRange& range : kRanges) {
    if (range.algorithm == algorithm) ranges.push_back(range);
  }
  return ranges;
}

}  // namespace segue::train
