#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "clean/cleaner.h"
#include "core/hash.h"
#include "core/identity.h"
#include "core/staged.h"
#include "store/duck.h"
#include "store/layout.h"

namespace segue::clean {

/// A bucket, a catalog and a clock in a folder of its own, for tests.
class CleanTest : public testing::Test {
 protected:
  static constexpr int64_t kNow = 1'700'000'000;  // 2023-11-14
  static constexpr const char* kHeard = "200000"; // ms of an ordinary play

  CleanTest() : clock(kNow * 1000) {
    std::string name = (std::filesystem::temp_directory_path() / "segue-clean-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    root = name;
    bucket = *store::OpenFolderStore(root / "bucket");
    catalog = *store::OpenSqliteCatalog(root / "catalog.sqlite");
    // Small tables: waking threads costs more than they save.
    duck = *store::OpenDuck({.threads = 1});
    settings.threads = 1;
  }
  ~CleanTest() override {
    duck.reset();
    catalog.reset();
    std::filesystem::remove_all(root);
  }

  Context context() { return {*bucket, *catalog, clock, settings, instruments}; }

  /// Takes an object in as ingest does; its hash is that of table and select: `select` gives rows in the schema of
  /// `table` (missing columns NULL, by name); line numbers are added.
  void Stage(const std::string& name, const std::string& table, const std::string& select,
             const std::string& listener = "", int64_t unreadable = 0) {
    const std::string body(table == "listens"     ? kStagedListens
                           : table == "tracks"    ? kStagedTracks
                           : table == "tag_names" ? kStagedTagNames
                                                  : kStagedTaggings);
    const std::string sha256 = Sha256Hex(table + select);
    const std::filesystem::path file = root / "staging.parquet";
    Must(duck->Run("CREATE OR REPLACE TABLE staging(" + body + ")"));
    Must(duck->Run("INSERT INTO staging BY NAME SELECT row_number() OVER () AS line, * FROM (" + select + ")"));
    Must(duck->Run("COPY staging TO " + store::Quoted(file.string()) + " (FORMAT parquet)"));
    Must(bucket->PutFile("staged/" + sha256 + ".parquet", file));
    Must(catalog->PutObject({.sha256 = sha256, .name = name, .listener = listener, .format = "test", .table = table,
                             .staged_key = "staged/" + sha256 + ".parquet", .status = "accepted",
                             .rows = 0, .rejected = unreadable, .added_at = kNow}));
  }

  /// One play as a SELECT.
  static std::string Play(const std::string& listener, const std::string& artist, const std::string& title, int64_t at,
                          const std::string& ms = kHeard, int precision = 1, const std::string& kind = "play",
                          const std::string& source_id = "") {
    return "SELECT " + store::Quoted(listener) + " AS listener, " + Text(source_id) + " AS source_id, " +
           Text(NameKey(artist, title)) + " AS name_key, " + Text(artist) + " AS artist, " + Text(title) +
           " AS title, " + std::to_string(at) + "::BIGINT AS \"at\", " + std::to_string(precision) +
           " AS at_precision, " + store::Quoted(kind) + " AS kind, NULL::DOUBLE AS value, " + ms +
           "::BIGINT AS ms_played, NULL::VARCHAR AS event_id";
  }

  static std::string Text(const std::string& text) { return text.empty() ? "NULL::VARCHAR" : store::Quoted(text); }

  static std::string All(const std::vector<std::string>& selects) {
    std::string sql;
    for (const auto& select : selects) sql += (sql.empty() ? "" : " UNION ALL ") + select;
    return sql;
  }

  Outcome CleanNow() {
    auto outcome = Clean(context());
    if (!outcome.ok()) throw std::runtime_error(outcome.error().message);
    quality = nlohmann::json::parse(*bucket->Get(store::DatasetKey(outcome->dataset_id, "quality.json")));
    last = *outcome;
    return *outcome;
  }

  std::string Table(const std::string& leaf) const {
    return "read_parquet(" +
           store::Quoted((*bucket->LocalPath(store::DatasetKey(last.dataset_id, leaf + ".parquet"))).string()) + ")";
  }
  int64_t Count(const std::string& sql) const { return *duck->Count(sql); }
  /// Rows of rejected.parquet by rule.
  int64_t Rejected(const std::string& rule) const {
    return Count("SELECT count(*) FROM " + Table("rejected") + " WHERE rule = " + store::Quoted(rule));
  }
  int64_t Kept() const { return Count("SELECT count(*) FROM " + Table("interactions")); }
  std::string One(const std::string& sql) const {
    std::string text = "(no row)";
    Must(duck->Query("SELECT coalesce((" + sql + ")::VARCHAR, 'NULL')", [&](const store::DuckChunk& chunk) {
      if (chunk.rows() > 0) text = std::string(chunk.Text(0, 0));
    }));
    return text;
  }
  std::string Bytes(const std::string& leaf) const {
    return *bucket->Get(store::DatasetKey(last.dataset_id, leaf));
  }
  static void Must(const Status& status) {
    if (!status.ok()) throw std::runtime_error(status.error().message);
  }
  /// removed or changed of a rule in quality.json; 0 where it is not named.
  int64_t RuleFigure(const std::string& rule, const char* figure) const {
    for (const auto& entry : quality["rules"]) {
      if (entry["rule"] == rule) return entry[figure].get<int64_t>();
    }
    return 0;
  }
  void ExpectRowsAddUp() const {
    const auto& rows = quality["rows"];
    EXPECT_EQ(rows["in"].get<int64_t>(),
              rows["kept"].get<int64_t>() + rows["rejected"].get<int64_t>() + rows["duplicates"].get<int64_t>() +
                  rows["removed"].get<int64_t>() + rows["left_out"].get<int64_t>())
        << rows;
  }

  std::filesystem::path root;
  std::unique_ptr<store::ObjectStore> bucket;
  std::unique_ptr<store::Catalog> catalog;
  std::unique_ptr<store::Duck> duck;
  store::FakeClock clock;
  Settings settings;
  NoInstruments instruments;
  Outcome last;
  nlohmann::json quality;
};

}  // namespace segue::clean
