#include "deploy/step.h"

#include <cmath>
#include <utility>

namespace segue::deploy {
namespace {

constexpr int64_t kNewest = 20;  ///< steps of other kinds may have come in between

}  // namespace

std::string FiguresOf(const Approval& approval) {
  std::string figures = "{";
  for (const Check& check : approval.checks()) {
    const std::string value = std::isfinite(check.value) ? std::to_string(check.value) : "null";
    figures += (figures.size() > 1 ? ",\"" : "\"") + check.name + "\":" + value;
  }
  return figures + "}";
}

Status CheckRegistered(const Approval& approval, const store::Catalog& catalog) {
  SEGUE_TRY(const auto model, catalog.FindModel(approval.model_id()));
  if (!model) return Error{ErrorCode::kNotFound, "model " + approval.model_id() + " is not in the registry"};
  if (model->kind == approval.kind()) return {};
  return Error{ErrorCode::kConflict, "model " + approval.model_id() + " is in the registry as a model of kind '" + std::string(Name(model->kind)) +
                                         "', it was approved as one of kind '" + std::string(Name(approval.kind())) + "'"};
}

store::DeploymentRecord Written(store::DeploymentRecord record, const store::Catalog& catalog) {
  const auto history = catalog.Deployments(kNewest);
  if (!history.ok()) return record;
  for (const auto& step : *history) {
    if (step.kind != record.kind) continue;
    if (step.action == record.action && step.from_model == record.from_model && step.to_model == record.to_model) record.seq = step.seq;
    break;
  }
  return record;
}

}  // namespace segue::deploy
