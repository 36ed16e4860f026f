#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "store/catalog.h"

namespace segue::store {
namespace {

namespace fs = std::filesystem;

class Forgetting : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("segue-forgetting-" + std::to_string(::getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
    Open();
  }
  void TearDown() override {
    catalog_.reset();
    fs::remove_all(folder_);
  }
  void Open() {
    catalog_.reset();
    catalog_ = *OpenSqliteCatalog(folder_ / "catalog.sqlite");
  }

  int64_t Append(const std::string& listener, const std::string& id) {
    return catalog_->AppendEvents(std::vector<FeedbackEvent>{{.event_id = id, .listener = listener, .track_id = "t1", .artist = "A", .title = "song of " + listener,
                                                              .kind = "play", .at = 5}})->last_seq;
  }
  std::string Bytes() const {
    std::string bytes;
    for (const auto& file : fs::directory_iterator(folder_)) {
      std::ifstream in(file.path(), std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(in), {});
    }
    return bytes;
  }

  fs::path folder_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(Forgetting, EventsAndListsOfOneListenerGoAndNoNumberIsGivenTwice) {
  Append("bob", "e1");
  Append("ann", "e2");
  Append("ann", "e3");
  ASSERT_TRUE(catalog_->AppendImpressions(std::vector<Impression>{{.list_id = "l1", .listener = "ann"}, {.list_id = "l2", .listener = "bob"}}).ok());
  const auto forgotten = catalog_->listeners().Forget("ann", 100);
  ASSERT_TRUE(forgotten.ok()) << forgotten.error().message;
  EXPECT_EQ(forgotten->events, 2);
  EXPECT_EQ(forgotten->lists, 1);
  EXPECT_EQ(forgotten->tombstone.through_seq, 3);
  EXPECT_TRUE(catalog_->listeners().EventsOf("ann", 0, 10)->empty());
  EXPECT_TRUE(catalog_->listeners().ImpressionsOf("ann", 0, 10)->empty());
  EXPECT_FALSE(catalog_->FindImpression("l1")->has_value());
  EXPECT_EQ(catalog_->EventsAfter(0, 10)->size(), 1U);
  EXPECT_EQ(*catalog_->LastEventSeq(), 3) << "what was removed is not taken for news that went away";

  EXPECT_EQ(Append("ann", "e2"), 4) << "a removed event's id is free again";
  Open();
  EXPECT_EQ(Append("ann", "e2"), 4) << "and known again";
  EXPECT_EQ(*catalog_->LastEventSeq(), 4);
  EXPECT_EQ(catalog_->listeners().EventsOf("ann", 0, 10)->size(), 1U);
  const auto tombstones = *catalog_->listeners().ForgottenAfter(0);
  ASSERT_EQ(tombstones.size(), 1U);
  EXPECT_EQ(tombstones[0].listener, "ann");
  EXPECT_EQ(tombstones[0].at, 100);
}

TEST_F(Forgetting, TheFileHasNoTraceOfHisEvents) {
  for (int i = 0; i < 200; ++i) Append("a-name-nobody-else-has", "e" + std::to_string(i));
  Append("bob", "b1");
  ASSERT_NE(Bytes().find("song of a-name-nobody-else-has"), std::string::npos);
  ASSERT_TRUE(catalog_->listeners().Forget("a-name-nobody-else-has", 100).ok());
  EXPECT_EQ(Bytes().find("song of a-name-nobody-else-has"), std::string::npos);
  EXPECT_NE(Bytes().find("song of bob"), std::string::npos);
}

TEST_F(Forgetting, AgainIsANewTombstoneThatNeverReachesLessFar) {
  const int64_t first = catalog_->listeners().Forget("ann", 100)->tombstone.id;
  Append("ann", "e1");
  const auto again = *catalog_->listeners().Forget("ann", 50);
  EXPECT_GT(again.tombstone.id, first);
  EXPECT_EQ(again.tombstone.at, 100) << "the clock was set back";
  EXPECT_EQ(again.tombstone.through_seq, 1);
  EXPECT_EQ(catalog_->listeners().ForgottenAfter(0)->size(), 1U);
  EXPECT_TRUE(catalog_->listeners().ForgottenAfter(again.tombstone.id)->empty());
  EXPECT_EQ(catalog_->listeners().Forget("", 1).error().code, ErrorCode::kInvalid);
}

TEST_F(Forgetting, DocumentsAreKeptByKindAndHisGoes) {
  Documents& documents = catalog_->documents();
  ASSERT_TRUE(documents.PutDocuments(kUserDocument, std::vector<Document>{{"ann", "1"}, {"bob", "2"}, {"cem", "3"}}).ok());
  ASSERT_TRUE(documents.PutDocuments("other", std::vector<Document>{{"ann", "4"}}).ok());
  ASSERT_TRUE(documents.PutDocuments(kUserDocument, std::vector<Document>{{"bob", "5"}}).ok());
  EXPECT_EQ((*documents.FindDocument(kUserDocument, "bob"))->body, "5");
  const auto page = *documents.DocumentsAfter(kUserDocument, "ann", 1);
  ASSERT_EQ(page.size(), 1U);
  EXPECT_EQ(page[0].id, "bob");
  EXPECT_TRUE(*documents.RemoveDocument(kUserDocument, "cem"));
  EXPECT_FALSE(*documents.RemoveDocument(kUserDocument, "cem"));
  ASSERT_TRUE(catalog_->listeners().Forget("ann", 1).ok());
  EXPECT_FALSE(documents.FindDocument(kUserDocument, "ann")->has_value());
  EXPECT_TRUE(documents.FindDocument("other", "ann")->has_value());
}

TEST_F(Forgetting, QuarantineForgetsRowsOfHisOwnFiles) {
  for (const char* listener : {"ann", "bob"}) {
    ASSERT_TRUE(catalog_->PutObject({.sha256 = "both", .name = "x.json", .listener = listener}).ok());
  }
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "hers", .name = "ann/x.json", .listener = "ann"}).ok());
  ASSERT_TRUE(catalog_->AddQuarantine(std::vector<QuarantineRow>{{.sha256 = "hers", .file = "ann/x.json"}, {.sha256 = "both", .file = "x.json"}}).ok());
  ASSERT_TRUE(catalog_->listeners().Forget("ann", 100).ok());
  const auto left = *catalog_->Quarantine(0, 10);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].sha256, "both");
}

}  // namespace
}  // namespace segue::store
