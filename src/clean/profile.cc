#include "clean/profile.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "store/duck.h"

namespace segue::clean {
namespace {

using nlohmann::json;
using store::DuckChunk;

constexpr int64_t kSampleRows = 2'000'000;
constexpr int kBins = 20;
constexpr std::array<const char*, 9> kQuantiles = {"0.01", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99"};

struct Column {
  std::string name;
  std::string type;
};

Result<std::vector<Column>> Columns(Workshop& work, const std::string& relation) {
  std::vector<Column> columns;
  SEGUE_RETURN_IF_ERROR(work.duck().Query("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM " + relation + ")",
                                          [&](const DuckChunk& chunk) {
                                            for (uint64_t i = 0; i < chunk.rows(); ++i) {
                                              columns.push_back({std::string(chunk.Text(0, i)), std::string(chunk.Text(1, i))});
                                            }
                                          }));
  return columns;
}

Status AddNumbers(Workshop& work, const std::string& relation, const std::string& column, const std::string& sample,
                  json& profile) {
  std::string quantiles;
  for (size_t i = 0; i < kQuantiles.size(); ++i) {
    quantiles += (i == 0 ? "q[" : ", q[") + std::to_string(i + 1) + "]";
  }
  std::string shares;
  for (const char* share : kQuantiles) shares += (shares.empty() ? "" : ", ") + std::string(share);
  SEGUE_RETURN_IF_ERROR(work.duck().Query(
      "SELECT " + quantiles + " FROM (SELECT quantile_disc(" + column + "::DOUBLE, [" + shares + "]) AS q FROM " +
          relation + " WHERE " + column + " IS NOT NULL" + sample + ")",
      [&](const DuckChunk& chunk) {
        for (size_t i = 0; i < kQuantiles.size(); ++i) {
          const int at = static_cast<int>(i);
          if (chunk.rows() > 0 && !chunk.IsNull(at, 0)) profile["quantiles"][kQuantiles[i]] = chunk.Real(at, 0);
        }
      }));
  const double low = profile["min"].get<double>();
  const double width = (profile["max"].get<double>() - low) / kBins;
  std::vector<int64_t> counts(kBins, 0);
  // The numbers as JSON writes them read back exactly.
  const std::string bin = width > 0 ? "least(" + std::to_string(kBins - 1) + ", greatest(0, floor((" + column +
                                          "::DOUBLE - (" + json(low).dump() + ")::DOUBLE) / (" + json(width).dump() +
                                          ")::DOUBLE)))::BIGINT"
                                    : "0::BIGINT";
  SEGUE_RETURN_IF_ERROR(work.duck().Query("SELECT " + bin + " AS bin, count(*) FROM " + relation + " WHERE " + column +
                                              " IS NOT NULL GROUP BY bin",
                                          [&](const DuckChunk& chunk) {
                                            for (uint64_t i = 0; i < chunk.rows(); ++i) {
                                              counts[static_cast<size_t>(chunk.Int(0, i))] = chunk.Int(1, i);
                                            }
                                          }));
  profile["histogram"] = {{"low", low}, {"width", width}, {"counts", counts}};
  return {};
}

Status AddTop(Workshop& work, const std::string& relation, const std::string& column, json& profile) {
  profile["top"] = json::array();
  return work.duck().Query("SELECT left(" + column + ", 100) AS v, count(*) AS n FROM " + relation + " WHERE " + column +
                               " IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT " + std::to_string(kBins),
                           [&](const DuckChunk& chunk) {
                             for (uint64_t i = 0; i < chunk.rows(); ++i) {
                               profile["top"].push_back({{"value", std::string(chunk.Text(0, i))}, {"rows", chunk.Int(1, i)}});
                             }
                           });
}

Result<json> ProfileColumn(Workshop& work, const std::string& relation, const Column& column, const std::string& sample) {
  const bool text = column.type == "VARCHAR";
  const std::string name = "\"" + column.name + "\"";
  const std::string extreme = text ? "left(" + name + ", 100)" : name + "::DOUBLE";
  json profile = {{"type", column.type}};
  bool any = false;
  SEGUE_RETURN_IF_ERROR(work.duck().Query(
      "SELECT count(*) - count(" + name + "), approx_count_distinct(" + name + "), min(" + extreme + "), max(" +
          extreme + ") FROM " + relation,
      [&](const DuckChunk& chunk) {
        if (chunk.rows() == 0) return;
        profile["nulls"] = chunk.Int(0, 0);
        profile["distinct"] = chunk.Int(1, 0);
        any = !chunk.IsNull(2, 0);
        if (!any) return;
        if (text) {
          profile["min"] = std::string(chunk.Text(2, 0));
          profile["max"] = std::string(chunk.Text(3, 0));
        } else {
          profile["min"] = chunk.Real(2, 0);
          profile["max"] = chunk.Real(3, 0);
        }
      }));
  if (!any) return profile;
  if (text) {
    SEGUE_RETURN_IF_ERROR(AddTop(work, relation, name, profile));
  } else {
    SEGUE_RETURN_IF_ERROR(AddNumbers(work, relation, name, sample, profile));
  }
  return profile;
}

}  // namespace

Result<json> ProfileColumns(Workshop& work, const std::string& relation, const std::string& sample_key) {
  SEGUE_TRY(const int64_t rows, work.duck().Count("SELECT count(*) FROM " + relation));
  SEGUE_TRY(const auto columns, Columns(work, relation));
  const int64_t every = rows / kSampleRows;
  const std::string sample = every > 1 ? " AND hash(" + sample_key + ") % " + std::to_string(every) + " = 0" : "";
  json profile = {{"rows", rows}, {"columns", json::object()}};
  for (const Column& column : columns) {
    SEGUE_TRY(profile["columns"][column.name], ProfileColumn(work, relation, column, sample));
  }
  return profile;
}

}  // namespace segue::clean
