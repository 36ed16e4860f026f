// Rating prediction on ML-100k: seconds (fit and predict) and RMSE, pooled over
// five folds, beside the figures of Surprise 1.1 on such a machine.
//
//   SEGUE_TEST_DATA=DIR ratings_bench                     the table
//   SEGUE_TEST_DATA=DIR ratings_bench FOLDS ALGORITHM [KEY=VALUE]...
//
// DIR/ml-100k: u.data and the standard folds u1.base, u1.test, ... FOLDS:
// `standard`, `random` (as Surprise draws them), or `inside`, which tunes: a
// tenth of each standard fold's training part is held out.

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>

#include "core/random.h"
#include "models/past.h"
#include "train/trainer.h"

namespace segue {
namespace {

constexpr double kMean = 3.53;  ///< of ML-100k: for a track that train does not have

struct Row {
  std::string user;
  std::string item;
  float value;
  int64_t at;
};
struct Fold {
  std::vector<Row> train;
  std::vector<Row> test;
};

std::vector<Row> ReadRows(const std::string& path) {
  std::ifstream in(path);
  std::vector<Row> rows;
  for (Row row; in >> row.user >> row.item >> row.value >> row.at;) rows.push_back(row);
  if (rows.empty()) {
    std::fprintf(stderr, "%s is missing\n", path.c_str());
    std::exit(2);
  }
  return rows;
}

std::vector<Fold> MakeFolds(const std::string& kind) {
  const std::string folder = std::string(std::getenv("SEGUE_TEST_DATA")) + "/ml-100k/";
  std::vector<Fold> folds(5);
  if (kind == "random") {
    auto rows = ReadRows(folder + "u.data");
    Random random(1);
    for (size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.Below(i)]);
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t f = 0; f < 5; ++f) (i % 5 == f ? folds[f].test : folds[f].train).push_back(rows[i]);
    }
    return folds;
  }
  for (size_t f = 0; f < 5; ++f) {
    const std::string name = folder + "u" + std::to_string(f + 1);
    folds[f].train = ReadRows(name + ".base");
    folds[f].test = ReadRows(name + ".test");
    if (kind != "inside") continue;
    Fold inner;
    Random random(7, f);
    for (const Row& row : folds[f].train) (random.Uniform() < 0.1 ? inner.test : inner.train).push_back(row);
    folds[f] = std::move(inner);
  }
  return folds;
}

Dataset MakeDataset(const Fold& fold) {
  std::map<std::string, uint32_t> tracks;
  std::map<std::string, std::vector<const Row*>> listeners;
  for (const Row& row : fold.train) {
    tracks[row.item];
    listeners[row.user].push_back(&row);
  }
  Dataset data;
  for (auto& [id, number] : tracks) {
    number = static_cast<uint32_t>(data.tracks.id.size());
    data.tracks.id.push_back(id);
  }
  data.begin.push_back(0);
  for (const auto& [name, rows] : listeners) {
    data.listeners.push_back(name);
    for (const Row* row : rows) {
      data.events.push_back({TrackIx{tracks[row->item]}, EventKind::kRating, row->value, -1, row->at});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

struct Outcome {
  double rmse;
  double mae;
  double seconds;
  double cpu_seconds;
};

Outcome Run(const std::vector<Fold>& folds, std::string_view algorithm, const Settings& settings) {
  NoInstruments instruments;
  double squares = 0;
  double absolute = 0;
  double count = 0;
  double seconds = 0;
  std::clock_t cpu = 0;
  for (const Fold& fold : folds) {
    const Dataset data = MakeDataset(fold);
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    const auto model = (*train::MakeTrainer(algorithm))->Fit(data, settings, 1, instruments);
    if (!model.ok()) {
      std::fprintf(stderr, "%s\n", model.error().message.c_str());
      std::exit(1);
    }
    const models::RowMap rows(**model, data.tracks.id);
    std::map<std::string, models::Profile> profiles;
    for (const Row& row : fold.test) {
      auto [place, fresh] = profiles.try_emplace(row.user);
      if (fresh) {
        const auto user = FindSorted(data.listeners, row.user);
        const auto events = user ? data.EventsOf(UserIx{*user}) : std::span<const Event>();
        place->second = (*model)->FoldIn(rows.PastOf(row.user, events, {}).View());
      }
      const auto track = (*model)->Find(row.item);
      const double predicted = track ? *(*model)->PredictRating(place->second, *track) : kMean;
      squares += (predicted - row.value) * (predicted - row.value);
      absolute += std::abs(predicted - row.value);
      ++count;
    }
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    cpu += std::clock() - cpu_start;
  }
  return {std::sqrt(squares / count), absolute / count, seconds, static_cast<double>(cpu) / CLOCKS_PER_SEC};
}

/// What Surprise takes and reaches; seconds in all, on two shared cores.
constexpr double kSurpriseSeconds = 122;
constexpr double kSurpriseRandom = 0.9187;
constexpr double kSurpriseStandard = 0.9219;

void Print(const char* what, const char* algorithm, const Outcome& outcome, double peer) {
  std::printf("%-36s %-12s %7.4f %7.4f %7.2f %7.2f %9.4f %13.1f\n", what, algorithm, outcome.rmse, outcome.mae,
              outcome.seconds, outcome.cpu_seconds, peer, kSurpriseSeconds / outcome.seconds);
}

void Table() {
  std::printf("%-36s %-12s %7s %7s %7s %7s %9s %13s\n", "ML-100k, 5 folds, fit and predict", "", "RMSE", "MAE",
              "seconds", "CPU", "Surprise", "times faster");
  const auto random = MakeFolds("random");
  const auto standard = MakeFolds("standard");
  Settings settings;
  settings.svdpp.factors = 20;
  settings.svdpp.epochs = 20;
  Print("random folds, 20 factors, 20 epochs", "svdpp", Run(random, "svdpp", settings), kSurpriseRandom);
  for (const char* algorithm : {"svd", "svdpp", "svdpp_gibbs"}) {
    Print("standard folds, defaults", algorithm, Run(standard, algorithm, Settings()), kSurpriseStandard);
  }
}

int Main(int argc, char** argv) {
  if (std::getenv("SEGUE_TEST_DATA") == nullptr) {
    std::puts("ratings_bench: skipped; SEGUE_TEST_DATA names the folder that has ml-100k");
    return 0;
  }
  if (argc >= 3) {
    Settings settings;
    for (int i = 3; i < argc; ++i) {
      const std::string assignment = argv[i];
      const size_t equals = assignment.find('=');
      const auto status = Set(settings, assignment.substr(0, equals), assignment.substr(equals + 1));
      if (!status.ok()) {
        std::fprintf(stderr, "%s\n", status.error().message.c_str());
        return 2;
      }
    }
    const Outcome outcome = Run(MakeFolds(argv[1]), argv[2], settings);
    std::printf("%s %s: RMSE %.4f MAE %.4f in %.2f s (CPU %.2f s)\n", argv[1], argv[2], outcome.rmse, outcome.mae,
                outcome.seconds, outcome.cpu_seconds);
    return 0;
  }
  Table();
  return 0;
}

}  // namespace
}  // namespace segue

int main(int argc, char** argv) { return segue::Main(argc, argv); }
