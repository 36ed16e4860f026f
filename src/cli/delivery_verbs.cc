#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "store/aliases.h"
#include "store/lineage.h"
#include "store/online.h"

namespace segue::cli {
namespace {

using nlohmann::json;

constexpr int64_t kDay = 86'400;

std::string Text(const json& value) { return value.is_string() ? value.get<std::string>() : value.is_null() ? "?" : value.dump(); }

}  // namespace

int AliasModel(const Common& common, const AliasFlags& flags) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  store::Catalog& catalog = *(*program)->catalog;
  if (!flags.remove.empty()) {
    if (!flags.name.empty()) return Fail({ErrorCode::kInvalid, "--remove takes a name away; give no other with it"});
    if (const Status removed = catalog.RemoveAlias(flags.remove); !removed.ok()) return Fail(removed.error());
  } else if (!flags.name.empty()) {
    if (flags.model.empty()) return Fail({ErrorCode::kInvalid, "which model shall be '" + flags.name + "'? `segue models alias NAME MODEL`"});
    const auto given = store::GiveAlias(catalog, flags.name, flags.model, (*program)->clock.NowSeconds(), "cli");
    if (!given.ok()) return Fail(given.error());
  }
  const auto aliases = store::AllAliases(catalog);
  if (!aliases.ok()) return Fail(aliases.error());
  json list = json::array();
  for (const auto& alias : *aliases) list.push_back({{"name", alias.name}, {"model_id", alias.model_id}, {"at", store::Iso8601(alias.at)}});
  if (common.json) {
    std::printf("%s\n", list.dump(2).c_str());
    return kOk;
  }
  for (const auto& alias : *aliases) {
    std::printf("%-20s %-18s %s\n", alias.name.c_str(), alias.model_id.c_str(), store::Iso8601(alias.at).c_str());
  }
  return kOk;
}

int ShowLineage(const Common& common, const std::string& model) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto lineage = store::LineageOf(*(*program)->bucket, *(*program)->catalog, model);
  if (!lineage.ok()) return Fail(lineage.error());
  if (common.json) {
    std::printf("%s\n", lineage->dump(2).c_str());
    return kOk;
  }
  const json& of = *lineage;
  const json& dataset = of["dataset"];
  std::printf("model    %s  %s, made %s by run %s, seed %s\n", Text(of["model_id"]).c_str(), Text(of["algorithm"]).c_str(), Text(of["created"]).c_str(),
              Text(of["run_id"]).c_str(), Text(of["seed"]).c_str());
  std::printf("dataset  %s  %s of %s rows kept, %s listeners, %s tracks\n", Text(dataset["dataset_id"]).c_str(), Text(dataset["rows_kept"]).c_str(),
              Text(dataset["rows_in"]).c_str(), Text(dataset["listeners"]).c_str(), Text(dataset["tracks"]).c_str());
  for (const json& object : dataset["objects"]) {
    std::printf("  %s  %9s rows  %s%s\n", Text(object["raw"]).c_str(), Text(object["rows"]).c_str(), Text(object["name"]).c_str(),
                object["left_out"].is_string() ? "  (left out)" : "");
  }
  if (!dataset["events"]["objects"].empty()) {
    std::printf("  feedback up to event %s, %zu objects\n", Text(dataset["events"]["through_seq"]).c_str(), dataset["events"]["objects"].size());
  }
  return kOk;
}

int ShowOnline(const Common& common, int64_t days) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const int64_t now = (*program)->clock.NowSeconds();
  const auto ledger = store::ReadLedger(*(*program)->catalog, now - days * kDay, (*program)->settings.impressions.window_s);
  if (!ledger.ok()) return Fail(ledger.error());
  const auto arms = ledger->Figures(now);
  json list = json::array();
  for (const ArmFigures& arm : arms) list.push_back(store::FiguresJson(arm, 0));
  if (common.json) {
    std::printf("%s\n", list.dump(2).c_str());
    return kOk;
  }
  std::printf("%-18s %-7s %9s %9s %9s %7s %7s %8s %7s\n", "model", "arm", "lists", "judged", "listeners", "hit", "like", "dislike", "skip");
  for (const ArmFigures& arm : arms) {
    std::printf("%-18s %-7s %9lld %9lld %9lld %7.4f %7.4f %8.4f %7.4f\n", arm.model_id.c_str(), std::string(Name(arm.arm)).c_str(),
                static_cast<long long>(arm.lists), static_cast<long long>(arm.judged), static_cast<long long>(arm.listeners), arm.Rate(arm.hit),
                arm.Rate(arm.liked), arm.Rate(arm.disliked), arm.Rate(arm.skipped));
  }
  return kOk;
}

}  // namespace segue::cli
