#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "core/hash.h"
#include "core/random.h"
#include "math/kernels/kernels.h"
#include "models/ials.h"
#include "models/model.h"
#include "models/popularity.h"

namespace segue::models {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Ids(size_t n) {
  std::vector<std::string> ids;
  for (size_t i = 0; i < n; ++i) ids.push_back("t" + std::to_string(100 + i));
  return ids;
}

/// Twelve tracks, five factors; track 11 was played by nobody.
std::unique_ptr<Model> SomeIals() {
  IalsModel::Parts parts{{}, 5, {}, {2, 1, 0.5f, 3}};
  std::vector<float> popularity;
  const size_t stride = math::PaddedTo(5);
  Random random(3);
  parts.y.assign(12 * stride, 0.0f);
  for (size_t i = 0; i < 11; ++i) {
    for (size_t j = 0; j < 5; ++j) parts.y[i * stride + j] = static_cast<float>(random.Normal());
    popularity.push_back(PopularityScore(static_cast<float>(i + 1), 10));
  }
  popularity.push_back(kNever);
  parts.catalogue = Catalogue(Ids(12), std::move(popularity));
  return IalsModel::Make(std::move(parts));
}

std::unique_ptr<Model> SomePopularity() {
  return PopularityModel::Make(Ids(4), {3, 9, 0, 3}, {5, 1, 0, 8});
}

Preference Wants(uint32_t track, float strength) { return {TrackIx{track}, strength, strength, 0, 0}; }

/// One test body for every kind of model.
class EveryModel : public testing::TestWithParam<std::unique_ptr<Model> (*)()> {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("segue-models-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    model_ = GetParam()();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Bytes(const Model& model, const std::string& name) const {
    EXPECT_TRUE(model.Save(folder_ / name).ok());
    std::ifstream file(folder_ / name, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
  }

  void Put(const std::string& name, size_t at, char byte) const {
    std::fstream file(folder_ / name, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }

  fs::path folder_;
  std::unique_ptr<Model> model_;
};

TEST_P(EveryModel, FindsItsTracksById) {
  for (uint32_t i = 0; i < model_->track_count(); ++i) {
    EXPECT_EQ(Raw(model_->Find(model_->TrackId(TrackIx{i})).value()), i);
  }
  EXPECT_FALSE(model_->Find("t0").has_value());
  EXPECT_FALSE(model_->Find("zzz").has_value());
}

TEST_P(EveryModel, TopIsTheBestOfTheScores) {
  const std::vector<Preference> history = {Wants(0, 3), Wants(1, 1)};
  for (const auto& past : {history, std::vector<Preference>{}}) {
    const Profile profile = model_->FoldIn(past);
    std::vector<float> scores(model_->track_count());
    model_->Score(profile, scores);
    std::vector<uint8_t> exclude(model_->track_count(), 0);
    exclude[0] = 1;
    for (const size_t n : {1, 2, 3, 100}) {
      const auto top = model_->Top(profile, n, exclude);
      const auto expected = SelectTop(scores, n, exclude);
      ASSERT_EQ(top.size(), expected.size());
      for (size_t i = 0; i < top.size(); ++i) {
        EXPECT_EQ(top[i].track, expected[i].track) << "rank " << i;
        EXPECT_NE(Raw(top[i].track), 0u) << "excluded";
        EXPECT_TRUE(std::isfinite(top[i].score)) << "what nobody played is not recommended";
      }
    }
  }
}

TEST_P(EveryModel, LoadedAgainItIsTheSame) {
  const std::string bytes = Bytes(*model_, "model");
  const auto loaded = Load(folder_ / "model");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ((*loaded)->algorithm(), model_->algorithm());
  EXPECT_EQ(Bytes(**loaded, "again"), bytes) << "same model, same bytes";
  const std::vector<Preference> history = {Wants(1, 2)};
  std::vector<float> before(model_->track_count()), after(model_->track_count());
  model_->Score(model_->FoldIn(history), before);
  (*loaded)->Score((*loaded)->FoldIn(history), after);
  EXPECT_EQ(before, after);
}

TEST_P(EveryModel, ADamagedFileIsRefusedWhereverTheDamageIs) {
  const std::string bytes = Bytes(*model_, "model");
  // Every bit of the head and the table, then a bit of every byte.
  for (size_t bit = 0; bit < 8 * bytes.size(); bit += bit < 8 * 300 ? 1 : 9) {
    const auto flipped = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    Put("model", bit / 8, flipped);
    const auto loaded = Load(folder_ / "model");
    Put("model", bit / 8, bytes[bit / 8]);
    ASSERT_FALSE(loaded.ok()) << "byte " << bit / 8 << " bit " << bit % 8;
    ASSERT_EQ(loaded.error().code, ErrorCode::kCorrupt);
    ASSERT_NE(loaded.error().message.find((folder_ / "model").string()), std::string::npos);
  }
  EXPECT_TRUE(Load(folder_ / "model").ok()) << "whole again";
}

TEST_P(EveryModel, ACutFileIsRefused) {
  const std::string bytes = Bytes(*model_, "model");
  for (size_t size = bytes.size(); size-- > 0;) {
    fs::resize_file(folder_ / "model", size);
    const auto loaded = Load(folder_ / "model");
    ASSERT_FALSE(loaded.ok()) << size << " bytes";
    ASSERT_EQ(loaded.error().code, ErrorCode::kCorrupt) << size << " bytes";
  }
  EXPECT_EQ(Load(folder_ / "none").error().code, ErrorCode::kNotFound);
}

TEST_P(EveryModel, AFileWithMoreAtItsEndIsRefused) {
  const std::string bytes = Bytes(*model_, "model");
  fs::resize_file(folder_ / "model", bytes.size() + 64);
  EXPECT_EQ(Load(folder_ / "model").error().code, ErrorCode::kCorrupt);
}

TEST_P(EveryModel, ANewerFileIsRefusedByItsVersion) {
  Bytes(*model_, "model");
  Put("model", 8, 2);
  EXPECT_EQ(Load(folder_ / "model").error().code, ErrorCode::kCorrupt);
  EXPECT_NE(Load(folder_ / "model").error().message.find("version 2"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Models, EveryModel, testing::Values(&SomeIals, &SomePopularity),
                         [](const auto& which) { return which.index == 0 ? "Ials" : "Popularity"; });

TEST(Popularity, DistinctListenersDecideAndPlaysBreakTies) {
  const auto model = SomePopularity();
  const auto top = model->Top(model->FoldIn({}), 10, {});
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(Raw(top[0].track), 1u);
  EXPECT_EQ(Raw(top[1].track), 3u);
  EXPECT_EQ(Raw(top[2].track), 0u);
  EXPECT_NE(model->Explain(model->FoldIn({}), TrackIx{1}).general.find("9 listeners"), std::string::npos);
}

TEST(Popularity, TracksThatAreEquallyPopularComeByRow) {
  const std::vector<float> scores = {1, 2, kNever, 2, 1, 2, 3};
  EXPECT_EQ(RankedByScore(scores), (std::vector<uint32_t>{6, 1, 3, 5, 0, 4}));
  const std::vector<uint8_t> exclude = {0, 1, 0, 0, 0, 0, 0};
  const auto top = TopOfRanked(RankedByScore(scores), scores, 3, exclude);
  const auto expected = SelectTop(scores, 3, exclude);
  ASSERT_EQ(top.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(top[i].track, expected[i].track);
    EXPECT_EQ(top[i].score, expected[i].score);
  }
}

TEST(Ials, FoldInSolvesTheListenersNormalEquations) {
  const auto model = SomeIals();
  const std::vector<Preference> history = {Wants(2, 4), Wants(5, 1), {TrackIx{7}, -1, 0, 0, 0}, {TrackIx{8}, 0, 0, 1, 0}};
  const Profile profile = model->FoldIn(history);
  const IalsWeights weights{2, 1, 0.5f, 3};
  // Rows of Y by scoring unit vectors: a profile whose state is one.
  constexpr size_t d = 5;
  const size_t stride = math::PaddedTo(d);
  std::vector<std::vector<double>> y(11, std::vector<double>(d));
  for (size_t j = 0; j < d; ++j) {
    Profile unit{std::vector<float>(stride, 0.0f), {}};
    unit.state[j] = 1;
    std::vector<float> column(12);
    model->Score(unit, column);
    for (size_t i = 0; i < 11; ++i) y[i][j] = column[i];
  }
  const double penalty = weights.Penalty(3, 3);  // the unwanted track is unobserved
  for (size_t r = 0; r < d; ++r) {
    double residual = penalty * profile.state[r];
    for (size_t i = 0; i < 11; ++i) {
      const double c = i == 2 ? weights.Confidence(4) : i == 5 ? weights.Confidence(1) : i == 7 ? weights.Confidence(kDislikeStrength) : 1;
      const double p = i == 2 || i == 5 ? 1 : 0;
      double predicted = 0;
      for (size_t j = 0; j < d; ++j) predicted += y[i][j] * profile.state[j];
      residual += c * (predicted - p) * y[i][r];
    }
    EXPECT_NEAR(residual, 0, 1e-3) << "equation " << r;
  }
}

TEST(Ials, ADislikePushesAway) {
  const auto model = SomeIals();
  std::vector<float> before(12), after(12);
  model->Score(model->FoldIn(std::vector<Preference>{Wants(2, 4)}), before);
  const auto other = SelectTop(before, 2, {})[1].track;
  std::vector<Preference> history = {Wants(2, 4), {other, -1, 0, 0, 0}};
  std::sort(history.begin(), history.end(), [](const Preference& a, const Preference& b) { return a.track < b.track; });
  model->Score(model->FoldIn(history), after);
  EXPECT_LT(after[Raw(other)], before[Raw(other)]);
}

TEST(Ials, SharesOfAnExplanationAddUpToTheScore) {
  const auto model = SomeIals();
  const std::vector<Preference> history = {Wants(1, 1), Wants(4, 6)};
  const Profile profile = model->FoldIn(history);
  std::vector<float> scores(12);
  model->Score(profile, scores);
  int whole = 0;
  for (uint32_t i = 0; i < 11; ++i) {
    const auto why = model->Explain(profile, TrackIx{i});
    float sum = 0;
    for (const auto& because : why.because) sum += because.score;
    // Only what speaks for a track is listed: with both there, the sum is whole.
    if (why.because.size() == 2) {
      EXPECT_NEAR(sum, scores[i], 1e-4) << "track " << i;
      ++whole;
    }
    EXPECT_TRUE(!why.because.empty() || !why.general.empty());
  }
  EXPECT_GT(whole, 0);
}

TEST(Ials, ANewcomerGetsWhatIsPopular) {
  const auto model = SomeIals();
  const auto top = model->Top(model->FoldIn({}), 3, {});
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(Raw(top[0].track), 10u);
  EXPECT_EQ(Raw(top[1].track), 9u);
}

TEST(Ials, WhoPlayedOnlyWhatTheModelCannotJudgeIsANewcomer) {
  const auto model = SomeIals();
  for (const auto& past : {Wants(11, 9), Preference{TrackIx{2}, 0, 0, 4, 0}, Preference{TrackIx{2}, -1, 0, 0, 0}}) {
    const auto top = model->Top(model->FoldIn(std::vector<Preference>{past}), 3, {});
    ASSERT_EQ(top.size(), 3u);
    EXPECT_EQ(Raw(top[0].track), 10u);
  }
}

/// Tracks of much the same direction, norms from 1 to 0.4: the best lie beyond
/// the first blocks, and the bound is tight enough to leave out the last.
TEST(Ials, TheScanThatStopsEarlyFindsWhatTheWholeScanFinds) {
  constexpr size_t n = 3000;
  constexpr size_t d = 16;
  IalsModel::Parts parts{{}, d, {}, {2, 1, 0, 1}};
  std::vector<std::string> ids;
  for (size_t i = 0; i < n; ++i) {
    ids.push_back("t" + std::to_string(10000 + i));
    Random random(4, i);
    const double norm = std::exp(-0.9 * random.Uniform());
    for (size_t j = 0; j < d; ++j) parts.y.push_back(static_cast<float>(norm * (1 + 0.8 * random.Normal())));
  }
  parts.catalogue = Catalogue(std::move(ids), std::vector<float>(n, 1.0f));
  // Two tracks that are the same score the same: the lower row comes first.
  std::copy_n(parts.y.begin() + 100 * d, d, parts.y.begin() + 2000 * d);
  const auto model = IalsModel::Make(std::move(parts));
  for (uint32_t first = 0; first < n; first += 300) {
    // A listener of that direction; a fold-in would be whitened by the Gram matrix.
    Profile profile;
    profile.state.resize(math::PaddedTo(d));
    Random random(5, first);
    for (float& value : profile.state) value = static_cast<float>(1 + 0.2 * random.Normal());
    std::vector<float> scores(n);
    model->Score(profile, scores);
    std::vector<uint8_t> exclude(n, 0);
    for (size_t i = 0; i < n; i += 3) exclude[i] = 1;
    for (const size_t count : {1, 10, 200, 3000}) {
      const auto expected = SelectTop(scores, count, exclude);
      const auto top = model->Top(profile, count, exclude);
      ASSERT_EQ(top.size(), expected.size());
      for (size_t i = 0; i < top.size(); ++i) {
        ASSERT_EQ(Raw(top[i].track), Raw(expected[i].track)) << "rank " << i;
        ASSERT_EQ(top[i].score, expected[i].score) << "rank " << i;
      }
    }
  }
}

/// Bytes of an artifact with these sections, written and mapped again.
class Artifact : public testing::Test {
 protected:
  void SetUp() override {
    file_ = fs::temp_directory_path() / ("segue-artifact-" + std::to_string(::getpid()));
  }
  void TearDown() override { fs::remove(file_); }

  std::string Bytes() const {
    std::ifstream file(file_, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
  }

  fs::path file_;
};

TEST_F(Artifact, SectionsComeBackAlignedWhateverTheirLength) {
  ModelFileWriter writer;
  for (const size_t length : {0, 1, 63, 64, 65, 200}) {
    writer.Add("s" + std::to_string(length), std::string(length, static_cast<char>('a' + length % 26)));
  }
  writer.Add("a name of 24 bytes, full", "x");
  writer.Add("empty at the end", "");
  ASSERT_TRUE(writer.Write(file_).ok());
  const auto mapped = ModelFile::Map(file_);
  ASSERT_TRUE(mapped.ok()) << mapped.error().message;
  for (const size_t length : {0, 1, 63, 64, 65, 200}) {
    const auto section = (*mapped)->Section("s" + std::to_string(length));
    ASSERT_TRUE(section.ok());
    EXPECT_EQ(*section, std::string(length, static_cast<char>('a' + length % 26)));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(section->data()) % 64, 0u);
  }
  EXPECT_EQ(*(*mapped)->Section("a name of 24 bytes, full"), "x");
  EXPECT_EQ(*(*mapped)->Section("empty at the end"), "");
  EXPECT_EQ((*mapped)->Section("absent").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ((*mapped)->Array<float>("s65", 16).error().code, ErrorCode::kCorrupt);
}

TEST_F(Artifact, AnAlgorithmThatIsNotKnownIsNamed) {
  ModelFileWriter writer;
  writer.Add("algorithm", "astrology");
  ASSERT_TRUE(writer.Write(file_).ok());
  const auto loaded = Load(file_);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(loaded.error().message.find("'astrology'"), std::string::npos);
}

TEST_F(Artifact, NumbersThatNoModelHasAreRefusedThoughTheHashIsRight) {
  for (const auto& [tracks, factors] : {std::pair<uint64_t, uint32_t>{uint64_t{1} << 60, 64}, {1, 0}, {1, 1 << 30}}) {
    ModelFileWriter writer;
    std::string numbers(32, '\0');
    std::memcpy(numbers.data(), &tracks, 8);
    std::memcpy(numbers.data() + 8, &factors, 4);
    writer.Add("algorithm", "ials");
    writer.Add("ials", numbers);
    writer.Add("factors", "");
    const std::vector<std::string> ids = {"a"};
    TrackIds::Add(writer, ids);
    writer.AddArray<float>("popularity", std::vector<float>{1});
    ASSERT_TRUE(writer.Write(file_).ok());
    const auto loaded = Load(file_);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt) << loaded.error().message;
  }
}

TEST_F(Artifact, TrackIdsOutOfOrderAreRefused) {
  const std::vector<std::string> ids = {"b", "a"};
  ModelFileWriter writer;
  TrackIds::Add(writer, ids);
  ASSERT_TRUE(writer.Write(file_).ok());
  const auto mapped = ModelFile::Map(file_);
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(TrackIds::Open(**mapped, 2).error().code, ErrorCode::kCorrupt);
}

// Files of version 1 stay what they are: whoever changes their bytes gives the
// format a new number, keeps reading the old one, and tests both.
TEST_F(Artifact, VersionOneHasTheBytesItAlwaysHad) {
  ASSERT_TRUE(SomePopularity()->Save(file_).ok());
  EXPECT_EQ(Sha256Hex(Bytes()), "8f6baffdcfbb8354d2b02102f832bf55fc8dc59f93665e87bc0d97f23078cf49");
  IalsModel::Parts parts{Catalogue(Ids(3), {2, kNever, 1}), 2, std::vector<float>(3 * math::PaddedTo(2), 0.0f), {2, 20, 0.5f, 3}};
  parts.y[0] = 1;
  parts.y[2 * math::PaddedTo(2) + 1] = -0.5f;
  ASSERT_TRUE(IalsModel::Make(std::move(parts))->Save(file_).ok());
  EXPECT_EQ(Sha256Hex(Bytes()), "293781025aef3e7e694473d7ee323a2a79b7c72d224bd22cc4d3a80de6bdfdea");
}

TEST(Ials, SimilarTracksAreNearestByCosine) {
  const auto model = SomeIals();
  const auto similar = model->Similar(TrackIx{3}, 20);
  ASSERT_EQ(similar.size(), 10u) << "all but itself and the unplayed";
  for (size_t i = 0; i < similar.size(); ++i) {
    EXPECT_NE(Raw(similar[i].track), 3u);
    EXPECT_LE(std::fabs(similar[i].score), 1.0001f);
    EXPECT_LE(similar[i].score, similar[i == 0 ? 0 : i - 1].score);
  }
  EXPECT_TRUE(model->Similar(TrackIx{11}, 5).empty());
}

}  // namespace
}  // namespace segue::models
