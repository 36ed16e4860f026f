#include "page/page.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/check.h"
#include "page/canvas.h"
#include "page/charts.h"

namespace segue::page {
namespace {

/// "" where every element is closed in order, else the first that is not.
std::string Unclosed(const std::string& markup) {
  std::vector<std::string> open;
  for (size_t at = 0; (at = markup.find('<', at)) != std::string::npos;) {
    const size_t end = markup.find('>', at);
    if (end == std::string::npos) return markup.substr(at, 30);
    const std::string tag = markup.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /\n", 1));
    at = end + 1;
    if (tag[0] == '!' || name == "meta" || tag.back() == '/') continue;
    if (tag[0] != '/') {
      open.push_back(name);
    } else if (open.empty() || open.back() != tag.substr(1)) {
      return tag;
    } else {
      open.pop_back();
    }
    if (name == "style") at = markup.find("</style>", at);
  }
  return open.empty() ? "" : open.back();
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

void ExpectSound(const Html& html) {
  EXPECT_EQ(Unclosed(html.text), "");
  for (const char* wrong : {"nan", "inf\"", "-0\""}) EXPECT_EQ(html.text.find(wrong), std::string::npos) << html.text;
}

TEST(Page, TextsAreEscapedWhereverTheyStand) {
  const std::string evil = "<script>alert(\"1\")</script> & 'x'\x01";
  EXPECT_EQ(Escaped(evil), "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;\xef\xbf\xbd");
  DotPlot dots;
  dots.frame.title = evil;
  dots.rows = {{evil, {{0.5, 0.1, 0.9, 0}}, evil}};
  dots.series = {evil};
  HeatMap map;
  map.rows = map.columns = {evil};
  map.values = {1};
  map.texts = {evil};
  Page page{evil, evil, {{evil, evil, {Paragraph(evil), Warning(evil), Draw(dots), Draw(map), Folded(evil, Paragraph(evil)),
                                       Draw(Table{evil, {{evil, false, evil}}, {{evil}}, {}})}}}, evil};
  const std::string html = Render(page);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find('\x01'), std::string::npos);
  EXPECT_EQ(Unclosed(html), "");
}

TEST(Page, FetchesNothingAndHasNoScript) {
  const std::string html = Render({"a", "b", {{"One", "", {}}, {"Two", "", {}}, {"Three", "", {}}}, ""});
  for (const char* outside : {"http:", "https:", "<script", "<link", "@import", "url("}) EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  EXPECT_NE(html.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_NE(html.find("@media print"), std::string::npos);
  EXPECT_EQ(Count(html, "href=\"#"), 3u);
  EXPECT_EQ(Count(html, "id=\"two-2\""), 1u);
}

TEST(Page, ARowOfAnotherLengthThanTheHeaderIsABug) {
  EXPECT_THROW(Draw(Table{"", {{"a"}, {"b"}}, {{"1"}}, {}}), Bug);
}

TEST(Charts, EveryMarkIsThereAndWhatIsNoNumberIsLeftOut) {
  const double nan = std::nan("");
  BarChart bars{{.title = "Bars"}, {}, {{"a", 1}, {"b", -2}, {"c", nan}}};
  ExpectSound(Draw(bars));
  DotPlot dots{{.title = "Dots"}, {}, {{"a", {{1, 0.5, 2}}}, {"b", {{nan, nan, nan}}}}};
  EXPECT_EQ(Count(Draw(dots).text, "<circle"), 1u);
  ExpectSound(Draw(dots));
  LineChart lines{{.title = "Lines"}, {"x"}, {"y"}, {{"a", {0, 1, 2, 3}, {0, nan, 1, 2}, {0, nan, 0.5, 1}, {1, nan, 2, 3}, 0, true}, {"chance", {0, 3}, {0, 2}, {}, {}, 0, false, true}}};
  const Html drawn = Draw(lines);
  EXPECT_EQ(Count(drawn.text, "<circle"), 3u);
  EXPECT_EQ(Count(drawn.text, "class=\"reference\""), 1u);
  ExpectSound(drawn);
  HeatMap map{{.title = "Map"}, "is", "was said", {"a", "b"}, {"a", "b"}, {1, -0.5, nan, 0}, {}};
  EXPECT_EQ(Count(Draw(map).text, "<rect"), 4u);
  ExpectSound(Draw(map));
  Histogram histogram{{.title = "Histogram"}, {"x"}, {}, {0, 1, 2}, {{"one", {0.5, nan}, 0}, {"two", {0.2, 0.8}, 1}}};
  EXPECT_EQ(Count(Draw(histogram).text, "<path"), 4u);
  ExpectSound(Draw(histogram));
}

TEST(Charts, WithoutDataTheyAreEmptyAndSound) {
  ExpectSound(Draw(BarChart{}));
  ExpectSound(Draw(DotPlot{}));
  ExpectSound(Draw(LineChart{}));
  ExpectSound(Draw(HeatMap{}));
  ExpectSound(Draw(Histogram{}));
  ExpectSound(Draw(LineChart{{}, {}, {}, {{"one point", {2}, {3}}}}));
  ExpectSound(Draw(BarChart{{}, {}, {{"zero", 0}}}));
}

TEST(Charts, AreSaidToThoseWhoCannotSeeThem) {
  const std::string svg = Draw(BarChart{{.title = "Songs", .description = "How many songs"}, {}, {{"a", 1}}}).text;
  EXPECT_NE(svg.find("role=\"img\""), std::string::npos);
  EXPECT_NE(svg.find("<title>Songs</title><desc>How many songs</desc>"), std::string::npos);
}

TEST(Charts, TicksAreRoundAndLieWithin) {
  EXPECT_EQ(NiceTicks(0, 1, 5).at.size(), 6u);
  EXPECT_EQ(NiceTicks(0, 1, 5).places, 1);
  const Ticks far = NiceTicks(172'000, 405'000, 4);
  EXPECT_EQ(far.at.front(), 200'000);
  EXPECT_EQ(far.at.back(), 400'000);
  EXPECT_EQ(far.places, 0);
  for (const double width : {1e-9, 0.003, 7.0, 1e12}) {
    const Ticks ticks = NiceTicks(0.1 * width, width, 5);
    EXPECT_GE(ticks.at.size(), 3u);
    EXPECT_LE(ticks.at.size(), 7u);
    EXPECT_GE(ticks.at.front(), 0.0999 * width);
    EXPECT_LE(ticks.at.back(), 1.0001 * width);
  }
}

TEST(Charts, AnAxisKeepsTheEndsThatItWasTold) {
  EXPECT_EQ(Ends({.low = 0, .high = 1}, 0.2, 0.7), (std::pair<double, double>(0, 1)));
  EXPECT_EQ(Ends({}, 0.12, 0.93), (std::pair<double, double>(0, 1)));
  const auto around = Ends({}, 5, 5);
  EXPECT_LT(around.first, 5);
  EXPECT_GT(around.second, 5);
  EXPECT_EQ(Shortened("Grüße an alle", 40), "Grüß…");
}

TEST(Charts, OneByItselfIsAFileWithItsOwnStyleAndItsTitleToSee) {
  LineChart chart{.frame = {.title = "A < B"}};
  chart.lines.push_back({.name = "one", .x = {0, 1}, .y = {0, 1}});
  const Html drawn = Draw(chart);
  const std::string svg = Standalone(drawn);
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_NE(svg.find(">A &lt; B</text>"), std::string::npos);
  EXPECT_NE(svg.find("<style>"), std::string::npos);
  EXPECT_EQ(svg.find("<figure"), std::string::npos);
  EXPECT_EQ(svg, Standalone(drawn));
}

}  // namespace
}  // namespace segue::page
