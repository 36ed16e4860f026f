#include "store/csv_files.h"
#include "store/dataset_store.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <tuple>

#include <gtest/gtest.h>

#include "store/duck.h"
#include "store/layout.h"

namespace segue::store {
namespace {

Result<TrainTest> LoadPair(const std::filesystem::path& train, const std::filesystem::path& test) {
  return LoadCsvFiles({.train = train, .test = test});
}

namespace fs = std::filesystem;

class Datasets : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("segue-datasets-" + std::to_string(::getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path Csv(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  fs::path folder_;
};

TEST_F(Datasets, CsvPairSharesListenersAndTracks) {
  const auto pair = LoadPair(Csv("train.csv", "user_id,item_id,value\nb,y,2\na,x,1\na,z,3\n"),
                                Csv("test.csv", "user_id,item_id,value,at\na,w,1,77\n"));
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  EXPECT_EQ(pair->train.listeners, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(pair->train.tracks.id, (std::vector<std::string>{"w", "x", "y", "z"}));
  EXPECT_EQ(pair->test.tracks.id, pair->train.tracks.id);
  ASSERT_EQ(pair->train.EventsOf(UserIx{0}).size(), 2u);
  EXPECT_EQ(Raw(pair->train.EventsOf(UserIx{0})[0].track), 1u);
  EXPECT_EQ(pair->train.EventsOf(UserIx{0})[1].value, 3.0f);
  ASSERT_EQ(pair->test.EventsOf(UserIx{0}).size(), 1u);
  EXPECT_EQ(pair->test.EventsOf(UserIx{0})[0].at, 77);
  EXPECT_TRUE(pair->test.EventsOf(UserIx{1}).empty());
}

TEST_F(Datasets, TheFilesOfItemsSayWhichTracksAreListed) {
  const auto pair = LoadCsvFiles({.train = Csv("train.csv", "user_id,item_id,value\na,w,2\n"),
                                  .test = Csv("test.csv", "user_id,item_id,value\na,x,1\na,y,1\na,z,1\n"),
                                  .item_tags = Csv("tags.csv", "item_id,tag\nx,rock\n"),
                                  .item_features = Csv("features.csv", "item_id,energy\ny,0.5\nz,\n")});
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  EXPECT_EQ(pair->train.tracks.listed, (std::vector<uint8_t>{0, 1, 1, 0}));
  EXPECT_EQ(pair->test.tracks.listed, pair->train.tracks.listed);
  EXPECT_EQ(UnknownTracks(pair->train), (std::vector<uint8_t>{0, 0, 0, 1})) << "w was heard";
}

TEST_F(Datasets, AFoldInFileIsNoPartOfTrainUntilItIsAdded) {
  auto files = LoadCsvFiles({.train = Csv("train.csv", "user_id,item_id,value,at\na,x,1,5\nb,y,2,9\n"),
                             .test = Csv("test.csv", "user_id,item_id,value\nc,x,1\n"),
                             .fold_in = Csv("fold.csv", "user_id,item_id,value,at\nc,z,1,4\na,y,7,3\n")});
  ASSERT_TRUE(files.ok()) << files.error().message;
  EXPECT_EQ(files->train.listeners, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(files->train.tracks.id, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(files->train.events.size(), 2u);
  EXPECT_TRUE(files->train.EventsOf(UserIx{2}).empty());
  AddEvents(files->train, files->fold_in);
  ASSERT_EQ(files->train.EventsOf(UserIx{2}).size(), 1u);
  EXPECT_EQ(Raw(files->train.EventsOf(UserIx{2})[0].track), 2u);
  ASSERT_EQ(files->train.EventsOf(UserIx{0}).size(), 2u);
  EXPECT_EQ(files->train.EventsOf(UserIx{0})[0].at, 3);
  EXPECT_EQ(files->train.EventsOf(UserIx{1}).size(), 1u);
}

TEST_F(Datasets, CsvErrorsNameFileLineAndField) {
  const auto value = LoadPair(Csv("bad.csv", "user_id,item_id,value\na,x,1\na,y,many\n"), "");
  ASSERT_FALSE(value.ok());
  EXPECT_NE(value.error().message.find("bad.csv line 3: field 'value' is 'many'"), std::string::npos) << value.error().message;
  const auto empty = LoadPair(Csv("empty.csv", "user_id,item_id,value\na,,1\n"), "");
  ASSERT_FALSE(empty.ok());
  EXPECT_NE(empty.error().message.find("line 2: field 'item_id'"), std::string::npos) << empty.error().message;
  const auto column = LoadPair(Csv("column.csv", "user,item_id,value\na,b,1\n"), "");
  ASSERT_FALSE(column.ok());
  EXPECT_NE(column.error().message.find("'user_id' is missing"), std::string::npos) << column.error().message;
  const auto none = LoadPair(folder_ / "none.csv", "");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

TEST_F(Datasets, ARowThatIsNoCsvIsNamedBeforeAnEarlierFieldThatCannotBeUsed) {
  const auto pair = LoadPair(Csv("both.csv", "user_id,item_id,value\na,x,many\n\"a\"b,x,1\n"), "");
  ASSERT_FALSE(pair.ok());
  EXPECT_NE(pair.error().message.find("both.csv line 3"), std::string::npos) << pair.error().message;
}

TEST_F(Datasets, EventsOfCsvAreByTimeThenTrackThenRow) {
  const auto pair = LoadPair(Csv("order.csv", "user_id,item_id,value,at\nb,x,1,\na,z,9,5\na,y,3,5\na,y,100,5\na,y,2,5\na,z,8,\nb,w,7,-1\n"), "");
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  std::string all;
  for (const Event& event : pair->train.events) {
    all += pair->train.tracks.id[Raw(event.track)] + std::to_string(static_cast<int>(event.value)) + "@" + std::to_string(event.at) + " ";
  }
  EXPECT_EQ(all, "z8@0 y3@5 y100@5 y2@5 z9@5 w7@-1 x1@0 ");
  EXPECT_EQ(pair->train.begin, (std::vector<uint64_t>{0, 5, 7}));
}

TEST_F(Datasets, ValuesAreRatingsWhereTheLowestOfAFewStepsDoesNotLead) {
  const auto kind = [&](const std::string& values) {
    std::string text = "user_id,item_id,value\n";
    for (const char v : values) text += std::string("a,x,") + (v == 'h' ? "0.50000000001" : v == 'e' ? "11" : std::string(1, v)) + "\n";
    const auto pair = LoadPair(Csv("kind.csv", text), "");
    return pair.ok() ? pair->train.events[0].kind : EventKind::kSkip;
  };
  for (const char* ratings : {"1455", "15"}) EXPECT_EQ(kind(ratings), EventKind::kRating) << ratings;
  for (const char* plays : {"1145", "4", "1455h", "1455e"}) EXPECT_EQ(kind(plays), EventKind::kPlay) << plays;
}

TEST_F(Datasets, ParquetComesBackSortedAndWhole) {
  auto bucket = OpenFolderStore(folder_ / "bucket");
  ASSERT_TRUE(bucket.ok());
  const auto duck = OpenDuck({});
  ASSERT_TRUE(duck.ok());
  const auto run = [&](const std::string& sql) {
    const Status status = (*duck)->Run(sql);
    ASSERT_TRUE(status.ok()) << status.error().message;
  };
  run("CREATE TABLE t(" + std::string(kTracksSchema) + ")");
  run("INSERT INTO t(track_id,title,artist,year,energy,listed) VALUES ('t2','Two','B',1999,0.5,false),('t1','One','A',NULL,NULL,true)");
  run("CREATE TABLE i(" + std::string(kInteractionsSchema) + ")");
  run("INSERT INTO i VALUES ('zoe','t1',20,'play',1,1000),('ann','t2',NULL,'like',1,NULL),('zoe','t2',10,'skip',1,5)");
  fs::create_directories(folder_ / "bucket/datasets/d");
  run("COPY t TO " + Quoted((folder_ / "bucket/datasets/d/tracks.parquet").string()) + " (FORMAT parquet)");
  run("COPY i TO " + Quoted((folder_ / "bucket/datasets/d/interactions.parquet").string()) + " (FORMAT parquet)");
  const auto data = LoadDataset(**bucket, "d");
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->tracks.id, (std::vector<std::string>{"t1", "t2"}));
  EXPECT_EQ(data->tracks.year, (std::vector<int16_t>{0, 1999}));
  EXPECT_EQ(data->tracks.listed, (std::vector<uint8_t>{1, 0}));
  EXPECT_TRUE(std::isnan(data->tracks.features[1]));
  EXPECT_EQ(data->tracks.features[14 + 1], 0.5f);
  EXPECT_EQ(data->listeners, (std::vector<std::string>{"ann", "zoe"}));
  const auto zoe = data->EventsOf(UserIx{1});
  ASSERT_EQ(zoe.size(), 2u);
  EXPECT_EQ(zoe[0].at, 10);
  EXPECT_EQ(zoe[0].kind, EventKind::kSkip);
  EXPECT_EQ(data->EventsOf(UserIx{0})[0].ms_played, -1);
  EXPECT_FALSE(LoadDataset(**bucket, "nothing").ok());
  const auto tracks = LoadTracks(**bucket, "d");
  ASSERT_TRUE(tracks.ok()) << tracks.error().message;
  EXPECT_EQ(tracks->id, data->tracks.id);
  EXPECT_EQ(tracks->artist, data->tracks.artist);
  EXPECT_EQ(tracks->hit, data->tracks.hit);
  EXPECT_EQ(LoadTracks(**bucket, "nothing").error().code, ErrorCode::kNotFound);
}

TEST_F(Datasets, CsvIdsMayHoldAnythingThatCsvCanQuote) {
  const auto pair = LoadPair(Csv("ids.csv",
                                    "user_id,item_id,value\n\"Smith, J\",a;b;c,1\nNULL,\"two\nlines\",2\n"
                                    "\"say \"\"hi\"\"\",#x,3\n007,z|1,4\n\xc3\xa4, y ,5\n"),
                                "");
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  EXPECT_EQ(pair->train.listeners, (std::vector<std::string>{"007", "NULL", "Smith, J", "say \"hi\"", "\xc3\xa4"}));
  EXPECT_EQ(pair->train.tracks.id, (std::vector<std::string>{" y ", "#x", "a;b;c", "two\nlines", "z|1"}));
}

TEST_F(Datasets, CsvLineEndsByteOrderMarkAndColumnOrderDoNotMatter) {
  const auto pair = LoadPair(Csv("odd.csv", "\xef\xbb\xbfvalue,item_id,extra,user_id,at\r\n2,x,?,a,1700000000\r\n1,y,?,a,"), "");
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  const auto events = pair->train.EventsOf(UserIx{0});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].at, 0);  // not given
  EXPECT_EQ(events[0].value, 1.0f);
  EXPECT_EQ(events[1].at, 1'700'000'000);
}

TEST_F(Datasets, NoTestFileIsAnEmptyTestOverTheSameCatalogue) {
  const auto pair = LoadPair(Csv("train.csv", "user_id,item_id,value\na,x,1\nb,y,1\n"), "");
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  EXPECT_TRUE(pair->test.events.empty());
  EXPECT_EQ(pair->test.begin, (std::vector<uint64_t>{0, 0, 0}));
  EXPECT_EQ(pair->test.listeners, pair->train.listeners);
  EXPECT_EQ(pair->test.tracks.id, pair->train.tracks.id);
  EXPECT_EQ(pair->train.tracks.title, pair->train.tracks.id);
  EXPECT_EQ(pair->train.tracks.hit, (std::vector<int8_t>{-1, -1}));
  ASSERT_EQ(pair->train.tracks.features.size(), 2 * kAudioFeatures.size());
  EXPECT_TRUE(std::isnan(pair->train.tracks.features.back()));
}

TEST_F(Datasets, ACsvOfNothingButItsHeaderHasNoEvents) {
  const auto pair = LoadPair(Csv("train.csv", "user_id,item_id,value\n"), "");
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  EXPECT_TRUE(pair->train.events.empty());
  EXPECT_EQ(pair->train.begin, std::vector<uint64_t>{0});
}

TEST_F(Datasets, BadCsvRowsAreRefusedByLineAndField) {
  const auto message = [&](const std::string& text) {
    const auto pair = LoadPair(Csv("rows.csv", text), "");
    EXPECT_FALSE(pair.ok()) << text;
    if (pair.ok()) return std::string();
    EXPECT_EQ(pair.error().code, ErrorCode::kInvalid) << pair.error().message;
    EXPECT_NE(pair.error().message.find("rows.csv"), std::string::npos) << pair.error().message;
    return pair.error().message;
  };
  const auto says = [&](const std::string& text, const std::string& expected) {
    const std::string said = message(text);
    EXPECT_NE(said.find(expected), std::string::npos) << said;
  };
  says("user_id,item_id,value,at\na,x,1,5\na,y,1,noon\n", "line 3: field 'at' is 'noon'");
  says("user_id,item_id,value\na,x,nan\n", "line 2: field 'value' is 'nan'");
  says("user_id,item_id,value\na,x,1\n\na,y,\n", "line 4: field 'value' is ''");
  says("user_id,item_id,value\n\"a\nb\",x,1\na,y,many\n", "line 4: field 'value' is 'many'");
  says("user_id,item_id,value\na,x,1\na,y\n", "line 3");
  says("user_id,item_id,value\na,x,1\na,y,2,3\n", "line 3");
  says("user_id;item_id;value\na;x;1\n", "line 1: column 'user_id' is missing");
  says("", "line 1: column 'user_id' is missing");
  says("user_id,item_id,value,value\na,x,1,2\n", "line 1: column 'value' is there twice");
  says("user_id,item_id,value\n\na,x,1\na,y,2,3\n", "line 4: ");
  says("user_id,item_id,value\r\na,x,1\r\na,y,2\n", "line 3: ends otherwise");
  says("user_id,item_id,value\na,x,1\na,\xe9,1\n", "line 3: ");
  // Far behind what a sniffer would look at.
  std::string many = "user_id,item_id,value\n";
  for (int i = 0; i < 60'000; ++i) many += "u" + std::to_string(i) + ",x,1\n";
  says(many + "a,x,?\n", "line 60002: field 'value' is '?'");
  says(many + "a,x\n", "line 60002");
}

TEST_F(Datasets, ABadRowOfTheTestFileNamesTheTestFile) {
  const auto pair = LoadPair(Csv("train.csv", "user_id,item_id,value\na,x,1\n"),
                                Csv("other.csv", "user_id,item_id,value\na,x,one\n"));
  ASSERT_FALSE(pair.ok());
  EXPECT_NE(pair.error().message.find("other.csv line 2"), std::string::npos) << pair.error().message;
}

/// A dataset "d" whose two tables are written by a test.
class StoredDatasets : public Datasets {
 protected:
  void SetUp() override {
    Datasets::SetUp();
    auto bucket = OpenFolderStore(folder_ / "bucket");
    ASSERT_TRUE(bucket.ok()) << bucket.error().message;
    bucket_ = *std::move(bucket);
    auto duck = OpenDuck({});
    ASSERT_TRUE(duck.ok()) << duck.error().message;
    duck_ = *std::move(duck);
    Run("CREATE TABLE tracks(" + std::string(kTracksSchema) + ")");
    Run("CREATE TABLE interactions(" + std::string(kInteractionsSchema) + ")");
    Run("CREATE TABLE aliases(" + std::string(kAliasesSchema) + ")");
    fs::create_directories(folder_ / "bucket/datasets/d");
  }

  void Run(const std::string& sql) {
    const Status status = duck_->Run(sql);
    ASSERT_TRUE(status.ok()) << status.error().message;
  }

  fs::path File(const std::string& table) const { return folder_ / "bucket/datasets/d" / (table + ".parquet"); }

  void Write() {
    for (const std::string table : {"tracks", "interactions", "aliases"}) {
      Run("COPY " + table + " TO " + Quoted(File(table).string()) + " (FORMAT parquet)");
    }
  }

  Error LoadFails() {
    const auto data = LoadDataset(*bucket_, "d");
    EXPECT_FALSE(data.ok());
    return data.ok() ? Error{} : data.error();
  }

  std::unique_ptr<ObjectStore> bucket_;
  std::unique_ptr<Duck> duck_;
};

TEST_F(StoredDatasets, EventsAreThoseOfAPlainSortWhateverTheOrderWritten) {
  Run("INSERT INTO tracks(track_id) SELECT 't' || (i * 7 % 50) FROM range(50) r(i)");
  Run("INSERT INTO interactions SELECT 'u' || (hash(i) % 300), 't' || (hash(i, 1) % 50), (hash(i, 2) % 5)::BIGINT, "
      "CASE WHEN hash(i, 3) % 2 = 0 THEN 'play' ELSE 'skip' END, i, NULL FROM range(20000) r(i)");
  Write();
  const auto data = LoadDataset(*bucket_, "d");
  ASSERT_TRUE(data.ok()) << data.error().message;
  ASSERT_TRUE(std::is_sorted(data->tracks.id.begin(), data->tracks.id.end()));
  ASSERT_TRUE(std::is_sorted(data->listeners.begin(), data->listeners.end()));
  ASSERT_EQ(data->begin.size(), data->listeners.size() + 1);
  ASSERT_EQ(data->begin.back(), 20'000u);
  // `value` is the row written, so that every event can be found again.
  struct Row {
    std::string listener, track;
    int64_t at;
    std::string kind;
  };
  std::vector<Row> rows(20'000);
  const Status read = duck_->Query("SELECT value::BIGINT, listener, track_id, \"at\", kind FROM interactions", [&](const DuckChunk& chunk) {
    for (uint64_t r = 0; r < chunk.rows(); ++r) {
      rows[static_cast<size_t>(chunk.Int(0, r))] = {std::string(chunk.Text(1, r)), std::string(chunk.Text(2, r)),
                                                    chunk.Int(3, r), std::string(chunk.Text(4, r))};
    }
  });
  ASSERT_TRUE(read.ok()) << read.error().message;
  std::vector<bool> seen(rows.size());
  for (uint32_t u = 0; u < data->listeners.size(); ++u) {
    const auto events = data->EventsOf(UserIx{u});
    for (size_t e = 0; e < events.size(); ++e) {
      const auto number = static_cast<size_t>(events[e].value);
      const Row& row = rows[number];
      ASSERT_FALSE(seen[number]);
      seen[number] = true;
      ASSERT_EQ(row.listener, data->listeners[u]);
      ASSERT_EQ(row.track, data->tracks.id[Raw(events[e].track)]);
      ASSERT_EQ(row.at, events[e].at);
      ASSERT_EQ(row.kind, Name(events[e].kind));
      if (e == 0) continue;
      const Event& before = events[e - 1];
      ASSERT_LE(std::tuple(before.at, Raw(before.track), before.kind, before.value),
                std::tuple(events[e].at, Raw(events[e].track), events[e].kind, events[e].value));
    }
  }
}

TEST_F(StoredDatasets, ADatasetOfTracksAloneLoads) {
  Run("INSERT INTO tracks(track_id) VALUES ('t1')");
  Write();
  const auto data = LoadDataset(*bucket_, "d");
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->id, "d");
  EXPECT_EQ(data->begin, std::vector<uint64_t>{0});
  EXPECT_TRUE(data->listeners.empty());
}

TEST_F(StoredDatasets, InconsistentTablesAreCorrupt) {
  Run("INSERT INTO tracks(track_id) VALUES ('t1')");
  Run("INSERT INTO interactions VALUES ('ann', 't1', 1, 'play', 1, NULL), ('ann', 't9', 1, 'play', 1, NULL)");
  Write();
  const Error unknown = LoadFails();
  EXPECT_EQ(unknown.code, ErrorCode::kCorrupt);
  EXPECT_NE(unknown.message.find("1 interactions name tracks that are not"), std::string::npos) << unknown.message;
  // As many events too many as there are too few.
  Run("INSERT INTO tracks(track_id) VALUES ('t1')");
  Write();
  const Error twice = LoadFails();
  EXPECT_EQ(twice.code, ErrorCode::kCorrupt);
  EXPECT_NE(twice.message.find("'t1'"), std::string::npos) << twice.message;
  Run("DELETE FROM tracks; INSERT INTO tracks(track_id) VALUES ('t1'); DELETE FROM interactions");
  Run("INSERT INTO interactions VALUES ('ann', 't1', 1, 'hum', 1, NULL)");
  Write();
  EXPECT_EQ(LoadFails().code, ErrorCode::kCorrupt);
  Run("UPDATE interactions SET kind = NULL");
  Write();
  EXPECT_EQ(LoadFails().code, ErrorCode::kCorrupt);
  Run("UPDATE interactions SET kind = 'play', listener = NULL");
  Write();
  EXPECT_EQ(LoadFails().code, ErrorCode::kCorrupt);
}

TEST_F(StoredDatasets, MissingIsToldFromDamaged) {
  EXPECT_EQ(LoadFails().code, ErrorCode::kNotFound);
  Run("INSERT INTO tracks(track_id) SELECT 'track ' || hash(i) FROM range(2000) r(i)");
  Write();
  ASSERT_TRUE(LoadDataset(*bucket_, "d").ok());
  fs::resize_file(File("tracks"), fs::file_size(File("tracks")) / 2);
  const Error cut = LoadFails();
  EXPECT_EQ(cut.code, ErrorCode::kCorrupt) << cut.message;
  EXPECT_NE(cut.message.find("dataset d"), std::string::npos) << cut.message;
  // Another version's columns.
  Write();
  Run("COPY (SELECT 1 AS something) TO " + Quoted(File("interactions").string()) + " (FORMAT parquet)");
  EXPECT_EQ(LoadFails().code, ErrorCode::kCorrupt);
  Write();
  fs::remove(File("interactions"));
  EXPECT_EQ(LoadFails().code, ErrorCode::kNotFound);
}

TEST_F(StoredDatasets, AliasesLeadToTracks) {
  Run("INSERT INTO aliases VALUES ('spotify:1', 't1'), ('t1', 't1'), ('t2', 't2')");
  Write();
  const auto aliases = LoadAliases(*bucket_, "d");
  ASSERT_TRUE(aliases.ok()) << aliases.error().message;
  EXPECT_EQ(*aliases, (std::unordered_map<std::string, std::string>{{"spotify:1", "t1"}, {"t1", "t1"}, {"t2", "t2"}}));
  fs::resize_file(File("aliases"), 10);
  const auto cut = LoadAliases(*bucket_, "d");
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(cut.error().message.find("dataset d"), std::string::npos) << cut.error().message;
  const auto none = LoadAliases(*bucket_, "nothing");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

TEST_F(Datasets, ReadsThePublishedSplit) {
  const char* data = std::getenv("SEGUE_TEST_DATA");
  const fs::path split = fs::path(data != nullptr ? data : "") / ".." / "splits" / "lastfm-2k";
  if (data == nullptr || !fs::exists(split)) GTEST_SKIP() << "SEGUE_TEST_DATA is not set, or has no splits beside it";
  const auto pair = LoadPair(split / "train.csv", split / "test.csv");
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  EXPECT_EQ(pair->train.events.size(), 74'294u);
  EXPECT_EQ(pair->train.listeners.size(), 1'892u);
  EXPECT_EQ(pair->train.tracks.size(), 17'632u);
}

}  // namespace
}  // namespace segue::store
