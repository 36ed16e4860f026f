#include "train/hybrid_members.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "models/content.h"
#include "models/content_map.h"
#include "models/hit_chance.h"
#include "models/hybrid.h"
#include "models/ials.h"
#include "models/liking.h"
#include "models/popularity.h"
#include "train/content.h"
#include "train/content_map.h"

namespace segue::train {
namespace {

Result<HybridMember> ReadHybridMember(const std::string& text, const Settings& settings) {
  const std::string algorithm = text.substr(0, text.find('('));
  if (algorithm == models::HybridModel::kAlgorithm) return Error{ErrorCode::kInvalid, "a hybrid cannot be a member of itself"};
  if (auto trainer = MakeTrainer(algorithm); !trainer.ok()) return trainer.error();
  return ReadMember(text, settings);
}

/// Where nothing is known of any track, a model of content is `ials` or
/// popularity by another name.
std::string_view WithoutContent(std::string_view algorithm, Described described) {
  if (algorithm == models::IalsContentModel::kAlgorithm && !described.text && !described.audio) return models::IalsModel::kAlgorithm;
  const bool reads_text = algorithm != models::ContentModel::kAudio, reads_audio = algorithm != models::ContentModel::kText;
  const bool content = algorithm == models::ContentModel::kText || algorithm == models::ContentModel::kAudio || algorithm == models::ContentModel::kBoth;
  if (content && !(reads_text && described.text) && !(reads_audio && described.audio)) return models::PopularityModel::kAlgorithm;
  return algorithm;
}

/// The model of an `ials` with the member's settings, or null.
const models::Model* FittedIals(const HybridMember& member, const std::vector<HybridMember>& able, const Members& models) {
  for (size_t m = 0; m < able.size(); ++m) {
    if (able[m].algorithm == models::IalsModel::kAlgorithm &&
        SettingsOf(able[m].algorithm, able[m].settings) == SettingsOf(models::IalsModel::kAlgorithm, member.settings)) {
      return models[m].get();
    }
  }
  return nullptr;
}

Result<std::unique_ptr<models::Model>> FitMember(const Dataset& data, const HybridMember& member, const models::Model* ials, uint64_t seed,
                                                 Instruments& instruments) {
  if (member.algorithm == models::IalsContentModel::kAlgorithm && ials != nullptr) return MapContent(data, *ials, member.settings, instruments);
  SEGUE_TRY(const auto trainer, MakeTrainer(member.algorithm));
  return trainer->Fit(data, member.settings, seed, instruments);
}

}  // namespace

Result<std::vector<HybridMember>> ReadHybridMembers(const Settings& settings, const Dataset& data) {
  std::vector<HybridMember> members;
  const bool all_liked = models::LikedRule(settings.liked, data) == models::Liked::kAll;
  const Described described = DescriptionsIn(data);
  const std::vector<std::string> texts = SplitList(settings.hybrid.members, ',');
  for (const std::string& text : texts) {
    auto member = ReadHybridMember(text, settings);
    if (!member.ok()) return member.error().In("hybrid.members");
    if (member->algorithm == "friends" && data.friends.begin.empty()) continue;
    if (member->algorithm == models::HitChanceModel::kAlgorithm && data.hit_chance.empty()) continue;
    if (all_liked && text == member->algorithm + "(liked=all)") continue;
    if (const std::string_view same = WithoutContent(member->algorithm, described); same != member->algorithm) {
      const std::string other = std::string(same) + text.substr(member->algorithm.size());
      if (std::find(texts.begin(), texts.end(), other) != texts.end()) continue;
    }
    members.push_back(*std::move(member));
  }
  if (members.empty()) return Error{ErrorCode::kInvalid, "hybrid.members: there is none for these data"};
  if (members.size() > models::kMostMembers) {
    return Error{ErrorCode::kInvalid, "hybrid.members: " + std::to_string(members.size()) + ", at most " + std::to_string(models::kMostMembers)};
  }
  return members;
}

Result<Members> FitMembers(const Dataset& data, std::vector<HybridMember>& members, uint64_t seed, Instruments& instruments) {
  Members models;
  std::vector<HybridMember> able;
  std::string why;
  for (HybridMember& member : members) {
    auto model = FitMember(data, member, FittedIals(member, able, models), seed, instruments);
    if (model.ok()) {
      models.push_back(*std::move(model));
      able.push_back(std::move(member));
    } else if (model.error().code == ErrorCode::kInvalid) {
      why = model.error().message;
      instruments.Log(LogLevel::kInfo, "train", "hybrid: without " + member.name + ": " + why, {});
    } else {
      return model.error();
    }
  }
  if (models.empty()) return Error{ErrorCode::kInvalid, "hybrid: no member can learn from these data: " + why};
  members = std::move(able);
  return models;
}

}  // namespace segue::train
