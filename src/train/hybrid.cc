#include "train/hybrid.h"

#include <algorithm>
#include <utility>

#include "math/parallel.h"
#include "models/hybrid.h"
#include "models/liking.h"
#include "train/hybrid_learner.h"
#include "train/hybrid_lists.h"
#include "train/hybrid_members.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

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
      models::HybridModel::Parts parts;
      parts.catalogue = models::Catalogue(data.tracks.id, PopularityOf(preferences, data.tracks.size()));
      parts.best = static_cast<uint32_t>(settings.hybrid.candidates);
      SEGUE_TRY(auto members, ReadHybridMembers(settings, data));
      SEGUE_TRY(parts.members, FitMembers(data, members, seed, instruments));
      SEGUE_TRY(HybridLists lists, Lists(data, members, settings, seed, instruments));
      LearnRanker(std::move(lists), std::move(members), settings, seed, instruments, parts);
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "hybrid: asked to stop"};
      return models::HybridModel::Make(std::move(parts));
    });
  }

 private:
  static Result<HybridLists> Lists(const Dataset& data, std::span<const HybridMember> members, const Settings& settings,
                                   uint64_t seed, Instruments& instruments) {
    const HybridListRules rules{{settings.skip_weight, settings.like_weight}, models::LikedRule(settings.liked, data),
                                static_cast<size_t>(settings.hybrid.candidates), static_cast<size_t>(settings.hybrid.lists)};
    HybridLists lists;
    for (uint32_t fold = 0; fold < static_cast<uint32_t>(settings.hybrid.folds); ++fold) {
      const InnerSplit split = SplitInside(data, rules.liked, seed, fold);
      std::vector<HybridMember> of_fold(members.begin(), members.end());
      auto models = FitMembers(split.train, of_fold, seed, instruments);
      // Less data than before: a member may find nothing in them.
      if (models.ok() ? of_fold.size() < members.size() : models.error().code == ErrorCode::kInvalid) break;
      if (!models.ok()) return models.error();
      HybridLists more = MakeHybridLists(split, *models, rules, seed);
      std::move(more.many.begin(), more.many.end(), std::back_inserter(lists.many));
      std::move(more.few.begin(), more.few.end(), std::back_inserter(lists.few));
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "hybrid: asked to stop"};
    }
    return lists;
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeHybridTrainer() { return std::make_unique<HybridTrainer>(); }

}  // namespace segue::train
