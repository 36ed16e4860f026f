#include "serve/wish.h"

#include <functional>
#include <set>

#include "serve/testing.h"

namespace segue::serve {
namespace {

/// Thirty tracks of which much is known.
class Wishes : public Serving {
 protected:
  static bool Rock(int k) { return k % 3 == 0; }
  static bool HipHop(int k) { return k % 2 == 0; }
  static int Year(int k) { return k % 5 == 0 ? 0 : 1980 + k; }  // 0 unknown
  static std::optional<float> Energy(int k) { return k % 7 == 0 ? std::nullopt : std::optional(static_cast<float>(k) / 100); }

  void SetUp() override {
    Serving::SetUp();
    std::vector<std::string> fill;
    for (int k = 0; k < 30; ++k) {
      const std::string tags = std::string(Rock(k) ? "Rock;" : "") + (HipHop(k) ? "Hip-Hop" : "");
      const auto energy = Energy(k);
      fill.push_back("INSERT INTO t(track_id,title,artist,tags,year,energy) VALUES (" + store::Quoted(IdOf(k)) + "," + store::Quoted(Title(k)) + "," +
                     store::Quoted(Artist(k)) + "," + (tags.empty() ? "NULL" : store::Quoted(tags)) + "," +
                     (Year(k) == 0 ? "NULL" : std::to_string(Year(k))) + "," + (energy ? std::to_string(k) + "/100.0" : "NULL") + ")");
      if (k < 5) fill.push_back("INSERT INTO i VALUES ('ann'," + store::Quoted(IdOf(k)) + "," + std::to_string(1'600'000'000 + k) + ",'play',1,NULL)");
    }
    WriteDataset("d1", fill);
    PutPopularityLive("m1");
  }
  json Recommended(const std::string& query, int status = 200) const { return Get("/v1/listeners/ann/recommendations?" + query, status); }
  std::vector<std::string> Ids(const std::string& query) const { return IdsIn(Recommended(query)); }
};

TEST_F(Wishes, FiltersLetThroughExactlyWhatTheyDescribe) {
  Start();
  const auto artist = [](int k) { return k % 10; };
  const std::vector<std::pair<std::string, std::function<bool(int)>>> cases = {
      {"tag=rock", Rock},
      {"tag=rock&tag=hip+hop", [](int k) { return Rock(k) || HipHop(k); }},
      {"tag_all=rock&tag_all=HIP-HOP", [](int k) { return Rock(k) && HipHop(k); }},
      {"tag_not=rock", [](int k) { return !Rock(k); }},
      {"tag=Rock&tag_not=hip-hop", [](int k) { return Rock(k) && !HipHop(k); }},
      {"tag=polka", [](int) { return false; }},
      {"artist=artist+a&artist=Artist%20C", [&](int k) { return artist(k) == 0 || artist(k) == 2; }},
      {"artist_not=ARTIST+B", [&](int k) { return artist(k) != 1; }},
      {"year_from=1990&year_to=2001", [](int k) { return Year(k) >= 1990 && Year(k) <= 2001; }},
      {"year_to=1999", [](int k) { return Year(k) != 0 && Year(k) <= 1999; }},
      {"energy_min=0.1&energy_max=0.2", [](int k) { return Energy(k) && k >= 10 && k <= 20; }},
      {"energy_max=0.03", [](int k) { return Energy(k) && k <= 3; }},
      {"tempo_min=1", [](int) { return false; }},
      {"tag=rock&artist_not=artist+d&year_from=1985&energy_min=0.01",
       [&](int k) { return Rock(k) && artist(k) != 3 && Year(k) >= 1985 && Energy(k) && k >= 1; }}};
  for (const auto& [query, passes] : cases) {
    for (const char* mode : {"next", "discovery"}) {
      std::set<std::string> expected;
      for (int k = 0; k < 30; ++k) {
        if (passes(k) && (std::string(mode) == "next" || k >= 5)) expected.insert(IdOf(k));
      }
      const json list = Recommended("n=30&mode=" + std::string(mode) + "&" + query);
      const auto ids = IdsIn(list);
      EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), expected) << query << " " << mode;
      EXPECT_EQ(list["allowed"], expected.size()) << query;
    }
  }
}

TEST_F(Wishes, AWrongParameterIsNamedWithItsValueAndWhatIsExpected) {
  Start();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"n=0", "parameter 'n' is '0', expected a whole number from 1 to 1000"},
      {"n=1001", "1000"},
      {"n=ten", "'ten'"},
      {"offset=-1", "parameter 'offset' is '-1'"},
      {"offset=9001", "9000"},
      {"mode=odd", "expected discovery or next"},
      {"diversity=1.5", "parameter 'diversity' is '1.5', expected a number from 0 to 1"},
      {"novelty=nan", "'novelty'"},
      {"explain=yes", "true or false"},
      {"year_from=199x", "'year_from'"},
      {"year_from=2000&year_to=1999", "year_to"},
      {"energy_min=loud", "'energy_min' is 'loud'"},
      {"energy_min=0.7&energy_max=0.2", "energy_max"},
      {"enrgy_min=0.7", "there is no parameter 'enrgy_min' here; there are n, offset"},
      {"tag=", "'tag'"},
      {"seeds=t-nobody", "t-nobody"},
      {"format=mp3", "json, m3u, jspf or xspf"}};
  for (const auto& [query, word] : cases) {
    const std::string detail = Recommended(query, 400)["detail"];
    EXPECT_NE(detail.find(word), std::string::npos) << query << ": " << detail;
  }
}

TEST_F(Wishes, PagesFollowOnOneAnother) {
  settings_.max_per_artist = 2;
  Start();
  for (const char* more : {"", "&diversity=0.5", "&novelty=0.7&diversity=0.2", "&tag=rock", "&mode=next"}) {
    const auto whole = Ids("n=30" + std::string(more));
    std::vector<std::string> pages;
    for (json next = 0; !next.is_null();) {
      const json page = Recommended("n=4&offset=" + next.dump() + more);
      for (const auto& id : IdsIn(page)) pages.push_back(id);
      ASSERT_LE(pages.size(), 30u);
      next = page["next"];
    }
    EXPECT_EQ(pages, whole) << more;
    EXPECT_EQ(std::set<std::string>(pages.begin(), pages.end()).size(), pages.size());
  }
  EXPECT_TRUE(Recommended("offset=1000")["items"].empty());
}

TEST_F(Wishes, AListIsKeptForItsWishAlone) {
  Start();
  for (const char* query : {"n=5", "n=5&tag=rock", "n=5", "n=5&tag=rock", "n=5&offset=5"}) Recommended(query);
  Get("/v1/online");
  std::vector<bool> kept;
  for (const auto& list : *catalog_->ImpressionsAfter(0, 10)) kept.push_back(list.made_us == 0);
  EXPECT_EQ(kept, (std::vector<bool>{false, false, true, true, false})) << "and each has its impression";
}

TEST(WishKey, IsTheSameForTheSameWishOnly) {
  const auto key = [](const Parameters& parameters) { return ParseWish(parameters, {})->Key(); };
  EXPECT_EQ(key({{"n", "10"}}), key({}));
  std::set<std::string> keys;
  const std::vector<Parameters> all = {{}, {{"n", "11"}}, {{"offset", "1"}}, {{"mode", "next"}}, {{"tag", "a"}}, {{"tag_all", "a"}}, {{"tag_not", "a"}},
                                       {{"artist", "a"}}, {{"artist_not", "a"}}, {{"tag", "a"}, {"tag", "b"}}, {{"tag", "a;1:b"}}, {{"seeds", "a"}},
                                       {{"energy_min", "0.5"}}, {{"energy_max", "0.5"}}, {{"tempo_min", "0.5"}}, {{"year_from", "1990"}},
                                       {{"year_to", "1990"}}, {{"diversity", "0.5"}}, {{"novelty", "0.5"}}, {{"explain", "false"}}};
  for (const auto& parameters : all) keys.insert(key(parameters));
  EXPECT_EQ(keys.size(), all.size());
}

TEST(Parameters, OfABodyAreThoseOfAnAddress) {
  const json body = {{"n", 5}, {"tag", {"a", "b"}}, {"energy_min", 0.5}, {"explain", false}, {"mode", nullptr}, {"tracks", {json::object()}}};
  const std::vector<std::string_view> others = {"tracks"};
  EXPECT_EQ(*ParametersOf(body, others), (Parameters{{"energy_min", "0.5"}, {"explain", "false"}, {"n", "5"}, {"tag", "a"}, {"tag", "b"}}));
  EXPECT_FALSE(ParametersOf({{"tag", {{"a", 1}}}}, {}).ok());
}

TEST_F(Wishes, WithoutReasonsWhereNoneAreWanted) {
  Start();
  for (const bool explain : {true, false}) {
    const json list = Recommended(std::string("explain=") + (explain ? "true" : "false"));
    EXPECT_EQ(list["items"].size(), 10u);
    for (const json& item : list["items"]) EXPECT_EQ(item.contains("reason"), explain);
  }
}

TEST_F(Wishes, TheDialsMoveTheList) {
  Start();
  // Popularity's order is that of the ids; nobody but ann has met a track, so that those she has not are all as new.
  EXPECT_NE(Ids("n=30&diversity=0.9"), Ids("n=30"));
  const auto artists = [&](const std::string& query) {
    std::set<std::string> names;
    const json list = Recommended(query);
    for (const json& item : list["items"]) names.insert(item["artist"]);
    return names.size();
  };
  EXPECT_GT(artists("n=10&diversity=0.9"), artists("n=10"));
  const auto novel = Ids("n=30&mode=next&novelty=1");
  for (size_t place = 0; place < 25; ++place) {
    for (int k = 0; k < 5; ++k) EXPECT_NE(novel[place], IdOf(k)) << "what somebody knows comes last";
  }
}

TEST_F(Wishes, AListLeansToItsSeedsWhichAreNotInIt) {
  PutIalsLive("m2");
  Start();
  ASSERT_EQ(Post({{{"listener", "bob"}, {"track_id", ids_[0]}, {"kind", "like"}}}), 200);
  const auto bob = [&](const std::string& more) { return ListOf("bob", more); };
  EXPECT_EQ(bob("").size(), 29u);
  const auto leaning = bob("&seeds=" + ids_[1] + "," + ids_[7]);
  EXPECT_EQ(leaning.size(), 27u);
  EXPECT_FALSE(Has(leaning, ids_[1]) || Has(leaning, ids_[7]));
  const std::set<std::string> first(leaning.begin(), leaning.begin() + 7);
  for (const int i : {6, 12, 18, 24, 13, 19, 25}) EXPECT_TRUE(first.contains(ids_[static_cast<size_t>(i)])) << "what he likes, and what is like the seeds: " << i;
  const json stranger = Get("/v1/listeners/nobody/recommendations?n=3&seeds=" + ids_[1]);
  EXPECT_TRUE(stranger["fallback"].is_null());
  const std::set<std::string> alike = {ids_[7], ids_[13], ids_[19], ids_[25]};
  for (const json& item : stranger["items"]) {
    EXPECT_TRUE(alike.contains(item["track_id"]));
    EXPECT_TRUE(item["reason"].get<std::string>().starts_with("because you chose ")) << item;
  }
}

TEST_F(Serving, ANarrowFilterFindsWhatTheWholeCatalogueHas) {
  // A thousand tracks; those that are wanted are the least popular.
  WriteDataset("d2", {"INSERT INTO t(track_id,title,artist,tags) SELECT format('t{:04d}', n), format('Song {}', n), format('Artist {}', n % 7), "
                      "CASE WHEN n < 60 THEN 'rare' ELSE 'common' END FROM range(1000) r(n)"});
  settings_.max_per_artist = 2;
  std::vector<std::string> ids;
  for (int n = 0; n < 1000; ++n) {
    const std::string digits = std::to_string(n);
    ids.push_back("t" + std::string(4 - digits.size(), '0') + digits);
  }
  PutPopularityLive("m1", ids);
  Start();
  const json rare = Get("/v1/listeners/bob/recommendations?n=50&tag=rare");
  EXPECT_EQ(rare["items"].size(), 50u);
  EXPECT_EQ(rare["allowed"], 60u);
  EXPECT_EQ(rare["next"], 50);
  // Deep pages, where the artists' cap gives way long before the end, are those of one list.
  for (const char* more : {"", "&diversity=0.3&novelty=0.2"}) {
    const auto whole = IdsIn(Get("/v1/listeners/bob/recommendations?n=1000" + std::string(more)));
    std::vector<std::string> pages;
    for (int offset = 0; offset < 1000; offset += 130) {
      const auto page = IdsIn(Get("/v1/listeners/bob/recommendations?n=130&offset=" + std::to_string(offset) + more));
      pages.insert(pages.end(), page.begin(), page.end());
    }
    EXPECT_EQ(whole.size(), 1000u);
    EXPECT_EQ(pages, whole) << more;
  }
}

}  // namespace
}  // namespace segue::serve
