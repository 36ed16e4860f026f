#pragma once

#include <optional>
#include <string_view>

namespace segue {

/// What a model is for. Each kind has a live model of its own.
enum class ModelKind {
  kRecommender,  ///< which tracks a listener will like: models::Model
  kHits,         ///< which tracks become hits: models::Classifier
};

/// "recommender", "hits".
std::string_view Name(ModelKind kind);
std::optional<ModelKind> ParseModelKind(std::string_view name);

}  // namespace segue
