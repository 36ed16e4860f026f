#include "monitor/console.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "monitor/lines.h"
#include "monitor/run_log.h"
#include "store/clock.h"

namespace segue::monitor {
namespace {

/// A file without a name that a console writes into.
class Paper {
 public:
  Paper() : file_(std::tmpfile()) {}
  ~Paper() { std::fclose(file_); }
  int descriptor() const { return ::fileno(file_); }
  std::string Text() const {
    std::string text(static_cast<size_t>(::lseek(descriptor(), 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(descriptor(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

 private:
  std::FILE* file_;
};

Console On(const Paper& paper, bool terminal) {
  Console console;
  console.descriptor = paper.descriptor();
  console.terminal = terminal;
  return console;
}

TEST(Console, WritesPlainLinesWhereThereIsNoTerminal) {
  const Paper paper;
  {
    const auto console = MakeConsole(On(paper, false));
    console->Info("clean", "412 rows rejected");
    console->Progress("clean", 1, 4, "files");
    console->Progress("clean", 4, 4, "files");
    console->Warn("clean", "the limit is near");
  }
  EXPECT_EQ(paper.Text(), "clean: 412 rows rejected\nwarning: clean: the limit is near\n");
}

TEST(Console, RedrawsOneBarAndPutsMessagesAboveIt) {
  const Paper paper;
  {
    const auto console = MakeConsole(On(paper, true));
    console->Progress("train", 1, 4, "epochs");
    console->Info("train", "hello");
    console->Progress("train", 4, 4, "epochs");
    console->Info("train", "done");
  }
  const std::string erase = "\r\x1b[K";
  EXPECT_EQ(paper.Text(), erase + "train  [#####...............]  25%  1 of 4 epochs" +
                              erase + "train: hello\n" + "train  [#####...............]  25%  1 of 4 epochs" +
                              erase + "train  [####################] 100%  4 of 4 epochs\n" + "train: done\n");
}

TEST(Console, LeavesNoBarBehindWhenTheWorkEndsEarly) {
  const Paper paper;
  MakeConsole(On(paper, true))->Progress("train", 1, 4, "epochs");
  EXPECT_TRUE(paper.Text().ends_with("\r\x1b[K"));
}

TEST(Console, QuietShowsWarningsAndErrorsOnly) {
  const Paper paper;
  Console settings = On(paper, true);
  settings.quiet = true;
  const auto console = MakeConsole(settings);
  console->Info("clean", "one");
  console->Progress("clean", 1, 2, "files");
  console->Warn("clean", "two");
  console->Log(LogLevel::kError, "clean", "three", {});
  EXPECT_EQ(paper.Text(), "warning: clean: two\nerror: clean: three\n");
}

TEST(Console, AFilesNameCannotSteerTheTerminal) {
  const Paper paper;
  MakeConsole(On(paper, true))->Info("ingest", "took in \x1b[2Jevil\x07.json");
  EXPECT_EQ(paper.Text(), "ingest: took in ?[2Jevil?.json\n");
}

TEST(Console, AsksWhetherToStop) {
  Console settings;
  settings.cancelled = [] { return true; };
  EXPECT_TRUE(MakeConsole(settings)->Cancelled());
  EXPECT_FALSE(MakeConsole(Console{})->Cancelled());
}

TEST(Daemon, WritesALineAMessageWithTimeLevelAndFields) {
  const store::FakeClock clock(1'772'366'400'250);
  testing::internal::CaptureStderr();
  DaemonInstruments(clock, {})->Warn("clean", "two\nlines", {{"rows", 412}, {"file", "a b.csv"}});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "2026-03-01T12:00:00.250Z warning clean: two lines file=\"a b.csv\" rows=412\n");
}

TEST(Lines, ProgressFitsTheTerminal) {
  EXPECT_EQ(ProgressLine("ingest", 1234567, 0, "rows", 80), "ingest  1,234,567 rows");
  EXPECT_LE(ProgressLine("ingest", 1234567, 2345678, "rows", 30).size(), 30u);
  EXPECT_NE(ProgressLine("ingest", 9, 4, "files", 80).find("100%"), std::string::npos);
}

TEST(Lines, CommasStandBeforeEveryThirdDigit) {
  EXPECT_EQ(WithCommas(0), "0");
  EXPECT_EQ(WithCommas(999), "999");
  EXPECT_EQ(WithCommas(1000), "1,000");
  EXPECT_EQ(WithCommas(123456), "123,456");
}

TEST(Lines, TimestampsBeforeTheEpochKeepTheirMilliseconds) {
  EXPECT_EQ(Timestamp(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(Timestamp(-1), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace segue::monitor
