#include <charconv>

#include <nlohmann/json.hpp>

#include "serve/api.h"
#include "serve/record_json.h"
#include "store/log_search.h"

// What the API tells of what is watched: metrics, alarms, logs, drift.
namespace segue::serve {
namespace {

using nlohmann::json;

std::string Asked(const Request& request, const char* name) {
  const auto it = request.query.find(name);
  return it == request.query.end() ? "" : it->second;
}

Result<int64_t> AlarmId(const Request& request) {
  const std::string& text = request.path[2];
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc() && end == text.data() + text.size()) return id;
  return Error{ErrorCode::kNotFound, "there is no alarm '" + text + "'"};
}

}  // namespace

Response Api::Metrics() const {
  PrometheusText out;
  if (context_.settings.metrics == "on") counters_.Expose(out);
  const auto snapshot = live_.Now();
  const bool live = snapshot->model() != nullptr;
  out.One("segue_model_live", "gauge", "1 where a model is live.", live ? 1 : 0);
  if (live) {
    out.One("segue_model_live_since_timestamp_seconds", "gauge", "Unix time since which the model is live.", static_cast<double>(snapshot->live_since()));
    out.One("segue_model_info", "gauge", "The live model.", 1,
            {{"model_id", snapshot->model_id()}, {"algorithm", snapshot->model()->algorithm()}, {"dataset_id", snapshot->dataset_id()}});
  }
  out.One("segue_impressions_total", "counter", "Lists logged as impressions.", static_cast<double>(lists_.impressions().written()));
  out.One("segue_impressions_dropped_total", "counter", "Lists that found no room in the log of impressions.", static_cast<double>(lists_.impressions().dropped()));
  out.One("segue_catalogue_tracks", "gauge", "Tracks of the dataset that is served.", static_cast<double>(snapshot->data().tracks.size()));
  out.One("segue_catalogue_listeners", "gauge", "Listeners of the dataset that is served.", static_cast<double>(snapshot->data().listener_count()));
  return {.body = out.text() + (context_.observer == nullptr ? "" : context_.observer->Exposition()), .type = "text/plain; version=0.0.4"};
}

Response Api::Alarms(const Request& request) const {
  const auto n = QueryNumber(request, "n", 100, 1, 1000);
  const auto before = QueryNumber(request, "before", 0, 0, INT64_MAX);
  if (!n.ok() || !before.ok()) return ProblemOf(n.ok() ? before.error() : n.error());
  const std::string state = Asked(request, "state");
  for (const std::string_view known : {"", "open", "pending", "firing", "resolved", "inactive"}) {
    if (state != known) continue;
    const auto alarms = context_.catalog.alarm_book().ListAlarms({.state = state, .name = Asked(request, "name"), .before = *before, .limit = *n});
    if (!alarms.ok()) return ProblemOf(alarms.error());
    json items = json::array();
    for (const auto& alarm : *alarms) items.push_back(store::ToJson(alarm));
    const bool more = alarms->size() == static_cast<size_t>(*n);
    return Json({{"items", items}, {"next", more ? json(alarms->back().id) : json()}});
  }
  return Problem(400, "Bad request", "parameter 'state' is '" + state + "', expected open, pending, firing, resolved or inactive");
}

Response Api::OneAlarm(const Request& request) const {
  const auto id = AlarmId(request);
  if (!id.ok()) return ProblemOf(id.error());
  const auto alarms = context_.catalog.alarm_book().FindAlarm(*id);
  const auto history = context_.catalog.alarm_book().AlarmHistory(*id);
  if (!alarms.ok() || !history.ok()) return ProblemOf(alarms.ok() ? history.error() : alarms.error());
  if (alarms->empty()) return Problem(404, "Not found", "there is no alarm '" + request.path[2] + "'");
  json alarm = store::ToJson(alarms->front());
  alarm["history"] = json::array();
  for (const auto& change : *history) alarm["history"].push_back(store::ToJson(change));
  return Json(alarm);
}

Response Api::AcknowledgeAlarm(const Request& request) {
  const auto id = AlarmId(request);
  if (!id.ok()) return ProblemOf(id.error());
  std::string note;
  if (!request.body.empty()) {
    const auto body = ParseObject(request.body);
    if (!body.ok()) return ProblemOf(body.error());
    const json given = body->value("note", json(""));
    if (!given.is_string()) return Problem(400, "Bad request", "note: expected a text");
    note = given.get<std::string>();
  }
  const auto alarm = context_.catalog.alarm_book().AcknowledgeAlarm(*id, "api", note, context_.clock.NowMs());
  return alarm.ok() ? Json(store::ToJson(*alarm)) : ProblemOf(alarm.error());
}

Response Api::Logs(const Request& request) const {
  const auto n = QueryNumber(request, "n", 100, 1, 1000);
  if (!n.ok()) return ProblemOf(n.error());
  const auto page = store::SearchLogs(context_.bucket, context_.catalog, context_.folder,
                                      {.run_id = Asked(request, "run"), .stage = Asked(request, "stage"), .level = Asked(request, "level"),
                                       .text = Asked(request, "q"), .since = Asked(request, "since"), .until = Asked(request, "until"),
                                       .limit = *n, .cursor = Asked(request, "cursor")});
  if (!page.ok()) return ProblemOf(page.error());
  json items = json::array();
  for (const auto& entry : page->entries) {
    json item = json::parse(entry.line, nullptr, false);
    item["run_id"] = OrNull(entry.run_id);
    items.push_back(std::move(item));
  }
  return Json({{"items", items}, {"next", OrNull(page->next)}});
}

Response Api::Drift(const Request& request) const {
  const std::string& dataset_id = request.path[2];
  if (!context_.bucket.Exists(store::DatasetKey(dataset_id, "manifest.json"))) {
    return Problem(404, "Not found", "there is no dataset '" + dataset_id + "'");
  }
  json answer = {{"dataset_id", dataset_id}, {"run_id", json()}, {"baseline_dataset_id", json()}, {"columns", json::array()},
                 {"predictions", json()}, {"listening", json()}};
  constexpr int64_t kPage = 200;
  for (int64_t offset = 0; answer["run_id"].is_null(); offset += kPage) {
    const auto runs = context_.catalog.Runs(offset, kPage);
    if (!runs.ok()) return ProblemOf(runs.error());
    for (const auto& run : *runs) {
      if (run.dataset_id != dataset_id) continue;
      const auto text = context_.bucket.Get(store::RunKey(run.run_id, "drift.json"));
      const json drift = text.ok() ? json::parse(*text, nullptr, false) : json();
      if (!drift.is_object()) continue;
      answer.update(drift);
      answer["run_id"] = run.run_id;
      break;
    }
    if (runs->size() < static_cast<size_t>(kPage)) break;
  }
  const auto listening = context_.catalog.Meta("listening_drift");
  if (listening.ok() && !listening->empty()) {
    const json found = Kept(*listening);
    if (found.is_object() && found.value("dataset_id", "") == dataset_id) answer["listening"] = found;
  }
  return Json(answer);
}

}  // namespace segue::serve
