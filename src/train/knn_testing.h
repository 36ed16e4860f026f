#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "train/testing.h"

namespace segue::train {

/// The slow twin of train/knn_matrix.h: full rows of doubles, each formula as
/// the headers write it.
struct SlowKnn {
  using Row = std::vector<double>;

  std::vector<Row> rows;  ///< [listeners x tracks] weights, 0 where there is nothing wanted

  SlowKnn(const Dataset& data, const std::string& weighting) {
    const size_t n = data.tracks.size();
    const size_t m = data.listener_count();
    rows.assign(m, Row(n, 0.0));
    for (uint32_t u = 0; u < m; ++u) {
      for (const Preference& item : SumByTrack(data.EventsOf(UserIx{u}), {})) rows[u][Raw(item.track)] = std::max(0.0, double{item.strength});
    }
    Row length(m, 0.0), holders(n, 0.0);
    double all = 0, active = 0;
    for (size_t u = 0; u < m; ++u) {
      for (size_t i = 0; i < n; ++i) {
        length[u] += std::log(1 + rows[u][i]);
        holders[i] += rows[u][i] > 0 ? 1 : 0;
      }
      all += length[u];
      active += length[u] > 0 ? 1 : 0;
    }
    for (size_t u = 0; u < m; ++u) {
      for (size_t i = 0; i < n; ++i) {
        double& r = rows[u][i];
        if (r == 0 || weighting == "none") continue;
        const double idf = std::log(1 + (active - holders[i] + 0.5) / (holders[i] + 0.5));
        const double saturated = std::log(1 + r) * 2.2 / (std::log(1 + r) + 1.2 * (0.25 + 0.75 * length[u] / (all / active)));
        r = weighting == "binary" ? 1 : weighting == "bm25" ? saturated * idf : std::log(1 + r) * (weighting == "tfidf" ? idf : 1);
      }
    }
  }

  Row Column(size_t i) const {
    Row column;
    for (const Row& row : rows) column.push_back(row[i]);
    return column;
  }
};

inline double Dot(const SlowKnn::Row& a, const SlowKnn::Row& b) {
  double sum = 0;
  for (size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

inline double InCommon(const SlowKnn::Row& a, const SlowKnn::Row& b) {
  double common = 0;
  for (size_t k = 0; k < a.size(); ++k) common += a[k] > 0 && b[k] > 0 ? 1 : 0;
  return common;
}

/// Likeness of b to a; 0 where there is none.
inline double SlowLikeness(const std::string& similarity, const SlowKnn::Row& a, const SlowKnn::Row& b, double popular, double shrinkage) {
  const double common = InCommon(a, b);
  if (common == 0) return 0;
  const auto n = static_cast<double>(a.size());
  double likeness = 0;
  if (similarity == "cosine") {
    likeness = Dot(a, b) / (std::pow(Dot(a, a), 1 - popular) * std::pow(Dot(b, b), popular));
  } else if (similarity == "pearson") {
    double mean_a = 0, mean_b = 0;
    for (size_t k = 0; k < a.size(); ++k) {
      mean_a += a[k] / n;
      mean_b += b[k] / n;
    }
    double both = 0, square_a = 0, square_b = 0;
    for (size_t k = 0; k < a.size(); ++k) {
      both += (a[k] - mean_a) * (b[k] - mean_b);
      square_a += (a[k] - mean_a) * (a[k] - mean_a);
      square_b += (b[k] - mean_b) * (b[k] - mean_b);
    }
    // Below 1e-9 of its size a spread is rounding: the row is constant.
    if (square_a > 1e-9 * Dot(a, a) && square_b > 1e-9 * Dot(b, b)) likeness = both / std::sqrt(square_a * square_b);
  } else if (similarity == "euclidean") {
    double distance = 0;
    for (size_t k = 0; k < a.size(); ++k) distance += (a[k] - b[k]) * (a[k] - b[k]);
    likeness = 1 / (1 + std::sqrt(distance));
  } else {
    double either = 0;
    for (size_t k = 0; k < a.size(); ++k) either += a[k] > 0 || b[k] > 0 ? 1 : 0;
    likeness = common / either;
  }
  return std::max(0.0, likeness) * common / (common + shrinkage);
}

inline std::unique_ptr<models::Model> FitKnn(const std::string& algorithm, const Dataset& data, const Settings& settings) {
  NoInstruments instruments;
  auto model = (*MakeTrainer(algorithm))->Fit(data, settings, 1, instruments);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return *std::move(model);
}

inline std::vector<float> ScoresOf(const models::Model& model, const models::Profile& profile) {
  std::vector<float> scores(model.track_count());
  model.Score(profile, scores);
  return scores;
}

}  // namespace segue::train
