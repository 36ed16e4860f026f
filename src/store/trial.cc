#include "store/trial.h"

#include <nlohmann/json.hpp>

namespace segue::store {

double TrialShare(const DeploymentRecord& trial) {
  const nlohmann::json figures = nlohmann::json::parse(trial.figures, nullptr, false);
  return figures.is_object() ? figures.value("share", 0.0) : 0.0;
}

}  // namespace segue::store
