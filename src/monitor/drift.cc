#include "monitor/drift.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "core/text.h"

namespace segue::monitor {
namespace {

using nlohmann::json;

constexpr double kModeratePsi = 0.1;
constexpr double kHardlyEver = 0.001;  ///< a share of missing values that counts as none
constexpr double kTwoSided = 3.2905;   ///< once in 1000 times, standard normal

/// New tracks, listeners and days come with every delivery.
constexpr std::array<std::string_view, 6> kNotJudged = {"interactions.at",  "interactions.listener", "interactions.track_id",
                                                        "tracks.track_id", "tracks.title",          "tracks.album"};

/// Rules of cleaning that tell of undefined data, by the start of their names.
constexpr std::array<std::string_view, 4> kUndefinedRules = {"unreadable", "unknown_kind", "missing_", "impossible_"};

double Real(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number() ? it->get<double>() : std::nan("");
}

int64_t Whole(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number() ? it->get<int64_t>() : 0;
}

NumberColumn Numbers(const json& profile, int64_t values) {
  NumberColumn column{.values = values, .distinct = Whole(profile, "distinct"), .min = Real(profile, "min"), .max = Real(profile, "max")};
  const json quantiles = profile.value("quantiles", json::object());
  for (const auto& [share, value] : quantiles.items()) {
    if (value.is_number()) column.quantiles.emplace_back(std::stod(share), value.get<double>());
  }
  std::sort(column.quantiles.begin(), column.quantiles.end());
  const json histogram = profile.value("histogram", json::object());
  column.low = Real(histogram, "low");
  column.width = Real(histogram, "width");
  for (const json& count : histogram.value("counts", json::array())) column.counts.push_back(count.get<int64_t>());
  return column;
}

CategoryColumn Categories(const json& profile, int64_t values) {
  CategoryColumn column{.values = values};
  int64_t listed = 0;
  for (const json& entry : profile.value("top", json::array())) {
    column.top.emplace_back(entry.value("value", ""), Whole(entry, "rows"));
    listed += column.top.back().second;
  }
  column.complete = listed >= values;
  return column;
}

/// Takes the more serious of two states.
void Escalate(ColumnDrift& column, DriftState state, const std::string& why) {
  const bool worse = column.state == DriftState::kSteady || (column.state == DriftState::kMoved && state != DriftState::kMoved) ||
                     (state == DriftState::kUndefined && column.state != state);
  if (worse) column.state = state;
  if (worse || column.state == state) column.why += (column.why.empty() ? "" : ", ") + why;
}

void Weigh(ColumnDrift& column, const char* name, const Distance& distance, double limit, double moved) {
  if (!distance.sure) return;
  const std::string figure = std::string(name) + " " + Significant(distance.value, 3);
  if (distance.value >= std::max(limit, distance.noise)) {
    Escalate(column, DriftState::kDrifted, figure);
  } else if (distance.value >= std::max(moved, distance.noise)) {
    Escalate(column, DriftState::kMoved, figure);
  }
}

std::string Percent(double share) { return Fixed(100 * share, 1) + " %"; }

void WeighNulls(ColumnDrift& column, int64_t rows_before, int64_t rows_now, const DriftSettings& settings) {
  const double pooled = (column.null_before * static_cast<double>(rows_before) + column.null_now * static_cast<double>(rows_now)) /
                        static_cast<double>(std::max<int64_t>(1, rows_before + rows_now));
  const double sampling = 1 / static_cast<double>(std::max<int64_t>(1, rows_before)) + 1 / static_cast<double>(std::max<int64_t>(1, rows_now));
  const double noise = kTwoSided * std::sqrt(pooled * (1 - pooled) * sampling);
  const double change = column.null_now - column.null_before;
  const std::string why = Percent(column.null_now) + " missing, before " + Percent(column.null_before);
  if (column.null_before <= kHardlyEver && column.null_now > settings.max_undefined && change > noise) {
    Escalate(column, DriftState::kUndefined, why);
  } else if (std::fabs(change) >= std::max(settings.max_null_change, noise)) {
    Escalate(column, DriftState::kDrifted, why);
  }
}

ColumnDrift CompareColumn(const std::string& name, const json& before, const json& now, int64_t rows_before, int64_t rows_now,
                          const DriftSettings& settings) {
  ColumnDrift column{.column = name};
  const int64_t nulls_before = Whole(before, "nulls"), nulls_now = Whole(now, "nulls");
  column.values_before = rows_before - nulls_before;
  column.values_now = rows_now - nulls_now;
  column.null_before = rows_before > 0 ? static_cast<double>(nulls_before) / static_cast<double>(rows_before) : 0;
  column.null_now = rows_now > 0 ? static_cast<double>(nulls_now) / static_cast<double>(rows_now) : 0;
  if (before.value("type", "") != now.value("type", "")) {
    Escalate(column, DriftState::kUndefined, "its type is " + now.value("type", "") + ", before " + before.value("type", ""));
    return column;
  }
  WeighNulls(column, rows_before, rows_now, settings);
  const bool text = now.value("type", "") == "VARCHAR";
  if (!text && column.values_now > 0 && now.contains("min") && !(std::isfinite(Real(now, "min")) && std::isfinite(Real(now, "max")))) {
    Escalate(column, DriftState::kUndefined, "it has values that are not numbers");
    return column;
  }
  if (std::find(kNotJudged.begin(), kNotJudged.end(), name) != kNotJudged.end()) {
    if (column.state == DriftState::kSteady) column.state = DriftState::kNotJudged;
    return column;
  }
  if (std::min(column.values_before, column.values_now) < settings.min_rows) {
    if (column.state == DriftState::kSteady) column.state = DriftState::kTooFew;
    return column;
  }
  if (text) {
    const CategoryColumn a = Categories(before, column.values_before), b = Categories(now, column.values_now);
    column.psi = Psi(a, b);
    column.jensen_shannon = JensenShannon(a, b);
    Weigh(column, "Jensen-Shannon", *column.jensen_shannon, settings.max_js, settings.max_js / 2);
  } else {
    const NumberColumn a = Numbers(before, column.values_before), b = Numbers(now, column.values_now);
    column.psi = Psi(a, b);
    column.wasserstein = Wasserstein(a, b);
    Weigh(column, "Wasserstein", *column.wasserstein, settings.max_wasserstein, settings.max_wasserstein / 2);
  }
  Weigh(column, "PSI", *column.psi, settings.max_psi, std::min(kModeratePsi, settings.max_psi));
  return column;
}

/// Rows and values by rule, of those rules that tell of undefined data.
std::map<std::string, int64_t> UndefinedByRule(const json& quality) {
  std::map<std::string, int64_t> counts;
  for (const json& rule : quality.value("rules", json::array())) {
    const std::string name = rule.value("rule", "");
    const bool undefined = std::any_of(kUndefinedRules.begin(), kUndefinedRules.end(), [&](std::string_view start) { return name.starts_with(start); });
    if (undefined) counts[name] += Whole(rule, "removed") + Whole(rule, "changed");
  }
  return counts;
}

void CompareRules(const json& before, const json& now, const DriftSettings& settings, std::vector<ColumnDrift>& columns) {
  const auto counts_before = UndefinedByRule(before), counts_now = UndefinedByRule(now);
  const int64_t rows_before = Whole(before.value("rows", json::object()), "in"), rows_now = Whole(now.value("rows", json::object()), "in");
  if (rows_before <= 0 || rows_now <= 0) return;
  for (const auto& [rule, count] : counts_now) {
    const auto old = counts_before.find(rule);
    const double share_before = static_cast<double>(old == counts_before.end() ? 0 : old->second) / static_cast<double>(rows_before);
    const double share_now = static_cast<double>(count) / static_cast<double>(rows_now);
    ColumnDrift column{.column = "rules." + rule, .values_before = rows_before, .values_now = rows_now,
                       .null_before = share_before, .null_now = share_now};
    if (share_now - share_before > settings.max_undefined) {
      Escalate(column, DriftState::kUndefined, Percent(share_now) + " of the rows, before " + Percent(share_before));
    }
    columns.push_back(std::move(column));
  }
}

}  // namespace

std::string_view Name(DriftState state) {
  switch (state) {
    case DriftState::kSteady: return "steady";
    case DriftState::kMoved: return "moved";
    case DriftState::kDrifted: return "drifted";
    case DriftState::kUndefined: return "undefined";
    case DriftState::kTooFew: return "too_few";
    case DriftState::kNotJudged: return "not_judged";
  }
  return "unknown";
}

std::vector<ColumnDrift> CompareQuality(const json& before, const json& now, const DriftSettings& settings) {
  std::vector<ColumnDrift> columns;
  if (!before.is_object() || !now.is_object() || !before.contains("profile") || !now.contains("profile")) return columns;
  for (const auto& [table, profile] : now["profile"].items()) {
    if (!before["profile"].contains(table)) continue;
    const json& old = before["profile"][table];
    const int64_t rows_before = Whole(old, "rows"), rows_now = Whole(profile, "rows");
    if (rows_before == 0 || rows_now == 0) continue;
    std::set<std::string> names;
    for (const auto& [name, column] : profile["columns"].items()) names.insert(name);
    for (const auto& [name, column] : old["columns"].items()) names.insert(name);
    for (const std::string& name : names) {
      const std::string full = table + "." + name;
      if (!profile["columns"].contains(name) || !old["columns"].contains(name)) {
        ColumnDrift column{.column = full};
        Escalate(column, DriftState::kUndefined, profile["columns"].contains(name) ? "the column is new" : "the column is gone");
        columns.push_back(std::move(column));
        continue;
      }
      columns.push_back(CompareColumn(full, old["columns"][name], profile["columns"][name], rows_before, rows_now, settings));
    }
  }
  CompareRules(before, now, settings, columns);
  std::sort(columns.begin(), columns.end(), [](const ColumnDrift& a, const ColumnDrift& b) { return a.column < b.column; });
  return columns;
}

std::string Named(const std::vector<ColumnDrift>& columns, DriftState state, size_t most) {
  // Columns of one table are often missing together: what is said of them is said once.
  std::vector<std::pair<std::string, std::string>> groups;  // why, names
  for (const ColumnDrift& column : columns) {
    if (column.state != state) continue;
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.first == column.why; });
    if (same == groups.end()) {
      groups.emplace_back(column.why, column.column);
    } else {
      same->second += ", " + column.column;
    }
  }
  std::string text;
  for (size_t i = 0; i < std::min(groups.size(), most); ++i) text += (i == 0 ? "" : "; ") + groups[i].second + " (" + groups[i].first + ")";
  if (groups.size() > most) text += " and " + std::to_string(groups.size() - most) + " more";
  return text;
}

json ToJson(const Distance& distance) {
  const auto number = [](double value) { return std::isfinite(value) ? json(value) : json(); };
  return {{"value", number(distance.value)}, {"noise", number(distance.noise)}, {"error", number(distance.error)}};
}

json ToJson(const ColumnDrift& column) {
  const auto distance = [](const std::optional<Distance>& d) { return d ? ToJson(*d) : json(); };
  return {{"column", column.column}, {"state", Name(column.state)}, {"why", column.why.empty() ? json() : json(column.why)},
          {"values", {{"before", column.values_before}, {"now", column.values_now}}},
          {"null_share", {{"before", column.null_before}, {"now", column.null_now}}},
          {"psi", distance(column.psi)}, {"wasserstein", distance(column.wasserstein)},
          {"jensen_shannon", distance(column.jensen_shannon)}};
}

}  // namespace segue::monitor
