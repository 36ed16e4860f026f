#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "serve/http.h"
#include "store/catalog.h"

// The catalog's records as the API shows them (docs/http.md).
namespace segue::serve {

/// A JSON answer; bytes that are no UTF-8 are replaced.
Response Json(const nlohmann::json& body, int status = 200);

/// What the catalog keeps as JSON text; null where it keeps none.
nlohmann::json Kept(const std::string& text);
/// null for "".
nlohmann::json OrNull(const std::string& text);

/// "new" is what the run found that the last judged one had not: {"objects","rows","events","config"?}.
nlohmann::json RunJson(const store::RunRecord& run);
/// `aliases`: of all models. Both live and live-hits are shown as "live", and previous-hits as "previous".
nlohmann::json ModelJson(const store::ModelRecord& model, const std::vector<store::AliasRecord>& aliases);
/// What is not known of an event is null.
nlohmann::json EventJson(const store::FeedbackEvent& event);
/// What was removed of a listener, what stays where it cannot be changed, and which
/// tokens still speak for him. `known`: was anything known of him?
nlohmann::json ForgottenJson(store::Catalog& catalog, const store::Forgotten& forgotten, bool known);
nlohmann::json DeploymentJson(const store::DeploymentRecord& deployment);

}  // namespace segue::serve
