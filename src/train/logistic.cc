#include <algorithm>

#include "math/kernels/kernels.h"
#include "math/lbfgs.h"
#include "math/parallel.h"
#include "models/logistic_classifier.h"
#include "models/softmax.h"
#include "models/row_binner.h"
#include "train/classifier_parts.h"
#include "train/design.h"
#include "train/labelled_rows.h"

namespace segue::train {
namespace {

constexpr size_t kBlock = 1024;  ///< rows whose sums are one float sum

/// The mean log loss of the rows with its gradient, and the penalty's.
class Objective {
 public:
  Objective(const LabelledRows& data, std::span<const float> z, size_t stride, double regularization)
      : y_(data.y), z_(z), stride_(stride), classes_(data.labels.size()), padded_(math::PaddedTo(classes_)),
        penalty_(regularization / static_cast<double>(data.size())) {}

  /// Weights row by row, then the bias.
  size_t size() const { return (stride_ + 1) * padded_; }

  double operator()(std::span<const double> x, std::span<double> gradient) const {
    const size_t n = y_.size(), blocks = (n + kBlock - 1) / kBlock, weights = stride_ * padded_;
    const std::vector<float> w(x.begin(), x.end());
    std::vector<double> losses(blocks, 0.0);
    std::vector<float> parts(blocks * size(), 0.0f);
    math::ParallelFor(blocks, [&](size_t block) {
      const size_t first = block * kBlock, count = std::min(kBlock, n - first);
      std::vector<float> p(count * padded_);
      math::BestKernels().products(z_.data() + first * stride_, count, stride_, w.data(), padded_, p.data());
      float* part = parts.data() + block * size();
      for (size_t r = 0; r < count; ++r) {
        float* row = p.data() + r * padded_;
        for (size_t c = 0; c < classes_; ++c) row[c] += w[weights + c];
        models::Softmax(row, classes_);
        const auto label = static_cast<size_t>(y_[first + r]);
        losses[block] -= std::log(std::max(row[label], 1e-30f));
        // 1(y = c) - p_c: the kernel subtracts, which makes it the gradient.
        for (size_t c = 0; c < classes_; ++c) row[c] = (c == label ? 1.0f : 0.0f) - row[c];
        for (size_t c = classes_; c < padded_; ++c) row[c] = 0;
        for (size_t c = 0; c < classes_; ++c) part[weights + c] -= row[c];
      }
      math::BestKernels().subtract_product(part, padded_, z_.data() + first * stride_, stride_, p.data(), padded_, count, stride_, padded_);
    });
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double loss = 0;
    for (size_t block = 0; block < blocks; ++block) {
      loss += losses[block];
      for (size_t i = 0; i < size(); ++i) gradient[i] += parts[block * size() + i];
    }
    loss /= static_cast<double>(n);
    for (double& g : gradient) g /= static_cast<double>(n);
    for (size_t i = 0; i < weights; ++i) {
      loss += penalty_ / 2 * x[i] * x[i];
      gradient[i] += penalty_ * x[i];
    }
    return loss;
  }

 private:
  std::span<const int32_t> y_;
  std::span<const float> z_;
  size_t stride_, classes_, padded_;
  double penalty_;
};

/// Logistic regression with an L2 penalty:
///
///   min_W,b  (1/n)·Σ_i -log P(y_i | x_i) + λ/(2n)·|W|²
///
/// by L-BFGS (math/lbfgs.h) from 0, over a design with standardised features;
/// with logistic.parts their piecewise-linear curves, with
/// logistic.interactions = pairs the products of their normal scores. The
/// parametrisation has weights for each class, also of two; λ then counts half
/// of what it counts in the one-vector form. Sums go by fixed blocks of rows.
/// O(steps · n · columns · classes).
class LogisticTrainer final : public ClassifierTrainer {
 public:
  std::string_view algorithm() const override { return models::LogisticClassifier::kAlgorithm; }

  Result<std::unique_ptr<models::Classifier>> Fit(const SongTable& songs, std::span<const uint32_t> rows, const Settings& settings,
                                                  uint64_t, Instruments& instruments) const override {
    return math::WithThreads(settings.threads, [&]() -> Result<std::unique_ptr<models::Classifier>> {
      SEGUE_TRY(LabelledRows data, GatherRows(songs, rows));
      const bool pairs = settings.logistic.interactions == "pairs";
      SEGUE_TRY(models::Design design, MakeDesign(data.x, data.features.size(),
                                                  {.linear = true, .quantile = pairs, .parts = settings.logistic.parts,
                                                   .equals = settings.logistic.parts > 0,
                                                   .duration = models::DurationColumn(data.features), .pairs = pairs}));
      std::vector<float> z(data.size() * design.stride());
      math::ParallelRanges(data.size(), kBlock, [&](size_t first, size_t last) {
        const size_t f = data.features.size();
        design.Apply(std::span<const float>(data.x).subspan(first * f, (last - first) * f),
                     std::span<float>(z).subspan(first * design.stride(), (last - first) * design.stride()));
      });
      const Objective objective(data, z, design.stride(), settings.logistic.regularization);
      std::vector<double> x(objective.size(), 0.0);
      const auto found = math::MinimiseLbfgs([&](std::span<const double> at, std::span<double> g) {
        // A cancelled fit ends at once: a gradient of 0 is an end.
        if (!instruments.Cancelled()) return objective(at, g);
        std::fill(g.begin(), g.end(), 0.0);
        return 0.0;
      }, x, {.most_steps = 300, .tolerance = 1e-5});
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "logistic: stopped after " + std::to_string(found.steps) + " steps"};
      const size_t padded = math::PaddedTo(data.labels.size()), weights = design.stride() * padded;
      models::LogisticClassifier::Parts parts{std::move(data.features), std::move(data.labels), std::move(design), {}, {}};
      parts.weights.assign(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(weights));
      parts.bias.assign(x.begin() + static_cast<std::ptrdiff_t>(weights), x.end());
      return std::unique_ptr<models::Classifier>(models::LogisticClassifier::Make(std::move(parts)));
    });
  }
};

}  // namespace

std::unique_ptr<ClassifierTrainer> MakeLogisticTrainer() { return std::make_unique<LogisticTrainer>(); }

}  // namespace segue::train
