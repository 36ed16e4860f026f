#include <algorithm>
#include <cmath>
#include <limits>

#include "math/kernels/kernels.h"
#include "train/content.h"
#include "train/ridge.h"

// Reviews: what they say for or against a track, and what their writers like.

namespace segue::train {
namespace {

std::vector<models::Term> TermsOfText(std::string_view text) {
  std::vector<models::Term> terms;
  for (std::string& word : models::WordsOf(text)) terms.push_back({std::move(word), 1});
  models::Merge(terms);
  return terms;
}

}  // namespace

Result<std::vector<float>> ReviewVerdicts(const Dataset& data, Instruments& instruments) {
  std::vector<float> verdicts(data.reviews.size(), std::numeric_limits<float>::quiet_NaN());
  double sum = 0;
  size_t rated = 0;
  float lowest = std::numeric_limits<float>::infinity();
  float highest = -lowest;
  for (const Review& review : data.reviews) {
    if (!std::isfinite(review.rating)) continue;
    sum += review.rating;
    lowest = std::min(lowest, review.rating);
    highest = std::max(highest, review.rating);
    ++rated;
  }
  if (rated < kFewestRated || lowest == highest) return verdicts;
  const auto mean = static_cast<float>(sum / static_cast<double>(rated));
  const float reach = std::max(highest - mean, mean - lowest);

  std::vector<std::vector<models::Term>> documents(data.reviews.size());
  std::vector<std::vector<models::Term>> of_rated;
  for (size_t r = 0; r < documents.size(); ++r) {
    documents[r] = TermsOfText(data.reviews[r].text);
    if (std::isfinite(data.reviews[r].rating)) of_rated.push_back(documents[r]);
  }
  const auto vocabulary = models::Vocabulary::Of(of_rated);
  Csr rows;
  std::vector<float> y;
  for (size_t r = 0; r < documents.size(); ++r) {
    const float rating = data.reviews[r].rating;
    const models::SparseVector row = std::isfinite(rating) ? vocabulary.Vector(documents[r]) : models::SparseVector();
    rows.column.insert(rows.column.end(), row.column.begin(), row.column.end());
    rows.value.insert(rows.value.end(), row.value.begin(), row.value.end());
    rows.EndRow();
    y.resize(rows.rows() * math::kLane, 0.0f);
    if (std::isfinite(rating)) y[r * math::kLane] = (rating - mean) / reach;
  }
  const std::vector<float> weight(rows.rows(), 1.0f);
  SEGUE_TRY(const auto w, SolveRidge(rows, vocabulary.size(), weight, y, math::kLane, {}, instruments));
  for (size_t r = 0; r < documents.size(); ++r) {
    if (std::isfinite(data.reviews[r].rating)) {
      verdicts[r] = y[r * math::kLane];
      continue;
    }
    const models::SparseVector row = vocabulary.Vector(documents[r]);
    double verdict = 0;
    for (size_t k = 0; k < row.column.size(); ++k) verdict += static_cast<double>(row.value[k]) * w[row.column[k] * math::kLane];
    verdicts[r] = static_cast<float>(std::clamp(verdict, -1.0, 1.0));
  }
  return verdicts;
}

models::Reviewers ReviewersOf(const Dataset& data, const models::Vocabulary& vocabulary,
                              std::span<const float> verdicts, float like_weight) {
  models::Reviewers reviewers;
  std::vector<float> dense(vocabulary.size(), 0.0f);
  for (size_t first = 0; first < data.reviews.size();) {
    const UserIx listener = data.reviews[first].listener;
    std::vector<uint32_t> touched;
    models::SparseVector own;  // columns: tracks
    for (; first < data.reviews.size() && data.reviews[first].listener == listener; ++first) {
      const Review& review = data.reviews[first];
      // Where nothing tells praise from blame, having written counts as one play.
      const float weight = std::isnan(verdicts[first]) ? std::log1p(1.0f) : verdicts[first] * std::log1p(like_weight);
      const models::SparseVector words = vocabulary.Vector(TermsOfText(review.text));
      for (size_t k = 0; k < words.column.size(); ++k) {
        if (dense[words.column[k]] == 0) touched.push_back(words.column[k]);
        dense[words.column[k]] += weight * words.value[k];
      }
      if (std::isfinite(review.rating) || std::isnan(verdicts[first])) continue;
      if (!own.column.empty() && own.column.back() == Raw(review.track)) {
        own.value.back() = verdicts[first];  // the newest of several
      } else {
        own.column.push_back(Raw(review.track));
        own.value.push_back(verdicts[first]);
      }
    }
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    models::SparseVector words;
    for (const uint32_t term : touched) {
      words.column.push_back(term);
      words.value.push_back(dense[term]);
      dense[term] = 0;
    }
    reviewers.names.push_back(data.listeners[Raw(listener)]);
    reviewers.words.Add(words);
    reviewers.verdicts.Add(own);
  }
  return reviewers;
}

}  // namespace segue::train
