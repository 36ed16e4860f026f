#include "store/dataset_store.h"

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "store/duck.h"
#include "store/layout.h"

namespace segue::store {
namespace {

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
  const auto pair = LoadCsvPair(Csv("train.csv", "user_id,item_id,value\nb,y,2\na,x,1\na,z,3\n"),
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

TEST_F(Datasets, CsvErrorsNameFileLineAndField) {
  const auto value = LoadCsvPair(Csv("bad.csv", "user_id,item_id,value\na,x,1\na,y,many\n"), "");
  ASSERT_FALSE(value.ok());
  EXPECT_NE(value.error().message.find("bad.csv line 3: field 'value' is 'many'"), std::string::npos) << value.error().message;
  const auto empty = LoadCsvPair(Csv("empty.csv", "user_id,item_id,value\na,,1\n"), "");
  ASSERT_FALSE(empty.ok());
  EXPECT_NE(empty.error().message.find("line 2: field 'item_id'"), std::string::npos) << empty.error().message;
  const auto column = LoadCsvPair(Csv("column.csv", "user,item_id,value\na,b,1\n"), "");
  ASSERT_FALSE(column.ok());
  EXPECT_NE(column.error().message.find("'user_id' is missing"), std::string::npos) << column.error().message;
  const auto none = LoadCsvPair(folder_ / "none.csv", "");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
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
  run("INSERT INTO t(track_id,title,artist,year,energy) VALUES ('t2','Two','B',1999,0.5),('t1','One','A',NULL,NULL)");
  run("CREATE TABLE i(" + std::string(kInteractionsSchema) + ")");
  run("INSERT INTO i VALUES ('zoe','t1',20,'play',1,1000),('ann','t2',NULL,'like',1,NULL),('zoe','t2',10,'skip',1,5)");
  fs::create_directories(folder_ / "bucket/datasets/d");
  run("COPY t TO " + Quoted((folder_ / "bucket/datasets/d/tracks.parquet").string()) + " (FORMAT parquet)");
  run("COPY i TO " + Quoted((folder_ / "bucket/datasets/d/interactions.parquet").string()) + " (FORMAT parquet)");
  const auto data = LoadDataset(**bucket, "d");
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->tracks.id, (std::vector<std::string>{"t1", "t2"}));
  EXPECT_EQ(data->tracks.year, (std::vector<int16_t>{0, 1999}));
  EXPECT_TRUE(std::isnan(data->tracks.features[1]));
  EXPECT_EQ(data->tracks.features[14 + 1], 0.5f);
  EXPECT_EQ(data->listeners, (std::vector<std::string>{"ann", "zoe"}));
  const auto zoe = data->EventsOf(UserIx{1});
  ASSERT_EQ(zoe.size(), 2u);
  EXPECT_EQ(zoe[0].at, 10);
  EXPECT_EQ(zoe[0].kind, EventKind::kSkip);
  EXPECT_EQ(data->EventsOf(UserIx{0})[0].ms_played, -1);
  EXPECT_FALSE(LoadDataset(**bucket, "nothing").ok());
}

TEST_F(Datasets, ReadsThePublishedSplit) {
  const char* data = std::getenv("SEGUE_TEST_DATA");
  const fs::path split = fs::path(data != nullptr ? data : "") / ".." / "splits" / "lastfm-2k";
  if (data == nullptr || !fs::exists(split)) GTEST_SKIP() << "SEGUE_TEST_DATA is not set, or has no splits beside it";
  const auto pair = LoadCsvPair(split / "train.csv", split / "test.csv");
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  EXPECT_EQ(pair->train.events.size(), 74'294u);
  EXPECT_EQ(pair->train.listeners.size(), 1'892u);
  EXPECT_EQ(pair->train.tracks.size(), 17'632u);
}

}  // namespace
}  // namespace segue::store
