#include "serve/record_json.h"

#include <nlohmann/json.hpp>

#include "store/clock.h"

namespace segue::serve {

using nlohmann::json;

Response Json(const json& body, int status) {
  return {.status = status, .body = body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

/// What the catalog keeps as JSON text; null where it keeps none.
json Kept(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json() : value;
}

json OrNull(const std::string& text) { return text.empty() ? json() : json(text); }

json RunJson(const store::RunRecord& run) {
  json stages = json::array(), fresh;
  for (const auto& stage : run.stages) {
    const json detail = Kept(stage.detail);
    if (stage.name == "ingest" && detail.is_object()) fresh = detail.value("new", json());
    const int64_t end = stage.finished_ms == 0 ? stage.started_ms : stage.finished_ms;
    stages.push_back({{"name", stage.name}, {"state", stage.state},
                      {"seconds", static_cast<double>(end - stage.started_ms) / 1000}, {"detail", detail}});
  }
  return {{"run_id", run.run_id}, {"trigger", run.trigger}, {"trigger_detail", run.trigger_detail},
          {"state", run.state}, {"started", store::Iso8601(run.started_ms / 1000)},
          {"finished", run.finished_ms == 0 ? json() : json(store::Iso8601(run.finished_ms / 1000))},
          {"stages", stages}, {"verdict", Kept(run.verdict)}, {"model_id", OrNull(run.model_id)},
          {"dataset_id", OrNull(run.dataset_id)}, {"error", OrNull(run.error)}, {"new", fresh}};
}

json ModelJson(const store::ModelRecord& model, const std::vector<store::AliasRecord>& aliases) {
  json names = json::array();
  for (const auto& alias : aliases) {
    if (alias.model_id != model.model_id) continue;
    const bool of_hits = alias.name == "live-hits" || alias.name == "previous-hits";
    names.push_back(of_hits ? alias.name.substr(0, alias.name.rfind('-')) : alias.name);
  }
  const json report = Kept(model.report);
  return {{"model_id", model.model_id}, {"kind", Name(model.kind)}, {"algorithm", model.algorithm}, {"dataset_id", model.dataset_id},
          {"run_id", model.run_id}, {"created", store::Iso8601(model.created_at)}, {"approved", model.approved},
          {"aliases", names}, {"figures", report.is_object() ? report.value("figures", json()) : json()},
          {"verdict", Kept(model.verdict)}, {"manifest", Kept(model.manifest)}};
}

json EventJson(const store::FeedbackEvent& event) {
  return {{"event_id", event.event_id}, {"listener", event.listener}, {"kind", event.kind}, {"at", event.at > 0 ? json(store::Iso8601(event.at)) : json()},
          {"track_id", event.track_id}, {"artist", OrNull(event.artist)}, {"title", OrNull(event.title)}, {"album", OrNull(event.album)},
          {"source_id", OrNull(event.source_id)}, {"value", event.value}, {"ms_played", event.ms_played < 0 ? json() : json(event.ms_played)},
          {"duration_ms", event.duration_ms == 0 ? json() : json(event.duration_ms)}, {"list_id", OrNull(event.list_id)},
          {"source", OrNull(event.source)}, {"received", event.received_at > 0 ? json(store::Iso8601(event.received_at)) : json()}};
}

json ForgottenJson(store::Catalog& catalog, const store::Forgotten& forgotten, bool known) {
  const std::string& listener = forgotten.tombstone.listener;
  json speaking = json::array();
  if (const auto tokens = catalog.access().Tokens(); tokens.ok()) {
    for (const auto& token : *tokens) {
      if (token.listener == listener && token.revoked_at == 0) speaking.push_back(token.name);
    }
  }
  return {{"listener", listener}, {"at", store::Iso8601(forgotten.tombstone.at)}, {"known", known},
          {"removed", {{"events", forgotten.events}, {"lists", forgotten.lists}}}, {"tokens", speaking}, {"remains", store::kWhatForgettingLeaves}};
}

json DeploymentJson(const store::DeploymentRecord& d) {
  return {{"seq", d.seq}, {"kind", Name(d.kind)}, {"at", store::Iso8601(d.at)}, {"actor", d.actor}, {"action", d.action},
          {"from", OrNull(d.from_model)}, {"to", d.to_model}, {"reason", d.reason}, {"figures", Kept(d.figures)}};
}

}  // namespace segue::serve
