#include "clean/testing.h"

namespace segue::clean {
namespace {

constexpr int64_t kDay = 86'400;

store::Impression Shown(const std::string& id, int64_t at, std::vector<std::string> tracks) {
  return {.list_id = id, .listener = "ann", .model_id = "m1", .arm = "live", .mode = "discovery", .at_ms = at * 1000, .made_us = 250,
          .tracks = std::move(tracks)};
}

class ImpressionsKept : public CleanTest {
 protected:
  void Show(const std::vector<store::Impression>& lists) { Must(catalog->AppendImpressions(lists)); }
  int64_t RowsWhere(const std::string& what) {
    return Count("SELECT count(*) FROM read_parquet(" + store::Quoted((root / "bucket/impressions").string() + "/**/*.parquet") + ") WHERE " + what);
  }
};

TEST_F(ImpressionsKept, AreFlushedOnceARowATrackAndAnObjectADay) {
  Show({Shown("a", kNow - kDay, {"t1", "t2"}), Shown("b", kNow, {"t3"}), Shown("c", kNow, {})});
  Must(FlushImpressions(context()));
  EXPECT_EQ(*bucket->List("impressions"), (std::vector<std::string>{"impressions/2023/11/13/000000000001-000000000001.parquet",
                                                                      "impressions/2023/11/14/000000000002-000000000003.parquet"}));
  EXPECT_EQ(RowsWhere("true"), 4);
  EXPECT_EQ(RowsWhere("list_id='a' AND position=2 AND track_id='t2' AND listener='ann' AND model_id='m1' AND made_us=250"), 1);
  EXPECT_EQ(RowsWhere("list_id='c' AND track_id IS NULL"), 1) << "an empty list was shown, too";
  // A crash before the note: the bucket itself tells.
  Must(catalog->SetMeta("flushed_impressions", ""));
  Must(FlushImpressions(context()));
  EXPECT_EQ(RowsWhere("true"), 4);
  Show({Shown("d", kNow, {"t1"})});
  Must(FlushImpressions(context()));
  EXPECT_EQ(RowsWhere("true"), 5);
}

TEST_F(ImpressionsKept, LeaveTheCatalogOnlyWhenTheyAreOldAndInTheBucket) {
  settings.impressions.keep_days = 2;
  Show({Shown("old", kNow - 3 * kDay, {"t1"}), Shown("new", kNow - kDay, {"t1"})});
  EXPECT_TRUE(catalog->FindImpression("old")->has_value());
  Must(FlushImpressions(context()));
  EXPECT_FALSE(catalog->FindImpression("old")->has_value());
  EXPECT_TRUE(catalog->FindImpression("new")->has_value());
  EXPECT_EQ(RowsWhere("list_id='old'"), 1);
  // Numbers go on where they were, though the catalog is empty.
  clock.Advance(10 * kDay * 1000);
  Must(FlushImpressions(context()));
  EXPECT_TRUE(catalog->ImpressionsAfter(0, 10)->empty());
  Show({Shown("later", kNow, {"t2"})});
  Must(FlushImpressions(context()));
  EXPECT_EQ(RowsWhere("list_id='later'"), 1);
  EXPECT_EQ(*catalog->LastImpressionSeq(), 3);
}

}  // namespace
}  // namespace segue::clean
