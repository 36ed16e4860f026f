#include "pipeline/hit_search.h"

#include <chrono>

#include <nlohmann/json.hpp>

namespace segue::pipeline {
namespace {

using nlohmann::json;

constexpr size_t kFolds = 3;
constexpr const char* kRemembered = "hits_search_best";  ///< {"<name>": [["<setting>","<value>"], ...]}

json ToJson(const train::SearchResult& found) {
  json trials = json::array();
  for (const train::Trial& trial : found.trials) {
    trials.push_back({{"auc", trial.auc}, {"log_loss", trial.log_loss}, {"seconds", trial.seconds}, {"settings", trial.settings}});
  }
  return {{"best", found.best}, {"trials", trials}};
}

/// The best trial's settings in what ToJson made; empty where it is not that.
train::FormerBest BestOf(const json& kept) {
  const json* trials = kept.is_object() && kept.contains("trials") ? &kept["trials"] : nullptr;
  const size_t best = kept.is_object() ? kept.value("best", size_t{0}) : 0;
  if (trials == nullptr || best >= trials->size()) return {};
  return (*trials)[best].value("settings", train::FormerBest());
}

json ObjectOf(const std::string& text) {
  json read = json::parse(text, nullptr, false);
  return read.is_object() ? read : json::object();
}

}  // namespace

HitSearch::HitSearch(const Context& context, const HitCourt& court, std::string run_id, bool dry_run, Instruments& instruments, json& trials)
    : context_(context), court_(court), run_id_(std::move(run_id)), dry_run_(dry_run), instruments_(instruments), trials_(trials) {
  trials_ = json::object();
  const auto kept = context_.bucket.Get(store::RunKey(run_id_, "hits_search.json"));
  if (kept.ok()) trials_ = ObjectOf(*kept);
}

Result<Settings> HitSearch::Best(const std::string& name, const train::ListedMember& member) {
  Settings best = member.settings;
  if (context_.settings.search.trials == 0 || train::SearchRanges(member.algorithm, member.settings).empty()) return best;
  if (trials_.contains(name)) {
    for (const auto& [setting, value] : BestOf(trials_[name])) SEGUE_RETURN_IF_ERROR(Set(best, setting, value));
    return best;
  }
  SEGUE_TRY(const train::SearchResult found, Try(name, member));
  SEGUE_RETURN_IF_ERROR(Keep(name, found));
  return found.settings;
}

Result<train::SearchResult> HitSearch::Try(const std::string& name, const train::ListedMember& member) {
  SEGUE_TRY(const auto trainer, train::MakeClassifierTrainer(member.algorithm));
  SEGUE_TRY(const std::string remembered, context_.catalog.Meta(kRemembered));
  const train::FormerBest former = ObjectOf(remembered).value(name, train::FormerBest());
  const auto start = std::chrono::steady_clock::now();
  const auto now = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  // The settings as they are are a trial too.
  const train::SearchBudget budget{.trials = static_cast<size_t>(context_.settings.search.trials) + 1, .seconds = context_.settings.search.seconds};
  auto found = train::SearchSettings(*trainer, court_.songs, court_.train, member.settings, budget, kFolds, train::FoldsBy::kArtist,
                                     static_cast<uint64_t>(context_.settings.seed), now, instruments_, former);
  if (!found.ok()) return found.error().In(name);
  const train::Trial& best = found->trials[found->best];
  instruments_.Info("hits", name + ": " + std::to_string(found->trials.size()) + " settings tried",
                    {{"seconds", now()}, {"configured_auc", found->trials.front().auc}, {"best_auc", best.auc}, {"best", best.settings}});
  return found;
}

Status HitSearch::Keep(const std::string& name, const train::SearchResult& found) {
  trials_[name] = ToJson(found);
  SEGUE_RETURN_IF_ERROR(context_.bucket.Put(store::RunKey(run_id_, "hits_search.json"), trials_.dump(2)));
  if (dry_run_) return {};
  SEGUE_TRY(const std::string remembered, context_.catalog.Meta(kRemembered));
  json best = ObjectOf(remembered);
  best[name] = found.trials[found.best].settings;
  return context_.catalog.SetMeta(kRemembered, best.dump());
}

}  // namespace segue::pipeline
