#include "cli/run_report.h"

#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "pipeline/judged.h"

namespace segue::cli {
namespace {

using nlohmann::json;

/// What a stage has to say; an object, empty where nothing is known.
json DetailOf(const store::RunRecord& run, std::string_view name) {
  for (const auto& stage : run.stages) {
    json detail = json::parse(stage.detail, nullptr, false);
    if (stage.name == name && detail.is_object()) return detail;
  }
  return json::object();
}

/// {"<setting>":"<value>", ...}, or pairs of them, in a line.
std::string SettingsText(const json& settings) {
  std::string text;
  for (const auto& [key, value] : settings.items()) {
    const json& name = value.is_array() ? value[0] : json(key);
    const json& is = value.is_array() ? value[1] : value;
    text += (text.empty() ? "" : ", ") + name.get<std::string>() + "=" + (is.is_string() ? is.get<std::string>() : is.dump());
  }
  return text.empty() ? "as configured" : text;
}

/// Each trial of recommenders with its last rung: how many listeners, and what it reached on them.
void PrintTrials(const json& search) {
  if (!search.is_object() || search.value("trials", json::array()).empty()) return;
  std::printf("  search  %s\n  tried            listeners  NDCG@100     MRR  seconds  settings (* the best of its algorithm)\n", search.value("why", "").c_str());
  for (const json& trial : search["trials"]) {
    const json rungs = trial.value("rungs", json::array());
    const std::string algorithm = (trial.value("best", false) ? "* " : "  ") + trial.value("algorithm", "");
    if (rungs.empty()) {
      std::printf("  %s: %s  %s\n", algorithm.c_str(), trial.value("error", "not judged").c_str(), SettingsText(trial.value("settings", json::object())).c_str());
      continue;
    }
    const json& last = rungs.back();
    std::printf("  %-16s %9llu  %8.4f  %6.4f  %7.2f  %s\n", algorithm.c_str(), static_cast<unsigned long long>(last.value("listeners", uint64_t{0})),
                last.value("ndcg@100", 0.0), last.value("mrr", 0.0), trial.value("seconds", 0.0),
                SettingsText(trial.value("settings", json::object())).c_str());
  }
}

/// The same of models of hits.
void PrintHitTrials(const json& search) {
  if (!search.is_object()) return;
  for (const auto& [name, member] : search.items()) {
    std::printf("  tried   %s\n", name.c_str());
    const size_t best = member.value("best", size_t{0});
    const json trials = member.value("trials", json::array());
    for (size_t t = 0; t < trials.size(); ++t) {
      std::printf("  %s AUC %.4f  log loss %.4f  %s\n", t == best ? "*" : " ", trials[t].value("auc", 0.0), trials[t].value("log_loss", 0.0),
                  SettingsText(trials[t].value("settings", json::array())).c_str());
    }
  }
}

void PrintVerdict(const json& verdict) {
  if (!verdict.is_object()) return;
  for (const json& check : verdict.value("checks", json::array())) {
    std::printf("  %s %-22s %s\n", check.value("passed", false) ? "passed " : "REFUSED", check.value("name", "").c_str(),
                check.value("why", "").c_str());
  }
}

json ToJson(const store::RunRecord& run, const json& verdict) {
  json stages = json::array();
  for (const auto& stage : run.stages) {
    stages.push_back({{"name", stage.name}, {"state", stage.state},
                      {"seconds", static_cast<double>(stage.finished_ms - stage.started_ms) / 1000}});
  }
  return {{"run_id", run.run_id}, {"state", run.state}, {"trigger", run.trigger}, {"trigger_detail", run.trigger_detail},
          {"new", pipeline::NewsOf(run)}, {"dataset_id", run.dataset_id}, {"model_id", run.model_id}, {"error", run.error},
          {"stages", stages}, {"search", DetailOf(run, "train").value("search", json())},
          {"verdict", verdict.is_object() ? verdict : json()}, {"hits", DetailOf(run, "hits")}};
}

}  // namespace

void PrintRun(const store::RunRecord& run, const Common& common) {
  const json verdict = json::parse(run.verdict, nullptr, false);
  if (common.json) {
    std::printf("%s\n", ToJson(run, verdict).dump(2).c_str());
    return;
  }
  std::printf("run %s: %s%s%s\n", run.run_id.c_str(), run.state.c_str(), run.error.empty() ? "" : ": ", run.error.c_str());
  std::printf("  by      %s%s%s\n", run.trigger.c_str(), run.trigger_detail.empty() ? "" : ": ", run.trigger_detail.c_str());
  if (!run.model_id.empty()) std::printf("  model   %s\n", run.model_id.c_str());
  const json news = pipeline::NewsOf(run);
  if (news.is_object()) {
    std::printf("  new     %s objects, %s rows, %s events%s%s\n", news.value("objects", json(0)).dump().c_str(), news.value("rows", json(0)).dump().c_str(),
                news.value("events", json(0)).dump().c_str(), news.contains("config") ? "; " : "", news.value("config", "").c_str());
  }
  PrintTrials(DetailOf(run, "train").value("search", json()));
  PrintVerdict(verdict);
  const json hits = DetailOf(run, "hits");
  if (hits.contains("model_id")) std::printf("  hits    %s\n", hits.value("model_id", "").c_str());
  if (hits.contains("error")) std::printf("  hits    failed: %s\n", hits.value("error", "").c_str());
  PrintHitTrials(hits.value("search", json()));
  PrintVerdict(hits.value("verdict", json()));
}

int ExitCodeOf(const store::RunRecord& run) {
  if (run.state == pipeline::kDryRun) {
    const json verdict = json::parse(run.verdict, nullptr, false);
    return verdict.is_object() && verdict.value("approved", false) ? kOk : kRefused;
  }
  if (run.state == "refused") return kRefused;
  return run.state == "failed" || run.state == "interrupted" ? kFailed : kOk;
}

}  // namespace segue::cli
