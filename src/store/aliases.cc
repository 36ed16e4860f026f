#include "store/aliases.h"

#include <algorithm>
#include <array>

namespace segue::store {
namespace {

constexpr size_t kLongestName = 64;
constexpr std::array<std::string_view, 5> kMoving = {"live", "previous", "challenger", "live-hits", "previous-hits"};

/// What a name of kMoving stands for; model_id "" where it is nothing.
Result<AliasRecord> Standing(const Catalog& catalog, std::string_view name) {
  const ModelKind kind = name.ends_with("-hits") ? ModelKind::kHits : ModelKind::kRecommender;
  SEGUE_TRY(const auto step, name == "challenger" ? catalog.Trial(kind) : catalog.Live(kind));
  AliasRecord alias{.name = std::string(name)};
  if (!step) return alias;
  alias.model_id = name.starts_with("previous") ? step->from_model : step->to_model;
  alias.at = step->at;
  alias.actor = step->actor;
  return alias;
}

bool Moving(std::string_view name) { return std::find(kMoving.begin(), kMoving.end(), name) != kMoving.end(); }

Status CheckName(std::string_view name) {
  const bool shaped = !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
  if (!shaped) return Error{ErrorCode::kInvalid, "'" + std::string(name) + "' is no name for a model: use 1 to 64 of a-z, 0-9, '.', '_' and '-'"};
  if (Moving(name)) return Error{ErrorCode::kInvalid, "'" + std::string(name) + "' moves by itself and cannot be given"};
  return {};
}

}  // namespace

Result<std::string> ResolveModel(const Catalog& catalog, std::string_view name) {
  if (Moving(name)) {
    SEGUE_TRY(const AliasRecord alias, Standing(catalog, name));
    if (!alias.model_id.empty()) return alias.model_id;
    return Error{ErrorCode::kNotFound, "no model is '" + std::string(name) + "' now"};
  }
  SEGUE_TRY(const auto aliases, catalog.Aliases());
  for (const AliasRecord& alias : aliases) {
    if (alias.name == name) return alias.model_id;
  }
  return std::string(name);
}

Result<AliasRecord> GiveAlias(Catalog& catalog, std::string_view name, std::string_view model, int64_t now, std::string_view actor) {
  SEGUE_RETURN_IF_ERROR(CheckName(name));
  SEGUE_TRY(const auto namesake, catalog.FindModel(name));
  if (namesake) return Error{ErrorCode::kInvalid, "'" + std::string(name) + "' is the id of a model"};
  SEGUE_TRY(const std::string model_id, ResolveModel(catalog, model));
  SEGUE_TRY(const auto known, catalog.FindModel(model_id));
  if (!known) return Error{ErrorCode::kNotFound, "there is no model '" + std::string(model) + "'; `segue models` lists them"};
  const AliasRecord alias{std::string(name), model_id, now, std::string(actor)};
  SEGUE_RETURN_IF_ERROR(catalog.PutAlias(alias));
  return alias;
}

Result<std::vector<AliasRecord>> AllAliases(const Catalog& catalog) {
  std::vector<AliasRecord> all;
  for (const std::string_view name : kMoving) {
    SEGUE_TRY(AliasRecord alias, Standing(catalog, name));
    if (!alias.model_id.empty()) all.push_back(std::move(alias));
  }
  SEGUE_TRY(const auto given, catalog.Aliases());
  all.insert(all.end(), given.begin(), given.end());
  return all;
}

}  // namespace segue::store
