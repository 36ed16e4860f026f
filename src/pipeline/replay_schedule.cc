#include "pipeline/replay_schedule.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "core/text.h"

namespace segue::pipeline {
namespace {

/// How strange what is played is: see ArmOptions.
class Novelty {
 public:
  explicit Novelty(const Dataset& data) : data_(data), met_(data.events.size()) {
    std::unordered_map<std::string_view, uint32_t> artists;
    std::vector<uint32_t> artist_of(data.tracks.size());
    uint32_t next = 0;
    for (size_t t = 0; t < data.tracks.size(); ++t) {
      const std::string& artist = data.tracks.artist[t];
      artist_of[t] = artist.empty() ? next++ : artists.try_emplace(artist, next).first->second;
      if (artist_of[t] == next) ++next;
    }
    for (uint32_t u = 0; u < data.listener_count(); ++u) {
      std::unordered_map<uint32_t, int64_t> first;
      for (uint64_t e = data.begin[u]; e < data.begin[u + 1]; ++e) {
        met_[e] = first.try_emplace(artist_of[Raw(data.events[e].track)], data.events[e].at).first->second;
      }
    }
  }

  /// new(from, to; known); nothing where nobody has events there.
  std::optional<double> Share(int64_t from, int64_t to, int64_t known) const {
    double sum = 0;
    uint64_t listeners = 0;
    for (uint32_t u = 0; u < data_.listener_count(); ++u) {
      const auto events = EventsBetween(data_, UserIx{u}, from, to);
      if (events.empty()) continue;
      const auto first = static_cast<size_t>(events.data() - data_.events.data());
      size_t strange = 0;
      for (size_t e = first; e < first + events.size(); ++e) strange += met_[e] >= known;
      sum += static_cast<double>(strange) / static_cast<double>(events.size());
      ++listeners;
    }
    if (listeners == 0) return std::nullopt;
    return sum / static_cast<double>(listeners);
  }

 private:
  const Dataset& data_;
  std::vector<int64_t> met_;  // [events] when the listener first met its artist
};

class Planner {
 public:
  Planner(const Dataset& data, const Timeline& timeline, const ArmOptions& options)
      : timeline_(timeline), options_(options), novelty_(data) {
    for (const Event& event : data.events) times_.push_back(event.at);
    std::sort(times_.begin(), times_.end());
  }

  TrainingSchedule Plan() {
    for (uint32_t w = timeline_.first; w < timeline_.windows; ++w) {
      if (w == timeline_.first) {
        for (const Arm arm : {Arm::kOnce, Arm::kTimer, Arm::kTrigger}) Train(arm, w, "the start");
      } else if (options_.every > 0 && (w - timeline_.first) % options_.every == 0) {
        Train(Arm::kTimer, w, std::to_string(options_.every) + " windows have passed");
      }
      LookAtTrigger(w);
      for (const Arm arm : {Arm::kOnce, Arm::kTimer, Arm::kTrigger}) {
        schedule_.serving[Row(arm)].push_back(schedule_.decisions[Row(arm)].back().training);
      }
    }
    schedule_.serving[Row(Arm::kFoldIn)] = schedule_.serving[Row(Arm::kTrigger)];
    schedule_.decisions[Row(Arm::kFoldIn)] = schedule_.decisions[Row(Arm::kTrigger)];
    return std::move(schedule_);
  }

 private:
  static size_t Row(Arm arm) { return static_cast<size_t>(arm); }

  uint64_t EventsBefore(int64_t moment) const {
    return static_cast<uint64_t>(std::lower_bound(times_.begin(), times_.end(), moment) - times_.begin());
  }
  const Training& Last(Arm arm) const { return schedule_.trainings[schedule_.decisions[Row(arm)].back().training]; }

  void Train(Arm arm, uint32_t window, std::string why, double drift = 0) {
    const uint64_t events = EventsBefore(timeline_.Edge(window));
    auto& decisions = schedule_.decisions[Row(arm)];
    if (!decisions.empty() && Last(arm).events == events) return;
    auto& trainings = schedule_.trainings;
    if (trainings.empty() || trainings.back().window != window) trainings.push_back({window, timeline_.Edge(window), events});
    decisions.push_back({static_cast<uint32_t>(trainings.size() - 1), std::move(why), drift});
  }

  double Drift(uint32_t window) const {
    const Training& last = Last(Arm::kTrigger);
    if (last.window == window) return 0;
    const int64_t edge = timeline_.Edge(window);
    const auto now = novelty_.Share(edge - timeline_.window_s, edge, last.at);
    const auto then = novelty_.Share(last.at - timeline_.window_s, last.at, last.at - timeline_.window_s);
    return now ? *now - then.value_or(0) : 0;
  }

  void LookAtTrigger(uint32_t window) {
    const double drift = Drift(window);
    schedule_.drift.push_back(drift);
    const Training& last = Last(Arm::kTrigger);
    if (last.window == window) return;
    const uint64_t news = EventsBefore(timeline_.Edge(window)) - last.events;
    const auto count = static_cast<double>(news);
    const bool by_plays = options_.trigger_plays > 0 && count >= static_cast<double>(options_.trigger_plays) &&
                          count >= options_.trigger_share * static_cast<double>(last.events);
    if (by_plays) {
      Train(Arm::kTrigger, window, WithCommas(static_cast<int64_t>(news)) + " new events", drift);
    } else if (options_.trigger_drift > 0 && drift >= options_.trigger_drift) {
      Train(Arm::kTrigger, window, "drift " + Fixed(drift, 2), drift);
    }
  }

  const Timeline& timeline_;
  const ArmOptions& options_;
  const Novelty novelty_;
  std::vector<int64_t> times_;  // of all events, ascending
  TrainingSchedule schedule_;
};

}  // namespace

Result<TrainingSchedule> MakeTrainingSchedule(const Dataset& data, const Timeline& timeline, const ArmOptions& options) {
  if (options.every < 0 || options.trigger_plays < 0 || !(options.trigger_share >= 0) || !(options.trigger_drift >= 0 && options.trigger_drift <= 1)) {
    return Error{ErrorCode::kInvalid, "replay: --retrain-every, --trigger-plays and --trigger-share are 0 or more, --trigger-drift from 0 to 1"};
  }
  return Planner(data, timeline, options).Plan();
}

}  // namespace segue::pipeline
