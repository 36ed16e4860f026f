#include "ingest/records.h"

#include <gtest/gtest.h>

#include "ingest/test_support.h"
#include "store/duck.h"

namespace segue::ingest {
namespace {

using Lines = std::vector<std::string>;

struct Read {
  Lines columns;
  Lines records;
  Lines problems;
  bool header = false;
  std::string refusal;
};

Read ReadText(std::string_view text, int64_t longest = 1 << 20) {
  Read read;
  auto reader = OpenRecords("", text, {.max_record_bytes = longest});
  if (!reader.ok()) {
    read.refusal = reader.error().message;
    return read;
  }
  Collected collected;
  EXPECT_TRUE((*reader)->Read(-1, collected).ok());
  read.columns = (*reader)->columns();
  read.header = (*reader)->has_header();
  read.records = collected.records;
  read.problems = collected.problems;
  return read;
}

TEST(Table, FindsOutTheDelimiter) {
  EXPECT_EQ(ReadText("a,b\nx,y\n").records, Lines{"2:x|y"});
  EXPECT_EQ(ReadText("a\tb\nx, and\ty\n").records, Lines{"2:x, and|y"});
  EXPECT_EQ(ReadText("a;b\nx,1;y\n").records, Lines{"2:x,1|y"});
  EXPECT_EQ(ReadText("a|b\nx y|y\n").records, Lines{"2:x y|y"});
  EXPECT_EQ(ReadText("1::2::3\n4::5::6\n").records, (Lines{"1:1|2|3", "2:4|5|6"}));
  EXPECT_EQ(ReadText("1 2 3\n4 5 6\n").records, (Lines{"1:1|2|3", "2:4|5|6"}));
}

TEST(Table, TellsAHeaderFromData) {
  EXPECT_TRUE(ReadText("user,item\nx,y\n").header);
  EXPECT_FALSE(ReadText("196\t242\t3\t881250949\n").header);
  EXPECT_EQ(ReadText("196\t242\t3\n").columns, (Lines{"column1", "column2", "column3"}));
  EXPECT_FALSE(ReadText("anna\tsong\t3\nberta\tsong\t4\n").header);
}

TEST(Table, ReadsQuotedFieldsWithDelimitersQuotesAndLineEnds) {
  const Read read = ReadText("a,b\n\"x, \"\"y\"\"\",1\n\"two\nlines\",2\nlast,3");
  EXPECT_EQ(read.records, (Lines{"2:x, \"y\"|1", "3:two\nlines|2", "5:last|3"}));
  EXPECT_TRUE(read.problems.empty());
}

TEST(Table, TakesBomAndCarriageReturnsAway) {
  const Read read = ReadText("\xef\xbb\xbf" "a,b\r\nx,\"y\"\r\n\r\nz,w\r\n");
  EXPECT_EQ(read.columns, (Lines{"a", "b"}));
  EXPECT_EQ(read.records, (Lines{"2:x|y", "4:z|w"}));
}

TEST(Table, ReadsOldMacintoshLineEnds) {
  EXPECT_EQ(ReadText("a,b\rx,y\rz,w\r").records, (Lines{"2:x|y", "3:z|w"}));
}

TEST(Table, NamesTheLineOfARowWithTheWrongFieldCount) {
  const Read read = ReadText("a,b\n1,2\n3\n4,5,6\n7,8\n");
  EXPECT_EQ(read.records, (Lines{"2:1|2", "5:7|8"}));
  EXPECT_EQ(read.problems, (Lines{"3: has 1 fields, expected 2", "4: has 3 fields, expected 2"}));
}

TEST(Table, SaysWhereAFileIsCutInsideARow) {
  const Read read = ReadText("a,b,c\n1,2,3\n4,5");
  EXPECT_EQ(read.problems, Lines{"3: has 2 fields, expected 3: the file is cut inside this row"});
}

TEST(Table, TakesStrayQuotesAsCharacters) {
  EXPECT_EQ(ReadText("a\tb\n\"W\" Y\t1\nan 8\" disc\t2\n\"open\t3\n\"whole\"\t4\n").records,
            (Lines{"2:\"W\" Y|1", "3:an 8\" disc|2", "4:\"open|3", "5:whole|4"}));
  EXPECT_EQ(ReadText("a,b\n\"W\" Y,1\nan 8\" disc,2\n\"never closed,3\nlast,4\n").records,
            (Lines{"2:\"W\" Y|1", "3:an 8\" disc|2", "4:\"never closed|3", "5:last|4"}));
}

TEST(Table, AQuoteThatNeverClosesDoesNotSwallowTheFile) {
  std::string text = "a,b\n";
  for (int i = 0; i < 20000; ++i) text += "\"open" + std::to_string(i) + ",1\n";
  const Read read = ReadText(text);
  EXPECT_EQ(read.records.size() + read.problems.size(), 20000U);
}

TEST(Table, SetsALineAsideThatIsTooLong) {
  const Read read = ReadText("a,b\n1,2\n" + std::string(5000, 'x') + "\n3,4\n", 2000);
  EXPECT_EQ(read.records, (Lines{"2:1|2", "4:3|4"}));
  EXPECT_EQ(read.problems, Lines{"3: the line is longer than 2,000 bytes (ingest.max_line_bytes)"});
}

TEST(Table, RefusesAFileThatIsOneEndlessLine) {
  EXPECT_EQ(ReadText(std::string(5000, 'x'), 2000).refusal,
            "line 1 is longer than 2,000 bytes, so this is no table. If it is, raise ingest.max_line_bytes");
}

TEST(Table, GivesDuplicateColumnsNamesOfTheirOwn) {
  EXPECT_EQ(ReadText("id,name,id,\nx,y,z,w\n").columns, (Lines{"id", "name", "id (2)", "column4"}));
}

TEST(Json, ReadsAnArrayOfObjectsWithLineNumbers) {
  const Read read = ReadText("[\n  {\n    \"a\" : \"x\",\n    \"b\" : 1\n  },\n  {\n    \"a\" : null,\n    \"b\" : 2.5e3\n  }\n]");
  EXPECT_EQ(read.columns, (Lines{"a", "b"}));
  EXPECT_EQ(read.records, (Lines{"2:x|1", "6:~|2.5e3"}));
  EXPECT_TRUE(read.problems.empty());
}

TEST(Json, ReadsLinesOneLineArraysAndWrappedArrays) {
  EXPECT_EQ(ReadText("{\"a\":1}\n{\"a\":2}\n").records, (Lines{"1:1", "2:2"}));
  EXPECT_EQ(ReadText("[{\"a\":1},{\"a\":2}]").records, (Lines{"1:1", "1:2"}));
  EXPECT_EQ(ReadText("{\"events\": [\n{\"a\":1},\n{\"a\":2}], \"more\": 3}").records, (Lines{"2:1", "3:2"}));
}

TEST(Json, DecodesEscapes) {
  EXPECT_EQ(ReadText(R"([{"a":"q\"\\\/\n\u00e9\ud83c\udfb5\ud800"}])").records,
            Lines{"1:q\"\\/\n\xc3\xa9\xf0\x9f\x8e\xb5\xef\xbf\xbd"});
}

TEST(Json, FindsColumnsThatComeLaterOrInAnotherOrder) {
  const Read read = ReadText("{\"a\":1}\n{\"b\":2,\"a\":3}\n{\"c\":[1,{\"x\":\"]\"}]}\n");
  EXPECT_EQ(read.columns, (Lines{"a", "b", "c"}));
  EXPECT_EQ(read.records, (Lines{"1:1", "2:3|2", "3:~|~|[1,{\"x\":\"]\"}]"}));
}

TEST(Json, GoesOnBehindABrokenRecord) {
  const Read lines = ReadText("{\"a\":1}\n{\"a\":oops}\n{\"a\":3}\n");
  EXPECT_EQ(lines.records, (Lines{"1:1", "3:3"}));
  ASSERT_EQ(lines.problems.size(), 1U);
  EXPECT_TRUE(lines.problems[0].starts_with("2: the record has a value")) << lines.problems[0];
  const Read array = ReadText("[{\"a\":1},{\"a\" 2},{\"a\":3}]");
  EXPECT_EQ(array.records, (Lines{"1:1", "1:3"}));
  EXPECT_EQ(array.problems, Lines{"1: the record has no ':' behind a name"});
}

TEST(Json, NamesTheLineInsideABrokenRecord) {
  const Read read = ReadText("[\n{\n\"a\": 1,\n\"b\": \"cut\n},\n{\n\"a\": 3, \"b\": \"x\"\n}\n]");
  EXPECT_EQ(read.records, Lines{"6:3|x"});
  EXPECT_EQ(read.problems, Lines{"2: the record has a line end or control character inside a string (in line 4)"});
}

TEST(Json, KeepsTheCompleteRecordsOfATruncatedArray) {
  const Read inside = ReadText("[\n{\"a\":1},\n{\"a\":2},\n{\"a\":");
  EXPECT_EQ(inside.records, (Lines{"2:1", "3:2"}));
  EXPECT_EQ(inside.problems, Lines{"4: the file ends inside this record"});
  const Read between = ReadText("[\n{\"a\":1},\n");
  EXPECT_EQ(between.records, Lines{"2:1"});
  EXPECT_EQ(between.problems, Lines{"3: the file ends before the closing ']': what was behind is lost"});
}

TEST(Json, ReadsArraysBehindOneAnotherAndReportsWhatElseIsThere) {
  const Read two = ReadText("[\n{\"a\":1}\n]\n[\n{\"a\":2}\n]\n");
  EXPECT_EQ(two.records, (Lines{"2:1", "5:2"}));
  EXPECT_TRUE(two.problems.empty());
  EXPECT_EQ(ReadText("[{\"a\":1}]\n]").problems, Lines{"2: text behind the closing ']' is not read"});
}

TEST(Json, SetsARecordAsideThatIsTooLong) {
  const Read read = ReadText("{\"a\":1}\n{\"a\":\"" + std::string(5000, 'x') + "\"}\n{\"a\":3}\n", 2000);
  EXPECT_EQ(read.records, (Lines{"1:1", "3:3"}));
  EXPECT_EQ(read.problems, Lines{"2: the record is longer than 2,000 bytes (ingest.max_line_bytes)"});
}

TEST(Json, RefusesEndlessNesting) {
  const Read read = ReadText("{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}\n{\"a\":2}\n");
  EXPECT_EQ(read.records, Lines{"2:2"});
  EXPECT_EQ(read.problems, Lines{"1: the record is nested too deep"});
}

TEST(Records, SaysWhatAFileIsThatHoldsNone) {
  EXPECT_EQ(ReadText("").refusal, "the file is empty");
  EXPECT_EQ(ReadText("\n").refusal, "the file holds nothing but blank lines");
  EXPECT_EQ(ReadText("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 19408584\n").refusal,
            "is a git-LFS pointer, not the file itself (which has 19,408,584 bytes). Fetch it with `git lfs pull` where "
            "it came from");
  EXPECT_EQ(ReadText("\xff\xfe" "a").refusal, "the text is UTF-16. Save it as UTF-8");
  EXPECT_EQ(ReadText(std::string(100, '\0')).refusal, "is neither text nor a known binary form");
  EXPECT_NE(ReadText("<!DOCTYPE html><html>").refusal.find("HTML"), std::string::npos);
}

TEST(Records, AHeaderAloneHasNoRecords) {
  const Read read = ReadText("a,b,c\n");
  EXPECT_TRUE(read.header);
  EXPECT_TRUE(read.records.empty() && read.problems.empty());
}

TEST(Records, StopsAtTheLimit) {
  auto reader = OpenRecords("", "a,b\n1,2\n3,4\n5,6\n", {});
  ASSERT_TRUE(reader.ok());
  Collected collected;
  ASSERT_TRUE((*reader)->Read(2, collected).ok());
  EXPECT_EQ(collected.records.size(), 2U);
}

TEST(Parquet, ReadsColumnsAsText) {
  const TestFolder folder;
  const auto file = folder.path() / "x";
  {
    auto duck = store::OpenDuck({.threads = 1});
    ASSERT_TRUE(duck.ok());
    ASSERT_TRUE((*duck)->Run("COPY (SELECT 'x' AS a, 1.5 AS \"b\"\"c\", NULL::INT AS d UNION ALL SELECT 'y', 2, 7) TO '" +
                             file.string() + "' (FORMAT parquet)").ok());
  }
  const std::string bytes = ReadAll(file);
  auto reader = OpenRecords(file, bytes, {});
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->columns(), (Lines{"a", "b\"c", "d"}));
  Collected collected;
  ASSERT_TRUE((*reader)->Read(-1, collected).ok());
  EXPECT_EQ(collected.records, (Lines{"1:x|1.5|~", "2:y|2.0|7"}));
}

TEST(Parquet, RefusesADamagedFile) {
  const TestFolder folder;
  const auto file = folder.Write("x", "PAR1 and then nothing of the kind");
  const std::string bytes = ReadAll(file);
  const auto reader = OpenRecords(file, bytes, {});
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace segue::ingest
