// Implicit ALS: an epoch, a fold-in and a list, on made-up listening with a
// planted structure. SEGUE_BENCH_LISTENERS (default 20000) sets the size.

#include <cstdlib>

#include <benchmark/benchmark.h>

#include "core/random.h"
#include "train/trainer.h"

namespace segue {
namespace {

/// Listeners like one of 32 groups of tracks, popular ones more; 50 tracks each.
Dataset MakeData(uint32_t listeners) {
  const uint32_t tracks = listeners / 2;
  Dataset data;
  for (uint32_t i = 0; i < tracks; ++i) {
    char id[16];
    std::snprintf(id, sizeof id, "t%08u", i);
    data.tracks.id.emplace_back(id);
  }
  data.begin.push_back(0);
  for (uint32_t u = 0; u < listeners; ++u) {
    data.listeners.push_back("u" + std::to_string(u));
    Random random(1, u);
    for (int k = 0; k < 50; ++k) {
      const double skewed = random.Uniform() * random.Uniform();
      const auto rank = static_cast<uint32_t>(skewed * (tracks / 32));
      const uint32_t group = random.Uniform() < 0.8 ? u % 32 : static_cast<uint32_t>(random.Below(32));
      data.events.push_back({TrackIx{rank * 32 + group}, EventKind::kPlay, 1, -1, 1});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

uint32_t Listeners() {
  const char* text = std::getenv("SEGUE_BENCH_LISTENERS");
  return text == nullptr ? 20'000 : static_cast<uint32_t>(std::atoi(text));
}

std::unique_ptr<models::Model> Fit(const Dataset& data, int64_t factors, int64_t epochs) {
  NoInstruments instruments;
  Settings settings;
  settings.ials.factors = factors;
  settings.ials.epochs = epochs;
  return *(*train::MakeTrainer("ials"))->Fit(data, settings, 1, instruments);
}

void Epoch(benchmark::State& state) {
  const Dataset data = MakeData(Listeners());
  for (auto _ : state) benchmark::DoNotOptimize(Fit(data, state.range(0), 1));
  state.counters["events"] = static_cast<double>(data.events.size());
}
BENCHMARK(Epoch)->Arg(64)->Arg(128)->Unit(benchmark::kMillisecond)->UseRealTime();

void FoldInAndList(benchmark::State& state) {
  const Dataset data = MakeData(Listeners());
  const auto model = Fit(data, state.range(0), 2);
  uint32_t user = 0;
  for (auto _ : state) {
    const auto history = SumByTrack(data.EventsOf(UserIx{user++ % Listeners()}), {});
    benchmark::DoNotOptimize(model->Top(model->FoldIn(history), 100, {}));
  }
}
BENCHMARK(FoldInAndList)->Arg(64)->Arg(128)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace segue

BENCHMARK_MAIN();
