#include <unistd.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

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
  IalsModel::Parts parts{Ids(12), 5, {}, {}, {2, 1, 0.5f, 3}};
  const size_t stride = math::PaddedTo(5);
  Random random(3);
  parts.y.assign(12 * stride, 0.0f);
  for (size_t i = 0; i < 11; ++i) {
    for (size_t j = 0; j < 5; ++j) parts.y[i * stride + j] = static_cast<float>(random.Normal());
    parts.popularity.push_back(PopularityScore(static_cast<float>(i + 1), 10));
  }
  parts.popularity.push_back(kNever);
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
  for (size_t at = 0; at < bytes.size(); at += at < 300 ? 1 : 37) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    std::ofstream(folder_ / "damaged", std::ios::binary) << damaged;
    const auto loaded = Load(folder_ / "damaged");
    ASSERT_FALSE(loaded.ok()) << "byte " << at;
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
  }
}

TEST_P(EveryModel, ACutFileIsRefused) {
  const std::string bytes = Bytes(*model_, "model");
  for (const size_t size : {size_t{0}, size_t{7}, size_t{55}, bytes.size() / 2, bytes.size() - 1}) {
    std::ofstream(folder_ / "cut", std::ios::binary | std::ios::trunc) << bytes.substr(0, size);
    EXPECT_FALSE(Load(folder_ / "cut").ok()) << size << " bytes";
  }
  EXPECT_EQ(Load(folder_ / "none").error().code, ErrorCode::kNotFound);
}

TEST_P(EveryModel, ANewerFileIsRefusedByItsVersion) {
  std::string bytes = Bytes(*model_, "model");
  bytes[8] = 2;
  std::ofstream(folder_ / "newer", std::ios::binary) << bytes;
  EXPECT_NE(Load(folder_ / "newer").error().message.find("version 2"), std::string::npos);
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
