#include "train/content.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "train/testing.h"

namespace segue::train {
namespace {

std::unique_ptr<models::Model> FitOf(const Dataset& data, std::string_view algorithm, const Settings& settings = {}) {
  NoInstruments instruments;
  auto model = (*MakeTrainer(algorithm))->Fit(data, settings, 1, instruments);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return model.ok() ? *std::move(model) : nullptr;
}

std::vector<float> ScoresOf(const models::Model& model, const models::Profile& profile) {
  std::vector<float> scores(model.track_count());
  model.Score(profile, scores);
  return scores;
}

Settings ContentOnly() {
  Settings settings;
  settings.content.popularity_weight = 0;
  return settings;
}

/// Tags with counts, some albums, artists and missing features; track 19 is
/// played by nobody, track 18 by nobody and nothing is known of it.
Dataset Described() {
  Dataset data = RandomData(40, 20, 3);
  std::vector<std::string> names;
  for (int t = 0; t < 7; ++t) names.push_back("tag" + std::to_string(t));
  data.tags = {};
  data.tags.names = names;
  data.tags.begin = {0};
  Random random(8);
  for (size_t i = 0; i < 20; ++i) {
    for (uint32_t t = 0; t < 7 && i != 18; ++t) {
      if (random.Uniform() > 0.4 && t != i % 5) continue;
      data.tags.tag.push_back(t);
      data.tags.weight.push_back(static_cast<float>(1 + random.Below(9)));
    }
    data.tags.begin.push_back(data.tags.tag.size());
    data.tracks.artist[i] = i == 18 ? "" : "The Artist " + std::to_string(i / 3);
    data.tracks.title[i] = i == 18 ? "" : (i % 2 == 0 ? "Love Song" : "Night song");
    for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
      float& value = data.tracks.features[i * kAudioFeatures.size() + f];
      value = i == 18 || random.Uniform() < 0.2 ? std::nanf("") : static_cast<float>(random.Normal() + static_cast<double>(i % 5));
    }
  }
  std::vector<Event> kept;
  std::vector<uint64_t> begin = {0};
  for (uint32_t u = 0; u < 40; ++u) {
    for (const Event& event : data.EventsOf(UserIx{u})) {
      if (Raw(event.track) < 18) kept.push_back(event);
    }
    begin.push_back(kept.size());
  }
  data.events = kept;
  data.begin = begin;
  return data;
}

/// The definition in models/content.h and content_space.h, over dense maps.
class SlowText {
 public:
  explicit SlowText(const Dataset& data) {
    std::map<std::string, int> found;
    for (size_t i = 0; i < data.tracks.size(); ++i) {
      std::map<std::string, double> terms;
      for (uint64_t k = data.tags.begin[i]; k < data.tags.begin[i + 1]; ++k) terms["#" + data.tags.names[data.tags.tag[k]]] = data.tags.weight[k];
      if (!data.tracks.artist[i].empty()) terms["@artist " + data.tracks.artist[i].substr(11)] = 1;
      if (data.tracks.title[i] == "Love Song") terms["love"] = terms["song"] = 1;
      if (data.tracks.title[i] == "Night song") terms["night"] = terms["song"] = 1;
      for (const auto& [name, count] : terms) ++found[name];
      documents_ += !terms.empty();
      rows_.push_back(terms);
    }
    for (auto& row : rows_) {
      double square = 0;
      for (auto& [name, value] : row) {
        const bool word = name[0] != '#' && name[0] != '@';
        value = found[name] < 2 ? 0 : (word ? 0.5 : 1) * (1 + std::log(value)) * std::log((1.0 + documents_) / (1.0 + found[name]));
        square += value * value;
      }
      for (auto& [name, value] : row) value /= square > 0 ? std::sqrt(square) : 1;
    }
  }
  double Cosine(const std::vector<Preference>& history, size_t track) const {
    std::map<std::string, double> q;
    for (const Preference& item : history) {
      const double weight = item.strength < 0 ? -1.2 : std::log1p(item.strength);
      for (const auto& [name, value] : rows_[Raw(item.track)]) q[name] += weight * value;
    }
    double square = 0;
    double dot = 0;
    for (const auto& [name, value] : q) {
      square += value * value;
      if (const auto own = rows_[track].find(name); own != rows_[track].end()) dot += value * own->second;
    }
    return dot / std::sqrt(square);
  }

 private:
  int documents_ = 0;
  std::vector<std::map<std::string, double>> rows_;
};

TEST(ContentText, ScoresAreTheCosinesOfTheDefinition) {
  Dataset data = Described();
  data.events[data.begin[4]].kind = EventKind::kDislike;
  const SlowText slow(data);
  const auto model = FitOf(data, "content_text", ContentOnly());
  int compared = 0;
  for (uint32_t u = 0; u < 40; ++u) {
    const auto scores = ScoresOf(*model, ProfileIn(*model, data, u));
    const auto history = SumByTrack(data.EventsOf(UserIx{u}), {});
    if (std::none_of(history.begin(), history.end(), [](const Preference& p) { return p.strength > 0; })) continue;
    ++compared;
    for (size_t i = 0; i < 20; ++i) {
      if (i == 18) continue;
      EXPECT_NEAR(scores[i], slow.Cosine(history, i), 2e-6) << "listener " << u << " track " << i;
    }
    EXPECT_EQ(scores[18], models::kNever);
  }
  EXPECT_GT(compared, 20);
}

TEST(ContentAudio, ScoresAreTheDefinitionsWithMissingFeaturesAtTheMean) {
  const Dataset data = Described();
  const auto model = FitOf(data, "content_audio", ContentOnly());
  const size_t width = kAudioFeatures.size();
  std::vector<std::vector<double>> z(20, std::vector<double>(width, 0)), known = z;
  for (size_t f = 0; f < width; ++f) {
    double sum = 0, square = 0, n = 0;
    for (size_t i = 0; i < 20; ++i) {
      const double value = data.tracks.features[i * width + f];
      if (std::isnan(value)) continue;
      sum += value;
      square += value * value;
      ++n;
    }
    const double deviation = std::sqrt(square / n - sum / n * sum / n);
    for (size_t i = 0; i < 20; ++i) {
      const double value = data.tracks.features[i * width + f];
      if (std::isnan(value)) continue;
      z[i][f] = (value - sum / n) / deviation;
      known[i][f] = 1;
    }
  }
  for (uint32_t u = 0; u < 40; ++u) {
    if (data.EventsOf(UserIx{u}).empty()) continue;
    const auto scores = ScoresOf(*model, ProfileIn(*model, data, u));
    std::vector<double> a(width, 0), share(width, 0);
    double total = 0;
    for (const Preference& item : SumByTrack(data.EventsOf(UserIx{u}), {})) {
      const double w = std::log1p(item.strength);
      total += w;
      for (size_t f = 0; f < width; ++f) {
        a[f] += w * z[Raw(item.track)][f];
        share[f] += w * known[Raw(item.track)][f];
      }
    }
    for (size_t i = 0; i < 20; ++i) {
      if (i == 18) continue;
      double dot = 0, aa = 0, zz = 0, both = 0;
      for (size_t f = 0; f < width; ++f) {
        dot += a[f] * z[i][f];
        aa += a[f] * a[f];
        zz += z[i][f] * z[i][f];
        both += known[i][f] * share[f] / total / static_cast<double>(width);
      }
      EXPECT_NEAR(scores[i], dot / std::sqrt(aa * zz) * both, 2e-5) << "listener " << u << " track " << i;
    }
  }
}

TEST(ContentAudio, FewSharedFeaturesCountLess) {
  Dataset data = Empty(1, 4);
  for (size_t i = 0; i < 4; ++i) Describe(data, i, i < 3 ? 1 : 0);
  for (size_t f = 2; f < kAudioFeatures.size(); ++f) data.tracks.features[2 * kAudioFeatures.size() + f] = std::nanf("");
  data.events = {{TrackIx{0}, EventKind::kPlay, 1, -1, 1}};
  data.begin = {0, 1};
  const auto model = FitOf(data, "content_audio", ContentOnly());
  const auto scores = ScoresOf(*model, ProfileIn(*model, data, 0));
  EXPECT_GT(scores[1], scores[2]) << "alike in all numbers";
  EXPECT_GT(scores[2], 0) << "alike in two";
  EXPECT_LT(scores[3], 0) << "the opposite";
}

TEST(ContentAudio, ExtraFeaturesCountToo) {
  Dataset data = Empty(1, 3);
  data.extra_features.names = {"bpm"};
  data.extra_features.values = {100, 101, 60};
  data.events = {{TrackIx{0}, EventKind::kPlay, 1, -1, 1}};
  data.begin = {0, 1};
  const auto model = FitOf(data, "content_audio", ContentOnly());
  const auto scores = ScoresOf(*model, ProfileIn(*model, data, 0));
  EXPECT_GT(scores[1], scores[2]);
  EXPECT_EQ(Raw(model->Similar(TrackIx{0}, 5).at(0).track), 1u);
}

TEST(Content, ANewcomerGetsUnplayedTracksBehindTheOthers) {
  const Dataset data = Described();
  for (const auto algorithm : {"content", "content_text", "content_audio", "ials_content"}) {
    const auto model = FitOf(data, algorithm);
    const auto top = model->Top(model->FoldIn({}), 20, {});
    ASSERT_EQ(top.size(), 19u) << algorithm;
    EXPECT_EQ(Raw(top.back().track), 19u) << algorithm;
  }
}

TEST(Content, ATrackThatNobodyPlayedIsRankedByItsContent) {
  Dataset data = Checkerboard(12);
  // Tracks 10 and 11 lose their plays.
  std::vector<Event> kept;
  std::vector<uint64_t> begin = {0};
  for (uint32_t u = 0; u < 12; ++u) {
    for (const Event& event : data.EventsOf(UserIx{u})) {
      if (Raw(event.track) < 10) kept.push_back(event);
    }
    begin.push_back(kept.size());
  }
  data.events = kept;
  data.begin = begin;
  for (const auto algorithm : {"content", "content_text", "content_audio", "ials_content"}) {
    Settings settings = Small();
    settings.content.popularity_weight = 0.1;
    const auto model = FitOf(data, algorithm, settings);
    for (uint32_t u = 0; u < 10; ++u) {
      const auto scores = ScoresOf(*model, ProfileIn(*model, data, u));
      EXPECT_GT(scores[10 + u % 2], scores[11 - u % 2]) << algorithm << " listener " << u;
    }
  }
}

TEST(Content, ADislikePushesItsLikeAway) {
  const Dataset data = Described();
  for (const auto algorithm : {"content", "content_text", "content_audio"}) {
    const auto model = FitOf(data, algorithm, ContentOnly());
    const std::vector<Preference> before = {{TrackIx{3}, 2, 2, 0, 0}};
    const std::vector<Preference> after = {{TrackIx{3}, 2, 2, 0, 0}, {TrackIx{7}, -1, 0, 0, 0}};
    const float liked = ScoresOf(*model, model->FoldIn(before))[7];
    EXPECT_LT(ScoresOf(*model, model->FoldIn(after))[7], liked) << algorithm;
  }
}

TEST(Content, NothingKnownOfAnyTrackIsTheOrderOfPopularity) {
  Dataset data = Empty(3, 4);
  data.events = {{TrackIx{0}, EventKind::kPlay, 1, -1, 1}, {TrackIx{1}, EventKind::kPlay, 1, -1, 1},
                 {TrackIx{1}, EventKind::kPlay, 1, -1, 1}, {TrackIx{2}, EventKind::kPlay, 1, -1, 1}};
  data.begin = {0, 2, 3, 4};
  for (const auto algorithm : {"content", "content_text", "content_audio", "ials_content"}) {
    const auto model = FitOf(data, algorithm, Small());
    const auto scores = ScoresOf(*model, ProfileIn(*model, data, 2));
    EXPECT_EQ(scores[3], models::kNever) << algorithm;
    for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(std::isfinite(scores[i]));
    if (algorithm != std::string_view("ials_content")) {
      EXPECT_GT(scores[1], scores[2]) << algorithm;
    }
    EXPECT_TRUE(FitOf(data, "content")->Similar(TrackIx{1}, 5).empty());
  }
}

TEST(Content, NamesMayHaveAnyCharacter) {
  Dataset data = Checkerboard(8);
  std::string every;
  for (int c = 1; c < 256; ++c) every += static_cast<char>(c);
  for (size_t i = 0; i < 8; ++i) {
    data.tracks.id[i] = std::to_string(i) + every;
    data.tracks.title[i] = every;
    data.tracks.album[i] = i % 2 == 0 ? every : "\xff\xfe";
    data.tracks.artist[i] = i % 2 == 0 ? "!!!" : every;
  }
  data.tags.names = {every, std::string("nul\0nul", 7)};
  if (data.tags.names[1] < data.tags.names[0]) std::swap(data.tags.names[0], data.tags.names[1]);
  for (const auto algorithm : {"content", "content_text", "ials_content"}) {
    const auto model = FitOf(data, algorithm, Small());
    const std::string bytes = SavedBytes(*model);
    const auto file = std::filesystem::temp_directory_path() / ("segue-content-" + std::to_string(::getpid()));
    std::ofstream(file, std::ios::binary) << bytes;
    const auto loaded = models::Load(file);
    std::filesystem::remove(file);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_EQ(ScoresOf(**loaded, ProfileIn(**loaded, data, 2)), ScoresOf(*model, ProfileIn(*model, data, 2)));
    const auto profile = ProfileIn(*model, data, 2);
    EXPECT_EQ(Raw(model->Top(profile, 1, HeardIn(data, 2)).at(0).track), 2u) << algorithm;
  }
}

TEST(Content, TheSharesOfAnExplanationAddUpToTheScore) {
  const Dataset data = Described();
  Settings settings = ContentOnly();
  settings.content.audio_weight = 0.7;
  const auto model = FitOf(data, "content", settings);
  const std::vector<Preference> history = {{TrackIx{2}, 4, 4, 0, 0}, {TrackIx{7}, 1, 1, 0, 0}};
  const auto profile = model->FoldIn(history);
  const auto scores = ScoresOf(*model, profile);
  int checked = 0;
  for (uint32_t i = 0; i < 20; ++i) {
    if (i == 18) continue;
    const auto why = model->Explain(profile, TrackIx{i});
    if (why.because.size() < 2) continue;
    EXPECT_NEAR(why.because[0].score + why.because[1].score, scores[i], 1e-5);
    EXPECT_FALSE(why.general.empty());
    ++checked;
  }
  EXPECT_GT(checked, 3);
}

TEST(Content, TheReasonNamesTheTagsThatAreShared) {
  const Dataset data = Checkerboard(8);
  const auto model = FitOf(data, "content_text");
  EXPECT_EQ(model->Explain(ProfileIn(*model, data, 2), TrackIx{2}).general, "shares the tag group0 with what you play");
}

TEST(Content, SimilarTracksAreTheNearestByContent) {
  const Dataset data = Checkerboard(12);
  for (const auto algorithm : {"content", "content_text", "content_audio"}) {
    const auto similar = FitOf(data, algorithm)->Similar(TrackIx{3}, 20);
    ASSERT_EQ(similar.size(), 5u) << algorithm;
    for (const auto& track : similar) EXPECT_EQ(Raw(track.track) % 2, 1u) << algorithm;
  }
}

TEST(Words, AreLowerCaseRunsOfLettersAndDigits) {
  EXPECT_EQ(models::WordsOf("Don't STOP, a 1984 M\xc3\xbcller-mix!"),
            (std::vector<std::string>{"dont", "stop", "1984", "m\xc3\xbcller", "mix"}));
  EXPECT_TRUE(models::WordsOf("").empty());
  EXPECT_TRUE(models::WordsOf(std::string(100, 'x')).empty());
}

/// Thirty rated reviews in which "great" stands for 5 and "awful" for 1, and
/// one of each kind without a rating, by u1000 of t1000 and of t1001.
Dataset Reviewed() {
  Dataset data = Checkerboard(30);
  const float none = std::nanf("");
  data.reviews.push_back({UserIx{0}, TrackIx{0}, 9, none, "great great melody"});
  data.reviews.push_back({UserIx{0}, TrackIx{1}, 9, none, "awful sound"});
  for (uint32_t u = 1; u < 30; ++u) {
    const bool good = u % 3 != 0;
    data.reviews.push_back({UserIx{u}, TrackIx{u}, 9, good ? 5.0f : 1.0f, good ? "a great record with melody" : "awful, this record, what a sound"});
  }
  return data;
}

TEST(Reviews, WithoutARatingCountThroughTheirWords) {
  NoInstruments instruments;
  const Dataset data = Reviewed();
  const auto verdicts = ReviewVerdicts(data, instruments);
  ASSERT_TRUE(verdicts.ok());
  EXPECT_GT((*verdicts)[0], 0.1f);
  EXPECT_LT((*verdicts)[1], -0.1f);
  for (size_t r = 2; r < verdicts->size(); ++r) EXPECT_EQ((*verdicts)[r] > 0, data.reviews[r].rating > 3);

  // Two strangers to each other with the same plays: one has written.
  const auto model = FitOf(data, "content", ContentOnly());
  const std::vector<Preference> plays = {{TrackIx{0}, 1, 1, 0, 9}, {TrackIx{1}, 1, 1, 0, 9}};
  History writer(plays);
  writer.listener = "u1000";
  const auto silent = ScoresOf(*model, model->FoldIn(plays));
  const auto wrote = ScoresOf(*model, model->FoldIn(writer));
  EXPECT_GT(wrote[4] - wrote[5], silent[4] - silent[5] + 0.1f) << "t1000 was praised, t1001 was not";
}

TEST(Reviews, TooFewRatedOnesTellNothingOfTheOthers) {
  NoInstruments instruments;
  Dataset data = Reviewed();
  data.reviews.resize(2 + kFewestRated - 1);
  for (const float verdict : *ReviewVerdicts(data, instruments)) EXPECT_TRUE(std::isnan(verdict));
  EXPECT_NE(FitOf(data, "content_text"), nullptr);
}

TEST(Reviews, WordsAboutATrackLikenItToOthers) {
  Dataset data = Empty(3, 4);
  data.events = {{TrackIx{0}, EventKind::kPlay, 1, -1, 1}, {TrackIx{1}, EventKind::kPlay, 1, -1, 1},
                 {TrackIx{2}, EventKind::kPlay, 1, -1, 1}};
  data.begin = {0, 1, 2, 3};
  const float none = std::nanf("");
  data.reviews = {{UserIx{1}, TrackIx{1}, 1, none, "slow accordion waltz"}, {UserIx{2}, TrackIx{0}, 1, none, "an accordion"},
                  {UserIx{2}, TrackIx{2}, 1, none, "noise"}};
  const auto model = FitOf(data, "content_text", ContentOnly());
  const auto scores = ScoresOf(*model, ProfileIn(*model, data, 0));
  EXPECT_GT(scores[1], scores[2]);
}

TEST(Reviews, OfRealListenersTellTheirRatingsByTheirWords) {
  const char* folder = std::getenv("SEGUE_TEST_DATA");
  if (folder == nullptr) GTEST_SKIP() << "SEGUE_TEST_DATA is not set";
  std::ifstream file(std::string(folder) + "/amazon_digital_music/reviews_Digital_Music_5_head.json");
  Dataset data = Empty(1, 1);
  std::vector<float> truth;
  for (std::string line; std::getline(file, line);) {
    const auto review = nlohmann::json::parse(line, nullptr, false);
    if (!review.is_object()) continue;
    truth.push_back(review["overall"].get<float>());
    const bool hidden = truth.size() % 5 == 0;
    data.reviews.push_back({UserIx{0}, TrackIx{0}, 1, hidden ? std::nanf("") : truth.back(), review["reviewText"].get<std::string>()});
  }
  ASSERT_GT(truth.size(), 6000u);
  NoInstruments instruments;
  const auto verdicts = ReviewVerdicts(data, instruments);
  ASSERT_TRUE(verdicts.ok());
  // The share of pairs of a good (5) and a bad (1 or 2) one that are told apart.
  double right = 0;
  double pairs = 0;
  for (size_t a = 4; a < truth.size(); a += 5) {
    for (size_t b = 4; b < truth.size(); b += 5) {
      if (truth[a] < 5 || truth[b] > 2) continue;
      ++pairs;
      right += (*verdicts)[a] > (*verdicts)[b];
    }
  }
  ASSERT_GT(pairs, 1000);
  RecordProperty("told_apart", std::to_string(right / pairs));
  EXPECT_GT(right / pairs, 0.75);
}

}  // namespace
}  // namespace segue::train
