#include "ingest/values.h"

#include <gtest/gtest.h>

namespace segue::ingest {
namespace {

TEST(Values, ReadsNumbersAsTablesWriteThem) {
  EXPECT_EQ(ParseReal("12"), 12.0);
  EXPECT_EQ(ParseReal(" -3.5\r"), -3.5);
  EXPECT_EQ(ParseReal("6.0E-06"), 6.0e-06);
  EXPECT_EQ(ParseReal("+1"), 1.0);
  EXPECT_EQ(ParseReal("1e-400"), 0.0);
}

TEST(Values, RefusesWhatIsNoFiniteNumber) {
  for (const char* text : {"", "abc", "1.2.3", "12x", "nan", "inf", "1e400", "+-1", "1,5", "0x10"}) {
    EXPECT_EQ(ParseReal(text), std::nullopt) << text;
  }
}

TEST(Values, ReadsWholeNumbersAlsoWhereTheyAreWrittenAsReals) {
  EXPECT_EQ(ParseInteger("9223372036854775807"), 9223372036854775807);
  EXPECT_EQ(ParseInteger("230666.0"), 230666);
  EXPECT_EQ(ParseInteger("2.3E5"), 230000);
  EXPECT_EQ(ParseInteger("2.5"), std::nullopt);
  EXPECT_EQ(ParseInteger("92233720368547758070"), std::nullopt);
}

TEST(Values, ReadsTimesInTheFormsThatSourcesUse) {
  struct Case {
    const char* text;
    int64_t at;
    int precision;
  };
  for (const Case& c : {Case{"2023-01-30 14:41", 1675089660, 60}, Case{"2021-09-21T19:38:59Z", 1632253139, 1},
                        Case{"2021-09-21T19:38:59.25Z", 1632253139, 1}, Case{"2021-09-21T21:38:59+02:00", 1632253139, 1},
                        Case{"2021-09-21T14:08:59-0530", 1632253139, 1}, Case{"2021-09-21 19:38:59", 1632253139, 1},
                        Case{"2021-09-21", 1632182400, 1}, Case{"881250949", 881250949, 1},
                        Case{"1632253124315", 1632253124, 1}, Case{"881250949.0", 881250949, 1}, Case{"0", 0, 1},
                        Case{"2024-02-29 00:00", 1709164800, 60}, Case{"1969-12-31T23:59:59Z", -1, 1}}) {
    const auto moment = ParseMoment(c.text);
    ASSERT_TRUE(moment.has_value()) << c.text;
    EXPECT_EQ(moment->at, c.at) << c.text;
    EXPECT_EQ(moment->precision, c.precision) << c.text;
  }
}

TEST(Values, RefusesTimesThatAreNone) {
  for (const char* text : {"", "yesterday", "2023-13-01 00:00", "2023-02-29", "2023-01-30 24:00", "2023-01-30 14:60",
                           "2023-01-30 14:41 somewhere", "01/30/2023", "2023-01-30T", "nan"}) {
    EXPECT_FALSE(ParseMoment(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace segue::ingest
