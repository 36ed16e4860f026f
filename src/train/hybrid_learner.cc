#include "train/hybrid_learner.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "math/parallel.h"
#include "models/hit_chance.h"
#include "train/ensemble_selection.h"

namespace segue::train {
namespace {

constexpr size_t kPatience = 30;      ///< trees without a better NDCG before the search ends
constexpr size_t kTreeListeners = 100;  ///< of fewer, trees learn who these listeners are
constexpr double kSureGain = 2;       ///< standard errors; below, trees or one member alone may be better by chance
constexpr size_t kManyLists = 1000;   ///< from here on a fifth of them is enough to judge a choice on
constexpr float kLeastWeight = 0.02f;  ///< members of less are left out: each costs a fold-in and a scan per request

/// What the last tree adds on lists that it did not grow on.
void AddLastTree(const math::Trees& trees, const RankingData& data, std::span<float> scores) {
  math::TreesView last(trees);
  last.roots = last.roots.subspan(trees.roots.size() - 1);
  math::ParallelFor(data.rows(), [&](size_t r) { scores[r] += last.Predict(data.features.data() + r * data.width); });
}

std::vector<float> Alone(size_t member, size_t members) {
  std::vector<float> weights(members, 0.0f);
  weights[member] = 1;
  return weights;
}

/// The mean gain of a listener in standard errors; by listener, because his
/// lists resemble each other.
///   listeners, gains  [lists]
double InStandardErrors(std::span<const UserIx> listeners, std::span<const double> gains) {
  std::map<UserIx, std::pair<double, double>> of;  // sum, lists
  for (size_t i = 0; i < gains.size(); ++i) {
    auto& [sum, count] = of[listeners[i]];
    sum += gains[i];
    count += 1;
  }
  const auto n = static_cast<double>(of.size());
  double sum = 0;
  double squares = 0;
  for (const auto& [listener, own] : of) {
    const double mean = own.first / own.second;
    sum += mean;
    squares += mean * mean;
  }
  if (of.empty()) return 0;
  const double variance = squares / n - (sum / n) * (sum / n);
  return variance > 0 ? sum / n / std::sqrt(variance / n) : 0;
}

RankingData WithoutColumn(const RankingData& data, size_t column) {
  RankingData rest{.begin = data.begin, .relevant = data.relevant, .missing = data.missing, .width = data.width - 1};
  for (size_t k = 0; k < data.features.size(); ++k) {
    if (k % data.width != column) rest.features.push_back(data.features[k]);
  }
  return rest;
}

/// Members that are worth a part in serving: those of some weight, and what
/// knows tracks that these do not (what nobody has played).
std::vector<size_t> WorthKeeping(std::span<const float> few, std::span<const float> many, std::span<const HybridList> lists) {
  std::vector<uint8_t> keep(few.size(), 0);
  for (size_t m = 0; m < few.size(); ++m) keep[m] = few[m] >= kLeastWeight || many[m] >= kLeastWeight ? 1 : 0;
  while (true) {
    std::vector<size_t> knows(few.size(), 0);  // of the candidates that no kept member knows
    for (const HybridList& list : lists) {
      for (size_t c = 0; c < list.candidates.tracks.size(); ++c) {
        const float* scores = list.candidates.scores.data() + c * few.size();
        bool known = false;
        for (size_t m = 0; m < few.size(); ++m) known = known || (keep[m] != 0 && scores[m] != models::kNever);
        for (size_t m = 0; m < few.size() && !known; ++m) knows[m] += scores[m] != models::kNever ? 1 : 0;
      }
    }
    const auto most = std::max_element(knows.begin(), knows.end());
    if (*most == 0) break;
    keep[static_cast<size_t>(most - knows.begin())] = 1;
  }
  std::vector<size_t> kept;
  for (size_t m = 0; m < keep.size(); ++m) {
    if (keep[m] != 0) kept.push_back(m);
  }
  return kept;
}

class Learner {
 public:
  Learner(const Settings& settings, uint64_t seed, Instruments& instruments) : settings_(settings), seed_(seed), instruments_(instruments) {}

  /// The ranker into `parts`, whose members become those that it uses.
  void Learn(HybridLists lists, std::vector<HybridMember> members, models::HybridModel::Parts& parts) {
    if (lists.many.empty()) {  // nothing to learn from: the first member alone
      parts.members.resize(1);
      parts.few = parts.many = {1.0f};
      return;
    }
    Report(lists, members);
    DropHitChanceUnlessItHelps(lists, members, parts);
    const bool one_for_few = OneFor(lists.few, "newcomers"), one_for_many = OneFor(lists.many, "others");
    const auto kept = WorthKeeping(Weights(lists.few, one_for_few), Weights(lists.many, one_for_many), lists.many);
    lists = {Only(lists.many, kept), Only(lists.few, kept)};
    std::vector<std::unique_ptr<models::Model>> fitted;
    for (const size_t m : kept) fitted.push_back(std::move(parts.members[m]));
    parts.members = std::move(fitted);
    parts.few = Weights(lists.few, one_for_few);
    parts.many = Weights(lists.many, one_for_many);
    parts.many_wanted = MedianWanted(lists.many);
    for (size_t k = 0; k < kept.size(); ++k) {
      instruments_.Log(LogLevel::kInfo, "train", "hybrid: weight of " + members[kept[k]].name + ": " + std::to_string(parts.many[k]) +
                       ", of newcomers " + std::to_string(parts.few[k]), {{"weight", parts.many[k]}, {"few", parts.few[k]}});
    }
    const size_t trees = BestTrees(lists.many, one_for_many);
    if (trees == 0) return;
    const RankingData all = StandardRows(lists.many);
    const RankingData features = FeatureRows(lists.many);
    std::vector<float> scores = MeanScores(parts.many, all), gradient(all.rows()), hessian(all.rows());
    math::TreeGrower grower(features.features, features.width, TreesOf());
    for (size_t t = 0; t < trees; ++t) {
      LambdaGradients(features, scores, truncation(), gradient, hessian);
      grower.Grow(gradient, hessian, parts.trees, scores);
    }
  }

 private:
  size_t truncation() const { return static_cast<size_t>(settings_.hybrid.truncation); }

  math::TreeSettings TreesOf() const {
    return {.depth = static_cast<int>(settings_.hybrid.depth), .learning_rate = settings_.hybrid.learning_rate, .l2 = 1,
            .min_child_hessian = 0.1, .min_child_rows = 50};
  }

  void Say(const std::string& who, double quality) {
    instruments_.Log(LogLevel::kInfo, "train", "hybrid: " + who + ": NDCG " + std::to_string(quality), {{"ndcg", quality}});
  }

  void Report(const HybridLists& lists, std::span<const HybridMember> members) {
    const RankingData many = StandardRows(lists.many);
    const RankingData few = StandardRows(lists.few);
    for (size_t m = 0; m < members.size(); ++m) {
      const auto alone = Alone(m, members.size());
      Say(members[m].name + " alone", ListQuality(many, MeanScores(alone, many)));
      Say(members[m].name + " alone, of newcomers", ListQuality(few, MeanScores(alone, few)));
    }
  }

  /// The fifths to judge choices on that were made on the others: one where it
  /// has lists enough, else each in turn.
  static std::vector<uint8_t> Judges(std::span<const HybridList> lists) {
    if (lists.size() >= kManyLists) return {0};
    std::vector<uint8_t> all(kFifths);
    std::iota(all.begin(), all.end(), uint8_t{0});
    return all;
  }

  /// How much of a hit a track is says nothing of who likes it: that takes part
  /// only where lists are surely better with it.
  void DropHitChanceUnlessItHelps(HybridLists& lists, std::vector<HybridMember>& members, models::HybridModel::Parts& parts) {
    std::vector<size_t> rest;
    for (size_t m = 0; m < members.size(); ++m) {
      const bool hits = members[m].algorithm == models::HitChanceModel::kAlgorithm;
      if (!hits || members.size() == 1 || Helps(lists.many, m) || Helps(lists.few, m)) rest.push_back(m);
    }
    if (rest.size() == members.size()) return;
    instruments_.Log(LogLevel::kInfo, "train", "hybrid: hit chances are left out: lists are not surely better with them", {});
    lists = {Only(lists.many, rest), Only(lists.few, rest)};
    std::vector<HybridMember> kept;
    std::vector<std::unique_ptr<models::Model>> fitted;
    for (const size_t m : rest) {
      kept.push_back(std::move(members[m]));
      fitted.push_back(std::move(parts.members[m]));
    }
    members = std::move(kept);
    parts.members = std::move(fitted);
  }

  /// Is a mean that was selected with this member surely better than one that
  /// was selected without, on the lists of other listeners?
  bool Helps(std::span<const HybridList> lists, size_t member) const {
    return SurelyGains(lists, [&](const RankingData& others, const RankingData& fifth) {
      const RankingData less = WithoutColumn(fifth, member);
      auto gains = ListQualities(fifth, MeanScores(SelectEnsemble(others, seed_), fifth));
      const auto without = ListQualities(less, MeanScores(SelectEnsemble(WithoutColumn(others, member), seed_), less));
      for (size_t list = 0; list < gains.size(); ++list) gains[list] -= without[list];
      return gains;
    });
  }

  /// gains(others, fifth): [lists of the fifth] differences of quality by a
  /// choice that was made on the others.
  template <typename Gains>
  bool SurelyGains(std::span<const HybridList> lists, const Gains& gains_of) const {
    std::vector<double> gains;
    std::vector<UserIx> listeners;
    for (const uint8_t fifth : Judges(lists)) {
      const RankingData others = StandardRows(lists, {Part::kOthers, fifth}), own = StandardRows(lists, {Part::kFifth, fifth});
      if (others.lists() == 0 || own.lists() == 0) continue;
      const auto more = gains_of(others, own);
      const auto whose = Listeners(lists, {Part::kFifth, fifth});
      gains.insert(gains.end(), more.begin(), more.end());
      listeners.insert(listeners.end(), whose.begin(), whose.end());
    }
    return InStandardErrors(listeners, gains) > kSureGain;
  }

  /// Shall one member order these lists, as it is surely better than any mean?
  bool OneFor(std::span<const HybridList> lists, const std::string& whom) {
    const bool one = SurelyGains(lists, [&](const RankingData& others, const RankingData& fifth) { return GainsOfOne(others, fifth, seed_); });
    if (one) instruments_.Log(LogLevel::kInfo, "train", "hybrid: one member orders the lists of " + whom + " better than a mean of several", {});
    return one;
  }

  std::vector<float> Weights(std::span<const HybridList> lists, bool one, Part part = {}) const {
    const RankingData rows = StandardRows(lists, part);
    return one ? BestColumn(rows) : SelectEnsemble(rows, seed_);
  }

  static float MedianWanted(std::span<const HybridList> lists) {
    constexpr float kLeast = 2 * models::Ranker::kFew;
    std::vector<uint32_t> wanted;
    for (const HybridList& list : lists) wanted.push_back(list.candidates.wanted);
    if (wanted.empty()) return kLeast;
    const auto middle = wanted.begin() + static_cast<std::ptrdiff_t>(wanted.size() / 2);
    std::nth_element(wanted.begin(), middle, wanted.end());
    return std::max(kLeast, static_cast<float>(*middle));
  }

  /// How many trees are best for listeners that they did not grow on; 0 where
  /// they are not surely better than none.
  size_t BestTrees(std::span<const HybridList> lists, bool one) {
    const auto all = Listeners(lists);
    if (std::set<UserIx>(all.begin(), all.end()).size() < kTreeListeners) return 0;
    std::vector<Trial> trials;
    for (const uint8_t fifth : Judges(lists)) trials.emplace_back(*this, lists, fifth, Weights(lists, one, {Part::kOthers, fifth}));
    std::erase_if(trials, [](const Trial& trial) { return trial.empty(); });
    if (trials.empty()) return 0;
    std::vector<UserIx> listeners;
    for (const Trial& trial : trials) listeners.insert(listeners.end(), trial.listeners.begin(), trial.listeners.end());
    const auto before = Qualities(trials);
    auto best_lists = before;
    Say(one ? "best alone" : "weighted mean", Mean(before));
    size_t best = 0;
    const auto most = static_cast<size_t>(settings_.hybrid.trees);
    for (size_t t = 1; t <= most && t - best <= kPatience && !instruments_.Cancelled(); ++t) {
      for (Trial& trial : trials) trial.Grow(truncation());
      auto qualities = Qualities(trials);
      if (Mean(qualities) > Mean(best_lists)) {
        best_lists = std::move(qualities);
        best = t;
      }
      instruments_.Progress("train", t, most, "trees");
    }
    Say("with " + std::to_string(best) + " trees", Mean(best_lists));
    for (size_t list = 0; list < before.size(); ++list) best_lists[list] -= before[list];
    return InStandardErrors(listeners, best_lists) > kSureGain ? best : 0;
  }

  /// Trees that grow on four fifths of the listeners and are judged on the other.
  struct Trial {
    Trial(const Learner& learner, std::span<const HybridList> lists, uint8_t fifth, std::span<const float> weights)
        : learn(FeatureRows(lists, {Part::kOthers, fifth})),
          judge(FeatureRows(lists, {Part::kFifth, fifth})),
          listeners(Listeners(lists, {Part::kFifth, fifth})),
          scores(MeanScores(weights, StandardRows(lists, {Part::kOthers, fifth}))),
          judged(MeanScores(weights, StandardRows(lists, {Part::kFifth, fifth}))),
          grower(empty() ? nullptr : std::make_unique<math::TreeGrower>(learn.features, learn.width, learner.TreesOf())) {}

    bool empty() const { return learn.lists() == 0 || judge.lists() == 0; }

    void Grow(size_t truncation) {
      std::vector<float> gradient(learn.rows()), hessian(learn.rows());
      LambdaGradients(learn, scores, truncation, gradient, hessian);
      grower->Grow(gradient, hessian, trees, scores);
      AddLastTree(trees, judge, judged);
    }

    RankingData learn, judge;
    std::vector<UserIx> listeners;  ///< of judge's lists
    std::vector<float> scores, judged;
    std::unique_ptr<math::TreeGrower> grower;
    math::Trees trees;
  };

  static std::vector<double> Qualities(std::span<const Trial> trials) {
    std::vector<double> all;
    for (const Trial& trial : trials) {
      const auto of_trial = ListQualities(trial.judge, trial.judged);
      all.insert(all.end(), of_trial.begin(), of_trial.end());
    }
    return all;
  }

  static double Mean(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }

  const Settings& settings_;
  uint64_t seed_;
  Instruments& instruments_;
};

}  // namespace

void LearnRanker(HybridLists lists, std::vector<HybridMember> members, const Settings& settings, uint64_t seed,
                 Instruments& instruments, models::HybridModel::Parts& parts) {
  Learner(settings, seed, instruments).Learn(std::move(lists), std::move(members), parts);
}

}  // namespace segue::train
