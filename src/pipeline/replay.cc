#include "pipeline/replay.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <memory>
#include <utility>

#include "core/check.h"
#include "core/preferences.h"
#include "evaluate/evaluator.h"
#include "math/parallel.h"
#include "pipeline/replay_arm_model.h"
#include "train/trainer.h"

namespace segue::pipeline {
namespace {

/// Of the process, all threads.
double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Stages inside the replay keep quiet: its own progress counts windows.
class Quiet final : public Instruments {
 public:
  explicit Quiet(Instruments& loud) : loud_(loud) {}
  void Log(LogLevel level, std::string_view stage, std::string_view message, const nlohmann::json& fields) override {
    if (level >= LogLevel::kWarning) loud_.Log(level, stage, message, fields);
  }
  void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}
  bool Cancelled() const override { return loud_.Cancelled(); }

 private:
  Instruments& loud_;
};

/// Adds what a listener wants of a window's events.
void AddWanted(UserIx user, std::span<const Event> past, std::span<const Event> window, bool discovery, const StrengthRule& rule,
               evaluate::Split& split) {
  if (window.empty()) return;
  std::vector<Preference> heard;
  if (discovery) heard = SumByTrack(past, rule);
  const size_t before = split.held_out.size();
  for (const Preference& item : SumByTrack(window, rule)) {
    const bool rated = !std::isnan(item.rating);
    if (!(item.strength > 0 || (rated && item.strength == 0))) continue;
    const auto by_track = [](const Preference& a, const Preference& b) { return a.track < b.track; };
    if (std::binary_search(heard.begin(), heard.end(), item, by_track)) continue;
    split.held_out.push_back({item.track, item.strength, true});
  }
  if (split.held_out.size() == before) return;
  split.listeners.push_back(user);
  split.begin.push_back(split.held_out.size());
}

/// What has to be judged once a window, and for which arms.
struct Job {
  uint32_t training = 0;
  bool folds_in = false;
  std::vector<size_t> arms;
  std::optional<Result<Report>> report;
};

class Walk {
 public:
  Walk(const Dataset& data, const train::Trainer& trainer, const Settings& settings, Instruments& instruments, Replayed& out)
      : data_(data), trainer_(trainer), settings_(settings), rule_{settings.skip_weight, settings.like_weight}, instruments_(instruments),
        quiet_(instruments), out_(out) {
    judging_ = settings;
    judging_.threads = 1;  // arms are judged side by side
    split_.train.id = data.id;
    split_.train.tracks = data.tracks;
    split_.train.listeners = data.listeners;
    split_.train.tags = data.tags;
    split_.train.extra_features = data.extra_features;
    split_.train.friends = data.friends;
  }

  Status Go() {
    const Timeline& timeline = out_.timeline;
    for (uint32_t w = timeline.first; w < timeline.windows; ++w) {
      if (instruments_.Cancelled()) return Error{ErrorCode::kCancelled, "replay: asked to stop"};
      instruments_.Progress("replay", w - timeline.first, timeline.windows - timeline.first, "windows");
      PastUntil(data_, timeline.Edge(w), split_.train);
      SEGUE_RETURN_IF_ERROR(Fit(w));
      for (const Protocol protocol : {Protocol::kDiscovery, Protocol::kNext}) SEGUE_RETURN_IF_ERROR(Judge(w, protocol));
    }
    instruments_.Progress("replay", timeline.windows - timeline.first, timeline.windows - timeline.first, "windows");
    return {};
  }

 private:
  Status Fit(uint32_t window) {
    const auto& trainings = out_.schedule.trainings;
    const auto due = std::find_if(trainings.begin(), trainings.end(), [&](const Training& t) { return t.window == window; });
    if (due == trainings.end()) return {};
    const double before = CpuSeconds();
    auto model = trainer_.Fit(split_.train, settings_, static_cast<uint64_t>(settings_.seed), quiet_);
    if (!model.ok()) return model.error().In("replay: training on what was before window " + std::to_string(window));
    out_.models.push_back({*due, CpuSeconds() - before});
    models_[static_cast<uint32_t>(due - trainings.begin())] = *std::move(model);
    std::erase_if(models_, [&](const auto& entry) { return !InUse(entry.first, window); });
    return {};
  }

  bool InUse(uint32_t training, uint32_t window) const {
    const auto& serving = out_.schedule.serving;
    return std::any_of(serving.begin(), serving.end(), [&](const auto& of_arm) { return of_arm[window - out_.timeline.first] == training; });
  }

  void CutWindow(uint32_t window, Protocol protocol) {
    split_.listeners.clear();
    split_.begin.assign(1, 0);
    split_.held_out.clear();
    for (uint32_t u = 0; u < data_.listener_count(); ++u) {
      AddWanted(UserIx{u}, split_.train.EventsOf(UserIx{u}),
                EventsBetween(data_, UserIx{u}, out_.timeline.Edge(window), out_.timeline.Edge(window + 1)),
                protocol == Protocol::kDiscovery, rule_, split_);
    }
  }

  std::vector<Job> Jobs(uint32_t window) const {
    std::vector<Job> jobs;
    for (size_t arm = 0; arm < kArms; ++arm) {
      const uint32_t training = out_.schedule.serving[arm][window - out_.timeline.first];
      // A model that was trained just now knows everybody as he is.
      const bool folds_in = static_cast<Arm>(arm) == Arm::kFoldIn || out_.schedule.trainings[training].window == window;
      auto same = std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) { return job.training == training && job.folds_in == folds_in; });
      if (same == jobs.end()) same = jobs.insert(jobs.end(), {training, folds_in, {}, {}});
      same->arms.push_back(arm);
    }
    return jobs;
  }

  Status Judge(uint32_t window, Protocol protocol) {
    CutWindow(window, protocol);
    if (split_.listeners.empty()) return {};
    const auto p = static_cast<size_t>(protocol);
    judging_.protocol = std::string(kProtocols[p]);
    judging_.bootstrap_samples = 1;  // intervals are over windows and listeners together: replay_summary.h
    auto jobs = Jobs(window);
    math::WithThreads(settings_.threads, [&] {
      math::ParallelFor(jobs.size(), [&](size_t j) { jobs[j].report = JudgeOne(jobs[j]); });
    });
    auto& pairs = out_.pairs[p];
    const size_t first = pairs.size();
    for (const UserIx user : split_.listeners) pairs.push_back({Raw(user), window, {}});
    for (const Job& job : jobs) {
      if (!job.report->ok()) return job.report->error();
      for (size_t f = 0; f < kReplayFigures.size(); ++f) {
        const auto& values = (*job.report)->per_listener.at(kReplayFigures[f]);
        for (size_t i = 0; i < values.size(); ++i) {
          for (const size_t arm : job.arms) pairs[first + i].figures[arm][f] = values[i];
        }
      }
    }
    out_.windows[p].push_back({window, split_.listeners.size(), split_.held_out.size()});
    return {};
  }

  Result<Report> JudgeOne(const Job& job) {
    const models::Model& model = *models_.at(job.training);
    const auto seed = static_cast<uint64_t>(settings_.seed);
    if (job.folds_in) return evaluate::Evaluate(model, split_, judging_, seed, quiet_);
    const AsTrained as_trained(model, data_, out_.schedule.trainings[job.training].at, rule_);
    return evaluate::Evaluate(as_trained, split_, judging_, seed, quiet_);
  }

  const Dataset& data_;
  const train::Trainer& trainer_;
  const Settings& settings_;
  Settings judging_;
  const StrengthRule rule_;
  Instruments& instruments_;
  Quiet quiet_;
  Replayed& out_;
  evaluate::Split split_;  // its train grows from window to window
  std::map<uint32_t, std::unique_ptr<models::Model>> models_;
};

}  // namespace

Result<Replayed> Replay(Dataset data, const ReplayOptions& options, const Settings& settings, Instruments& instruments) {
  const double before = CpuSeconds();
  SEGUE_TRY(const auto trainer, train::MakeTrainer(options.algorithm));
  if (!(options.recovered > 0 && options.recovered <= 1)) {
    return Error{ErrorCode::kInvalid, "replay: --recovered is a share above 0, at most 1"};
  }
  Replayed out{.options = options, .settings = train::SettingsOf(options.algorithm, settings), .seed = settings.seed,
               .bootstrap_samples = settings.bootstrap_samples, .confidence = settings.confidence};
  SEGUE_TRY(out.timeline, SetClock(data, options.clock));
  out.listeners = data.listener_count();
  out.tracks = data.tracks.size();
  out.events = data.events.size();
  if (options.switch_is_age && options.switch_at) out.options.switch_at = out.timeline.zero + *options.switch_at;
  SEGUE_TRY(out.schedule, MakeTrainingSchedule(data, out.timeline, options.arms));
  const int64_t start = out.timeline.Edge(out.timeline.first);
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto events = data.EventsOf(UserIx{u});
    out.known.push_back(!events.empty() && events.front().at < start);
  }
  SEGUE_RETURN_IF_ERROR(Walk(data, *trainer, settings, instruments, out).Go());
  if (out.windows[static_cast<size_t>(Protocol::kNext)].empty()) {
    return Error{ErrorCode::kInvalid, "replay: nobody plays anything in the " + std::to_string(out.timeline.windows - out.timeline.first) +
                                          " windows after the start. Choose an earlier --start, or give longer histories."};
  }
  out.cpu_seconds = CpuSeconds() - before;
  return out;
}

}  // namespace segue::pipeline
