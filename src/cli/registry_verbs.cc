#include <cstdio>
#include <thread>

#include <nlohmann/json.hpp>

#include "cli/run_report.h"
#include "cli/verbs.h"
#include "pipeline/judged.h"
#include "pipeline/lock.h"
#include "pipeline/reproduce.h"
#include "store/aliases.h"

namespace segue::cli {
namespace {

using nlohmann::json;

/// 0 where the report has none; a figure that is not a number is null.
double FigureOf(const json& report, const char* name) {
  if (!report.is_object() || !report.contains("figures") || !report["figures"].contains(name)) return 0;
  const json value = report["figures"][name].value("value", json());
  return value.is_number() ? value.get<double>() : 0;
}

/// The figures that models of a kind are known by.
std::vector<const char*> FiguresOf(ModelKind kind) {
  if (kind == ModelKind::kHits) return {"auc", "accuracy", "log_loss"};
  return {"mrr", "hit_rate@10", "ndcg@100"};
}

/// Hands the command to the pipeline (of the server, or here where none runs)
/// and waits for the outcome.
int Ask(const Common& common, const std::string& kind, const json& arguments) {
  CatchSignals();
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  store::Catalog& catalog = *(*program)->catalog;
  const auto id = catalog.AddCommand({.kind = kind, .arguments = arguments.dump(), .actor = "cli", .state = "pending"});
  if (!id.ok()) return Fail(id.error());
  if (const auto lock = pipeline::LockPipeline((*program)->folder.root); lock.ok()) {
    const Status followed = pipeline::FollowCommands((*program)->PipelineContext());
    if (!followed.ok()) return Fail(followed.error());
  }
  while (!Cancelled().load()) {
    const auto command = catalog.FindCommand(*id);
    if (!command.ok()) return Fail(command.error());
    if (*command && (*command)->state != "pending") {
      const json outcome = json::parse((*command)->outcome, nullptr, false);
      const bool failed = (*command)->state == "failed";
      Audit(**program, kind, arguments.value("model_id", arguments.value("kind", "")),
            failed ? Status(Error{ErrorCode::kConflict, outcome.value("message", "it failed")}) : Status());
      if (failed) {
        std::fprintf(stderr, "segue: %s\n", outcome.value("message", (*command)->outcome).c_str());
        return outcome.value("code", "") == "conflict" ? kRefused : kUsage;
      }
      if (common.json) {
        std::printf("%s\n", outcome.dump(2).c_str());
      } else if (outcome.contains("ended")) {
        std::printf("the %s of %s is ended; live, as before: %s\n", outcome.value("ended", "").c_str(), outcome.value("from", "").c_str(),
                    outcome.value("live", "").c_str());
      } else {
        std::printf("live: %s (before: %s), kind: %s\n", outcome.value("live", "").c_str(), outcome.value("from", "").c_str(),
                    outcome.value("kind", "").c_str());
      }
      return kOk;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return kFailed;
}

}  // namespace

int ListModels(const Common& common, const std::string& kind) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto models = (*program)->catalog->Models(0, 1000);
  if (!models.ok()) return Fail(models.error());
  json list = json::array();
  for (const auto& model : *models) {
    if (!kind.empty() && Name(model.kind) != kind) continue;
    const auto live = (*program)->catalog->Live(model.kind);
    if (!live.ok()) return Fail(live.error());
    const json report = json::parse(model.report, nullptr, false);
    json line = {{"model_id", model.model_id}, {"kind", Name(model.kind)}, {"algorithm", model.algorithm}, {"dataset_id", model.dataset_id},
                 {"run_id", model.run_id}, {"created", store::Iso8601(model.created_at)},
                 {"approved", model.approved}, {"live", *live && (*live)->to_model == model.model_id}};
    for (const char* name : FiguresOf(model.kind)) line[name] = FigureOf(report, name);
    list.push_back(std::move(line));
  }
  if (common.json) {
    std::printf("%s\n", list.dump(2).c_str());
    return kOk;
  }
  std::printf("%-18s %-11s %-17s %-21s %-8s %s\n", "model", "kind", "algorithm", "created", "", "figures");
  for (const json& model : list) {
    std::printf("%-18s %-11s %-17s %-21s %-8s", model["model_id"].get<std::string>().c_str(), model["kind"].get<std::string>().c_str(),
                model["algorithm"].get<std::string>().c_str(), model["created"].get<std::string>().c_str(),
                model["live"].get<bool>() ? "live" : model["approved"].get<bool>() ? "approved" : "");
    const auto model_kind = ParseModelKind(model["kind"].get<std::string>()).value_or(ModelKind::kRecommender);
    for (const char* name : FiguresOf(model_kind)) std::printf(" %s %.4f", name, model[name].get<double>());
    std::printf("\n");
  }
  return kOk;
}

int ListRuns(const Common& common, const std::string& run_id) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  if (!run_id.empty()) {
    const auto newest = (*program)->catalog->Runs(0, 1);
    if (!newest.ok()) return Fail(newest.error());
    const std::string id = run_id != "last" ? run_id : newest->empty() ? "" : newest->front().run_id;
    const auto run = (*program)->catalog->FindRun(id);
    if (!run.ok()) return Fail(run.error());
    if (!*run) return Fail(Error{ErrorCode::kNotFound, "there is no run '" + run_id + "': `segue runs` lists them"});
    PrintRun(**run, common);
    return kOk;
  }
  const auto runs = (*program)->catalog->Runs(0, 100);
  if (!runs.ok()) return Fail(runs.error());
  json list = json::array();
  for (const auto& run : *runs) {
    const json verdict = json::parse(run.verdict, nullptr, false);
    list.push_back({{"run_id", run.run_id}, {"trigger", run.trigger}, {"trigger_detail", run.trigger_detail},
                    {"new", pipeline::NewsOf(run)}, {"state", run.state},
                    {"started", store::Iso8601(run.started_ms / 1000)}, {"model_id", run.model_id},
                    {"reason", verdict.is_object() ? verdict.value("reason", "") : run.error}});
  }
  if (common.json) {
    std::printf("%s\n", list.dump(2).c_str());
    return kOk;
  }
  for (const json& run : list) {
    std::printf("%-22s %-12s %-12s %-18s %s%s%s\n", run["run_id"].get<std::string>().c_str(),
                run["trigger"].get<std::string>().c_str(), run["state"].get<std::string>().c_str(),
                run["model_id"].get<std::string>().c_str(), run["reason"].get<std::string>().c_str(),
                run["trigger_detail"].get_ref<const std::string&>().empty() ? "" : "   <- ", run["trigger_detail"].get<std::string>().c_str());
  }
  return kOk;
}

int ReproduceModel(const Common& common, const std::string& model_id) {
  CatchSignals();
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto resolved = store::ResolveModel(*(*program)->catalog, model_id);
  if (!resolved.ok()) return Fail(resolved.error());
  const auto outcome = pipeline::Reproduce((*program)->PipelineContext(), *resolved, *(*program)->instruments);
  if (!outcome.ok()) return Fail(outcome.error());
  // Identical to an artifact that is not the one it was trained to be is not enough.
  const bool as_trained = outcome->manifest_sha256.empty() || outcome->manifest_sha256 == outcome->stored_sha256;
  if (common.json) {
    std::printf("%s\n", json{{"model_id", outcome->model_id}, {"algorithm", outcome->algorithm}, {"identical", outcome->identical()},
                             {"stored", {{"sha256", outcome->stored_sha256}, {"bytes", outcome->stored_bytes}}},
                             {"rebuilt", {{"sha256", outcome->rebuilt_sha256}, {"bytes", outcome->rebuilt_bytes}}},
                             {"manifest_sha256", outcome->manifest_sha256.empty() ? json() : json(outcome->manifest_sha256)},
                             {"differs_at", outcome->differs_at ? json(*outcome->differs_at) : json()},
                             {"other_kernels", outcome->other_kernels}, {"seconds", outcome->seconds}}
                            .dump(2).c_str());
  } else {
    std::printf("stored   %s  %llu bytes\nrebuilt  %s  %llu bytes, %s in %.1f s\n", outcome->stored_sha256.c_str(),
                static_cast<unsigned long long>(outcome->stored_bytes), outcome->rebuilt_sha256.c_str(),
                static_cast<unsigned long long>(outcome->rebuilt_bytes), outcome->algorithm.c_str(), outcome->seconds);
    if (outcome->identical()) {
      std::printf("identical\n");
    } else {
      std::printf("NOT identical: they differ from byte %llu on\n", static_cast<unsigned long long>(*outcome->differs_at));
      if (!outcome->other_kernels.empty()) std::printf("trained with other instructions of the processor: %s\n", outcome->other_kernels.c_str());
    }
    if (!as_trained) std::printf("the stored artifact is NOT the one that its manifest names: %s\n", outcome->manifest_sha256.c_str());
  }
  return outcome->identical() && as_trained ? kOk : kFailed;
}

int PromoteModel(const Common& common, const PromoteFlags& flags) {
  return Ask(common, "promote", {{"model_id", flags.model_id}, {"kind", flags.kind}, {"reason", flags.reason}});
}

int RollBack(const Common& common, const PromoteFlags& flags) {
  return Ask(common, "rollback", {{"kind", flags.kind}, {"reason", flags.reason}});
}

}  // namespace segue::cli
