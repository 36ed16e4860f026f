#include "pipeline/drift.h"

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "models/past.h"
#include "monitor/drift.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

constexpr size_t kListeners = 200;
constexpr size_t kShown = 10;
constexpr size_t kNamed = 8;

Result<json> QualityOf(const Context& context, std::string_view dataset_id) {
  SEGUE_TRY(const std::string text, context.bucket.Get(store::DatasetKey(dataset_id, "quality.json")));
  json quality = json::parse(text, nullptr, false);
  if (!quality.is_object()) return Error{ErrorCode::kCorrupt, "drift: quality.json of dataset " + std::string(dataset_id) + " does not read"};
  return quality;
}

/// What one model shows.
struct Shown {
  std::vector<std::set<std::string>> lists;  ///< by listener
  std::map<std::string, int64_t> times;      ///< by track
  std::vector<double> scores;
};

Shown Show(const Context& context, const Court& court, const models::Model& model, std::span<const UserIx> listeners) {
  const StrengthRule rule{context.settings.skip_weight, context.settings.like_weight};
  const models::RowMap rows(model, court.split.train.tracks.id);
  Shown shown;
  for (const UserIx user : listeners) {
    const auto events = court.split.train.EventsOf(user);
    const auto past = rows.PastOf(court.split.train.listeners[Raw(user)], events, rule);
    std::vector<uint8_t> exclude(model.track_count(), 0);
    for (const Event& event : events) {
      if (const uint32_t row = rows[event.track]; row != models::RowMap::kNone) exclude[row] = 1;
    }
    auto& list = shown.lists.emplace_back();
    for (const auto& track : model.Top(model.FoldIn(past.View()), kShown, exclude)) {
      const std::string id(model.TrackId(track.track));
      list.insert(id);
      ++shown.times[id];
      shown.scores.push_back(track.score);
    }
  }
  std::sort(shown.scores.begin(), shown.scores.end());
  return shown;
}

double Quantile(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0 : sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

json ScoresOf(const Shown& shown) {
  return {{"0.05", Quantile(shown.scores, 0.05)}, {"0.5", Quantile(shown.scores, 0.5)}, {"0.95", Quantile(shown.scores, 0.95)}};
}

/// Whole, so that the distribution function has every value.
monitor::NumberColumn ColumnOf(const std::vector<double>& sorted) {
  monitor::NumberColumn column{.values = static_cast<int64_t>(sorted.size()), .min = sorted.front(), .max = sorted.back()};
  for (size_t i = 0; i < sorted.size(); ++i) {
    column.quantiles.emplace_back(static_cast<double>(i + 1) / static_cast<double>(sorted.size()), sorted[i]);
  }
  return column;
}

monitor::CategoryColumn ColumnOf(const Shown& shown) {
  monitor::CategoryColumn column{.values = static_cast<int64_t>(shown.scores.size()), .complete = true};
  column.top.assign(shown.times.begin(), shown.times.end());
  return column;
}

}  // namespace

Result<std::string> BaselineDataset(const Context& context) {
  SEGUE_TRY(const auto live, context.catalog.Live());
  if (!live) return std::string();
  SEGUE_TRY(const auto model, context.catalog.FindModel(live->to_model));
  return model ? model->dataset_id : std::string();
}

Result<json> DataDrift(const Context& context, std::string_view dataset_id) {
  SEGUE_TRY(const std::string baseline, BaselineDataset(context));
  if (baseline.empty() || baseline == dataset_id) return json();
  SEGUE_TRY(const json before, QualityOf(context, baseline));
  SEGUE_TRY(const json now, QualityOf(context, dataset_id));
  const auto columns = monitor::CompareQuality(before, now, context.settings.drift);
  json drift = {{"baseline_dataset_id", baseline}, {"columns", json::array()},
                {"drifted", monitor::Named(columns, monitor::DriftState::kDrifted, kNamed)},
                {"undefined", monitor::Named(columns, monitor::DriftState::kUndefined, kNamed)},
                {"moved", monitor::Named(columns, monitor::DriftState::kMoved, kNamed)}};
  for (const auto& column : columns) drift["columns"].push_back(monitor::ToJson(column));
  return drift;
}

json PredictionDrift(const Context& context, const Court& court, const models::Model& challenger, std::string_view challenger_id,
                     const models::Model& live, std::string_view live_id) {
  std::vector<UserIx> listeners;
  const auto& all = court.split.listeners;
  for (size_t i = 0; i < all.size(); i += std::max<size_t>(1, all.size() / kListeners)) listeners.push_back(all[i]);
  const Shown before = Show(context, court, live, listeners), now = Show(context, court, challenger, listeners);
  double overlap = 0;
  for (size_t i = 0; i < listeners.size(); ++i) {
    const auto& a = before.lists[i];
    const auto& b = now.lists[i];
    const auto both = std::count_if(a.begin(), a.end(), [&](const std::string& id) { return b.contains(id); });
    overlap += static_cast<double>(both) / static_cast<double>(std::max<size_t>(1, std::max(a.size(), b.size())));
  }
  json drift = {{"live", live_id}, {"challenger", challenger_id}, {"listeners", listeners.size()},
                {"overlap", listeners.empty() ? 0.0 : overlap / static_cast<double>(listeners.size())},
                {"tracks", json()},
                {"distinct", {{"live", before.times.size()}, {"challenger", now.times.size()}}},
                {"scores", {{"live", ScoresOf(before)}, {"challenger", ScoresOf(now)}}}};
  if (before.scores.empty() || now.scores.empty()) return drift;
  drift["tracks"] = monitor::ToJson(monitor::JensenShannon(ColumnOf(before), ColumnOf(now)));
  if (challenger.algorithm() == live.algorithm()) {
    drift["scores"]["wasserstein"] = monitor::ToJson(monitor::Wasserstein(ColumnOf(before.scores), ColumnOf(now.scores)));
  }
  return drift;
}

}  // namespace segue::pipeline
