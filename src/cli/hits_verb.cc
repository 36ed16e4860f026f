#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <numeric>

#include "cli/hits.h"
#include "cli/offline.h"
#include "core/random.h"
#include "monitor/run_log.h"
#include "train/calibration.h"
#include "train/labelled_rows.h"
#include "train/member_list.h"

namespace segue::cli {
namespace {

constexpr size_t kCalibrationFolds = 5;
constexpr size_t kSearchFolds = 3;
constexpr size_t kRepeats = 3;           ///< shuffles a feature
constexpr double kConfidence = 0.95;
constexpr double kLearningShares[] = {0.1, 0.2, 0.4, 0.7};

Result<std::vector<train::ListedMember>> ReadModels(const HitsFlags& flags, const Settings& settings) {
  std::vector<std::string> names = train::SplitList(flags.models, ',');
  if (flags.models == "all") {
    names.clear();
    for (const std::string_view name : train::KnownClassifiers()) names.emplace_back(name);
  }
  std::vector<train::ListedMember> models;
  for (const std::string& name : names) {
    auto member = train::ReadMember(name, settings);
    if (!member.ok()) return member.error().In("--model");
    if (auto trainer = train::MakeClassifierTrainer(member->algorithm); !trainer.ok()) return trainer.error().In("--model");
    models.push_back(*std::move(member));
  }
  if (models.empty()) return Error{ErrorCode::kInvalid, "--model: none is named"};
  return models;
}

/// "20": trials; "60s": seconds.
Result<train::SearchBudget> ReadBudget(const std::string& text) {
  train::SearchBudget budget;
  const bool seconds = !text.empty() && text.back() == 's';
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size() - (seconds ? 1 : 0), number);
  if (error != std::errc() || end != text.data() + text.size() - (seconds ? 1 : 0) || !(number >= 1) || number > 1e6) {
    return Error{ErrorCode::kInvalid, "--search '" + text + "': expected a number of trials, as 20, or of seconds, as 60s"};
  }
  budget.trials = seconds ? 1'000'000 : static_cast<size_t>(number);
  budget.seconds = seconds ? number : 0;
  return budget;
}

/// What the runs of one verb have in common.
struct Run {
  const HitsFlags& flags;
  const Settings& settings;
  Instruments& instruments;
  train::FoldsBy by;
};

void Judge(const Run& run, const SongTable& songs, const evaluate::TrainTestRows& parts, const std::vector<uint8_t>& known,
           const std::vector<int32_t>& label, Outcome& outcome) {
  const size_t classes = songs.labels.size();
  const std::vector<float> rows = train::GatherFeatures(songs, parts.test);
  outcome.p.resize(parts.test.size() * classes);
  const auto start = Clock::now();
  outcome.model->Predict(rows, outcome.p);
  outcome.predict_seconds = SecondsSince(start);
  outcome.confusion = evaluate::Confusion(label, evaluate::PredictedClasses(outcome.p, classes), classes);
  outcome.report = evaluate::Report(outcome.confusion);
  outcome.intervals = evaluate::BootstrapFigures(label, outcome.p, classes, run.settings.bootstrap_samples, kConfidence, run.settings.seed);
  outcome.auc = evaluate::RocAuc(label, outcome.p, classes);
  outcome.average_precision = evaluate::AveragePrecisionOf(label, outcome.p, classes);
  outcome.log_loss = evaluate::LogLoss(label, outcome.p, classes);
  outcome.brier = evaluate::BrierScore(label, outcome.p, classes);
  outcome.top3 = evaluate::TopAccuracy(label, outcome.p, classes, 3);
  outcome.reliability = evaluate::Reliability(label, outcome.p, classes);
  outcome.calibration_error = evaluate::CalibrationError(outcome.reliability);
  std::vector<int32_t> new_label;
  std::vector<float> new_p;
  for (size_t i = 0; i < label.size(); ++i) {
    if (known[i] != 0) continue;
    new_label.push_back(label[i]);
    new_p.insert(new_p.end(), outcome.p.begin() + static_cast<std::ptrdiff_t>(i * classes), outcome.p.begin() + static_cast<std::ptrdiff_t>((i + 1) * classes));
  }
  outcome.accuracy_unknown = evaluate::TopAccuracy(new_label, new_p, classes, 1);
  outcome.auc_unknown = evaluate::RocAuc(new_label, new_p, classes);
  if (run.flags.importance) outcome.importance = evaluate::PermutationImportance(*outcome.model, rows, label, kRepeats, run.settings.seed);
}

/// Models of shares of the training songs, the smaller inside the larger.
Result<std::vector<LearningPoint>> LearningCurve(const Run& run, const SongTable& songs, const evaluate::TrainTestRows& parts,
                                                 const std::vector<int32_t>& label, const train::ListedMember& member,
                                                 const Settings& settings, const Outcome& whole) {
  std::vector<uint32_t> order = parts.train;
  Random random(run.settings.seed, 0x6c6561726e);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  SEGUE_TRY(const auto trainer, train::MakeClassifierTrainer(member.algorithm));
  std::vector<LearningPoint> points;
  for (const double share : kLearningShares) {
    std::vector<uint32_t> some(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(order.size())));
    std::sort(some.begin(), some.end());
    auto model = trainer->Fit(songs, some, settings, run.settings.seed, run.instruments);
    if (!model.ok() && model.error().code == ErrorCode::kInvalid) continue;  // too few songs at this share
    if (!model.ok()) return model.error();
    std::vector<float> p(parts.test.size() * songs.labels.size());
    (*model)->Predict(train::GatherFeatures(songs, parts.test), p);
    points.push_back({some.size(), evaluate::TopAccuracy(label, p, songs.labels.size(), 1), evaluate::RocAuc(label, p, songs.labels.size())});
  }
  points.push_back({order.size(), whole.report.accuracy, whole.auc});
  return points;
}

Result<Outcome> FitAndJudge(const Run& run, const SongTable& songs, const evaluate::TrainTestRows& parts, const std::vector<uint8_t>& known,
                            const std::vector<int32_t>& label, const train::ListedMember& member) {
  SEGUE_TRY(const auto trainer, train::MakeClassifierTrainer(member.algorithm));
  Outcome outcome;
  outcome.name = member.name;
  Settings settings = member.settings;
  // Members' folds part what the split parts.
  if (run.by == train::FoldsBy::kArtist) settings.ensemble.folds_by = "artist";
  const auto seed = static_cast<uint64_t>(run.settings.seed);
  if (!run.flags.search.empty()) {
    SEGUE_TRY(const auto budget, ReadBudget(run.flags.search));
    const auto start = Clock::now();
    auto found = train::SearchSettings(*trainer, songs, parts.train, settings, budget, kSearchFolds, run.by, seed, [&] { return SecondsSince(start); },
                                       run.instruments);
    if (!found.ok()) return found.error();
    settings = found->settings;
    outcome.search = *std::move(found);
  }
  const auto start = Clock::now();
  auto model = train::FitCalibrated(*trainer, songs, parts.train, models::ParseCalibration(run.flags.calibrate), kCalibrationFolds, run.by, settings, seed, run.instruments);
  if (!model.ok()) return model.error().In(member.name);
  outcome.model = *std::move(model);
  outcome.fit_seconds = SecondsSince(start);
  Judge(run, songs, parts, known, label, outcome);
  if (run.flags.learning_curve) {
    SEGUE_TRY(outcome.learning, LearningCurve(run, songs, parts, label, member, settings, outcome));
  }
  return outcome;
}

Result<SplitOutcome> JudgeSplit(const Run& run, const SongTable& read, const evaluate::SongSplit& split, const std::vector<train::ListedMember>& models) {
  SEGUE_TRY(const auto parts, evaluate::SplitSongs(read, split));
  SplitOutcome outcome{split, parts.train.size(), parts.test.size(), 0, train::LabelsOf(read, parts.test), {}};
  const auto known = evaluate::KnownFromTrain(read, parts);
  outcome.known = static_cast<size_t>(std::accumulate(known.begin(), known.end(), 0));
  const SongTable leaky = run.flags.leak.empty() ? SongTable{} : WithFeature(read, "artist_hit_rate", ArtistHitRate(read, parts.train));
  const SongTable& songs = run.flags.leak.empty() ? read : leaky;
  for (const train::ListedMember& member : models) {
    if (Cancelled().load()) return Error{ErrorCode::kCancelled, "stopped"};
    SEGUE_TRY(Outcome one, FitAndJudge(run, songs, parts, known, outcome.label, member));
    outcome.models.push_back(std::move(one));
  }
  return outcome;
}

Result<HitsResult> JudgeAll(const Common& common, const HitsFlags& flags, Instruments& instruments) {
  SEGUE_TRY(const Settings settings, ReadSettings(common, flags.models));
  SEGUE_TRY(evaluate::SongSplit split, evaluate::ParseSongSplit(flags.split));
  SEGUE_TRY(const auto models, ReadModels(flags, settings));
  if (!flags.save.empty() && (models.size() != 1 || flags.seeds != 1)) {
    return Error{ErrorCode::kInvalid, "--save keeps one model: name one with --model, and leave --seeds out"};
  }
  SEGUE_TRY(const HitsData data, ReadHitsData(flags));
  for (const std::string& note : data.notes) instruments.Info("hits", note);
  const Run run{flags, settings, instruments, split.by == evaluate::SongSplit::By::kArtist ? train::FoldsBy::kArtist : train::FoldsBy::kSong};
  HitsResult result{flags, data.songs.features, data.songs.labels, data.songs.size(), {}};
  for (int64_t k = 0; k < flags.seeds; ++k, ++split.seed) {
    SEGUE_TRY(SplitOutcome one, JudgeSplit(run, data.songs, split, models));
    result.splits.push_back(std::move(one));
  }
  return result;
}

}  // namespace

int JudgeHits(const Common& common, const HitsFlags& flags) {
  CatchSignals();
  if (!flags.predict.empty()) return PredictHits(common, flags);
  const auto instruments = monitor::ConsoleInstruments(common.quiet, [] { return Cancelled().load(); });
  const auto result = JudgeAll(common, flags, *instruments);
  if (!result.ok()) return Fail(result.error());
  const std::string text = common.json ? HitsJson(*result) : HitsText(*result);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!flags.save.empty()) {
    if (const Status saved = result->splits.front().models.front().model->Save(flags.save); !saved.ok()) return Fail(saved.error());
  }
  if (!flags.html.empty()) {
    if (const Status written = WriteHitsPage(*result, flags.html); !written.ok()) return Fail(written.error());
  }
  return kOk;
}

}  // namespace segue::cli
