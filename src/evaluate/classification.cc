#include "evaluate/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "math/auc.h"

namespace segue::evaluate {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double Ratio(double a, double b) { return b > 0 ? a / b : 0; }

/// One class's scores and who is it.
struct OneClass {
  std::vector<float> score;
  std::vector<uint8_t> positive;
};

OneClass Against(std::span<const int32_t> label, std::span<const float> p, size_t classes, size_t positive) {
  SEGUE_CHECK(p.size() == label.size() * classes);
  OneClass one;
  for (size_t i = 0; i < label.size(); ++i) {
    one.score.push_back(p[i * classes + positive]);
    one.positive.push_back(static_cast<size_t>(label[i]) == positive ? 1 : 0);
  }
  return one;
}

/// The figure of class 1 of two, else the mean over the classes that have one.
template <typename Figure>
double MeanOverClasses(size_t classes, const Figure& figure) {
  if (classes == 2) return figure(1);
  double sum = 0, count = 0;
  for (size_t c = 0; c < classes; ++c) {
    const double one = figure(c);
    if (std::isnan(one)) continue;
    sum += one;
    count += 1;
  }
  return count > 0 ? sum / count : kNan;
}

/// True and false positives at each distinct score, from the highest.
struct Step {
  double threshold, tp, fp;
};
std::vector<Step> Steps(const OneClass& one) {
  std::vector<uint32_t> order(one.score.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return one.score[a] > one.score[b]; });
  std::vector<Step> steps;
  double tp = 0, fp = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    (one.positive[order[i]] != 0 ? tp : fp) += 1;
    if (i + 1 < order.size() && one.score[order[i + 1]] == one.score[order[i]]) continue;
    steps.push_back({static_cast<double>(one.score[order[i]]), tp, fp});
  }
  return steps;
}

std::vector<CurvePoint> Thinned(std::vector<CurvePoint> points, size_t most) {
  if (points.size() <= most || most < 2) return points;
  std::vector<CurvePoint> kept;
  for (size_t k = 0; k < most; ++k) kept.push_back(points[k * (points.size() - 1) / (most - 1)]);
  return kept;
}

}  // namespace

std::vector<int32_t> PredictedClasses(std::span<const float> p, size_t classes) {
  std::vector<int32_t> predicted;
  for (size_t r = 0; r + classes <= p.size(); r += classes) {
    predicted.push_back(static_cast<int32_t>(std::max_element(p.begin() + static_cast<std::ptrdiff_t>(r), p.begin() + static_cast<std::ptrdiff_t>(r + classes)) -
                                             (p.begin() + static_cast<std::ptrdiff_t>(r))));
  }
  return predicted;
}

ConfusionMatrix Confusion(std::span<const int32_t> label, std::span<const int32_t> predicted, size_t classes) {
  SEGUE_CHECK(label.size() == predicted.size());
  ConfusionMatrix matrix{classes, std::vector<uint64_t>(classes * classes, 0)};
  for (size_t i = 0; i < label.size(); ++i) ++matrix.counts[static_cast<size_t>(label[i]) * classes + static_cast<size_t>(predicted[i])];
  return matrix;
}

ClassificationReport Report(const ConfusionMatrix& confusion) {
  const size_t classes = confusion.classes;
  ClassificationReport report;
  double right = 0, all = 0, occurring = 0, supported = 0;
  for (size_t c = 0; c < classes; ++c) {
    const auto tp = static_cast<double>(confusion.At(c, c));
    double is = 0, taken = 0;
    for (size_t k = 0; k < classes; ++k) {
      is += static_cast<double>(confusion.At(c, k));
      taken += static_cast<double>(confusion.At(k, c));
    }
    ClassFigures figures{Ratio(tp, taken), Ratio(tp, is), Ratio(2 * tp, is + taken), static_cast<uint64_t>(is)};
    right += tp;
    all += is;
    if (is + taken > 0) {
      occurring += 1;
      report.macro.precision += figures.precision;
      report.macro.recall += figures.recall;
      report.macro.f1 += figures.f1;
    }
    if (is > 0) {
      supported += 1;
      report.balanced_accuracy += figures.recall;
    }
    report.weighted.precision += is * figures.precision;
    report.weighted.recall += is * figures.recall;
    report.weighted.f1 += is * figures.f1;
    report.of_class.push_back(figures);
  }
  for (double* figure : {&report.macro.precision, &report.macro.recall, &report.macro.f1}) *figure = Ratio(*figure, occurring);
  for (double* figure : {&report.weighted.precision, &report.weighted.recall, &report.weighted.f1}) *figure = Ratio(*figure, all);
  report.macro.support = report.weighted.support = static_cast<uint64_t>(all);
  report.accuracy = Ratio(right, all);
  report.balanced_accuracy = Ratio(report.balanced_accuracy, supported);
  return report;
}

double RocAuc(std::span<const int32_t> label, std::span<const float> p, size_t classes) {
  return MeanOverClasses(classes, [&](size_t c) {
    const OneClass one = Against(label, p, classes, c);
    return math::Auc(one.score, one.positive);
  });
}

double AveragePrecisionOf(std::span<const int32_t> label, std::span<const float> p, size_t classes) {
  return MeanOverClasses(classes, [&](size_t c) {
    const auto steps = Steps(Against(label, p, classes, c));
    if (steps.empty() || steps.back().tp == 0) return kNan;
    double sum = 0, before = 0;
    for (const Step& step : steps) {
      sum += (step.tp - before) * step.tp / (step.tp + step.fp);
      before = step.tp;
    }
    return sum / steps.back().tp;
  });
}

double LogLoss(std::span<const int32_t> label, std::span<const float> p, size_t classes) {
  double loss = 0;
  for (size_t i = 0; i < label.size(); ++i) loss -= std::log(std::max(static_cast<double>(p[i * classes + static_cast<size_t>(label[i])]), 1e-15));
  return label.empty() ? kNan : loss / static_cast<double>(label.size());
}

double BrierScore(std::span<const int32_t> label, std::span<const float> p, size_t classes) {
  double sum = 0;
  for (size_t i = 0; i < label.size(); ++i) {
    for (size_t c = 0; c < classes; ++c) {
      const double off = static_cast<double>(p[i * classes + c]) - (static_cast<size_t>(label[i]) == c ? 1 : 0);
      sum += off * off;
    }
  }
  return label.empty() ? kNan : sum / static_cast<double>(label.size()) / (classes == 2 ? 2 : 1);
}

double TopAccuracy(std::span<const int32_t> label, std::span<const float> p, size_t classes, size_t k) {
  double hits = 0;
  for (size_t i = 0; i < label.size(); ++i) {
    const auto own = static_cast<size_t>(label[i]);
    size_t before = 0;
    for (size_t c = 0; c < classes; ++c) {
      const float other = p[i * classes + c], mine = p[i * classes + own];
      before += other > mine || (other == mine && c < own) ? 1 : 0;
    }
    hits += before < k ? 1 : 0;
  }
  return label.empty() ? kNan : hits / static_cast<double>(label.size());
}

std::vector<CurvePoint> RocCurve(std::span<const int32_t> label, std::span<const float> p, size_t classes, size_t positive, size_t most) {
  const auto steps = Steps(Against(label, p, classes, positive));
  if (steps.empty()) return {};
  std::vector<CurvePoint> points = {{0, 0, std::numeric_limits<double>::infinity()}};
  for (const Step& step : steps) points.push_back({Ratio(step.fp, steps.back().fp), Ratio(step.tp, steps.back().tp), step.threshold});
  return Thinned(std::move(points), most);
}

std::vector<CurvePoint> PrecisionRecallCurve(std::span<const int32_t> label, std::span<const float> p, size_t classes, size_t positive,
                                             size_t most) {
  const auto steps = Steps(Against(label, p, classes, positive));
  std::vector<CurvePoint> points;
  for (const Step& step : steps) points.push_back({Ratio(step.tp, steps.back().tp), Ratio(step.tp, step.tp + step.fp), step.threshold});
  return Thinned(std::move(points), most);
}

std::vector<ReliabilityBin> Reliability(std::span<const int32_t> label, std::span<const float> p, size_t classes, size_t bins) {
  std::vector<ReliabilityBin> table(bins);
  const std::vector<int32_t> predicted = PredictedClasses(p, classes);
  for (size_t b = 0; b < bins; ++b) {
    table[b].low = static_cast<double>(b) / static_cast<double>(bins);
    table[b].high = static_cast<double>(b + 1) / static_cast<double>(bins);
  }
  for (size_t i = 0; i < label.size(); ++i) {
    const size_t c = classes == 2 ? 1 : static_cast<size_t>(predicted[i]);
    const auto probability = static_cast<double>(p[i * classes + c]);
    ReliabilityBin& bin = table[std::min(bins - 1, static_cast<size_t>(probability * static_cast<double>(bins)))];
    bin.predicted += probability;
    bin.observed += static_cast<size_t>(label[i]) == c ? 1 : 0;
    ++bin.rows;
  }
  for (ReliabilityBin& bin : table) {
    bin.predicted = Ratio(bin.predicted, static_cast<double>(bin.rows));
    bin.observed = Ratio(bin.observed, static_cast<double>(bin.rows));
  }
  return table;
}

double CalibrationError(std::span<const ReliabilityBin> bins) {
  double sum = 0, rows = 0;
  for (const ReliabilityBin& bin : bins) {
    sum += static_cast<double>(bin.rows) * std::abs(bin.predicted - bin.observed);
    rows += static_cast<double>(bin.rows);
  }
  return Ratio(sum, rows);
}

}  // namespace segue::evaluate
