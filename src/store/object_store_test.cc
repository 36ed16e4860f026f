#include "store/object_store.h"

#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

namespace segue::store {
namespace {

namespace fs = std::filesystem;

/// What every ObjectStore must do; a back end adds a way to make one.
class Objects : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("segue-objects-" + std::to_string(::getpid()) + "-" +
                                         testing::UnitTest::GetInstance()->current_test_info()->name());
    auto store = OpenFolderStore(root_ / "bucket", files_);
    ASSERT_TRUE(store.ok()) << store.error().message;
    store_ = *std::move(store);
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(root_);
  }

  size_t FilesInScratch() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(store_->ScratchFolder()), fs::directory_iterator()));
  }

  fs::path root_;
  FaultyFileSystem files_{RealFileSystem()};
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(Objects, ComeBackAsTheyWerePut) {
  ASSERT_TRUE(store_->Put("raw/a", std::string("bytes\0more", 10)).ok());
  EXPECT_EQ(*store_->Get("raw/a"), std::string("bytes\0more", 10));
  EXPECT_TRUE(store_->Exists("raw/a"));
  EXPECT_FALSE(store_->Exists("raw/b"));
  EXPECT_EQ(store_->Get("raw/b").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(store_->Put("raw/a", "new").ok());
  EXPECT_EQ(*store_->Get("raw/a"), "new");
}

TEST_F(Objects, AreListedAscendingBelowAPrefix) {
  for (const char* key : {"b/2", "b/1/x", "a/1", "b/10"}) ASSERT_TRUE(store_->Put(key, "x").ok());
  EXPECT_EQ(*store_->List("b"), (std::vector<std::string>{"b/1/x", "b/10", "b/2"}));
  EXPECT_EQ(store_->List("nothing")->size(), 0u);
  EXPECT_EQ(store_->List("")->size(), 4u) << "scratch is not listed";
}

TEST_F(Objects, AreRemoved) {
  ASSERT_TRUE(store_->Put("inbox/a", "x").ok());
  ASSERT_TRUE(store_->Remove("inbox/a").ok());
  EXPECT_FALSE(store_->Exists("inbox/a"));
  EXPECT_FALSE(store_->Remove("inbox/a").ok());
}

TEST_F(Objects, TakeFilesOver) {
  std::ofstream(root_ / "file") << "content";
  ASSERT_TRUE(store_->PutFile("models/m/model.segue", root_ / "file").ok());
  EXPECT_EQ(*store_->Get("models/m/model.segue"), "content");
  EXPECT_FALSE(fs::exists(root_ / "file"));
  EXPECT_FALSE(store_->PutFile("models/n", root_ / "missing").ok());
}

TEST_F(Objects, KeysThatCouldLeadOutAreRefused) {
  for (const char* key : {"", "/a", "a//b", "a/", "../a", "a/../b", "a/.", ".tmp/1", "a/.tmpx", "a\\b", "a\nb"}) {
    EXPECT_EQ(store_->Put(key, "x").ok(), false) << key;
    EXPECT_FALSE(store_->Get(key).ok()) << key;
  }
  EXPECT_FALSE(CheckKey(std::string("a\0b", 3)).ok());
  EXPECT_FALSE(CheckKey(std::string(2000, 'a')).ok());
  EXPECT_TRUE(CheckKey("inbox/my listener/Ünïcode (1).json").ok());
}

TEST_F(Objects, AFullDiskLeavesNothingVisible) {
  files_.FailAfterBytes(3);
  const Status put = store_->Put("raw/big", "more than three bytes");
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().code, ErrorCode::kNoSpace);
  EXPECT_FALSE(store_->Exists("raw/big"));
  EXPECT_EQ(FilesInScratch(), 0u);
  files_.Heal();
  EXPECT_TRUE(store_->Put("raw/big", "more than three bytes").ok());
}

TEST_F(Objects, PowerLossBeforeTheRenameLeavesTheOldObject) {
  ASSERT_TRUE(store_->Put("live", "old").ok());
  files_.FailRenames(true);
  EXPECT_FALSE(store_->Put("live", "new").ok());
  EXPECT_EQ(*store_->Get("live"), "old");
}

TEST_F(Objects, AFailedTakeOverLeavesTheFileWithItsOwner) {
  std::ofstream(root_ / "file") << "content";
  files_.FailRenames(true);
  EXPECT_FALSE(store_->PutFile("raw/a", root_ / "file").ok());
  EXPECT_TRUE(fs::exists(root_ / "file"));
}

TEST_F(Objects, ScratchOfADeadProcessIsRemoved) {
  // No process has this number: it is above what the kernel gives out.
  const fs::path dead = root_ / "bucket/.tmp/99999999";
  fs::create_directories(dead);
  std::ofstream(dead / "put-0") << "half";
  auto again = OpenFolderStore(root_ / "bucket");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(store_->ScratchFolder())) << "that of the living stays";
}

TEST_F(Objects, LinksAreNotListed) {
  fs::create_directories(root_ / "bucket/inbox");
  fs::create_symlink("/etc/hostname", root_ / "bucket/inbox/link");
  EXPECT_TRUE(store_->List("inbox")->empty());
}

}  // namespace
}  // namespace segue::store
