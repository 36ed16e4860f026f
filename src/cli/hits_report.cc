#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <functional>
#include <set>

#include <nlohmann/json.hpp>

#include "cli/hits.h"
#include "core/text.h"

namespace segue::cli {
namespace {

using nlohmann::json;

constexpr size_t kCurvePoints = 200;

[[gnu::format(printf, 2, 3)]] void Print(std::string& out, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  out += text;
}

/// As the classification reports that people know are laid out.
void PrintReport(std::string& out, const evaluate::ClassificationReport& report, const std::vector<std::string>& labels) {
  int width = 12;
  for (const std::string& label : labels) width = std::max(width, static_cast<int>(label.size()));
  const auto row = [&](const char* name, const evaluate::ClassFigures& f) {
    Print(out, "%*s  %9.2f %9.2f %9.2f %9llu\n", width, name, f.precision, f.recall, f.f1, static_cast<unsigned long long>(f.support));
  };
  Print(out, "%*s  %9s %9s %9s %9s\n\n", width, "", "precision", "recall", "f1-score", "support");
  for (size_t c = 0; c < labels.size(); ++c) row(labels[c].c_str(), report.of_class[c]);
  Print(out, "\n%*s  %9s %9s %9.2f %9llu\n", width, "accuracy", "", "", report.accuracy, static_cast<unsigned long long>(report.macro.support));
  row("macro avg", report.macro);
  row("weighted avg", report.weighted);
}

void PrintConfusion(std::string& out, const evaluate::ConfusionMatrix& matrix, const std::vector<std::string>& labels) {
  if (matrix.classes > 12) return;  // too wide to be read; --json and --html have it
  int width = 8;
  for (const std::string& label : labels) width = std::max(width, static_cast<int>(label.size()));
  out += "\nconfusion matrix (rows: what it is, columns: what it is taken for)\n";
  Print(out, "%*s", width, "");
  for (const std::string& label : labels) Print(out, " %*s", width, label.c_str());
  out += "\n";
  for (size_t t = 0; t < matrix.classes; ++t) {
    Print(out, "%*s", width, labels[t].c_str());
    for (size_t q = 0; q < matrix.classes; ++q) Print(out, " %*llu", width, static_cast<unsigned long long>(matrix.At(t, q)));
    out += "\n";
  }
}

void PrintSearch(std::string& out, const train::SearchResult& search) {
  Print(out, "search: %zu trials on the training part\n", search.trials.size());
  for (size_t t = 0; t < search.trials.size(); ++t) {
    const train::Trial& trial = search.trials[t];
    std::string settings;
    for (const auto& [name, value] : trial.settings) settings += " " + name + "=" + value;
    Print(out, "%s %3zu  AUC %.4f  log loss %.4f ", t == search.best ? "*" : " ", t + 1, trial.auc, trial.log_loss);
    out += settings.empty() ? " settings as they are\n" : settings + "\n";
  }
  out += "\n";
}

void PrintOutcome(std::string& out, const Outcome& o, const SplitOutcome& split, const HitsResult& result) {
  Print(out, "== %s, fitted in %.2f s, predicts %zu songs in %.3f s\n\n", o.name.c_str(), o.fit_seconds, split.test, o.predict_seconds);
  if (o.search) PrintSearch(out, *o.search);
  PrintReport(out, o.report, result.labels);
  PrintConfusion(out, o.confusion, result.labels);
  const auto& i = o.intervals;
  Print(out, "\naccuracy           %.4f  (95 %%: %.4f to %.4f), balanced %.4f\n", o.report.accuracy, i.accuracy.low, i.accuracy.high, o.report.balanced_accuracy);
  if (result.labels.size() == 2) {
    Print(out, "AUC                %.4f  (95 %%: %.4f to %.4f)\n", o.auc, i.auc.low, i.auc.high);
  } else {
    Print(out, "AUC                %.4f  (mean over classes, each against the rest)\n", o.auc);
    Print(out, "among the first 3  %.4f\n", o.top3);
  }
  Print(out, "average precision  %.4f\n", o.average_precision);
  Print(out, "log loss           %.4f  (95 %%: %.4f to %.4f)\n", o.log_loss, i.log_loss.low, i.log_loss.high);
  Print(out, "Brier score        %.4f  (95 %%: %.4f to %.4f)\n", o.brier, i.brier.low, i.brier.high);
  if (split.known > 0 && split.known < split.test) {
    Print(out, "without the %zu test songs that stand in train too: accuracy %.4f, AUC %.4f\n", split.known, o.accuracy_unknown, o.auc_unknown);
  }
  Print(out, "\ncalibration (%s): expected error %.4f\n     said    is so    songs\n", result.flags.calibrate.c_str(), o.calibration_error);
  for (const evaluate::ReliabilityBin& bin : o.reliability) {
    if (bin.rows > 0) Print(out, "   %6.3f   %6.3f %8llu\n", bin.predicted, bin.observed, static_cast<unsigned long long>(bin.rows));
  }
  if (!o.importance.empty()) {
    Print(out, "\nimportance: %s lost when a feature's values are shuffled\n", result.labels.size() == 2 ? "AUC" : "accuracy");
    for (const auto& one : o.importance) Print(out, "%20s  %7.4f ± %.4f\n", one.feature.c_str(), one.drop, one.deviation);
  }
  if (!o.learning.empty()) {
    out += "\nlearning curve\n   songs accuracy      AUC\n";
    for (const LearningPoint& point : o.learning) Print(out, "%8llu %8.4f %8.4f\n", static_cast<unsigned long long>(point.songs), point.accuracy, point.auc);
  }
  out += "\n";
}

struct Spread {
  double mean = 0, deviation = 0;
};
Spread SpreadOf(const HitsResult& result, size_t model, const std::function<double(const Outcome&)>& figure) {
  Spread s;
  const auto n = static_cast<double>(result.splits.size());
  for (const SplitOutcome& split : result.splits) s.mean += figure(split.models[model]) / n;
  for (const SplitOutcome& split : result.splits) s.deviation += std::pow(figure(split.models[model]) - s.mean, 2);
  s.deviation = n > 1 ? std::sqrt(s.deviation / (n - 1)) : 0;
  return s;
}

const std::vector<std::pair<const char*, std::function<double(const Outcome&)>>>& Columns() {
  static const std::vector<std::pair<const char*, std::function<double(const Outcome&)>>> columns = {
      {"accuracy", [](const Outcome& o) { return o.report.accuracy; }},
      {"auc", [](const Outcome& o) { return o.auc; }},
      {"average_precision", [](const Outcome& o) { return o.average_precision; }},
      {"macro_f1", [](const Outcome& o) { return o.report.macro.f1; }},
      {"top_3", [](const Outcome& o) { return o.top3; }},
      {"log_loss", [](const Outcome& o) { return o.log_loss; }},
      {"brier", [](const Outcome& o) { return o.brier; }},
      {"calibration_error", [](const Outcome& o) { return o.calibration_error; }},
      {"accuracy_unknown", [](const Outcome& o) { return o.accuracy_unknown; }},
      {"auc_unknown", [](const Outcome& o) { return o.auc_unknown; }},
      {"fit_seconds", [](const Outcome& o) { return o.fit_seconds; }},
      {"predict_seconds", [](const Outcome& o) { return o.predict_seconds; }},
  };
  return columns;
}

/// All models side by side; with several seeds mean ± standard deviation.
void PrintTable(std::string& out, const HitsResult& result) {
  const bool spread = result.splits.size() > 1;
  static const std::set<std::string> shown = {"accuracy", "auc", "average_precision", "macro_f1", "log_loss", "calibration_error", "fit_seconds"};
  int width = 20;
  for (const Outcome& o : result.splits.front().models) width = std::max(width, static_cast<int>(o.name.size()));
  Print(out, "%-*s", width, spread ? "mean ± deviation" : "model");
  if (spread) out += "  ";  // ± is two bytes
  for (const auto& [name, figure] : Columns()) {
    if (shown.contains(name) || (result.labels.size() > 2 && name == std::string("top_3"))) Print(out, " %17s", name);
  }
  out += "\n";
  for (size_t m = 0; m < result.splits.front().models.size(); ++m) {
    Print(out, "%-*s", width, result.splits.front().models[m].name.c_str());
    for (const auto& [name, figure] : Columns()) {
      if (!shown.contains(name) && !(result.labels.size() > 2 && name == std::string("top_3"))) continue;
      const Spread s = SpreadOf(result, m, figure);
      if (spread) {
        Print(out, "   %6.4f ± %6.4f", s.mean, s.deviation);
      } else {
        Print(out, " %17.4f", s.mean);
      }
    }
    out += "\n";
  }
}

/// The best by AUC (several classes: accuracy) against each of the others, on the first split.
std::vector<std::pair<std::string, evaluate::PairedComparison>> Comparisons(const HitsResult& result, std::string& best) {
  const SplitOutcome& split = result.splits.front();
  const auto quality = [&](const Outcome& o) { return result.labels.size() == 2 ? o.auc : o.report.accuracy; };
  const Outcome* first = &split.models.front();
  for (const Outcome& o : split.models) first = quality(o) > quality(*first) ? &o : first;
  best = first->name;
  std::vector<std::pair<std::string, evaluate::PairedComparison>> all;
  for (const Outcome& o : split.models) {
    if (&o != first) all.emplace_back(o.name, evaluate::ComparePaired(split.label, first->p, o.p, result.labels.size(), 1000, 0.95, split.split.seed));
  }
  return all;
}

json Points(const std::vector<evaluate::CurvePoint>& points) {
  json list = json::array();
  for (const auto& point : points) list.push_back({point.x, point.y});
  return list;
}

json OutcomeJson(const Outcome& o, const SplitOutcome& split, const std::vector<std::string>& labels) {
  json one = {{"model", o.name}};
  for (const auto& [name, figure] : Columns()) one[name] = figure(o);
  const auto interval = [](const math::Interval& i) { return json{i.low, i.high}; };
  one["intervals_95"] = {{"accuracy", interval(o.intervals.accuracy)}, {"log_loss", interval(o.intervals.log_loss)}, {"brier", interval(o.intervals.brier)}};
  if (labels.size() == 2) one["intervals_95"]["auc"] = interval(o.intervals.auc);
  one["balanced_accuracy"] = o.report.balanced_accuracy;
  const auto figures = [](const evaluate::ClassFigures& f) { return json{{"precision", f.precision}, {"recall", f.recall}, {"f1", f.f1}, {"support", f.support}}; };
  for (size_t c = 0; c < labels.size(); ++c) one["classes"].push_back(json{{"label", labels[c]}, {"figures", figures(o.report.of_class[c])}});
  one["macro"] = figures(o.report.macro);
  one["weighted"] = figures(o.report.weighted);
  for (size_t t = 0; t < labels.size(); ++t) {
    one["confusion"].push_back(std::vector<uint64_t>(o.confusion.counts.begin() + static_cast<std::ptrdiff_t>(t * labels.size()),
                                                     o.confusion.counts.begin() + static_cast<std::ptrdiff_t>((t + 1) * labels.size())));
  }
  for (const auto& bin : o.reliability) one["reliability"].push_back(json{{"low", bin.low}, {"high", bin.high}, {"predicted", bin.predicted}, {"observed", bin.observed}, {"rows", bin.rows}});
  if (labels.size() == 2) {
    one["roc"] = Points(evaluate::RocCurve(split.label, o.p, 2, 1, kCurvePoints));
    one["precision_recall"] = Points(evaluate::PrecisionRecallCurve(split.label, o.p, 2, 1, kCurvePoints));
  }
  for (const auto& i : o.importance) one["importance"].push_back(json{{"feature", i.feature}, {"drop", i.drop}, {"deviation", i.deviation}});
  for (const auto& point : o.learning) one["learning_curve"].push_back(json{{"songs", point.songs}, {"accuracy", point.accuracy}, {"auc", point.auc}});
  if (!o.search) return one;
  one["search"]["best"] = o.search->best;
  for (const auto& trial : o.search->trials) {
    json settings = json::object();
    for (const auto& [name, value] : trial.settings) settings[name] = value;
    one["search"]["trials"].push_back(json{{"auc", trial.auc}, {"log_loss", trial.log_loss}, {"seconds", trial.seconds}, {"settings", settings}});
  }
  return one;
}

}  // namespace

std::string HitsText(const HitsResult& result) {
  std::string out;
  const SplitOutcome& first = result.splits.front();
  Print(out, "%zu songs of %zu files, %zu features, %zu classes; split %s: %zu to learn from, %zu to test on\n", result.songs,
        result.flags.csv.size(), result.features.size(), result.labels.size(), evaluate::Describe(first.split).c_str(), first.train, first.test);
  out += "features: " + Joined(result.features) + "\n";
  if (first.known > 0) Print(out, "%zu test songs stand in train too (same id): a model may remember them\n", first.known);
  if (!result.flags.leak.empty()) {
    out += "LEAK: artist_hit_rate is a feature. Where a flop is by definition a song of an artist without hits, it gives the label away;\n"
           "      these figures say nothing about what can be heard.\n";
  }
  out += "\n";
  if (result.splits.size() == 1 && first.models.size() <= 2) {
    for (const Outcome& o : first.models) PrintOutcome(out, o, first, result);
  }
  if (result.splits.size() == 1 && first.models.size() == 1) return out;
  PrintTable(out, result);
  std::string best;
  for (const auto& [name, c] : Comparisons(result, best)) {
    Print(out, "%s - %s (split %s): accuracy %+.4f (95 %%: %+.4f to %+.4f; McNemar p = %.2g)", best.c_str(), name.c_str(),
          evaluate::Describe(first.split).c_str(), c.accuracy.mean, c.accuracy.low, c.accuracy.high, c.mcnemar_p);
    if (result.labels.size() == 2) Print(out, ", AUC %+.4f (%+.4f to %+.4f)", c.auc.mean, c.auc.low, c.auc.high);
    out += "\n";
  }
  return out;
}

std::string HitsJson(const HitsResult& result) {
  json all = {{"songs", result.songs}, {"features", result.features}, {"labels", result.labels}, {"calibration", result.flags.calibrate}};
  if (!result.flags.leak.empty()) all["leak"] = result.flags.leak;
  for (const SplitOutcome& split : result.splits) {
    json one = {{"split", evaluate::Describe(split.split)}, {"train", split.train}, {"test", split.test}, {"test_known_from_train", split.known}};
    for (const Outcome& o : split.models) one["models"].push_back(OutcomeJson(o, split, result.labels));
    all["splits"].push_back(std::move(one));
  }
  for (size_t m = 0; m < result.splits.front().models.size(); ++m) {
    json summary = {{"model", result.splits.front().models[m].name}};
    for (const auto& [name, figure] : Columns()) {
      const Spread s = SpreadOf(result, m, figure);
      summary[name] = {{"mean", s.mean}, {"deviation", s.deviation}};
    }
    all["summary"].push_back(std::move(summary));
  }
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";  // names in files may be in another encoding
}

}  // namespace segue::cli
