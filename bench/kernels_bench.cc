// Every kernel with every instruction set that this processor runs, in one run:
// compare the sets, and the parts of a half-step with each other.

#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/random.h"
#include "math/kernels/kernels.h"

namespace segue::math {
namespace {

constexpr size_t kRows = 4000;
constexpr size_t kHistory = 80;  ///< tracks of one listener

/// What a half-step needs: factors, one listener's tracks, and a Gram matrix.
struct Scene {
  explicit Scene(size_t d) : stride(PaddedTo(d)), y(kRows * stride), x(stride), gram(stride * stride) {
    Random random(1);
    for (size_t i = 0; i < kRows; ++i) {
      for (size_t j = 0; j < d; ++j) y[i * stride + j] = static_cast<float>(0.1 * random.Normal());
    }
    for (size_t j = 0; j < d; ++j) {
      x[j] = static_cast<float>(random.Normal());
      gram[j * stride + j] = 10;
    }
    for (uint32_t k = 0; k < kHistory; ++k) {
      rows.push_back(k * 47 % kRows);
      weight.push_back(static_cast<float>(1 + k % 5));
    }
    BestKernels().add_outer(gram.data(), stride, y.data(), nullptr, nullptr, kRows);
  }

  size_t stride;
  std::vector<float> y, x, gram, weight;
  std::vector<uint32_t> rows;
};

void Dots(benchmark::State& state, const Kernels* kernels) {
  const Scene scene(static_cast<size_t>(state.range(0)));
  std::vector<float> out(kRows);
  for (auto _ : state) {
    kernels->dots(scene.y.data(), kRows, scene.stride, scene.x.data(), out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}

void AddOuter(benchmark::State& state, const Kernels* kernels) {
  const Scene scene(static_cast<size_t>(state.range(0)));
  std::vector<float> a;
  for (auto _ : state) {
    a = scene.gram;
    kernels->add_outer(a.data(), scene.stride, scene.y.data(), scene.rows.data(), scene.weight.data(), kHistory);
    benchmark::DoNotOptimize(a.data());
    benchmark::ClobberMemory();
  }
}

void Cholesky(benchmark::State& state, const Kernels* kernels) {
  const auto d = static_cast<size_t>(state.range(0));
  const Scene scene(d);
  std::vector<float> a;
  for (auto _ : state) {
    a = scene.gram;
    benchmark::DoNotOptimize(kernels->cholesky(a.data(), scene.stride, d));
    benchmark::ClobberMemory();
  }
}

void Solve(benchmark::State& state, const Kernels* kernels) {
  const auto d = static_cast<size_t>(state.range(0));
  Scene scene(d);
  if (!kernels->cholesky(scene.gram.data(), scene.stride, d)) state.SkipWithError("not positive definite");
  std::vector<float> x;
  for (auto _ : state) {
    x = scene.x;
    kernels->solve(scene.gram.data(), scene.stride, d, x.data());
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
  }
}

void Register() {
  const std::pair<const char*, void (*)(benchmark::State&, const Kernels*)> all[] = {
      {"dots", Dots}, {"add_outer", AddOuter}, {"cholesky", Cholesky}, {"solve", Solve}};
  for (const auto& [name, run] : all) {
    for (const Kernels* kernels : UsableKernels()) {
      benchmark::RegisterBenchmark((std::string(name) + "/" + std::string(kernels->name)).c_str(), run, kernels)
          ->Arg(64)
          ->Arg(128)
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace
}  // namespace segue::math

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  segue::math::Register();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
