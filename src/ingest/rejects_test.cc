#include "ingest/rejects.h"

#include <gtest/gtest.h>

#include "core/identity.h"
#include "ingest/test_support.h"

namespace segue::ingest {
namespace {

TEST(Rejects, WritesNothingWhereNothingWasRejected) {
  const TestFolder folder;
  Rejects rejects("00", "x.csv", folder.path() / "rows");
  EXPECT_TRUE(rejects.Close().ok());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "rows"));
  EXPECT_TRUE(rejects.Rows(0).empty());
}

TEST(Rejects, KeepsEachRowWithLineFieldAndReason) {
  const TestFolder folder;
  Rejects rejects("00", "x.csv", folder.path() / "rows");
  rejects.Add(7, "at", "is 'soon'", "1,2,\"soon\"");
  ASSERT_TRUE(rejects.Close().ok());
  EXPECT_EQ(ReadAll(folder.path() / "rows"),
            "{\"field\":\"at\",\"file\":\"x.csv\",\"line\":7,\"reason\":\"is 'soon'\",\"text\":\"1,2,\\\"soon\\\"\"}\n");
  const auto rows = rejects.Rows(5);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].line, 7);
  EXPECT_EQ(rows[0].at, 5);
  EXPECT_EQ(rows[0].sample, "1,2,\"soon\"");
}

TEST(Rejects, SamplesAreShortAndValidUtf8) {
  std::string accents;
  for (int i = 0; i < 300; ++i) accents += "\xc3\xa9";
  std::string latin(300, '\xe9');
  for (const std::string& text : {accents, "x" + accents, latin, std::string(199, 'x') + "\xe2\x82\xac"}) {
    const std::string sample = SampleOf(text);
    bool changed = true;
    ToUtf8(sample, &changed);
    EXPECT_FALSE(changed);
    EXPECT_LE(sample.size(), 200U);
    EXPECT_GE(sample.size(), 197U);
  }
}

}  // namespace
}  // namespace segue::ingest
