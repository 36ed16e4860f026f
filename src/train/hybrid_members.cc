#include "train/hybrid_members.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "models/hybrid.h"
#include "models/liking.h"

namespace segue::train {
namespace {

Result<HybridMember> ReadHybridMember(const std::string& text, const Settings& settings) {
  const std::string algorithm = text.substr(0, text.find('('));
  if (algorithm == models::HybridModel::kAlgorithm) return Error{ErrorCode::kInvalid, "a hybrid cannot be a member of itself"};
  if (auto trainer = MakeTrainer(algorithm); !trainer.ok()) return trainer.error();
  return ReadMember(text, settings);
}

}  // namespace

Result<std::vector<HybridMember>> ReadHybridMembers(const Settings& settings, const Dataset& data) {
  std::vector<HybridMember> members;
  const bool all_liked = models::LikedRule(settings.liked, data) == models::Liked::kAll;
  for (const std::string& text : SplitList(settings.hybrid.members, ',')) {
    auto member = ReadHybridMember(text, settings);
    if (!member.ok()) return member.error().In("hybrid.members");
    if (member->algorithm == "friends" && data.friends.begin.empty()) continue;
    if (all_liked && text == member->algorithm + "(liked=all)") continue;
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
    SEGUE_TRY(const auto trainer, MakeTrainer(member.algorithm));
    auto model = trainer->Fit(data, member.settings, seed, instruments);
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
