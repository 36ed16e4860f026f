#include "train/trending.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/liking.h"
#include "models/trending.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

constexpr double kSecondsPerDay = 86'400;

/// The first and the last known time; both 0 where there is none.
struct Span {
  int64_t oldest = 0;
  int64_t newest = 0;
};

Span TimesOf(const Dataset& data) {
  Span span;
  for (const Event& event : data.events) {
    if (event.at <= 0) continue;
    span.oldest = span.oldest == 0 ? event.at : std::min(span.oldest, event.at);
    span.newest = std::max(span.newest, event.at);
  }
  return span;
}

bool KeepsWarm(EventKind kind) { return kind == EventKind::kPlay || kind == EventKind::kLike || kind == EventKind::kRating; }

class TrendingTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::TrendingModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t,
                                             Instruments& instruments) const override {
    const size_t tracks = data.tracks.size();
    const Span times = TimesOf(data);
    const models::Liked liked = models::LikedRule(settings.liked, data);
    const double half_life_days = settings.trending.half_life_days;
    PopularityCounts counts(tracks);
    std::vector<double> heat(tracks, 0.0);
    models::TrendingModel::Parts parts;
    parts.half_life_days = static_cast<float>(half_life_days);
    parts.listeners.assign(tracks, 0);
    parts.lately.assign(tracks, 0);
    std::vector<int64_t> newest(tracks, times.oldest);
    for (uint32_t u = 0; u < data.listener_count(); ++u) {
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "trending: asked to stop"};
      const auto events = data.EventsOf(UserIx{u});
      const auto items = models::ByLiking(SumByTrack(events, {settings.skip_weight, settings.like_weight}), liked);
      counts.Add(items);
      for (const Event& event : events) {
        if (KeepsWarm(event.kind)) newest[Raw(event.track)] = std::max(newest[Raw(event.track)], event.at);
      }
      for (const Preference& item : items) {
        const size_t i = Raw(item.track);
        const double half_lives = static_cast<double>(times.newest - newest[i]) / kSecondsPerDay / half_life_days;
        newest[i] = times.oldest;  // for the next listener
        if (item.strength <= 0) continue;
        heat[i] += std::exp2(-half_lives);
        parts.listeners[i] += 1;
        parts.lately[i] += half_lives <= 1 ? 1 : 0;
      }
    }
    if (std::all_of(parts.listeners.begin(), parts.listeners.end(), [](uint32_t n) { return n == 0; })) {
      return Error{ErrorCode::kInvalid, "trending: there are no plays, likes or ratings to train on"};
    }
    std::vector<float> scores = counts.Scores();
    for (size_t i = 0; i < tracks; ++i) scores[i] = models::TrendingScore(heat[i], scores[i]);
    parts.catalogue = models::Catalogue(data.tracks.id, std::move(scores));
    return models::TrendingModel::Make(std::move(parts));
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeTrendingTrainer() { return std::make_unique<TrendingTrainer>(); }

}  // namespace segue::train
