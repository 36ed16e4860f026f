#include "train/hybrid.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/random.h"
#include "math/parallel.h"
#include "models/hybrid.h"
#include "models/liking.h"
#include "models/past.h"
#include "train/ensemble_selection.h"
#include "train/inner_split.h"
#include "train/lambdamart.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

using Members = std::vector<std::unique_ptr<models::Model>>;

constexpr size_t kPatience = 30;     ///< trees without a better NDCG before the search ends
constexpr double kSureGain = 2;      ///< standard errors; below, trees may have learned noise and are left out
constexpr uint64_t kValidation = 5;  ///< one listener in so many

std::vector<std::string> SplitNames(const std::string& text) {
  std::vector<std::string> names;
  for (size_t from = 0; from <= text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    std::string name = text.substr(from, comma - from);
    std::erase(name, ' ');
    if (!name.empty()) names.push_back(std::move(name));
    from = comma + 1;
  }
  return names;
}

/// Lists to learn from and lists to stop by.
struct Lessons {
  RankingData learn;
  RankingData validate;
};

void Append(const RankingData& list, RankingData& to) {
  to.features.insert(to.features.end(), list.features.begin(), list.features.end());
  to.relevant.insert(to.relevant.end(), list.relevant.begin(), list.relevant.end());
  to.missing.insert(to.missing.end(), list.missing.begin(), list.missing.end());
  to.begin.push_back(to.relevant.size());
}

/// What the last tree adds on lists that it did not grow on.
void AddLastTree(const math::Trees& trees, const RankingData& data, std::span<float> scores) {
  math::TreesView last(trees);
  last.roots = last.roots.subspan(trees.roots.size() - 1);
  math::ParallelFor(data.rows(), [&](size_t r) { scores[r] += last.Predict(data.features.data() + r * data.width); });
}

std::vector<float> LinearScores(std::span<const float> weights, const RankingData& data) {
  const models::Ranker ranker{weights, {}};
  std::vector<float> scores(data.rows());
  math::ParallelFor(data.rows(), [&](size_t r) { scores[r] = ranker.Linear(data.features.data() + r * data.width); });
  return scores;
}

/// [lists of both]
RankingData Both(const Lessons& lessons) {
  RankingData all = lessons.learn;
  const RankingData& more = lessons.validate;
  all.features.insert(all.features.end(), more.features.begin(), more.features.end());
  all.relevant.insert(all.relevant.end(), more.relevant.begin(), more.relevant.end());
  all.missing.insert(all.missing.end(), more.missing.begin(), more.missing.end());
  for (size_t list = 0; list < more.lists(); ++list) all.begin.push_back(all.begin.back() + more.begin[list + 1] - more.begin[list]);
  return all;
}

class HybridTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::HybridModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t seed,
                                             Instruments& instruments) const override {
    auto preferences = SumPreferences(data, {settings.skip_weight, settings.like_weight});
    models::ApplyLiking(preferences, models::LikedRule(settings.liked, preferences));
    if (std::none_of(preferences.items.begin(), preferences.items.end(), [](const Preference& p) { return p.strength > 0; })) {
      return Error{ErrorCode::kInvalid, "hybrid: there are no plays, likes or ratings to train on"};
    }
    return math::WithThreads(settings.threads, [&]() -> Result<std::unique_ptr<models::Model>> {
      std::vector<std::string> names;
      models::HybridModel::Parts parts;
      parts.catalogue = models::Catalogue(data.tracks.id, PopularityOf(preferences, data.tracks.size()));
      parts.best = static_cast<uint32_t>(settings.hybrid.candidates);
      SEGUE_TRY(parts.members, FitAble(data, settings, seed, instruments, names));
      SEGUE_TRY(const Lessons lessons, MakeLessons(data, settings, seed, instruments, names));
      Learn(lessons, names, settings, seed, instruments, parts);
      return models::HybridModel::Make(std::move(parts));
    });
  }

 private:
  /// The members that can learn from these data; their names into `names`.
  static Result<Members> FitAble(const Dataset& data, const Settings& settings, uint64_t seed, Instruments& instruments,
                                 std::vector<std::string>& names) {
    Members members;
    std::string why;
    for (const std::string& name : SplitNames(settings.hybrid.members)) {
      if (name == models::HybridModel::kAlgorithm) return Error{ErrorCode::kInvalid, "hybrid.members: a hybrid cannot be a member of itself"};
      auto trainer = MakeTrainer(name);
      if (!trainer.ok()) return trainer.error().In("hybrid.members");
      // Without friends they would be user_knn once more.
      if (name == "friends" && data.friends.begin.empty()) continue;
      auto model = (*trainer)->Fit(data, settings, seed, instruments);
      if (model.ok()) {
        members.push_back(*std::move(model));
        names.push_back(name);
      } else if (model.error().code == ErrorCode::kInvalid) {
        why = model.error().message;
        instruments.Log(LogLevel::kInfo, "train", "hybrid: without " + name + ": " + why, {});
      } else {
        return model.error();
      }
    }
    if (members.empty()) return Error{ErrorCode::kInvalid, "hybrid: no member can learn from these data: " + why};
    return members;
  }

  static Result<Lessons> MakeLessons(const Dataset& data, const Settings& settings, uint64_t seed, Instruments& instruments,
                                     const std::vector<std::string>& names) {
    Lessons lessons;
    lessons.learn.width = lessons.validate.width = models::RankingFeatures(names.size());
    for (uint32_t fold = 0; fold < static_cast<uint32_t>(settings.hybrid.folds); ++fold) {
      const InnerSplit split = SplitInside(data, models::LikedRule(settings.liked, data), seed, fold);
      Members members;
      for (const std::string& name : names) {
        SEGUE_TRY(const auto trainer, MakeTrainer(name));
        auto model = trainer->Fit(split.train, settings, seed, instruments);
        // Less data than before: a member may find nothing in them.
        if (!model.ok() && model.error().code == ErrorCode::kInvalid) return lessons;
        if (!model.ok()) return model.error();
        members.push_back(*std::move(model));
      }
      AddFold(split, members, settings, seed, lessons);
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "hybrid: asked to stop"};
    }
    return lessons;
  }

  static void AddFold(const InnerSplit& split, const Members& members, const Settings& settings, uint64_t seed, Lessons& lessons) {
    std::vector<std::pair<uint64_t, uint32_t>> chosen;  // hash, listener
    for (uint32_t u = 0; u < split.train.listener_count(); ++u) {
      if (!split.held[u].empty() && !split.train.EventsOf(UserIx{u}).empty()) chosen.emplace_back(Random(seed, u).Next(), u);
    }
    std::sort(chosen.begin(), chosen.end());
    chosen.resize(std::min(chosen.size(), static_cast<size_t>(settings.hybrid.lists)));

    const StrengthRule rule{settings.skip_weight, settings.like_weight};
    auto preferences = SumPreferences(split.train, rule);
    models::ApplyLiking(preferences, models::LikedRule(settings.liked, preferences));
    const models::Catalogue catalogue(split.train.tracks.id, PopularityOf(preferences, split.train.tracks.size()));
    const models::RowMap rows(*members.front(), split.train.tracks.id);
    std::vector<RankingData> lists(chosen.size());
    math::ParallelFor(chosen.size(), [&](size_t i) {
      const UserIx user{chosen[i].second};
      const auto past = rows.PastOf(split.train.listeners[Raw(user)], split.train.EventsOf(user), rule);
      lists[i] = List(members, catalogue, past, split.held[Raw(user)], static_cast<size_t>(settings.hybrid.candidates));
    });
    for (size_t i = 0; i < lists.size(); ++i) {
      if (lists[i].rows() == 0) continue;
      Append(lists[i], chosen[i].first % kValidation == 0 ? lessons.validate : lessons.learn);
    }
  }

  /// One listener's unheard candidates.
  static RankingData List(const Members& members, const models::Catalogue& catalogue, const models::Past& past,
                          const std::vector<TrackIx>& held, size_t best) {
    std::vector<models::Profile> profiles;
    for (const auto& member : members) profiles.push_back(member->FoldIn(past.View()));
    const auto candidates = models::GatherCandidates(members, profiles, catalogue, past.tracks, best);
    RankingData list;
    list.width = models::RankingFeatures(members.size());
    uint32_t found = 0;
    for (size_t c = 0; c < candidates.tracks.size(); ++c) {
      const TrackIx track = candidates.tracks[c];
      const bool heard = std::binary_search(past.tracks.begin(), past.tracks.end(), Preference{track},
                                            [](const Preference& a, const Preference& b) { return a.track < b.track; });
      if (heard) continue;
      const bool relevant = std::binary_search(held.begin(), held.end(), track);
      found += relevant ? 1 : 0;
      list.relevant.push_back(relevant ? 1 : 0);
      const float* row = candidates.features.data() + c * list.width;
      list.features.insert(list.features.end(), row, row + list.width);
    }
    list.missing = {static_cast<uint32_t>(held.size()) - found};
    list.begin.push_back(list.rows());
    if (found == 0) return {};  // no order is better than another
    return list;
  }

  static math::TreeSettings TreesOf(const Settings& settings) {
    return {.depth = static_cast<int>(settings.hybrid.depth), .learning_rate = settings.hybrid.learning_rate, .l2 = 1,
            .min_child_hessian = 0.1, .min_child_rows = 50};
  }

  static void Learn(const Lessons& lessons, const std::vector<std::string>& names, const Settings& settings, uint64_t seed,
                    Instruments& instruments, models::HybridModel::Parts& parts) {
    const auto say = [&](const std::string& who, double quality) {
      instruments.Log(LogLevel::kInfo, "train", "hybrid: " + who + ": NDCG " + std::to_string(quality), {{"ndcg", quality}});
    };
    const RankingData& validate = lessons.validate;
    const size_t width = models::RankingFeatures(names.size());
    for (size_t m = 0; m < names.size(); ++m) {
      std::vector<float> alone(width, 0.0f);
      alone[StandardScore(m)] = 1;
      say(names[m] + " alone", ListQuality(validate, LinearScores(alone, validate)));
    }
    const auto searched = Summed(lessons.learn, names.size(), seed);
    const size_t trees = lessons.learn.lists() == 0 || validate.lists() == 0 ? 0 : BestTrees(lessons, searched, settings, instruments, say);
    const RankingData all = Both(lessons);
    parts.weights = Summed(all, names.size(), seed);
    for (size_t m = 0; m < names.size(); ++m) {
      const float weight = parts.weights[StandardScore(m)];
      instruments.Log(LogLevel::kInfo, "train", "hybrid: weight of " + names[m] + ": " + std::to_string(weight), {{"weight", weight}});
    }
    if (trees == 0) return;
    const auto truncation = static_cast<size_t>(settings.hybrid.truncation);
    std::vector<float> scores = LinearScores(parts.weights, all), gradient(all.rows()), hessian(all.rows());
    math::TreeGrower grower(all.features, all.width, TreesOf(settings));
    for (size_t t = 0; t < trees; ++t) {
      LambdaGradients(all, scores, truncation, gradient, hessian);
      grower.Grow(gradient, hessian, parts.trees, scores);
    }
  }

  static size_t StandardScore(size_t member) { return member * 3 + 1; }

  /// Weights of the features: a sum of standard scores.
  static std::vector<float> Summed(const RankingData& data, size_t members, uint64_t seed) {
    std::vector<size_t> columns;
    for (size_t m = 0; m < members; ++m) columns.push_back(StandardScore(m));
    const auto selected = SelectEnsemble(data, columns, models::Ranker::kUnknownFeature, seed);
    std::vector<float> weights(models::RankingFeatures(members), 0.0f);
    for (size_t m = 0; m < members; ++m) weights[columns[m]] = selected[m];
    return weights;
  }

  /// How much better the lists are by `after`, in standard errors of the mean difference.
  static double Gain(const std::vector<double>& before, const std::vector<double>& after) {
    const auto n = static_cast<double>(before.size());
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < before.size(); ++i) {
      sum += after[i] - before[i];
      squares += (after[i] - before[i]) * (after[i] - before[i]);
    }
    const double variance = squares / n - (sum / n) * (sum / n);
    return variance > 0 ? sum / n / std::sqrt(variance / n) : 0;
  }

  template <typename Say>
  static size_t BestTrees(const Lessons& lessons, std::span<const float> weights, const Settings& settings,
                          Instruments& instruments, const Say& say) {
    const RankingData& learn = lessons.learn;
    math::TreeGrower grower(learn.features, learn.width, TreesOf(settings));
    math::Trees trees;
    std::vector<float> scores = LinearScores(weights, learn), gradient(learn.rows()), hessian(learn.rows());
    std::vector<float> validated = LinearScores(weights, lessons.validate);
    size_t best = 0;
    const auto before = ListQualities(lessons.validate, validated);
    auto best_lists = before;
    double best_quality = ListQuality(lessons.validate, validated);
    say("weighted sum", best_quality);
    const auto most = static_cast<size_t>(settings.hybrid.trees);
    for (size_t t = 1; t <= most && t - best <= kPatience && !instruments.Cancelled(); ++t) {
      LambdaGradients(learn, scores, static_cast<size_t>(settings.hybrid.truncation), gradient, hessian);
      grower.Grow(gradient, hessian, trees, scores);
      AddLastTree(trees, lessons.validate, validated);
      const double quality = ListQuality(lessons.validate, validated);
      if (quality > best_quality) {
        best_quality = quality;
        best_lists = ListQualities(lessons.validate, validated);
        best = t;
      }
      instruments.Progress("train", t, most, "trees");
    }
    say("with " + std::to_string(best) + " trees", best_quality);
    return Gain(before, best_lists) > kSureGain ? best : 0;
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeHybridTrainer() { return std::make_unique<HybridTrainer>(); }

}  // namespace segue::train
