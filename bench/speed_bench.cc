// One figure of speed a run, as a line of JSON; bench/speed.py runs them all.
//
//   speed_bench machine                         what the machine can do
//   speed_bench kernels                         kernels beside their floors
//   speed_bench synthetic FOLDER                writes train.csv and test.csv
//   speed_bench als TRAIN_CSV FACTORS           seconds of an iteration, peak memory
//   speed_bench recommend TRAIN_CSV FACTORS     listeners a second, top 10
//   speed_bench quality TRAIN_CSV FACTORS       seconds to the NDCG of 15 iterations by CG
//   speed_bench fit TRAIN_CSV ALGORITHM [KEY=VALUE]...
//
// Two threads, as the peers had.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "interactions.h"
#include "machine.h"
#include "math/parallel.h"
#include "models/ials.h"
#include "models/past.h"
#include "synthetic.h"
#include "train/trainer.h"

namespace segue::bench {
namespace {

constexpr int64_t kThreads = 2;

[[noreturn]] void Stop(const std::string& message) {
  std::fprintf(stderr, "speed_bench: %s\n", message.c_str());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) Stop(result.error().message);
  return std::move(*result);
}

/// Notes when each epoch began, and when the last ended.
class Stopwatch final : public Instruments {
 public:
  void Log(LogLevel, std::string_view, std::string_view, const nlohmann::json&) override {}
  void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {
    wall_.push_back(WallSeconds());
    cpu_.push_back(ProcessSeconds());
  }
  bool Cancelled() const override { return false; }

  /// Seconds of each epoch, on the wall and of processors.
  std::vector<double> Walls() const { return Differences(wall_); }
  std::vector<double> Cpus() const { return Differences(cpu_); }

 private:
  static std::vector<double> Differences(const std::vector<double>& at) {
    std::vector<double> between;
    for (size_t i = 1; i < at.size(); ++i) between.push_back(at[i] - at[i - 1]);
    return between;
  }
  std::vector<double> wall_, cpu_;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}
double Least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

Settings WithThreads() {
  Settings settings;
  settings.threads = kThreads;
  return settings;
}

std::unique_ptr<models::Model> Fit(const Dataset& data, std::string_view algorithm, const Settings& settings, Instruments& instruments) {
  return Must(Must(train::MakeTrainer(algorithm))->Fit(data, settings, 1, instruments));
}

Settings AlsSettings(int64_t factors, int64_t epochs) {
  Settings settings = WithThreads();
  settings.ials.factors = factors;
  settings.ials.epochs = epochs;
  settings.ials.block = factors;  // the exact solution
  return settings;
}

void Als(const char* csv, int64_t factors) {
  const Dataset data = Must(ReadInteractions(csv));
  const double before = PeakMemory();
  Stopwatch watch;
  const auto model = Fit(data, "ials", AlsSettings(factors, 5), watch);
  std::printf("{\"seconds\": %.4f, \"least\": %.4f, \"cpu\": %.4f, \"memory_mb\": %.1f, \"memory_read_mb\": %.1f}\n", Median(watch.Walls()),
              Least(watch.Walls()), Least(watch.Cpus()), PeakMemory() / 1e6, before / 1e6);
}

void Recommend(const char* csv, int64_t factors) {
  const Dataset data = Must(ReadInteractions(csv));
  NoInstruments instruments;
  const auto model = Fit(data, "ials", AlsSettings(factors, 2), instruments);
  const models::RowMap rows(*model, data.tracks.id);
  const size_t few = 8192;
  double start = WallSeconds();
  double cpu = ProcessSeconds();
  std::vector<models::Profile> profiles(few);
  math::WithThreads(kThreads, [&] {
    math::ParallelRanges(few, 64, [&](size_t first, size_t last) {
      for (size_t u = first; u < last; ++u) {
        const auto past = rows.PastOf("", data.EventsOf(UserIx{static_cast<uint32_t>(u)}), {});
        profiles[u] = model->FoldIn(past.View());
      }
    });
  });
  std::printf("fold in %.0f/s (cpu %.0f/s)\n", few / (WallSeconds() - start), 2 * few / (ProcessSeconds() - cpu));
  start = WallSeconds();
  cpu = ProcessSeconds();
  math::WithThreads(kThreads, [&] {
    math::ParallelRanges(few, 64, [&](size_t first, size_t last) {
      std::vector<uint8_t> heard(model->track_count());
      for (size_t u = first; u < last; ++u) {
        for (const auto& item : profiles[u].history) heard[Raw(item.track)] = 1;
        const auto top = model->Top(profiles[u], 10, heard);
        for (const auto& item : profiles[u].history) heard[Raw(item.track)] = 0;
      }
    });
  });
  std::printf("top %.0f/s (cpu %.0f/s)\n", few / (WallSeconds() - start), 2 * few / (ProcessSeconds() - cpu));
}

void FitOnce(const char* csv, const char* algorithm, int argc, char** argv) {
  const Dataset data = Must(ReadInteractions(csv));
  Settings settings = WithThreads();
  for (int i = 0; i < argc; ++i) {
    const std::string assignment = argv[i];
    const size_t equals = assignment.find('=');
    if (const auto status = train::SetFor(settings, algorithm, assignment.substr(0, equals), assignment.substr(equals + 1)); !status.ok()) {
      Stop(status.error().message);
    }
  }
  NoInstruments instruments;
  const double wall = WallSeconds();
  const double cpu = ProcessSeconds();
  const auto model = Fit(data, algorithm, settings, instruments);
  std::printf("{\"seconds\": %.4f, \"cpu\": %.4f, \"memory_mb\": %.1f}\n", WallSeconds() - wall, ProcessSeconds() - cpu, PeakMemory() / 1e6);
}

void Machine() {
  std::printf("{\"avx2\": %.4g, \"avx512\": %.4g, \"read1\": %.4g, \"read2\": %.4g}\n", PeakFlops("avx2"), PeakFlops("avx512"), ReadBandwidth(),
              ReadBandwidth(2));
}

int Main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "machine" && argc == 2) {
    Machine();
  } else if (what == "synthetic" && argc == 3) {
    if (const auto status = WriteSynthetic({}, 1, argv[2]); !status.ok()) Stop(status.error().message);
  } else if (what == "als" && argc == 4) {
    Als(argv[2], std::atoll(argv[3]));
  } else if (what == "recommend" && argc == 4) {
    Recommend(argv[2], std::atoll(argv[3]));
  } else if (what == "fit" && argc >= 4) {
    FitOnce(argv[2], argv[3], argc - 4, argv + 4);
  } else {
    std::fputs("speed_bench: see the head of bench/speed_bench.cc\n", stderr);
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) { return segue::bench::Main(argc, argv); }
