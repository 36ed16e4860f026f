#include "train/ease.h"

#include <cmath>
#include <functional>
#include <set>

#include "models/model_file.h"
#include "train/ease_sparse.h"
#include "train/knn_testing.h"

namespace segue::train {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<models::Model> Fit(const Dataset& data, int64_t max_dense, int64_t neighbours, int64_t threads = 0) {
  Settings settings;
  settings.ease.max_dense = max_dense;
  settings.ease.neighbours = neighbours;
  settings.threads = threads;
  NoInstruments instruments;
  auto model = MakeEaseTrainer()->Fit(data, settings, 1, instruments);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return *std::move(model);
}

std::vector<float> ScoresIn(const models::Model& model, const Dataset& data, uint32_t user) {
  return ScoresOf(model, ProfileIn(model, data, user));
}

/// Small whole numbers, so that sums are exact; the first tracks have the most listeners.
Csr RandomRows(size_t listeners, size_t tracks) {
  Csr rows;
  for (size_t u = 0; u < listeners; ++u) {
    Random random(3, u);
    for (uint32_t i = 0; i < tracks; ++i) {
      if (random.Uniform() > 1.5 / (2 + 0.2 * i)) continue;
      rows.column.push_back(i);
      rows.value.push_back(static_cast<float>(1 + random.Below(3)));
    }
    rows.EndRow();
  }
  return rows;
}

std::vector<std::vector<double>> GramOf(const Csr& tracks, size_t listeners) {
  std::vector<std::vector<double>> columns(tracks.rows(), std::vector<double>(listeners, 0));
  for (size_t i = 0; i < tracks.rows(); ++i) {
    for (size_t k = 0; k < tracks.Columns(i).size(); ++k) columns[i][tracks.Columns(i)[k]] = tracks.Values(i)[k];
  }
  std::vector<std::vector<double>> gram(tracks.rows(), std::vector<double>(tracks.rows(), 0));
  for (size_t i = 0; i < tracks.rows(); ++i) {
    for (size_t j = 0; j < tracks.rows(); ++j) {
      for (size_t u = 0; u < listeners; ++u) gram[i][j] += columns[i][u] * columns[j][u];
    }
  }
  return gram;
}

/// Of both exact forms, by the formulas of models/ease.h and train/ease.h.
TEST(Ease, EveryColumnSolvesTheWeightedNormalEquations) {
  for (const auto& [listeners, tracks] : {std::pair<uint32_t, uint32_t>{90, 25}, {20, 45}}) {
    const Dataset data = RandomData(listeners, tracks, 4);
    const SlowKnn slow(data, "binary");
    Settings settings;
    settings.ease = {.regularization = 3, .popularity_penalty = 0.5, .listener_exponent = 0.7, .weighting = "binary"};
    const auto model = FitKnn("ease", data, settings);

    double size = 0, active = 0, played = 0, squares = 0;
    std::vector<double> count(listeners, 0);
    for (uint32_t u = 0; u < listeners; ++u) {
      count[u] = Dot(slow.rows[u], slow.rows[u]);
      size += count[u];
      active += count[u] > 0 ? 1 : 0;
    }
    std::vector<SlowKnn::Row> gram(tracks, SlowKnn::Row(tracks, 0.0));
    for (uint32_t u = 0; u < listeners; ++u) {
      const double weight = count[u] > 0 ? std::pow(count[u] / (size / active), -0.7) : 0;
      for (uint32_t i = 0; i < tracks; ++i) {
        for (uint32_t j = 0; j < tracks; ++j) gram[i][j] += weight * slow.rows[u][i] * slow.rows[u][j];
      }
    }
    for (uint32_t i = 0; i < tracks; ++i) {
      squares += gram[i][i];
      played += gram[i][i] > 0 ? 1 : 0;
    }
    const double same = 3 * squares / size * std::sqrt(size / played);

    std::vector<std::vector<float>> b;  // row j: what j says of the others
    for (uint32_t j = 0; j < tracks; ++j) {
      const std::vector<Preference> only = {{TrackIx{j}, 1, 1}};
      b.push_back(ScoresOf(*model, model->FoldIn(History(only))));
    }
    for (uint32_t i = 0; i < tracks; ++i) {
      if (gram[i][i] == 0) continue;
      EXPECT_NEAR(b[i][i], 0, 1e-4) << "the diagonal, track " << i;
      for (uint32_t r = 0; r < tracks; ++r) {
        if (r == i || gram[r][r] == 0) continue;
        double residual = -gram[r][i] + (same + 0.5 * gram[r][r]) * b[r][i];
        for (uint32_t j = 0; j < tracks; ++j) residual += j == i || gram[j][j] == 0 ? 0 : gram[r][j] * b[j][i];
        EXPECT_NEAR(residual, 0, 2e-3) << listeners << " listeners, column " << i << ", row " << r;
      }
    }
  }
}

TEST(SparseEase, EveryColumnSolvesTheNormalEquationsOfItsNearest) {
  constexpr size_t kListeners = 300, kTracks = 70, kNear = 12;
  const Csr rows = RandomRows(kListeners, kTracks);
  const Csr tracks = Transposed(rows, kTracks);
  const auto gram = GramOf(tracks, kListeners);
  std::vector<float> penalty(kTracks);
  for (size_t i = 0; i < kTracks; ++i) penalty[i] = 3 + static_cast<float>(i % 5);
  NoInstruments instruments;
  for (const size_t head : {0u, 1u, 20u, 70u, 1000u}) {
    for (const size_t room : {1u, 500u, 1u << 20}) {
      const auto b = SparseEase(rows, tracks, penalty, {.neighbours = kNear, .head = head, .room = room}, instruments);
      ASSERT_TRUE(b.has_value());
      const Csr columns = Transposed(*b, kTracks);
      for (size_t i = 0; i < kTracks; ++i) {
        const auto near = columns.Columns(i);
        ASSERT_EQ(near.size(), kNear);
        // The nearest: none that is left out is more alike than one that is in.
        const auto cosine = [&](size_t j) { return gram[i][j] / std::sqrt(gram[i][i] * gram[j][j]); };
        const std::set<uint32_t> in(near.begin(), near.end());
        EXPECT_FALSE(in.contains(static_cast<uint32_t>(i)));
        double least = 1;
        for (const uint32_t j : near) least = std::min(least, cosine(j));
        for (uint32_t j = 0; j < kTracks; ++j) {
          if (j == i || in.contains(j)) continue;
          EXPECT_LE(cosine(j), least + 1e-6);
        }
        for (const uint32_t r : near) {
          double residual = -gram[r][i];
          for (size_t k = 0; k < near.size(); ++k) residual += (gram[r][near[k]] + (near[k] == r ? penalty[r] : 0)) * columns.Values(i)[k];
          EXPECT_NEAR(residual, 0, 1e-3) << "head " << head << ", room " << room << ", column " << i << ", row " << r;
        }
      }
    }
  }
}

TEST(SparseEase, WithAllOtherTracksAsNeighboursIsTheDenseModel) {
  const Dataset data = RandomData(2000, 30, 5);  // every two tracks have listeners in common
  const auto dense = Fit(data, 30, 1);
  const auto sparse = Fit(data, 29, 30);
  EXPECT_FALSE(SavedBytes(*dense) == SavedBytes(*sparse));
  for (uint32_t u = 0; u < 100; ++u) {
    const auto a = ScoresIn(*dense, data, u), b = ScoresIn(*sparse, data, u);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-3) << "listener " << u << ", track " << i;
  }
}

TEST(SparseEase, GivesTheSameBytesForAnyNumberOfThreads) {
  const Dataset data = RandomData(300, 90, 5);
  const std::string one = SavedBytes(*Fit(data, 10, 20, 1));
  for (const int64_t threads : {2, 3, 0}) EXPECT_TRUE(SavedBytes(*Fit(data, 10, 20, threads)) == one) << threads << " threads";
}

TEST(SparseEase, FindsTheWithheldDiagonalOfTheCheckerboardAndSaysWhy) {
  const Dataset data = Checkerboard(30);
  const auto model = Fit(data, 5, 12);
  for (uint32_t u = 0; u < 30; ++u) {
    const auto profile = ProfileIn(*model, data, u);
    const auto top = model->Top(profile, 1, HeardIn(data, u));
    ASSERT_EQ(top.size(), 1u);
    EXPECT_EQ(Raw(top[0].track), u);
    const auto why = model->Explain(profile, top[0].track);
    ASSERT_FALSE(why.because.empty());
    EXPECT_EQ(Raw(why.because[0].track) % 2, u % 2);
    ASSERT_FALSE(model->Similar(TrackIx{u}, 3).empty());
    for (const auto& similar : model->Similar(TrackIx{u}, 3)) EXPECT_EQ(Raw(similar.track) % 2, u % 2);
  }
}

TEST(SparseEase, TracksThatShareNoListenerHaveNoNeighbours) {
  Dataset data = Empty(3, 3);
  for (uint32_t u = 0; u < 3; ++u) {
    data.events.push_back({TrackIx{u}, EventKind::kPlay, 1, -1, 5});
    data.begin.push_back(u + 1u);
  }
  const auto model = Fit(data, 1, 2);
  for (const float score : ScoresIn(*model, data, 1)) EXPECT_TRUE(std::isfinite(score));
  EXPECT_TRUE(model->Similar(TrackIx{0}, 3).empty());
}

class SparseEaseFile : public testing::Test {
 protected:
  void TearDown() override { fs::remove(file_); }
  fs::path file_ = fs::temp_directory_path() / ("segue-ease-" + std::to_string(::getpid()));
};

TEST_F(SparseEaseFile, ASavedModelAnswersAsTheFittedOneAndIsSavedAlike) {
  const Dataset data = RandomData(80, 60, 6);
  const auto fitted = Fit(data, 10, 8);
  ASSERT_TRUE(fitted->Save(file_).ok());
  const auto loaded = models::Load(file_);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  for (uint32_t u = 0; u < 20; ++u) EXPECT_EQ(ScoresIn(*fitted, data, u), ScoresIn(**loaded, data, u));
  EXPECT_TRUE(SavedBytes(*fitted) == SavedBytes(**loaded));
}

/// The file's hash is right; what is in it is not.
TEST_F(SparseEaseFile, PartsThatDoNotFitAreRefused) {
  ASSERT_TRUE(Fit(RandomData(80, 60, 6), 10, 8)->Save(file_).ok());
  const auto sound = models::ModelFile::Map(file_);
  ASSERT_TRUE(sound.ok());
  const auto written = [&](std::string_view name, const std::function<void(std::string&)>& harm) {
    const fs::path other = file_.string() + "-harmed";
    models::ModelFileWriter writer;
    for (const std::string_view section : {"algorithm", "ease_sparse", "track_offsets", "track_ids", "popularity", "idf", "played", "begin", "column", "value"}) {
      std::string bytes(*(*sound)->Section(section));
      if (section == name) harm(bytes);
      writer.Add(section, bytes);
    }
    EXPECT_TRUE(writer.Write(other).ok());
    const auto loaded = models::Load(other);
    fs::remove(other);
    return loaded.ok() ? ErrorCode::kInvalid : loaded.error().code;
  };
  EXPECT_EQ(written("", [](std::string&) {}), ErrorCode::kInvalid) << "unharmed, it loads";
  for (const auto* name : {"begin", "column", "value", "played", "idf", "ease_sparse"}) {
    EXPECT_EQ(written(name, [](std::string& bytes) { bytes.resize(bytes.size() - 4); }), ErrorCode::kCorrupt) << name;
  }
  for (const auto* name : {"begin", "column", "played"}) {
    EXPECT_EQ(written(name, [](std::string& bytes) { bytes[bytes.size() - 13] = '\x7f'; }), ErrorCode::kCorrupt) << name;
  }
}

}  // namespace
}  // namespace segue::train
