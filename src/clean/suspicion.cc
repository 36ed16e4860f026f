#include "clean/suspicion.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "clean/rules.h"
#include "store/duck.h"

namespace segue::clean {
namespace {

using store::DuckChunk;

constexpr int64_t kFewestValues = 50;
constexpr int64_t kFewestRows = 500;      ///< for a correlation
constexpr double kGoTogether = 0.5;       ///< |r|
constexpr int64_t kFewestRatings = 100;
constexpr int64_t kManyPlays = 10'000;

std::string Shown(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

std::string InList(const std::set<int64_t>& files) {
  std::string list = "(-1";
  for (const int64_t file : files) list += ", " + std::to_string(file);
  return list + ")";
}

/// One search for suspicions: `take` makes one of a row of the answer, or none.
class Search {
 public:
  Search(Workshop& work, std::vector<Suspicion>& found) : work_(work), found_(found) {}

  template <typename Take>
  Status Ask(const char* check, const std::string& sql, const Take& take) {
    std::set<int64_t> told;
    return work_.duck().Query(sql, [&](const DuckChunk& chunk) {
      for (uint64_t i = 0; i < chunk.rows(); ++i) {
        const int64_t file = chunk.Int(0, i);
        if (told.contains(file)) continue;
        const auto [field, reason] = take(chunk, i);
        if (reason.empty()) continue;
        told.insert(file);
        found_.push_back({file, check, field, reason});
      }
    });
  }

 private:
  Workshop& work_;
  std::vector<Suspicion>& found_;
};

using Told = std::pair<std::string, std::string>;  // field, reason

Status AskAboutRanges(Search& search, const std::string& fresh) {
  std::string sql;
  for (const Range& range : Ranges()) {
    const std::string field(range.field);
    sql += (sql.empty() ? "" : " UNION ALL ") + ("SELECT file, '" + field + "' AS field, count(" + field + ") AS given, count(*) FILTER (" +
           ImpossibleSql(range) + ") AS impossible, min(" + field + ")::DOUBLE AS least, max(" + field + ")::DOUBLE AS most, '" +
           Shown(range.least) + (std::isfinite(range.most) ? " to " + Shown(range.most) : " or more") + "' AS expected FROM track_rows " + fresh +
           " GROUP BY file");
  }
  return search.Ask("impossible_column",
                    "SELECT * FROM (" + sql + ") WHERE given >= " + std::to_string(kFewestValues) + " AND 2 * impossible > given ORDER BY file, impossible DESC, field",
                    [](const DuckChunk& chunk, uint64_t i) -> Told {
                      const std::string field(chunk.Text(1, i));
                      return {field, std::to_string(chunk.Int(3, i)) + " of " + std::to_string(chunk.Int(2, i)) + " values of '" + field +
                                         "' cannot be: they reach from " + Shown(chunk.Real(4, i)) + " to " + Shown(chunk.Real(5, i)) +
                                         ", expected " + std::string(chunk.Text(6, i)) + "; another unit, or shifted columns"};
                    });
}

/// `checked_rows`: what track_rows say of tracks, impossible values NULL.
Status MakeCheckedRows(Workshop& work) {
  std::string columns;
  for (const Range& range : Ranges()) {
    const std::string field(range.field);
    if (field == "year") continue;
    columns += ", CASE WHEN NOT " + ImpossibleSql(range) + " THEN " + field + "::DOUBLE END AS " + field;
  }
  return work.Run("CREATE VIEW checked_rows AS SELECT file, source_id" + columns + " FROM track_rows WHERE row_rule IS NULL");
}

std::vector<std::string> Fields() {
  std::vector<std::string> fields;
  for (const Range& range : Ranges()) {
    if (range.field != "year") fields.emplace_back(range.field);
  }
  return fields;
}

Status AskAboutSameTracks(Search& search, const std::string& fresh, const std::string& known) {
  std::string averages;
  std::string spreads;
  std::string sql;
  for (const std::string& field : Fields()) {
    averages += ", avg(" + field + ") AS " + field;
    spreads += (spreads.empty() ? "" : ", ") + ("stddev_samp(" + field + ") AS " + field);
    sql += (sql.empty() ? "" : " UNION ALL ") + ("SELECT f.file, '" + field + "' AS field, count(f." + field + " + k." + field +
           ") AS shared, count(*) FILTER (abs(f." + field + " - k." + field + ") > 0.5 * s." + field + ") AS apart FROM checked_rows f JOIN described k USING (source_id), spreads s WHERE f.file NOT IN " +
           known + " GROUP BY f.file");
  }
  return search.Ask("disagrees",
                    "WITH described AS (SELECT source_id" + averages + " FROM checked_rows WHERE source_id IS NOT NULL AND file IN " + known +
                        " GROUP BY source_id), spreads AS (SELECT " + spreads + " FROM described) SELECT * FROM (" + sql + ") " + fresh +
                        " AND shared >= " + std::to_string(kFewestValues) + " AND 2 * apart > shared ORDER BY file, apart DESC, field",
                    [](const DuckChunk& chunk, uint64_t i) -> Told {
                      const std::string field(chunk.Text(1, i));
                      return {field, std::to_string(chunk.Int(3, i)) + " of " + std::to_string(chunk.Int(2, i)) + " tracks have another '" + field +
                                         "' than the files that are there say of them; columns were swapped or shuffled, or the numbers are of another scale"};
                    });
}

/// Sums over the rows that have both of two columns, taken from the first such
/// row on, so that large values keep their digits.
struct PairSums {
  int64_t rows = 0;
  double a0 = 0, b0 = 0;
  double a = 0, b = 0, aa = 0, bb = 0, ab = 0;

  void Add(double x, double y) {
    if (rows++ == 0) {
      a0 = x;
      b0 = y;
    }
    x -= a0;
    y -= b0;
    a += x;
    b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  /// Pearson's r; nothing where a column is constant, or the rows are few.
  std::optional<double> Correlation() const {
    const auto n = static_cast<double>(rows);
    const double spread = (aa - a * a / n) * (bb - b * b / n);
    if (rows < kFewestRows || !(spread > 0)) return std::nullopt;
    return (ab - a * b / n) / std::sqrt(spread);
  }
};

Status AskAboutPairsOfColumns(Workshop& work, const std::string& known, std::vector<Suspicion>& found) {
  const auto fields = Fields();
  std::string columns;
  for (const std::string& field : fields) columns += ", " + field;
  // By file, what is known as one; by pair of columns a < b.
  std::map<int64_t, std::vector<PairSums>> sums;
  constexpr int64_t kKnown = -1;
  std::vector<double> values(fields.size());
  SEGUE_RETURN_IF_ERROR(work.duck().Stream(
      "SELECT CASE WHEN file IN " + known + " THEN " + std::to_string(kKnown) + " ELSE file END::BIGINT" + columns + " FROM checked_rows",
      [&](const DuckChunk& chunk) {
        for (uint64_t i = 0; i < chunk.rows(); ++i) {
          auto& of_file = sums[chunk.Int(0, i)];
          of_file.resize(fields.size() * fields.size());
          for (size_t f = 0; f < fields.size(); ++f) {
            const int column = static_cast<int>(f + 1);
            values[f] = chunk.IsNull(column, i) ? std::nan("") : chunk.Real(column, i);
          }
          for (size_t a = 0; a < fields.size(); ++a) {
            if (std::isnan(values[a])) continue;
            for (size_t b = a + 1; b < fields.size(); ++b) {
              if (!std::isnan(values[b])) of_file[a * fields.size() + b].Add(values[a], values[b]);
            }
          }
        }
      }));
  const auto usual = sums.find(kKnown);
  if (usual == sums.end()) return {};
  for (const auto& [file, of_file] : sums) {
    if (file == kKnown) continue;
    for (size_t p = 0; p < of_file.size(); ++p) {
      const auto before = usual->second[p].Correlation(), here = of_file[p].Correlation();
      if (!before || !here || std::fabs(*before) < kGoTogether) continue;
      const double lost = *before > 0 ? *before - *here : *here - *before;
      if (lost < kGoTogether) continue;
      const std::string& one = fields[p / fields.size()];
      found.push_back({file, "unrelated_columns", one,
                       "'" + one + "' and '" + fields[p % fields.size()] + "' have a correlation of " + Shown(*here) + " over " +
                           std::to_string(of_file[p].rows) + " rows; in the files that are there it is " + Shown(*before) +
                           "; a column was shuffled or swapped"});
      break;
    }
  }
  return {};
}

Status AskAboutRatings(Search& search, const std::string& fresh, const std::string& known) {
  return search.Ask("constant_ratings",
                    "SELECT file, count(*) AS n, min(value) AS least FROM judged_listens " + fresh +
                        " AND rule IS NULL AND kind = 'rating' GROUP BY file HAVING count(*) >= " + std::to_string(kFewestRatings) +
                        " AND min(value) = max(value) AND (SELECT min(value) < max(value) FROM judged_listens WHERE rule IS NULL AND "
                        "kind = 'rating' AND file IN " + known + ") ORDER BY file",
                    [](const DuckChunk& chunk, uint64_t i) -> Told {
                      return {"value", "all of its " + std::to_string(chunk.Int(1, i)) + " ratings are " + Shown(chunk.Real(2, i)) +
                                           ", while those that are there differ; they would say that everything is liked alike"};
                    });
}

Status AskAboutRepeats(Search& search, const std::string& fresh) {
  return search.Ask(
      "one_track",
      "SELECT file, least(n, 9e15)::BIGINT, least(whole, 9e15)::BIGINT, listener, track FROM (SELECT *, sum(n) OVER (PARTITION BY file) AS whole FROM "
      "(SELECT file, listener, coalesce(source_id, name_key) AS id, any_value(coalesce(artist || ' - ' || title, source_id, name_key)) AS track, "
      "sum(coalesce(value, 1))::DOUBLE AS n FROM judged_listens " + fresh +
          " AND rule IS NULL AND kind = 'play' GROUP BY file, listener, id)) WHERE n >= " + std::to_string(kManyPlays) +
          " AND 2 * n > whole ORDER BY file, n DESC, listener, id",
      [](const DuckChunk& chunk, uint64_t i) -> Told {
        return {"track", std::to_string(chunk.Int(1, i)) + " of its " + std::to_string(chunk.Int(2, i)) + " plays are of one track, '" +
                             std::string(chunk.Text(4, i)) + "', by one listener, '" + std::string(chunk.Text(3, i)) +
                             "'; a player that hangs, or a bot"};
      });
}

}  // namespace

Result<std::vector<Suspicion>> SuspectFiles(Workshop& work, const Inputs& inputs, const std::set<int64_t>& known) {
  std::vector<Suspicion> found;
  if (known.size() == inputs.list.size()) return found;
  Search search(work, found);
  const std::string old = InList(known);
  const std::string fresh = "WHERE file NOT IN " + old;
  SEGUE_RETURN_IF_ERROR(MakeCheckedRows(work));
  SEGUE_RETURN_IF_ERROR(AskAboutRanges(search, fresh));
  SEGUE_RETURN_IF_ERROR(AskAboutSameTracks(search, fresh, old));
  SEGUE_RETURN_IF_ERROR(AskAboutPairsOfColumns(work, old, found));
  SEGUE_RETURN_IF_ERROR(AskAboutRatings(search, fresh, old));
  SEGUE_RETURN_IF_ERROR(AskAboutRepeats(search, fresh));
  return found;
}

}  // namespace segue::clean
