#include "train/knn_matrix.h"

#include <algorithm>
#include <cmath>

#include "math/parallel.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

using models::KnnSimilarity;

constexpr size_t kBlock = 512;  // listeners a task

/// What some listeners want.
struct Wants {
  Csr rows;           // strengths
  double length = 0;  // sum of ln(1 + strength)
  size_t active = 0;  // who want anything
};

Wants Collect(const Dataset& data, size_t first, size_t last, const StrengthRule& rule, models::Liked liked) {
  Wants wants;
  for (size_t u = first; u < last; ++u) {
    const size_t before = wants.rows.size();
    for (const Preference& item : models::ByLiking(SumByTrack(data.EventsOf(UserIx{static_cast<uint32_t>(u)}), rule), liked)) {
      if (item.strength <= 0) continue;
      wants.length += std::log1p(item.strength);
      wants.rows.column.push_back(Raw(item.track));
      wants.rows.value.push_back(item.strength);
    }
    wants.rows.EndRow();
    wants.active += wants.rows.size() > before ? 1 : 0;
  }
  return wants;
}

/// Below this share of its squares a row's spread is rounding.
constexpr double kNoSpread = 1e-6;

}  // namespace

KnnMatrix MakeKnnMatrix(const Dataset& data, const Settings& settings, models::KnnWeighting weighting) {
  KnnMatrix matrix;
  const size_t tracks = data.tracks.size();
  const size_t listeners = data.listener_count();
  matrix.scale = {weighting, models::LikedRule(settings.liked, data), 1};
  std::vector<Wants> blocks((listeners + kBlock - 1) / kBlock);
  math::WithThreads(settings.threads, [&] {
    math::ParallelFor(blocks.size(), [&](size_t b) {
      blocks[b] = Collect(data, b * kBlock, std::min(listeners, (b + 1) * kBlock), {settings.skip_weight, settings.like_weight}, matrix.scale.liked);
    });
  });
  size_t entries = 0;
  for (const Wants& wants : blocks) entries += wants.rows.size();
  Csr& rows = matrix.listeners;
  rows.column.reserve(entries);
  rows.value.reserve(entries);
  double length = 0;
  size_t active = 0;
  for (Wants& wants : blocks) {
    for (size_t u = 1; u < wants.rows.begin.size(); ++u) rows.begin.push_back(rows.size() + wants.rows.begin[u]);
    rows.column.insert(rows.column.end(), wants.rows.column.begin(), wants.rows.column.end());
    rows.value.insert(rows.value.end(), wants.rows.value.begin(), wants.rows.value.end());
    length += wants.length;
    active += wants.active;
    wants = {};
  }

  matrix.scale.mean_length = active == 0 ? 1 : std::max(1e-6f, static_cast<float>(length / static_cast<double>(active)));
  PopularityCounts counts(tracks);
  for (size_t k = 0; k < rows.size(); ++k) {
    counts.listeners[rows.column[k]] += 1;
    counts.plays[rows.column[k]] += rows.value[k];
  }
  matrix.popularity = counts.Scores();
  matrix.idf.resize(tracks);
  for (size_t i = 0; i < tracks; ++i) {
    const auto holders = static_cast<float>(counts.listeners[i]);
    matrix.idf[i] = std::log1p((static_cast<float>(active) - holders + 0.5f) / (holders + 0.5f));
  }
  math::WithThreads(settings.threads, [&] {
    math::ParallelFor(rows.rows(), [&](size_t u) {
      float own_length = 0;
      for (uint64_t k = rows.begin[u]; k < rows.begin[u + 1]; ++k) own_length += std::log1p(rows.value[k]);
      for (uint64_t k = rows.begin[u]; k < rows.begin[u + 1]; ++k) {
        rows.value[k] = matrix.scale.WeightOf(rows.value[k], own_length, matrix.idf[rows.column[k]]);
      }
    });
  });
  return matrix;
}

Likeness::Likeness(const LikenessRule& rule, const Csr& rows, size_t columns)
    : similarity_(rule.similarity), shrinkage_(static_cast<float>(rule.shrinkage)), columns_(static_cast<double>(columns)),
      as_row_(rows.rows()), as_neighbour_(rows.rows()), sum_(rows.rows()) {
  for (size_t r = 0; r < rows.rows(); ++r) {
    double sum = 0;
    double squares = 0;
    for (const float value : rows.Values(r)) {
      sum += value;
      squares += static_cast<double>(value) * value;
    }
    if (squares == 0) continue;
    sum_[r] = static_cast<float>(sum);
    double row = 0;
    double neighbour = 0;
    switch (similarity_) {
      case KnnSimilarity::kCosine:
        row = std::pow(squares + rule.added, rule.popular - 1);
        neighbour = std::pow(squares + rule.added, -rule.popular);
        break;
      case KnnSimilarity::kPearson: {
        const double spread = squares - sum * sum / columns_;
        row = neighbour = spread > kNoSpread * squares ? 1 / std::sqrt(spread) : 0;
        break;
      }
      case KnnSimilarity::kEuclidean: row = neighbour = squares; break;
      case KnnSimilarity::kJaccard: row = neighbour = static_cast<double>(rows.Columns(r).size()); break;
    }
    as_row_[r] = static_cast<float>(row);
    as_neighbour_[r] = static_cast<float>(neighbour);
  }
}

void Likeness::Replace(size_t a, size_t b, size_t n, float* dots, const float* common) const {
  const float row = as_row_[a];
  const float* neighbour = as_neighbour_.data() + b;
  switch (similarity_) {
    case KnnSimilarity::kCosine:
      for (size_t k = 0; k < n; ++k) dots[k] *= row * neighbour[k];
      break;
    case KnnSimilarity::kPearson: {
      const auto mean = static_cast<float>(sum_[a] / columns_);
      for (size_t k = 0; k < n; ++k) {
        dots[k] = dots[k] > 0 ? std::max(0.0f, (dots[k] - mean * sum_[b + k]) * row * neighbour[k]) : 0;
      }
      break;
    }
    case KnnSimilarity::kEuclidean:
      for (size_t k = 0; k < n; ++k) {
        dots[k] = dots[k] > 0 ? 1 / (1 + std::sqrt(std::max(0.0f, row + neighbour[k] - 2 * dots[k]))) : 0;
      }
      break;
    case KnnSimilarity::kJaccard:
      for (size_t k = 0; k < n; ++k) dots[k] = common[k] / std::max(1.0f, row + neighbour[k] - common[k]);
      break;
  }
  if (shrinkage_ > 0) {
    for (size_t k = 0; k < n; ++k) dots[k] *= common[k] / (common[k] + shrinkage_);
  }
}

}  // namespace segue::train
