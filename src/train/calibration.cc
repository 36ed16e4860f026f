#include "train/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "train/labelled_rows.h"

namespace segue::train {
namespace {

using models::Calibration;
using models::CalibrationCurve;

struct Pool {
  double scores = 0, positives = 0, rows = 0;
  double Mean() const { return positives / rows; }
};

std::vector<Pool> PoolViolators(std::span<const float> score, std::span<const uint8_t> positive) {
  std::vector<uint32_t> order(score.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return score[a] < score[b]; });
  std::vector<Pool> pools;
  for (size_t i = 0, j = 0; i < order.size(); i = j) {
    Pool pool;
    while (j < order.size() && score[order[j]] == score[order[i]]) {
      pool.scores += static_cast<double>(score[order[j]]);
      pool.positives += positive[order[j]] != 0 ? 1 : 0;
      pool.rows += 1;
      ++j;
    }
    while (!pools.empty() && pools.back().Mean() >= pool.Mean()) {
      pool.scores += pools.back().scores;
      pool.positives += pools.back().positives;
      pool.rows += pools.back().rows;
      pools.pop_back();
    }
    pools.push_back(pool);
  }
  return pools;
}

}  // namespace

CalibrationCurve FitIsotonic(std::span<const float> score, std::span<const uint8_t> positive) {
  CalibrationCurve curve;
  for (const Pool& pool : PoolViolators(score, positive)) {
    const double inside = std::clamp(pool.positives, 0.5, std::max(0.5, pool.rows - 0.5));
    const auto x = static_cast<float>(pool.scores / pool.rows);
    const auto y = static_cast<float>(pool.rows > 0.5 ? inside / pool.rows : 0.5);
    // Rounding to floats may make neighbours equal; what was drawn inward may fall behind.
    if (!curve.x.empty() && !(x > curve.x.back())) continue;
    curve.x.push_back(x);
    curve.y.push_back(curve.y.empty() ? y : std::max(y, curve.y.back()));
  }
  return curve;
}

CalibrationCurve FitPlatt(std::span<const float> score, std::span<const uint8_t> positive) {
  double positives = 0;
  for (const uint8_t one : positive) positives += one != 0 ? 1 : 0;
  const double negatives = static_cast<double>(positive.size()) - positives;
  const double high = (positives + 1) / (positives + 2), low = 1 / (negatives + 2);
  std::vector<double> odds;
  for (const float s : score) {
    const double p = std::clamp(static_cast<double>(s), 1e-6, 1 - 1e-6);
    odds.push_back(std::log(p / (1 - p)));
  }
  const auto loss = [&](double a, double b) {
    double sum = 0;
    for (size_t i = 0; i < odds.size(); ++i) {
      const double z = a * odds[i] + b, t = positive[i] != 0 ? high : low;
      sum += std::max(z, 0.0) - t * z + std::log1p(std::exp(-std::abs(z)));
    }
    return sum;
  };
  double a = 1, b = 0, now = loss(a, b);
  for (int step = 0; step < 100; ++step) {
    double ga = 0, gb = 0, haa = 1e-9, hab = 0, hbb = 1e-9;
    for (size_t i = 0; i < odds.size(); ++i) {
      const double p = 1 / (1 + std::exp(-(a * odds[i] + b))), off = p - (positive[i] != 0 ? high : low), w = p * (1 - p);
      ga += off * odds[i];
      gb += off;
      haa += w * odds[i] * odds[i];
      hab += w * odds[i];
      hbb += w;
    }
    const double det = haa * hbb - hab * hab;
    // All scores alike: only b can be told.
    const double da = det > 1e-9 * haa * hbb ? -(hbb * ga - hab * gb) / det : 0;
    const double db = det > 1e-9 * haa * hbb ? -(haa * gb - hab * ga) / det : -gb / hbb;
    double length = 1, next = loss(a + da, b + db);
    while (next > now && length > 1e-6) {
      length /= 2;
      next = loss(a + length * da, b + length * db);
    }
    if (!(next < now - 1e-10 * std::abs(now))) break;
    a += length * da;
    b += length * db;
    now = next;
  }
  CalibrationCurve curve;
  curve.a = static_cast<float>(a);
  curve.b = static_cast<float>(b);
  return curve;
}

Result<std::unique_ptr<models::CalibratedClassifier>> FitCalibrated(const ClassifierTrainer& trainer, const SongTable& songs,
                                                                    std::span<const uint32_t> rows, Calibration method, size_t folds,
                                                                    FoldsBy by, const Settings& settings, uint64_t seed,
                                                                    Instruments& instruments) {
  models::CalibratedClassifier::Parts parts;
  parts.method = method;
  SEGUE_TRY(parts.inner, trainer.Fit(songs, rows, settings, seed, instruments));
  parts.ranges = models::MeasureRanges(GatherFeatures(songs, rows), songs.features.size());
  if (method == Calibration::kNone) return models::CalibratedClassifier::Make(std::move(parts));
  const size_t labels = songs.labels.size();
  const auto fold_of = SongFolds(songs, rows, folds, by, seed);
  SEGUE_TRY(const auto p, OutOfFold(trainer, songs, rows, fold_of, folds, settings, seed, instruments));
  for (size_t c = labels == 2 ? 1 : 0; c < labels; ++c) {
    std::vector<float> score;
    std::vector<uint8_t> positive;
    for (size_t i = 0; i < rows.size(); ++i) {
      score.push_back(p[i * labels + c]);
      positive.push_back(static_cast<size_t>(songs.label[rows[i]]) == c ? 1 : 0);
    }
    parts.curves.push_back(method == Calibration::kPlatt ? FitPlatt(score, positive) : FitIsotonic(score, positive));
  }
  return models::CalibratedClassifier::Make(std::move(parts));
}

}  // namespace segue::train
