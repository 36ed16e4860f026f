#include "train/classifier_search.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>

#include "core/random.h"
#include "math/auc.h"
#include "models/ensemble_classifier.h"
#include "train/member_list.h"

namespace segue::train {
namespace {

constexpr SearchRange kRanges[] = {
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

/// Larger is better.
double Quality(const Trial& trial) { return std::isnan(trial.auc) ? -trial.log_loss : trial.auc; }

}  // namespace

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

Result<SearchResult> SearchSettings(const ClassifierTrainer& trainer, const SongTable& songs, std::span<const uint32_t> rows,
                                    const Settings& settings, const SearchBudget& budget, size_t folds, FoldsBy by, uint64_t seed,
                                    const std::function<double()>& now, Instruments& instruments) {
  const auto ranges = SearchRanges(trainer.algorithm(), settings);
  if (ranges.empty()) {
    return Error{ErrorCode::kInvalid, "search: " + std::string(trainer.algorithm()) + " has no settings that a search tries; use --set"};
  }
  const auto fold_of = SongFolds(songs, rows, folds, by, seed);
  const std::vector<int32_t> label = LabelsOf(songs, rows);
  const size_t labels = songs.labels.size();
  const double start = now();
  SearchResult result;
  for (size_t t = 0; t < budget.trials; ++t) {
    if (t > 0 && budget.seconds > 0 && now() - start >= budget.seconds) break;
    Random random(seed, t);
    Trial trial;
    Settings with = settings;
    for (size_t i = 0; t > 0 && i < ranges.size(); ++i) {
      const auto& best = result.trials[result.best].settings;
      const bool near = t > 6 && t % 2 == 0 && !best.empty() && random.Uniform() >= 1.0 / 3;
      const std::string text = near ? best[i].second : Draw(ranges[i], random);
      SEGUE_RETURN_IF_ERROR(Set(with, ranges[i].setting, text));
      trial.settings.emplace_back(ranges[i].setting, text);
    }
    SEGUE_TRY(const auto p, OutOfFold(trainer, songs, rows, fold_of, folds, with, seed, instruments));
    trial.log_loss = MeanLogLoss(p, label, labels);
    trial.auc = std::numeric_limits<double>::quiet_NaN();
    if (labels == 2) {
      std::vector<float> score;
      std::vector<uint8_t> positive;
      for (size_t i = 0; i < label.size(); ++i) {
        score.push_back(p[2 * i + 1]);
        positive.push_back(label[i] == 1 ? 1 : 0);
      }
      trial.auc = math::Auc(score, positive);
    }
    trial.seconds = now() - start;
    result.trials.push_back(std::move(trial));
    if (t == 0 || Quality(result.trials.back()) > Quality(result.trials[result.best])) {
      result.best = t;
      result.settings = with;
    }
    instruments.Progress("search", t + 1, budget.trials, "trials");
  }
  return result;
}

}  // namespace segue::train
