#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <nlohmann/json.hpp>

#include "core/random.h"
#include "math/parallel.h"
#include "models/softmax.h"
#include "models/row_binner.h"
#include "train/classifier_parts.h"
#include "train/design.h"
#include "train/labelled_rows.h"
#include "train/mlp_gradient.h"

namespace segue::train {
namespace {

using models::MlpShape;

/// He et al., "Delving Deep into Rectifiers", ICCV 2015: deviation √(2 / inputs).
std::vector<float> FirstWeights(const MlpShape& shape, size_t columns, Random& random) {
  std::vector<float> w(shape.size(), 0.0f);
  const auto fill = [&](size_t at, size_t inputs, size_t used, size_t outputs, size_t used_outputs) {
    const double deviation = std::sqrt(2 / static_cast<double>(used));
    for (size_t i = 0; i < inputs; ++i) {
      for (size_t o = 0; o < outputs; ++o) {
        const double value = random.Normal() * deviation;
        // Pads stay zero: nothing flows through them.
        if (i < used && o < used_outputs) w[at + i * outputs + o] = static_cast<float>(value);
      }
    }
  };
  fill(shape.w1(), shape.inputs, columns, shape.hidden[0], shape.hidden[0]);
  fill(shape.w2(), shape.hidden[0], shape.hidden[0], shape.hidden[1], shape.hidden[1]);
  fill(shape.w3(), shape.hidden[1], shape.hidden[1], shape.padded(), shape.classes);
  return w;
}

struct Task {
  const MlpShape& shape;
  const std::vector<float>& z;      ///< [n x shape.inputs]
  const std::vector<int32_t>& y;
  size_t columns;
  const MlpSettings& settings;
  Instruments& instruments;
};

/// Mean log loss of some rows.
double LossOf(const Task& task, const std::vector<float>& w, std::span<const uint32_t> rows) {
  const MlpShape& shape = task.shape;
  constexpr size_t kRows = 256;
  std::vector<float> z(kRows * shape.inputs), one(kRows * shape.hidden[0]), two(kRows * shape.hidden[1]), top(kRows * shape.padded());
  double loss = 0;
  for (size_t first = 0; first < rows.size(); first += kRows) {
    const size_t count = std::min(kRows, rows.size() - first);
    for (size_t r = 0; r < count; ++r) std::copy_n(task.z.data() + rows[first + r] * shape.inputs, shape.inputs, z.data() + r * shape.inputs);
    models::DenseLayer(z.data(), count, shape.inputs, w.data() + shape.w1(), w.data() + shape.b1(), shape.hidden[0], true, one.data());
    models::DenseLayer(one.data(), count, shape.hidden[0], w.data() + shape.w2(), w.data() + shape.b2(), shape.hidden[1], true, two.data());
    models::DenseLayer(two.data(), count, shape.hidden[1], w.data() + shape.w3(), w.data() + shape.b3(), shape.padded(), false, top.data());
    for (size_t r = 0; r < count; ++r) {
      float* p = top.data() + r * shape.padded();
      models::Softmax(p, shape.classes);
      loss -= std::log(std::max(p[task.y[rows[first + r]]], 1e-30f));
    }
  }
  return loss / static_cast<double>(rows.size());
}

/// One network, on one thread.
std::vector<float> FitNetwork(const Task& task, uint64_t seed, uint64_t number) {
  const MlpShape& shape = task.shape;
  Random random(seed, number);
  std::vector<uint32_t> order(task.y.size());
  std::iota(order.begin(), order.end(), 0u);
  Shuffle(std::span(order), random);
  const auto held = static_cast<size_t>(std::floor(task.settings.holdout * static_cast<double>(order.size())));
  const std::vector<uint32_t> inner(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(held));
  order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(held));
  std::vector<float> w = FirstWeights(shape, task.columns, random), best = w, gradient(shape.size());
  const size_t batch = std::min<size_t>(static_cast<size_t>(task.settings.batch), order.size());
  std::vector<float> z(batch * shape.inputs);
  std::vector<int32_t> y(batch);
  MlpWorkspace workspace;
  Adam adam(shape.size());
  const size_t steps_an_epoch = order.size() / batch;
  const double steps = static_cast<double>(steps_an_epoch) * static_cast<double>(task.settings.epochs);
  double best_loss = std::numeric_limits<double>::infinity(), step = 0;
  int64_t since = 0;
  for (int64_t epoch = 0; epoch < task.settings.epochs && since < task.settings.patience && !task.instruments.Cancelled(); ++epoch) {
    Shuffle(std::span(order), random);
    // The few rows that fill no batch wait for another order.
    for (size_t at = 0; at < steps_an_epoch; ++at, ++step) {
      for (size_t r = 0; r < batch; ++r) {
        const uint32_t row = order[at * batch + r];
        std::copy_n(task.z.data() + row * shape.inputs, shape.inputs, z.data() + r * shape.inputs);
        y[r] = task.y[row];
      }
      MlpGradient(shape, w.data(), z.data(), y.data(), batch, task.settings.dropout, &random, workspace, gradient);
      const double rate = task.settings.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * step / steps));
      adam.Step(gradient, rate, task.settings.weight_decay, w);
    }
    const double loss = inner.empty() ? -static_cast<double>(epoch) : LossOf(task, w, inner);
    ++since;
    if (!(loss < best_loss)) continue;
    best_loss = loss;
    best = w;
    since = 0;
  }
  return best;
}

/// A network with two hidden layers, ReLU, dropout, minibatches, Adam with
/// decoupled weight decay (train/mlp_gradient.h), whose step falls along half a
/// cosine, and early stopping on an inner part: the weights of the epoch with
/// the least log loss there. mlp.networks > 1: several of other first weights,
/// orders and inner parts, averaged. Inputs: value, normal score,
/// piecewise-linear parts, indicators (models/design.h).
/// A network is one thread's: same bytes for any number of threads.
/// O(networks · epochs · n · weights).
class MlpTrainer final : public ClassifierTrainer {
 public:
  std::string_view algorithm() const override { return models::MlpClassifier::kAlgorithm; }

  Result<std::unique_ptr<models::Classifier>> Fit(const SongTable& songs, std::span<const uint32_t> rows, const Settings& settings,
                                                  uint64_t seed, Instruments& instruments) const override {
    return math::WithThreads(settings.threads, [&]() -> Result<std::unique_ptr<models::Classifier>> {
      SEGUE_TRY(LabelledRows data, GatherRows(songs, rows));
      SEGUE_TRY(models::Design design, MakeDesign(data.x, data.features.size(),
                                                  {.linear = false, .quantile = true, .parts = settings.mlp.parts, .equals = true,
                                                   .duration = models::DurationColumn(data.features)}));
      std::vector<float> z(data.size() * design.stride());
      design.Apply(data.x, z);
      const MlpShape shape{static_cast<uint32_t>(design.stride()),
                           {static_cast<uint32_t>(math::PaddedTo(static_cast<size_t>(settings.mlp.hidden))),
                            static_cast<uint32_t>(math::PaddedTo(static_cast<size_t>(settings.mlp.hidden2)))},
                           static_cast<uint32_t>(data.labels.size())};
      const Task task{shape, z, data.y, design.width(), settings.mlp, instruments};
      const auto networks = static_cast<size_t>(settings.mlp.networks);
      std::vector<float> weights(networks * shape.size());
      math::ParallelFor(networks, [&](size_t k) {
        const std::vector<float> w = FitNetwork(task, seed, k);
        std::copy(w.begin(), w.end(), weights.begin() + static_cast<std::ptrdiff_t>(k * shape.size()));
      });
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "mlp: stopped"};
      return std::unique_ptr<models::Classifier>(
          models::MlpClassifier::Make({std::move(data.features), std::move(data.labels), std::move(design), shape, std::move(weights)}));
    });
  }
};

}  // namespace

std::unique_ptr<ClassifierTrainer> MakeMlpTrainer() { return std::make_unique<MlpTrainer>(); }

}  // namespace segue::train
