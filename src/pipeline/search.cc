#include "pipeline/search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "core/frame.h"
#include "core/random.h"
#include "evaluate/evaluator.h"
#include "store/layout.h"
#include "train/member_list.h"
#include "train/search_space.h"
#include "train/trainer.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

constexpr size_t kBracket = 9;
constexpr size_t kHalving = 3;
constexpr size_t kLeastListeners = 300;
constexpr const char* kRemembered = "search_best";

/// Only these listeners' events; all others are there without any.
Dataset Part(const Dataset& data, const std::set<uint32_t>& listeners) {
  Dataset part = FrameOf(data);
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    if (listeners.contains(u)) {
      const auto events = data.EventsOf(UserIx{u});
      part.events.insert(part.events.end(), events.begin(), events.end());
    }
    part.begin.push_back(part.events.size());
  }
  for (const Review& review : data.reviews) {
    if (listeners.contains(Raw(review.listener))) part.reviews.push_back(review);
  }
  return part;
}

/// The validation splits: of fewer listeners first, of all last; the fewer are
/// among the more.
std::vector<evaluate::Split> Rungs(const Dataset& train, const Settings& settings, uint64_t seed) {
  std::vector<std::pair<uint64_t, uint32_t>> order;
  for (uint32_t u = 0; u < train.listener_count(); ++u) {
    if (!train.EventsOf(UserIx{u}).empty()) order.emplace_back(Random(seed, u).Next(), u);
  }
  std::sort(order.begin(), order.end());
  std::vector<evaluate::Split> rungs;
  for (size_t share = kHalving * kHalving; share > 1; share /= kHalving) {
    const size_t count = order.size() / share;
    if (count < kLeastListeners) continue;
    std::set<uint32_t> listeners;
    for (size_t i = 0; i < count; ++i) listeners.insert(order[i].second);
    rungs.push_back(evaluate::SplitByTime(Part(train, listeners), settings));
  }
  rungs.push_back(evaluate::SplitByTime(train, settings));
  return rungs;
}

class Searcher {
 public:
  Searcher(const Dataset& train, const Settings& settings, const std::function<double()>& now, Instruments& instruments)
      : settings_(settings), seed_(static_cast<uint64_t>(settings.seed)), now_(now), start_(now()), instruments_(instruments),
        rungs_(Rungs(train, settings, seed_)) {
    for (const std::string& algorithm : train::SplitList(settings.algorithms, ',')) {
      if (!train::SearchRanges(algorithm, settings).empty()) algorithms_.push_back(algorithm);
    }
  }

  Result<SearchOutcome> Execute(const std::map<std::string, Changes>& former) {
    if (algorithms_.empty()) return End("trials", "none of train.algorithms has settings that a search tries");
    if (rungs_.back().listeners.empty()) return End("trials", "nothing could be held out of the training part to try settings on");
    SEGUE_RETURN_IF_ERROR(TryTheKnown(former));
    const auto budget = static_cast<size_t>(settings_.search.trials);
    size_t drawn = 0;
    while (!TimeIsUp() && !LimitReached() && drawn < budget) {
      std::vector<size_t> bracket;
      for (; drawn < budget && bracket.size() < kBracket; ++drawn) bracket.push_back(DrawTrial(drawn));
      SEGUE_RETURN_IF_ERROR(RunBracket(std::move(bracket)));
    }
    if (LimitReached()) return End("limit", "the best MRR on the validation part reached search.enough_mrr");
    if (TimeIsUp()) return End("time", "search.seconds were over");
    return End("trials", "all of search.trials were tried");
  }

 private:
  bool TimeIsUp() const { return settings_.search.seconds > 0 && now_() - start_ >= settings_.search.seconds; }

  const SearchTrial::Rung* LastRung(const SearchTrial& trial) const {
    const bool there = !trial.rungs.empty() && trial.rungs.back().listeners == rungs_.back().listeners.size();
    return there ? &trial.rungs.back() : nullptr;
  }

  bool LimitReached() const {
    return settings_.search.enough_mrr > 0 && std::any_of(outcome_.trials.begin(), outcome_.trials.end(), [&](const SearchTrial& trial) {
             const auto* rung = LastRung(trial);
             return rung != nullptr && rung->mrr >= settings_.search.enough_mrr;
           });
  }

  /// What is configured and what was best before: on all listeners.
  Status TryTheKnown(const std::map<std::string, Changes>& former) {
    for (const std::string& algorithm : algorithms_) {
      std::vector<Changes> known = {{}};
      if (const auto before = former.find(algorithm); before != former.end() && !before->second.empty()) known.push_back(before->second);
      for (Changes& changes : known) {
        if (!outcome_.trials.empty() && TimeIsUp()) return {};
        outcome_.trials.push_back({.algorithm = algorithm, .changes = std::move(changes)});
        SEGUE_RETURN_IF_ERROR(Try(outcome_.trials.back(), rungs_.size() - 1));
      }
    }
    return {};
  }

  size_t DrawTrial(size_t number) {
    SearchTrial trial{.algorithm = algorithms_[number % algorithms_.size()]};
    Random random(seed_ ^ 0x5EA4C4, number);
    for (const train::SearchRange& range : train::SearchRanges(trial.algorithm, settings_)) {
      trial.changes.emplace_back(range.setting, train::Draw(range, random));
    }
    outcome_.trials.push_back(std::move(trial));
    return outcome_.trials.size() - 1;
  }

  Status RunBracket(std::vector<size_t> alive) {
    for (size_t rung = 0; rung < rungs_.size(); ++rung) {
      for (const size_t t : alive) {
        if (TimeIsUp()) return {};
        SEGUE_RETURN_IF_ERROR(Try(outcome_.trials[t], rung));
      }
      std::erase_if(alive, [&](size_t t) { return !outcome_.trials[t].error.empty(); });
      std::stable_sort(alive.begin(), alive.end(), [&](size_t a, size_t b) {
        return outcome_.trials[a].rungs.back().ndcg > outcome_.trials[b].rungs.back().ndcg;
      });
      alive.resize(std::min(alive.size(), (alive.size() + kHalving - 1) / kHalving));
    }
    return {};
  }

  /// Fits and judges on one rung. An error only where the search cannot go on.
  Status Try(SearchTrial& trial, size_t rung) {
    if (instruments_.Cancelled()) return Error{ErrorCode::kCancelled, "search: asked to stop"};
    const double begun = now_();
    Settings with = settings_;
    with.bootstrap_samples = 10;  // intervals are of no use here
    for (const auto& [name, value] : trial.changes) SEGUE_RETURN_IF_ERROR(Set(with, name, value));
    SEGUE_TRY(const auto trainer, train::MakeTrainer(trial.algorithm));
    const evaluate::Split& split = rungs_[rung];
    auto model = trainer->Fit(split.train, with, seed_, quiet_);
    if (!model.ok() && model.error().code == ErrorCode::kInvalid) {
      trial.error = model.error().message;
      return {};
    }
    if (!model.ok()) return model.error();
    SEGUE_TRY(const Report report, evaluate::Evaluate(**model, split, with, seed_, quiet_));
    trial.rungs.push_back({split.listeners.size(), report.figures.at("ndcg@100").value, report.figures.at("mrr").value});
    trial.seconds += now_() - begun;
    instruments_.Log(LogLevel::kInfo, "train", "search: " + trial.algorithm + ": NDCG@100 " + std::to_string(trial.rungs.back().ndcg) + " of " +
                     std::to_string(split.listeners.size()) + " listeners", {{"changes", json(trial.changes)}});
    instruments_.Progress("search", outcome_.trials.size(), static_cast<uint64_t>(settings_.search.trials) + algorithms_.size(), "trials");
    return {};
  }

  SearchOutcome End(std::string ended, std::string why) {
    std::map<std::string, double> quality;
    for (const SearchTrial& trial : outcome_.trials) {
      const auto* rung = LastRung(trial);
      if (rung == nullptr) continue;
      const auto [known, first] = quality.emplace(trial.algorithm, rung->ndcg);
      if (!first && rung->ndcg <= known->second) continue;
      known->second = rung->ndcg;
      outcome_.best[trial.algorithm] = trial.changes;
    }
    outcome_.ended = std::move(ended);
    outcome_.why = std::move(why);
    return std::move(outcome_);
  }

  /// Trainers' own words would drown the run's; a stop goes through.
  class Quiet final : public Instruments {
   public:
    explicit Quiet(const Instruments& outer) : outer_(outer) {}
    void Log(LogLevel, std::string_view, std::string_view, const json&) override {}
    void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}
    bool Cancelled() const override { return outer_.Cancelled(); }

   private:
    const Instruments& outer_;
  };

  const Settings& settings_;
  const uint64_t seed_;
  const std::function<double()>& now_;
  const double start_;
  Instruments& instruments_;
  Quiet quiet_{instruments_};
  const std::vector<evaluate::Split> rungs_;
  std::vector<std::string> algorithms_;
  SearchOutcome outcome_;
};

json ToJson(const SearchOutcome& outcome) {
  json trials = json::array();
  for (const SearchTrial& trial : outcome.trials) {
    json line = {{"algorithm", trial.algorithm}, {"settings", json::object()}, {"rungs", json::array()}, {"seconds", trial.seconds}};
    for (const auto& [name, value] : trial.changes) line["settings"][name] = value;
    for (const auto& rung : trial.rungs) line["rungs"].push_back({{"listeners", rung.listeners}, {"ndcg@100", rung.ndcg}, {"mrr", rung.mrr}});
    if (!trial.error.empty()) line["error"] = trial.error;
    const auto best = outcome.best.find(trial.algorithm);
    line["best"] = best != outcome.best.end() && best->second == trial.changes;
    trials.push_back(std::move(line));
  }
  return {{"ended", outcome.ended}, {"why", outcome.why}, {"trials", trials}, {"best", json(outcome.best)}};
}

/// What is best by a text of ours; nothing where it does not read.
std::map<std::string, Changes> BestOf(const std::string& text) {
  const json kept = json::parse(text, nullptr, false);
  if (!kept.is_object() || !kept.contains("best")) return {};
  try {
    return kept["best"].get<std::map<std::string, Changes>>();
  } catch (const json::exception&) {
    return {};
  }
}

}  // namespace

Result<SearchOutcome> Search(const Dataset& train, const Settings& settings, const std::map<std::string, Changes>& former,
                             const std::function<double()>& now, Instruments& instruments) {
  return Searcher(train, settings, now, instruments).Execute(former);
}

Result<SearchOutcome> SearchForRun(const Context& context, const Dataset& train, const std::string& run_id, bool dry_run,
                                   Instruments& instruments, json& detail) {
  if (context.settings.search.trials == 0) return SearchOutcome{};
  const std::string key = store::RunKey(run_id, "search.json");
  if (context.bucket.Exists(key)) {
    SEGUE_TRY(const std::string text, context.bucket.Get(key));
    detail = json::parse(text, nullptr, false);
    return SearchOutcome{.best = BestOf(text)};
  }
  SEGUE_TRY(const std::string remembered, context.catalog.Meta(kRemembered));
  const auto start = std::chrono::steady_clock::now();
  const auto now = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  SEGUE_TRY(SearchOutcome outcome, Search(train, context.settings, BestOf(remembered), now, instruments));
  detail = ToJson(outcome);
  instruments.Info("train", "search ended: " + outcome.why, {{"trials", outcome.trials.size()}, {"seconds", now()}});
  SEGUE_RETURN_IF_ERROR(context.bucket.Put(key, detail.dump(2)));
  if (!dry_run) SEGUE_RETURN_IF_ERROR(context.catalog.SetMeta(kRemembered, json{{"best", outcome.best}}.dump()));
  return outcome;
}

}  // namespace segue::pipeline
