#include <algorithm>
#include <cmath>

#include "math/kernels/kernels.h"
#include "models/ials.h"
#include "train/ials_solver.h"
#include "train/testing.h"

namespace segue::train {
namespace {

/// Factors of all tracks [n x d], by scoring unit vectors.
std::vector<std::vector<double>> TrackFactors(const models::Model& model, size_t d) {
  std::vector<std::vector<double>> y(model.track_count(), std::vector<double>(d));
  for (size_t j = 0; j < d; ++j) {
    models::Profile unit;
    unit.state.assign(math::PaddedTo(d), 0.0f);
    unit.state[j] = 1;
    std::vector<float> column(model.track_count());
    model.Score(unit, column);
    for (size_t i = 0; i < y.size(); ++i) y[i][j] = column[i];
  }
  return y;
}

/// The objective of train/ials.h, summed the slow way over all pairs. X is the
/// best answer to Y (fold-in), which is what the next half-step would use.
double Objective(const Dataset& data, const models::Model& model, const Settings& settings) {
  const models::IalsWeights& weights = dynamic_cast<const models::IalsModel&>(model).weights();
  const auto d = static_cast<size_t>(settings.ials.factors);
  const size_t n = data.tracks.size();
  double loss = 0;
  for (const auto& row : TrackFactors(model, d)) {
    for (const double value : row) loss += weights.regularization * value * value;
  }
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto history = SumByTrack(data.EventsOf(UserIx{u}), {});
    const auto profile = model.FoldIn(history);
    std::vector<float> scores(n);
    model.Score(profile, scores);
    std::vector<float> strength(n, 0);
    for (const auto& item : history) strength[Raw(item.track)] = item.strength;
    for (size_t i = 0; i < n; ++i) {
      const double error = (strength[i] > 0 ? 1.0 : 0.0) - scores[i];
      loss += weights.Confidence(strength[i]) * error * error;
    }
    for (size_t j = 0; j < d; ++j) loss += weights.regularization * profile.state[j] * profile.state[j];
  }
  return loss;
}

TEST(IalsTrainer, EveryEpochLowersTheObjective) {
  NoInstruments instruments;
  const Dataset data = RandomData(60, 40, 9);
  Settings settings = Small();
  settings.ials.frequency_exponent = 0;
  double last = INFINITY;
  for (int64_t epochs = 1; epochs <= 6; ++epochs) {
    settings.ials.epochs = epochs;
    const auto model = (*MakeTrainer("ials"))->Fit(data, settings, 1, instruments);
    ASSERT_TRUE(model.ok());
    const double now = Objective(data, **model, settings);
    EXPECT_LT(now, last * (1 + 1e-6)) << "epoch " << epochs;
    last = now;
  }
}

/// A·x = b by elimination; A symmetric, positive definite.
std::vector<double> SolvedSlowly(std::vector<std::vector<double>> a, std::vector<double> b) {
  const size_t d = b.size();
  for (size_t j = 0; j < d; ++j) {
    for (size_t i = j + 1; i < d; ++i) {
      const double factor = a[i][j] / a[j][j];
      for (size_t k = j; k < d; ++k) a[i][k] -= factor * a[j][k];
      b[i] -= factor * b[j];
    }
  }
  for (size_t j = d; j-- > 0;) {
    for (size_t k = j + 1; k < d; ++k) b[j] -= a[j][k] * b[k];
    b[j] /= a[j][j];
  }
  return b;
}

using Rows = std::vector<std::vector<double>>;

/// The rows that answer best to `fixed`; c and wanted [rows x fixed rows].
Rows HalfStepSlowly(const Rows& fixed, const Rows& c, const Rows& wanted, double lambda) {
  const size_t d = fixed[0].size();
  Rows solved;
  for (size_t r = 0; r < c.size(); ++r) {
    Rows a(d, std::vector<double>(d));
    std::vector<double> b(d);
    for (size_t j = 0; j < d; ++j) a[j][j] = lambda;
    for (size_t i = 0; i < fixed.size(); ++i) {
      for (size_t j = 0; j < d; ++j) {
        for (size_t k = 0; k < d; ++k) a[j][k] += c[r][i] * fixed[i][j] * fixed[i][k];
        b[j] += c[r][i] * wanted[r][i] * fixed[i][j];
      }
    }
    solved.push_back(SolvedSlowly(a, b));
  }
  return solved;
}

Rows TransposedSlowly(const Rows& rows) {
  Rows columns(rows[0].size(), std::vector<double>(rows.size()));
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t i = 0; i < rows[r].size(); ++i) columns[i][r] = rows[r][i];
  }
  return columns;
}

TEST(IalsTrainer, NeedsNoMoreFactorsThanThereAreListeners) {
  NoInstruments instruments;
  Random chance(9);
  Dataset data = Empty(5, 40);
  for (uint32_t u = 0; u < 5; ++u) {
    for (uint32_t i = 0; i < 40; ++i) {
      if (i % 5 != u && chance.Uniform() > 0.3) continue;  // each track has somebody
      data.events.push_back({TrackIx{i}, EventKind::kPlay, static_cast<float>(1 + chance.Below(9)), -1, 1'600'000'000 + 900 * i});
    }
    data.begin.push_back(data.events.size());
  }
  Settings settings = Small();
  settings.ials.frequency_exponent = 0;
  settings.ials.factors = 32;
  settings.ials.epochs = 60;
  const auto model = (*MakeTrainer("ials"))->Fit(data, settings, 1, instruments);
  ASSERT_TRUE(model.ok());
  const models::IalsWeights& weights = dynamic_cast<const models::IalsModel&>(**model).weights();
  // 32 factors, in doubles, as the definition has it.
  Rows c(5, std::vector<double>(40, 1)), wanted(5, std::vector<double>(40, 0));
  for (uint32_t u = 0; u < 5; ++u) {
    for (const auto& item : SumByTrack(data.EventsOf(UserIx{u}), {})) {
      c[u][Raw(item.track)] = weights.Confidence(item.strength);
      wanted[u][Raw(item.track)] = item.strength > 0 ? 1 : 0;
    }
  }
  Random random(2);
  Rows x, y(40, std::vector<double>(32));
  for (auto& row : y) {
    for (double& value : row) value = 0.02 * random.Normal();
  }
  for (int epoch = 0; epoch < 60; ++epoch) {
    x = HalfStepSlowly(y, c, wanted, weights.regularization);
    y = HalfStepSlowly(x, TransposedSlowly(c), TransposedSlowly(wanted), weights.regularization);
  }
  x = HalfStepSlowly(y, c, wanted, weights.regularization);
  double loss = 0;
  for (const Rows* side : {&x, &y}) {
    for (const auto& row : *side) {
      for (const double value : row) loss += weights.regularization * value * value;
    }
  }
  for (size_t u = 0; u < 5; ++u) {
    for (size_t i = 0; i < 40; ++i) {
      double score = 0;
      for (size_t j = 0; j < 32; ++j) score += x[u][j] * y[i][j];
      loss += c[u][i] * (wanted[u][i] - score) * (wanted[u][i] - score);
    }
  }
  settings.ials.factors = dynamic_cast<const models::IalsModel&>(**model).factor_count();
  EXPECT_EQ(settings.ials.factors, 5);
  EXPECT_NEAR(Objective(data, **model, settings), loss, 1e-3 * loss);
}

// An epoch solves the listeners for the tracks' factors, then the tracks for
// the listeners'. So the listeners that a model folds in are those of the next
// epoch, and its tracks must satisfy eq. 5 of Hu, Koren, Volinsky with them:
// checks the tracks' half-step and that fold-in is the listeners'.
/// Rows of every length, among them dislikes, with the residual of the normal
/// equations in doubles. Below 7/8 d a row is solved in its own space.
TEST(IalsSolver, EveryRowSolvesItsNormalEquations) {
  constexpr size_t columns = 50, d = 20;
  const size_t stride = math::PaddedTo(d);
  Random random(11);
  std::vector<float> fixed(columns * stride, 0.0f);
  for (size_t i = 0; i < columns; ++i) {
    for (size_t j = 0; j < d; ++j) fixed[i * stride + j] = static_cast<float>(0.3 * random.Normal());
  }
  Csr side;
  for (size_t s = 0; s <= columns; s += s < 20 ? 1 : 6) {
    for (uint32_t k = 0; k < s; ++k) {
      side.column.push_back(static_cast<uint32_t>((k * columns) / s));
      const float c = static_cast<float>(1 + 5 * random.Uniform());
      side.value.push_back(k % 4 == 3 ? -c : c);
    }
    side.EndRow();
  }
  for (const auto& [exponent, block] : {std::pair<float, size_t>{0.0f, d}, {0.75f, d}, {0.75f, 16}, {0.0f, 7}}) {
    models::IalsWeights weights{2, 3, exponent};
    std::vector<float> y = fixed;
    std::vector<float> solved(side.rows() * stride, block < d ? 0.0f : 7.0f);
    for (int step = 0; step < (block < d ? 60 : 1); ++step) SolveSide(side, y, d, stride, weights, block, solved);
    // Turned, not changed: inner products stay.
    for (const auto& [a, b] : {std::pair<size_t, size_t>{0, 0}, {3, 7}, {49, 20}}) {
      double before = 0;
      double after = 0;
      for (size_t j = 0; j < d; ++j) {
        before += fixed[a * stride + j] * fixed[b * stride + j];
        after += y[a * stride + j] * y[b * stride + j];
      }
      EXPECT_NEAR(before, after, 1e-5);
    }
    for (size_t r = 0; r < side.rows(); ++r) {
      const float* x = solved.data() + r * stride;
      const auto count = static_cast<float>(side.Columns(r).size());
      if (count == 0) {
        for (size_t j = 0; j < stride; ++j) EXPECT_EQ(x[j], 0.0f);
        continue;
      }
      const double penalty = weights.Penalty(count, MeanCount(side));
      std::vector<double> residual(d);
      for (size_t j = 0; j < d; ++j) residual[j] = penalty * x[j];
      std::vector<double> c(columns, 1), target(columns, 0);
      for (size_t k = 0; k < side.Columns(r).size(); ++k) {
        const float value = side.Values(r)[k];
        c[side.Columns(r)[k]] = std::fabs(value);
        target[side.Columns(r)[k]] = value > 0 ? 1 : 0;
      }
      for (size_t i = 0; i < columns; ++i) {
        double predicted = 0;
        for (size_t j = 0; j < d; ++j) predicted += x[j] * y[i * stride + j];
        for (size_t j = 0; j < d; ++j) residual[j] += c[i] * (predicted - target[i]) * y[i * stride + j];
      }
      for (size_t j = 0; j < d; ++j) EXPECT_NEAR(residual[j], 0, 1e-4) << "row " << r << " equation " << j;
    }
  }
}

TEST(IalsSolver, TurnsWhatBlocksBeganWithAlong) {
  Random random(4);
  const size_t d = 24, stride = math::PaddedTo(d);
  std::vector<float> y(60 * stride, 0.0f);
  for (size_t i = 0; i < 60; ++i) {
    for (size_t j = 0; j < d; ++j) y[i * stride + j] = static_cast<float>(0.3 * random.Normal());
  }
  Csr side;
  for (uint32_t k = 0; k < 60; ++k) {
    side.column.push_back(k);
    side.value.push_back(2);
  }
  side.EndRow();
  // The exact solution in the coordinates of y before it is turned: blocks have nothing to better.
  const models::IalsWeights weights{2, 3, 0};
  std::vector<float> turned = y, exact(stride, 0.0f);
  SolveSide(side, turned, d, stride, weights, d, exact);
  std::vector<float> bettered = exact, again = turned;
  SolveSide(side, again, d, stride, weights, 8, bettered);
  for (uint32_t k = 0; k < 60; ++k) {
    float before = 0, after = 0;
    for (size_t j = 0; j < d; ++j) {
      before += exact[j] * turned[k * stride + j];
      after += bettered[j] * again[k * stride + j];
    }
    EXPECT_NEAR(before, after, 1e-4);
  }
}

TEST(IalsWeights, ConfidenceGrowsWithStrengthAndFadesWithAge) {
  models::IalsWeights weights{2};
  EXPECT_FLOAT_EQ(weights.Confidence(3), 1 + 2 * std::log(4.0f));
  weights.linear = true;
  EXPECT_FLOAT_EQ(weights.Confidence(3), 7);
  EXPECT_FLOAT_EQ(weights.Confidence(3, 86400), 7) << "age does not count by default";
  weights.half_life_days = 10;
  EXPECT_FLOAT_EQ(weights.Confidence(3, 10 * 86400), 4);
  const std::vector<Preference> items = {{TrackIx{0}, 3, 3, 0, 1'000'000'000}, {TrackIx{1}, 3, 3, 0, 1'000'000'000 - 20 * 86400},
                                         {TrackIx{2}, -1, 0, 0, 1}, {TrackIx{3}, 3, 3, 0, 0}};
  std::vector<float> confidence;
  weights.Confidences(items, confidence);
  EXPECT_FLOAT_EQ(confidence[0], 7);
  EXPECT_FLOAT_EQ(confidence[1], 2.5);
  EXPECT_FLOAT_EQ(confidence[2], 1 + 2 * models::kDislikeStrength) << "a dislike does not fade";
  EXPECT_FLOAT_EQ(confidence[3], 7) << "when is not known";
}

TEST(Ials, RemembersHowItsConfidenceCame) {
  const Dataset data = RandomData(60, 30, 3);
  Settings settings = Small();
  settings.ials.confidence = "linear";
  settings.ials.half_life_days = 1;
  NoInstruments instruments;
  const auto fitted = *(*MakeTrainer("ials"))->Fit(data, settings, 1, instruments);
  settings.ials = Small().ials;
  const auto usual = *(*MakeTrainer("ials"))->Fit(data, settings, 1, instruments);
  const auto file = std::filesystem::temp_directory_path() / ("segue-ials-" + std::to_string(::getpid()));
  ASSERT_TRUE(fitted->Save(file).ok());
  const auto loaded = models::Load(file);
  std::filesystem::remove(file);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const std::vector<Preference> past = {{TrackIx{2}, 9, 9, 0, 2'000'000}, {TrackIx{5}, 2, 2, 0, 1'000'000}};
  EXPECT_EQ((*loaded)->FoldIn(past).state, fitted->FoldIn(past).state);
  EXPECT_NE(fitted->FoldIn(past).state, usual->FoldIn(past).state);
}

class Cancelling final : public Instruments {
 public:
  void Log(LogLevel, std::string_view, std::string_view, const nlohmann::json&) override {}
  void Progress(std::string_view, uint64_t done, uint64_t, std::string_view) override { cancelled_ = done >= 2; }
  bool Cancelled() const override { return cancelled_; }

 private:
  bool cancelled_ = false;
};

TEST(IalsTrainer, StopsWhenAskedTo) {
  Cancelling instruments;
  const auto model = (*MakeTrainer("ials"))->Fit(Checkerboard(10), Small(), 1, instruments);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kCancelled);
}

TEST(IalsTrainer, AnotherSeedIsAnotherModel) {
  NoInstruments instruments;
  const Dataset data = RandomData(40, 30, 2);
  const auto trainer = MakeTrainer("ials");
  const auto a = (*trainer)->Fit(data, Small(), 1, instruments);
  const auto b = (*trainer)->Fit(data, Small(), 2, instruments);
  EXPECT_NE(SavedBytes(**a), SavedBytes(**b));
}

}  // namespace
}  // namespace segue::train
