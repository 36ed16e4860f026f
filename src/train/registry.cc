#include "train/ease.h"
#include "train/hit_chance.h"
#include "train/hybrid.h"
#include "train/content.h"
#include "train/content_map.h"
#include "train/item_knn.h"
#include "train/groups.h"
#include "train/ials.h"
#include "train/markov.h"
#include "train/pairwise.h"
#include "train/popularity.h"
#include "train/session_knn.h"
#include "train/svd.h"
#include "train/svdpp_gibbs.h"
#include "train/trainer.h"
#include "train/trending.h"
#include "train/user_knn.h"

namespace segue::train {
namespace {

using Maker = std::unique_ptr<Trainer> (*)();

/// Every algorithm, one line each, in the order of the documentation.
constexpr std::pair<std::string_view, Maker> kAlgorithms[] = {
    {"popularity", MakePopularityTrainer},
    {"trending", MakeTrendingTrainer},
    {"item_knn", MakeItemKnnTrainer},
    {"user_knn", MakeUserKnnTrainer},
    {"friends", MakeFriendsTrainer},
    {"svd", MakeSvdTrainer},
    {"svdpp", MakeSvdppTrainer},
    {"svdpp_gibbs", MakeSvdppGibbsTrainer},
    {"ials", MakeIalsTrainer},
    {"bpr", MakeBprTrainer},
    {"warp", MakeWarpTrainer},
    {"ease", MakeEaseTrainer},
    {"hybrid", MakeHybridTrainer},
    {"content_audio", MakeContentAudioTrainer},
    {"content_text", MakeContentTextTrainer},
    {"content", MakeContentTrainer},
    {"ials_content", MakeIalsContentTrainer},
    {"session_knn", MakeSessionKnnTrainer},
    {"markov", MakeMarkovTrainer},
    {"groups", MakeGroupsTrainer},
    {"hit_chance", MakeHitChanceTrainer},
};

}  // namespace

std::vector<std::string_view> KnownAlgorithms() {
  std::vector<std::string_view> names;
  for (const auto& [name, make] : kAlgorithms) names.push_back(name);
  return names;
}

std::string SettingsOf(std::string_view algorithm, const Settings& settings) {
  std::string text = ResultFingerprint(settings, "train.");
  for (const auto& [name, make] : kAlgorithms) {
    // A hybrid is made of all the others.
    if (name == algorithm || algorithm == "hybrid") text += ResultFingerprint(settings, std::string(name) + ".");
  }
  if (algorithm == "friends") text += ResultFingerprint(settings, "user_knn.");
  if (algorithm == "groups") text += ResultFingerprint(settings, "ials.");
  if (algorithm.starts_with("content") || algorithm == "hybrid") text += ResultFingerprint(settings, "content.");
  if (algorithm == "ials_content") text += ResultFingerprint(settings, "ials.");
  return text;
}

Status SetFor(Settings& settings, std::string_view algorithm, std::string_view key, std::string_view text) {
  // Some algorithms share their settings with others.
  const std::string_view shared = algorithm == "ials_content" ? "ials." : algorithm.starts_with("content") ? "content." : "";
  for (const std::string& prefix : {std::string(), std::string(algorithm) + ".", std::string(shared), std::string("train."), std::string("evaluate.")}) {
    for (const SettingInfo& info : AllSettings()) {
      if (info.name == prefix + std::string(key)) return Set(settings, info.name, text);
    }
  }
  return Set(settings, key, text);
}

Result<std::unique_ptr<Trainer>> MakeTrainer(std::string_view algorithm) {
  std::string known;
  for (const auto& [name, make] : kAlgorithms) {
    if (name == algorithm) return make();
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return Error{ErrorCode::kInvalid, "unknown algorithm '" + std::string(algorithm) + "'; known: " + known};
}

}  // namespace segue::train
