#include "models/knn_classifier.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/random.h"
#include "math/parallel.h"
#include "models/row_binner.h"
#include "train/classifier_parts.h"
#include "train/design.h"
#include "train/labelled_rows.h"

namespace segue::train {
namespace {

constexpr size_t kLearnQueries = 1500;  ///< songs that judge the scales
constexpr size_t kLearnRows = 10'000;   ///< songs among which their neighbours are looked for
constexpr size_t kChooseQueries = 4000; ///< songs that judge k
constexpr uint32_t kTried[] = {5, 10, 15, 20, 30, 40, 50, 70, 100, 150};
constexpr float kFactors[] = {0.0f, 0.5f, 0.75f, 1.35f, 2.0f};
constexpr uint32_t kLearnNeighbours = 40;
constexpr int kPasses = 2;

std::vector<uint32_t> Sample(size_t n, size_t count, Random random) {
  std::vector<uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0u);
  for (size_t i = 0; i < std::min(count, n); ++i) std::swap(rows[i], rows[i + random.Below(n - i)]);
  rows.resize(std::min(count, n));
  return rows;
}

struct Rows {
  std::vector<float> z;
  std::vector<int32_t> label;
  size_t stride;
  size_t size() const { return label.size(); }
};

Rows Pick(const Rows& all, std::span<const uint32_t> rows) {
  Rows some{{}, {}, all.stride};
  for (const uint32_t row : rows) {
    some.z.insert(some.z.end(), all.z.begin() + static_cast<std::ptrdiff_t>(row * all.stride),
                  all.z.begin() + static_cast<std::ptrdiff_t>((row + 1) * all.stride));
    some.label.push_back(all.label[row]);
  }
  return some;
}

/// Mean log loss of the vote for `queries` of the rows, each without itself.
/// neighbours [queries x (k + 1)], the row itself among them or not
double LeftOutLoss(const Rows& rows, std::span<const uint32_t> queries, std::span<const math::NearRow> near, size_t k, size_t pitch,
                   std::span<const float> prior, float power) {
  std::vector<float> p(prior.size());
  std::vector<math::NearRow> others;
  double loss = 0;
  for (size_t q = 0; q < queries.size(); ++q) {
    others.clear();
    for (size_t j = 0; j < pitch && others.size() < k; ++j) {
      if (near[q * pitch + j].row != queries[q]) others.push_back(near[q * pitch + j]);
    }
    models::Vote(others, rows.label, prior, power, p);
    loss -= std::log(std::max(p[static_cast<size_t>(rows.label[queries[q]])], 1e-30f));
  }
  return loss / static_cast<double>(queries.size());
}

std::vector<math::NearRow> FindNear(const Rows& rows, std::span<const uint32_t> queries, size_t k) {
  const Rows asked = Pick(rows, queries);
  std::vector<math::NearRow> near(queries.size() * k);
  math::NearestRows(rows.z.data(), rows.size(), asked.z.data(), queries.size(), rows.stride, k, near);
  return near;
}

/// What each column is multiplied by so that the vote is best: coordinate
/// descent over a few factors, from 1, on the log loss of left-out songs.
/// Keeps a factor only where it helps by more than noise of the last digits.
std::vector<float> LearnScales(const Rows& all, size_t columns, std::span<const float> prior, float power, uint64_t seed,
                               Instruments& instruments) {
  Rows rows = Pick(all, Sample(all.size(), kLearnRows, Random(seed, 1)));
  const std::vector<uint32_t> queries = Sample(rows.size(), kLearnQueries, Random(seed, 2));
  const size_t k = std::min<size_t>(kLearnNeighbours, rows.size() - 1);
  std::vector<float> scales(columns, 1.0f);
  const auto loss = [&] { return LeftOutLoss(rows, queries, FindNear(rows, queries, k + 1), k, k + 1, prior, power); };
  const auto rescale = [&](size_t column, const std::vector<float>& from, float factor) {
    for (size_t r = 0; r < rows.size(); ++r) rows.z[r * rows.stride + column] = from[r] * factor;
  };
  double best = loss();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (size_t c = 0; c < columns && !instruments.Cancelled(); ++c) {
      std::vector<float> from(rows.size());
      for (size_t r = 0; r < rows.size(); ++r) from[r] = rows.z[r * rows.stride + c];
      float chosen = 1;
      for (const float factor : kFactors) {
        rescale(c, from, factor);
        const double with = loss();
        if (with >= best - 1e-5) continue;
        best = with;
        chosen = factor;
      }
      rescale(c, from, chosen);
      scales[c] *= chosen;
    }
  }
  return scales;
}

/// knn.neighbours = 0: the k of kTried with the least log loss, each of
/// kChooseQueries songs voted on by all others.
uint32_t ChooseNeighbours(const Rows& rows, std::span<const float> prior, float power, uint64_t seed) {
  const std::vector<uint32_t> queries = Sample(rows.size(), kChooseQueries, Random(seed, 3));
  const size_t most = std::min<size_t>(kTried[std::size(kTried) - 1], rows.size() - 1);
  const auto near = FindNear(rows, queries, most + 1);
  uint32_t chosen = static_cast<uint32_t>(std::min<size_t>(kTried[0], most));
  double best = std::numeric_limits<double>::infinity();
  for (const uint32_t k : kTried) {
    if (k > most) break;
    const double loss = LeftOutLoss(rows, queries, near, k, most + 1, prior, power);
    if (!(loss < best)) continue;
    best = loss;
    chosen = k;
  }
  return chosen;
}

/// Nearest neighbours over the normal scores of the features
/// (models/knn_classifier.h), each counting as much as helps in training
/// (knn.scales = learned). O(n · columns) to keep the rows; learning scales and
/// k takes a fixed number of searches.
class KnnClassifierTrainer final : public ClassifierTrainer {
 public:
  std::string_view algorithm() const override { return models::KnnClassifier::kAlgorithm; }

  Result<std::unique_ptr<models::Classifier>> Fit(const SongTable& songs, std::span<const uint32_t> rows, const Settings& settings,
                                                  uint64_t seed, Instruments& instruments) const override {
    return math::WithThreads(settings.threads, [&]() -> Result<std::unique_ptr<models::Classifier>> {
      SEGUE_TRY(LabelledRows data, GatherRows(songs, rows));
      SEGUE_TRY(models::Design design, MakeDesign(data.x, data.features.size(), {.linear = false, .quantile = true, .duration = models::DurationColumn(data.features)}));
      const std::vector<float> prior = models::ClassShares(data.y, data.labels.size());
      const auto power = static_cast<float>(settings.knn.power);
      Rows all{std::vector<float>(data.size() * design.stride()), data.y, design.stride()};
      design.Apply(data.x, all.z);
      if (settings.knn.scales == "learned" && data.size() > 100) {
        const auto scales = LearnScales(all, design.width(), prior, power, seed, instruments);
        for (size_t c = 0; c < design.width(); ++c) design.columns[c].scale *= scales[c];
        design.Apply(data.x, all.z);
      }
      const auto k = settings.knn.neighbours > 0 ? static_cast<uint32_t>(std::min<size_t>(static_cast<size_t>(settings.knn.neighbours), data.size()))
                                                 : ChooseNeighbours(all, prior, power, seed);
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "knn: stopped"};
      return std::unique_ptr<models::Classifier>(models::KnnClassifier::Make(
          {std::move(data.features), std::move(data.labels), std::move(design), std::move(all.z), std::move(all.label), k, power}));
    });
  }
};

}  // namespace

std::unique_ptr<ClassifierTrainer> MakeKnnClassifierTrainer() { return std::make_unique<KnnClassifierTrainer>(); }

}  // namespace segue::train
