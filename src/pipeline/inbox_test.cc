#include "pipeline/inbox.h"

#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include "pipeline/lock.h"
#include "pipeline/records.h"

namespace segue::pipeline {
namespace {

namespace fs = std::filesystem;

class Inbox : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("segue-inbox-" + std::to_string(::getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text = "x") const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }

  fs::path folder_;
};

TEST_F(Inbox, ListsFilesOfAllFoldersByName) {
  Write("b.csv");
  Write("anna/2.json", "12345");
  Write("anna/deep/er/1.json");
  const auto listing = ListInbox(folder_);
  ASSERT_EQ(listing.files.size(), 3u);
  EXPECT_EQ(listing.files[0].name, "anna/2.json");
  EXPECT_EQ(listing.files[0].bytes, 5u);
  EXPECT_EQ(listing.files[1].name, "anna/deep/er/1.json");
  EXPECT_EQ(listing.files[2].name, "b.csv");
  EXPECT_TRUE(listing.problems.empty());
}

TEST_F(Inbox, LeavesHalfWrittenAndHiddenFilesAlone) {
  for (const char* name : {".hidden", "a.csv.part", "b.tmp", "c.json~", ".folder/d.csv"}) Write(name);
  EXPECT_TRUE(ListInbox(folder_).files.empty());
}

TEST_F(Inbox, SaysThatAFolderIsEmpty) {
  fs::create_directories(folder_ / "nobody");
  const auto listing = ListInbox(folder_);
  ASSERT_EQ(listing.problems.size(), 1u);
  EXPECT_EQ(listing.problems[0].name, "nobody");
  EXPECT_NE(listing.problems[0].reason.find("empty"), std::string::npos);
}

TEST_F(Inbox, DoesNotFollowLinks) {
  Write("real.csv");
  fs::create_symlink("/etc", folder_ / "link");
  const auto listing = ListInbox(folder_);
  EXPECT_EQ(listing.files.size(), 1u);
  ASSERT_EQ(listing.problems.size(), 1u);
  EXPECT_EQ(listing.problems[0].name, "link");
}

/// Root may read everything: be nobody for a while.
class AsNobody {
 public:
  AsNobody() : was_root_(::geteuid() == 0) {
    if (was_root_) {
      EXPECT_EQ(::seteuid(65534), 0);
    }
  }
  ~AsNobody() {
    if (was_root_) {
      EXPECT_EQ(::seteuid(0), 0);
    }
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  bool was_root_;
};

TEST_F(Inbox, NamesFoldersAndFilesThatItMayNotRead) {
  Write("closed/a.csv");
  Write("secret.csv");
  Write("open.csv");
  fs::permissions(folder_ / "closed", fs::perms::none);
  fs::permissions(folder_ / "secret.csv", fs::perms::none);
  InboxListing listing;
  {
    const AsNobody nobody;
    listing = ListInbox(folder_);
  }
  fs::permissions(folder_ / "closed", fs::perms::all);
  ASSERT_EQ(listing.files.size(), 1u);
  EXPECT_EQ(listing.files[0].name, "open.csv");
  ASSERT_EQ(listing.problems.size(), 2u);
  for (const auto& problem : listing.problems) {
    EXPECT_TRUE(problem.name == "closed" || problem.name == "secret.csv") << problem.name;
    EXPECT_NE(problem.reason.find("readable"), std::string::npos) << problem.reason;
  }
}

TEST_F(Inbox, WatchWakesForAFileInAFolderMadeLater) {
  const auto watch = WatchInbox(folder_);
  ASSERT_TRUE(watch.ok());
  EXPECT_FALSE((*watch)->Wait(0));
  fs::create_directories(folder_ / "anna");
  EXPECT_TRUE((*watch)->Wait(5000));
  while ((*watch)->Wait(0)) {
  }
  Write("anna/1.json");
  EXPECT_TRUE((*watch)->Wait(5000));
}

TEST_F(Inbox, OnePipelineADataFolder) {
  auto first = LockPipeline(folder_);
  ASSERT_TRUE(first.ok());
  const auto second = LockPipeline(folder_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  *first = nullptr;
  EXPECT_TRUE(LockPipeline(folder_).ok());
}

TEST(Records, RunIdsSortByTime) {
  EXPECT_LT(NewRunId(1'700'000'000'000).substr(0, 16), NewRunId(1'700'000'001'000).substr(0, 16));
  EXPECT_EQ(NewRunId(0).substr(0, 16), "r19700101-000000");
}

}  // namespace
}  // namespace segue::pipeline
