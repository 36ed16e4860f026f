// One figure of speed a run, as a line of JSON; bench/speed.py runs them all.
//
//   speed machine                         what the machine can do
//   speed kernels                         kernels beside their floors
//   speed synthetic FOLDER                writes train.csv and test.csv
//   speed als TRAIN_CSV FACTORS           seconds of an iteration, peak memory
//   speed recommend TRAIN_CSV FACTORS     listeners a second, top 10
//   speed quality TRAIN_CSV FACTORS PEER_ALPHA PEER_LAMBDA ALPHA LAMBDA EXPONENT
//                                               seconds to the NDCG@10 that 15 iterations by
//                                               conjugate gradients reach, on a fifth carved off
//   speed fit TRAIN_CSV ALGORITHM [KEY=VALUE]...
//
// Two threads, as the peers had.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/random.h"
#include "evaluate/metrics.h"
#include "interactions.h"
#include "machine.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"
#include "models/ials.h"
#include "models/past.h"
#include "synthetic.h"
#include "train/sparse.h"
#include "train/trainer.h"

namespace segue::bench {
namespace {

using train::Csr;

constexpr int64_t kThreads = 2;

[[noreturn]] void Stop(const std::string& message) {
  std::fprintf(stderr, "speed: %s\n", message.c_str());
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

/// Floating-point operations that an exact iteration cannot do without: of each
/// row the smaller of its two systems, symmetric halves only.
double IterationFlops(const Dataset& data, double d) {
  std::vector<double> rows(data.tracks.size(), 0.0);
  for (const Event& event : data.events) ++rows[Raw(event.track)];
  for (uint32_t u = 0; u < data.listener_count(); ++u) rows.push_back(static_cast<double>(data.EventsOf(UserIx{u}).size()));
  double flops = 0;
  for (const double s : rows) {
    flops += std::min(s * d * (d + 1) + d * d * d / 3 + 2 * d * d, s * (s + 1) * d + s * s * s / 3 + 2 * s * s + 4 * s * d);
  }
  return flops;
}

void Als(const char* csv, int64_t factors) {
  const Dataset data = Must(ReadInteractions(csv));
  const double before = PeakMemory();
  Stopwatch watch;
  const auto model = Fit(data, "ials", AlsSettings(factors, 5), watch);
  const double floor = IterationFlops(data, static_cast<double>(factors)) / std::max(PeakFlops("avx2"), PeakFlops("avx512"));
  std::printf("{\"seconds\": %.4f, \"cpu\": %.4f, \"memory_mb\": %.1f, \"memory_read_mb\": %.1f, \"floor_cpu\": %.4f}\n", Median(watch.Walls()),
              Median(watch.Cpus()), PeakMemory() / 1e6, before / 1e6, floor);
}

/// body(u, heard) for every listener on all threads; heard is all zero and stays so.
template <typename Body>
void ForEachListener(size_t listeners, size_t tracks, const Body& body) {
  math::WithThreads(kThreads, [&] {
    math::ParallelRanges(listeners, 256, [&](size_t first, size_t last) {
      std::vector<uint8_t> heard(tracks, 0);
      for (size_t u = first; u < last; ++u) body(static_cast<uint32_t>(u), heard);
    });
  });
}

std::vector<models::ScoredTrack> TopUnheard(const models::Model& model, const models::Profile& profile, std::vector<uint8_t>& heard) {
  for (const Preference& item : profile.history) heard[Raw(item.track)] = 1;
  auto top = model.Top(profile, 10, heard);
  for (const Preference& item : profile.history) heard[Raw(item.track)] = 0;
  return top;
}

void Recommend(const char* csv, int64_t factors) {
  const Dataset data = Must(ReadInteractions(csv));
  NoInstruments instruments;
  const auto model = Fit(data, "ials", AlsSettings(factors, 8), instruments);
  const models::RowMap rows(*model, data.tracks.id);
  const size_t listeners = data.listener_count();
  std::vector<models::Profile> profiles(listeners);
  std::vector<std::vector<models::ScoredTrack>> lists(listeners);
  const auto timed = [&](const char* name, const char* end, const auto& body) {
    const double wall = WallSeconds();
    const double cpu = ProcessSeconds();
    ForEachListener(listeners, model->track_count(), body);
    const auto count = static_cast<double>(listeners);
    std::printf("\"%s\": %.0f, \"%s_cpu\": %.0f%s", name, count / (WallSeconds() - wall), name, kThreads * count / (ProcessSeconds() - cpu), end);
  };
  std::printf("{");
  // From the events to the list, as a service does it.
  timed("from_events", ", ", [&](uint32_t u, std::vector<uint8_t>& heard) {
    models::Profile profile = model->FoldIn(rows.PastOf("", data.EventsOf(UserIx{u}), {}).View());
    lists[u] = TopUnheard(*model, profile, heard);
    profile.state.resize(math::PaddedTo(static_cast<size_t>(factors)));  // what Top reads: the factors
    profile.state.shrink_to_fit();
    profiles[u] = std::move(profile);
  });
  // Factors known, as the peer has them.
  timed("from_factors", "}\n", [&](uint32_t u, std::vector<uint8_t>& heard) { lists[u] = TopUnheard(*model, profiles[u], heard); });
}

/// The peer's training, for its quality: 3 steps of conjugate gradients a row
/// (Takács, Pilászy, Tikk, "Applications of the Conjugate Gradient Method for
/// Implicit Feedback Collaborative Filtering", RecSys 2011), from the last
/// iteration's rows. Not written for speed.
void ConjugateStep(const Csr& side, std::span<const float> fixed, size_t stride, float penalty, std::span<float> solved) {
  const auto& kernels = math::BestKernels();
  std::vector<float> gram = models::Gram(fixed, fixed.size() / stride, stride);
  for (size_t i = 0; i < stride; ++i) {
    for (size_t j = 0; j < i; ++j) gram[i * stride + j] = gram[j * stride + i];
    gram[i * stride + i] += penalty;
  }
  math::ParallelRanges(side.rows(), 64, [&](size_t first, size_t last) {
    std::vector<float> r(stride), p(stride), product(stride);
    // product = (YᵀY + λI + Σ (c − 1)·y·yᵀ)·p, and the sum of c·y.
    const auto multiply = [&](size_t row, const float* by, float* out, float* target) {
      kernels.dots(gram.data(), stride, stride, by, out);
      for (size_t k = 0; k < side.Columns(row).size(); ++k) {
        const float* y = fixed.data() + side.Columns(row)[k] * stride;
        const float c = side.Values(row)[k];
        float dot = 0;
        kernels.dots(y, 1, stride, by, &dot);
        for (size_t j = 0; j < stride; ++j) out[j] += (c - 1) * dot * y[j];
        for (size_t j = 0; target != nullptr && j < stride; ++j) target[j] += c * y[j];
      }
    };
    for (size_t row = first; row < last; ++row) {
      float* x = solved.data() + row * stride;
      std::fill(r.begin(), r.end(), 0.0f);
      multiply(row, x, product.data(), r.data());
      for (size_t j = 0; j < stride; ++j) p[j] = r[j] -= product[j];
      float square = 0;
      kernels.dots(r.data(), 1, stride, r.data(), &square);
      for (int step = 0; step < 3 && square > 1e-20f; ++step) {
        multiply(row, p.data(), product.data(), nullptr);
        float curve = 0;
        kernels.dots(p.data(), 1, stride, product.data(), &curve);
        const float length = square / curve;
        for (size_t j = 0; j < stride; ++j) {
          x[j] += length * p[j];
          r[j] -= length * product[j];
        }
        float next = 0;
        kernels.dots(r.data(), 1, stride, r.data(), &next);
        for (size_t j = 0; j < stride; ++j) p[j] = r[j] + next / square * p[j];
        square = next;
      }
    }
  });
}

/// Mean NDCG@10 of the lists that list(u, heard) gives, over those who have a test.
template <typename List>
double Ndcg10(const Carved& data, size_t tracks, const List& list) {
  std::vector<double> of(data.train.listener_count(), -1);
  ForEachListener(of.size(), tracks, [&](uint32_t u, std::vector<uint8_t>& heard) {
    std::vector<TrackIx> relevant;
    for (const Event& event : data.test.EventsOf(UserIx{u})) relevant.push_back(event.track);
    if (relevant.empty()) return;
    for (const Event& event : data.train.EventsOf(UserIx{u})) heard[Raw(event.track)] = 1;
    std::vector<TrackIx> ranked;
    for (const auto& item : list(u, heard)) ranked.push_back(item.track);
    for (const Event& event : data.train.EventsOf(UserIx{u})) heard[Raw(event.track)] = 0;
    of[u] = evaluate::Ndcg(evaluate::MarkHits(ranked, relevant), 10, relevant.size());
  });
  double sum = 0;
  double count = 0;
  for (const double value : of) {
    if (value < 0) continue;
    sum += value;
    ++count;
  }
  return sum / count;
}

double PeerNdcg(const Carved& data, const Settings& settings, int iterations) {
  const auto d = static_cast<size_t>(settings.ials.factors);
  const size_t stride = math::PaddedTo(d);
  const size_t tracks = data.train.tracks.size();
  Csr listeners;
  models::IalsWeights weights;
  weights.alpha = static_cast<float>(settings.ials.alpha);
  for (uint32_t u = 0; u < data.train.listener_count(); ++u) {
    for (const Event& event : data.train.EventsOf(UserIx{u})) {
      listeners.column.push_back(Raw(event.track));
      listeners.value.push_back(weights.Confidence(event.value));
    }
    listeners.EndRow();
  }
  const Csr by_track = train::Transposed(listeners, tracks);
  std::vector<float> x(listeners.rows() * stride, 0.0f), y(tracks * stride, 0.0f);
  for (auto* side : {&x, &y}) {
    for (size_t i = 0; i < side->size(); ++i) {
      if (i % stride < d) (*side)[i] = static_cast<float>(0.01 * Random(side == &x ? 1 : 2, i).Uniform());
    }
  }
  const auto penalty = static_cast<float>(settings.ials.regularization);
  math::WithThreads(kThreads, [&] {
    for (int i = 0; i < iterations; ++i) {
      ConjugateStep(listeners, y, stride, penalty, x);
      ConjugateStep(by_track, x, stride, penalty, y);
    }
  });
  return Ndcg10(data, tracks, [&](uint32_t u, const std::vector<uint8_t>& heard) {
    std::vector<float> scores(tracks);
    math::BestKernels().dots(y.data(), tracks, stride, x.data() + u * stride, scores.data());
    return models::SelectTop(scores, 10, heard);
  });
}

struct Objective {
  double alpha;
  double regularization;
  double frequency_exponent;
};

void Quality(const char* csv, int64_t factors, Objective peers, Objective ours) {
  constexpr int kPeerIterations = 15;
  const Carved data = Carve(Must(ReadInteractions(csv)), 1);
  Settings settings = AlsSettings(factors, 1);
  const auto use = [&](const Objective& objective) {
    settings.ials.alpha = objective.alpha;
    settings.ials.regularization = objective.regularization;
    settings.ials.frequency_exponent = objective.frequency_exponent;
  };
  use(peers);
  const double peer = PeerNdcg(data, settings, kPeerIterations);
  use(ours);
  NoInstruments instruments;
  for (;; ++settings.ials.epochs) {
    double seconds[5];
    double cpu[5];
    double ndcg = 0;
    for (int attempt = 0; attempt < 5; ++attempt) {
      const double wall = WallSeconds();
      const double processor = ProcessSeconds();
      const auto model = Fit(data.train, "ials", settings, instruments);
      seconds[attempt] = WallSeconds() - wall;
      cpu[attempt] = ProcessSeconds() - processor;
      if (attempt > 0) continue;
      const models::RowMap rows(*model, data.train.tracks.id);
      ndcg = Ndcg10(data, model->track_count(), [&](uint32_t u, const std::vector<uint8_t>& heard) {
        return model->Top(model->FoldIn(rows.PastOf("", data.train.EventsOf(UserIx{u}), {}).View()), 10, heard);
      });
      if (ndcg < peer) break;
    }
    if (ndcg < peer && settings.ials.epochs < 2 * kPeerIterations) continue;
    std::printf("{\"seconds\": %.4f, \"cpu\": %.4f, \"epochs\": %lld, \"ndcg\": %.4f, \"peer_ndcg\": %.4f}\n", Median({seconds, seconds + 5}),
                Median({cpu, cpu + 5}), static_cast<long long>(settings.ials.epochs), ndcg, peer);
    return;
  }
}

/// One kernel's rate beside the floor that binds it.
void PrintKernel(const char* kernel, std::string_view set, size_t d, double seconds, double flops, double bytes, double bandwidth) {
  const double peak = PeakFlops(set);
  const double compute = peak > 0 ? flops / peak : 0;
  const double memory = bytes / bandwidth;
  const double floor = std::max(compute, memory);
  std::printf("{\"kernel\": \"%s\", \"set\": \"%s\", \"factors\": %zu, \"us\": %.3f, \"gflops\": %.1f, \"gbytes\": %.2f, \"floor\": \"%s\", \"share\": %.3f}\n",
              kernel, std::string(set).c_str(), d, 1e6 * seconds, flops / seconds / 1e9, bytes / seconds / 1e9, compute >= memory ? "operations" : "memory",
              floor / seconds);
}

/// Seconds of this thread's processor a call, the best of some rounds.
template <typename Call>
double SecondsOf(const Call& call) {
  double best = 1e9;
  for (int round = 0; round < 15; ++round) {
    const double start = ThreadSeconds();
    size_t calls = 0;
    while (ThreadSeconds() - start < 0.01) {
      for (int i = 0; i < 8; ++i) call(calls++);
    }
    best = std::min(best, (ThreadSeconds() - start) / static_cast<double>(calls));
  }
  return best;
}

/// Rows lie anywhere in a table of 50,000, as they do in training.
void Kernels() {
  constexpr size_t kTable = 50'000;
  const double bandwidth = ReadBandwidth();
  Random random(1);
  for (const size_t d : {64, 128}) {
    std::vector<float> table(kTable * d);
    for (float& value : table) value = static_cast<float>(0.1 * random.Normal());
    std::vector<uint32_t> all(d);
    for (uint32_t j = 0; j < d; ++j) all[j] = j;
    for (const math::Kernels* set : math::UsableKernels()) {
      if (PeakFlops(set->name) == 0) continue;
      std::vector<float> a(d * d), x(d), z(d * d), gram(d, 10.0f), scale(d), products(kTable * 16), by(d * 16, 0.5f), dots(4096);
      for (const size_t s : {d / 2, 2 * d}) {
        std::vector<uint32_t> rows(s * 512);
        for (uint32_t& row : rows) row = static_cast<uint32_t>(random.Below(kTable));
        const std::vector<float> c(s, 3.0f);
        const auto n = static_cast<double>(s);
        const auto f = static_cast<double>(d);
        if (s > d) {
          PrintKernel("normal equations, s = 2d", set->name, d, SecondsOf([&](size_t call) {
            std::fill(a.begin(), a.end(), 0.0f);
            std::fill(x.begin(), x.end(), 0.0f);
            for (size_t j = 0; j < d; ++j) a[j * d + j] = 10;
            set->add_confident(a.data(), x.data(), d, table.data(), rows.data() + call % 512 * s, c.data(), s);
            if (!set->cholesky(a.data(), d, d)) std::abort();
            set->solve(a.data(), d, d, x.data());
          }), n * f * (f + 1) + f * f * f / 3 + 2 * f * f, 4 * n * f, bandwidth);
          PrintKernel("  of it the products", set->name, d, SecondsOf([&](size_t call) {
            set->add_confident(a.data(), x.data(), d, table.data(), rows.data() + call % 512 * s, c.data(), s);
          }), n * f * (f + 1), 4 * n * f, bandwidth);
        } else {
          PrintKernel("normal equations, s = d/2", set->name, d, SecondsOf([&](size_t call) {
            set->inverse_roots(gram.data(), 1, d, scale.data());
            std::fill(x.begin(), x.end(), 0.0f);
            set->gather_columns(z.data(), s, x.data(), table.data(), d, rows.data() + call % 512 * s, c.data(), s, scale.data());
            std::fill_n(a.begin(), s * s, 0.0f);
            for (size_t j = 0; j < s; ++j) a[j * s + j] = 1;
            set->add_outer(a.data(), s, z.data(), nullptr, nullptr, d);
            std::vector<float> right(s, 0.0f), left(d);
            set->add_rows(right.data(), s, z.data(), all.data(), x.data(), d);
            if (!set->cholesky(a.data(), s, s)) std::abort();
            set->solve(a.data(), s, s, right.data());
            set->dots(z.data(), d, s, right.data(), left.data());
          }), n * (n + 1) * f + n * n * n / 3 + 2 * n * n + 6 * n * f, 4 * n * f, bandwidth);
        }
      }
      PrintKernel("scan, 16 listeners at once", set->name, d, SecondsOf([&](size_t call) {
        set->products(table.data() + call % 12 * 4096 * d, 4096, d, by.data(), 16, products.data());
      }), 2.0 * 4096 * 16 * static_cast<double>(d), 4.0 * 4096 * static_cast<double>(d), bandwidth);
      PrintKernel("scan, one listener", set->name, d, SecondsOf([&](size_t call) {
        set->dots(table.data() + call % 12 * 4096 * d, 4096, d, x.data(), dots.data());
      }), 2.0 * 4096 * static_cast<double>(d), 4.0 * 4096 * static_cast<double>(d), bandwidth);
    }
  }
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
  } else if (what == "quality" && argc == 9) {
    Quality(argv[2], std::atoll(argv[3]), {std::atof(argv[4]), std::atof(argv[5]), 0}, {std::atof(argv[6]), std::atof(argv[7]), std::atof(argv[8])});
  } else if (what == "kernels" && argc == 2) {
    Kernels();
  } else if (what == "fit" && argc >= 4) {
    FitOnce(argv[2], argv[3], argc - 4, argv + 4);
  } else {
    std::fputs("speed: see the head of bench/speed.cc\n", stderr);
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) { return segue::bench::Main(argc, argv); }
