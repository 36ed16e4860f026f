#include "core/model_kind.h"

namespace segue {

std::string_view Name(ModelKind kind) { return kind == ModelKind::kHits ? "hits" : "recommender"; }

std::optional<ModelKind> ParseModelKind(std::string_view name) {
  for (const ModelKind kind : {ModelKind::kRecommender, ModelKind::kHits}) {
    if (Name(kind) == name) return kind;
  }
  return std::nullopt;
}

}  // namespace segue
