#include "serve/api.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "core/check.h"
#include "core/version.h"
#include "serve/events.h"
#include "serve/page.h"
#include "store/dataset_store.h"
#include "store/duck.h"

namespace segue::serve {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr auto kLongestWait = std::chrono::seconds(10);

Response Json(const json& body, int status = 200) {
  return {.status = status, .body = body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

/// What the catalog keeps as JSON text; null where it keeps none.
json Kept(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json() : value;
}

json OrNull(const std::string& text) { return text.empty() ? json() : json(text); }

json RunJson(const store::RunRecord& run) {
  json stages = json::array();
  for (const auto& stage : run.stages) {
    const int64_t end = stage.finished_ms == 0 ? stage.started_ms : stage.finished_ms;
    stages.push_back({{"name", stage.name}, {"state", stage.state},
                      {"seconds", static_cast<double>(end - stage.started_ms) / 1000}, {"detail", Kept(stage.detail)}});
  }
  return {{"run_id", run.run_id}, {"trigger", run.trigger}, {"trigger_detail", run.trigger_detail},
          {"state", run.state}, {"started", store::Iso8601(run.started_ms / 1000)},
          {"finished", run.finished_ms == 0 ? json() : json(store::Iso8601(run.finished_ms / 1000))},
          {"stages", stages}, {"verdict", Kept(run.verdict)}, {"model_id", OrNull(run.model_id)},
          {"dataset_id", OrNull(run.dataset_id)}, {"error", OrNull(run.error)}};
}

json ModelJson(const store::ModelRecord& model, const std::vector<store::DeploymentRecord>& live) {
  json aliases = json::array();
  for (const auto& deployment : live) {
    if (model.model_id == deployment.to_model) aliases.push_back("live");
    if (model.model_id == deployment.from_model) aliases.push_back("previous");
  }
  const json report = Kept(model.report);
  return {{"model_id", model.model_id}, {"kind", Name(model.kind)}, {"algorithm", model.algorithm}, {"dataset_id", model.dataset_id},
          {"run_id", model.run_id}, {"created", store::Iso8601(model.created_at)}, {"approved", model.approved},
          {"aliases", aliases}, {"figures", report.is_object() ? report.value("figures", json()) : json()},
          {"verdict", Kept(model.verdict)}, {"manifest", Kept(model.manifest)}};
}

json DeploymentJson(const store::DeploymentRecord& d) {
  return {{"seq", d.seq}, {"kind", Name(d.kind)}, {"at", store::Iso8601(d.at)}, {"actor", d.actor}, {"action", d.action},
          {"from", OrNull(d.from_model)}, {"to", d.to_model}, {"reason", d.reason}, {"figures", Kept(d.figures)}};
}

Response WrongMethod(const std::string& allow) {
  Response response = Problem(405, "Method not allowed", "this address takes " + allow);
  response.allow = allow;
  return response;
}

/// Equal without telling by the time it takes where the two part.
bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string RandomHex() {
  unsigned char bytes[8];
  SEGUE_CHECK(RAND_bytes(bytes, sizeof bytes) == 1);
  char text[17];
  for (int i = 0; i < 8; ++i) std::snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  return text;
}

void Counters::Note(std::string_view route, int status, uint64_t microseconds) {
  {
    const std::lock_guard lock(mutex_);
    ++requests_[{route, status}];
  }
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), microseconds) - kBounds.begin();
  ++latency[static_cast<size_t>(bucket)];
  latency_sum_us += microseconds;
}

std::map<std::pair<std::string_view, int>, uint64_t> Counters::Requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

Api::Api(const Context& context) : context_(context), live_(context), recommender_(context_.settings) {}
Api::~Api() = default;

bool Api::Allowed(const Request& request) const {
  const std::string& token = context_.settings.token;
  return token.empty() || request.path.empty() || request.path[0] != "v1" || SameSecret(request.authorization, "Bearer " + token);
}

std::span<const Api::Row> Api::Rows() {
  static constexpr Row kRows[] = {
      {"GET", "/", [](Api& api, const Request&) { return api.Index(); }},
      {"GET", "/healthz", [](Api&, const Request&) { return Json({{"status", "ok"}}); }},
      {"GET", "/readyz", [](Api& api, const Request&) { return api.Ready(); }},
      {"GET", "/metrics", [](Api& api, const Request&) { return api.Metrics(); }},
      {"GET", "/v1/status", [](Api& api, const Request&) { return api.Status(); }},
      {"GET", "/v1/listeners", [](Api& api, const Request& r) { return api.Listeners(r); }},
      {"GET", "/v1/listeners/{id}/recommendations", [](Api& api, const Request& r) { return api.Recommendations(r); }},
      {"GET", "/v1/listeners/{id}/hits", [](Api& api, const Request& r) { return api.ListenerHits(r); }},
      {"GET", "/v1/hits", [](Api& api, const Request&) { return api.Hits(); }},
      {"POST", "/v1/hits/predict", [](Api& api, const Request& r) { return PredictHits(*api.live_.Now(), r.body); }},
      {"GET", "/v1/tracks", [](Api& api, const Request& r) { return api.Tracks(r); }},
      {"GET", "/v1/tracks/{id}", [](Api& api, const Request& r) { return api.Track(r); }},
      {"GET", "/v1/tracks/{id}/similar", [](Api& api, const Request& r) { return api.Similar(r); }},
      {"GET", "/v1/tracks/{id}/hit", [](Api& api, const Request& r) { return api.TrackHit(r); }},
      {"POST", "/v1/events", [](Api& api, const Request& r) { return api.Events(r); }},
      // Uploads go past Handle: their bodies do not fit in memory.
      {"PUT", "/v1/inbox/{name}", nullptr},
      {"GET", "/v1/runs", [](Api& api, const Request& r) { return api.Runs(r); }},
      {"POST", "/v1/runs", [](Api& api, const Request& r) { return api.Ask("run", r, ""); }},
      {"GET", "/v1/runs/{id}", [](Api& api, const Request& r) { return api.OneRun(r); }},
      {"GET", "/v1/runs/{id}/logs", [](Api& api, const Request& r) { return api.RunLog(r); }},
      {"GET", "/v1/models", [](Api& api, const Request& r) { return api.Models(r); }},
      {"POST", "/v1/models/rollback", [](Api& api, const Request& r) { return api.Ask("rollback", r, ""); }},
      {"GET", "/v1/models/{id}", [](Api& api, const Request& r) { return api.OneModel(r); }},
      {"POST", "/v1/models/{id}/promote", [](Api& api, const Request& r) { return api.Promote(r); }},
      {"GET", "/v1/deployments", [](Api& api, const Request&) { return api.Deployments(); }},
      {"GET", "/v1/alarms", [](Api& api, const Request&) { return api.Alarms(); }},
      {"GET", "/v1/datasets/{id}/quality", [](Api& api, const Request& r) { return api.Quality(r); }},
      {"GET", "/v1/datasets/{id}/rejected", [](Api& api, const Request& r) { return api.Rejected(r); }},
      {"GET", "/v1/quarantine", [](Api& api, const Request& r) { return api.Quarantine(r); }},
  };
  return kRows;
}

std::string_view Api::RouteOf(const Request& request) {
  for (const Row& row : Rows()) {
    if (Matches(row.pattern, request.path)) return row.pattern;
  }
  return "";
}

Response Api::Handle(const Request& request) {
  if (!Allowed(request)) return Problem(401, "Unauthorized", "send the token: Authorization: Bearer ...");
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  std::string allow;
  for (const Row& row : Rows()) {
    if (!Matches(row.pattern, request.path)) continue;
    if (row.method == method && row.answer != nullptr) return row.answer(*this, request);
    allow += (allow.empty() ? "" : ", ") + std::string(row.method == "GET" ? "GET, HEAD" : row.method);
  }
  return allow.empty() ? Problem(404, "Not found", "there is nothing at " + request.target) : WrongMethod(allow);
}

Response Api::Index() const { return {.body = std::string(kIndexPage), .type = "text/html; charset=utf-8"}; }

Response Api::Status() const {
  const auto snapshot = live_.Now();
  const auto runs = context_.catalog.Runs(0, 1);
  if (!runs.ok()) return ProblemOf(runs.error());
  const auto inbox = context_.bucket.List("inbox");
  json live;
  if (snapshot->model() != nullptr) {
    live = {{"model_id", snapshot->model_id()}, {"since", store::Iso8601(snapshot->live_since())},
            {"algorithm", snapshot->model()->algorithm()}};
  }
  json hits;
  if (const auto view = snapshot->hits()) {
    hits = {{"model_id", view->model_id}, {"since", store::Iso8601(view->live_since)}};
  }
  const bool running = !runs->empty() && runs->front().state == "running";
  return Json({{"version", kVersion}, {"live", live}, {"hits", hits}, {"run", running ? RunJson(runs->front()) : json()},
               {"inbox", {{"pending", inbox.ok() ? inbox->size() : 0}}},
               {"catalogue", {{"tracks", snapshot->data().tracks.size()}, {"listeners", snapshot->data().listener_count()}}}});
}

Response Api::Ready() const {
  if (live_.Now()->model() != nullptr) return Json({{"status", "ready"}});
  return Problem(503, "Not ready", "no model is live yet");
}

Response Api::Metrics() const {
  std::ostringstream out;
  const auto metric = [&](const char* name, const char* type, const char* help, auto value) {
    out << "# HELP " << name << ' ' << help << "\n# TYPE " << name << ' ' << type << '\n' << name << ' ' << value << '\n';
  };
  const auto snapshot = live_.Now();
  const bool live = snapshot->model() != nullptr;
  out << "# HELP segue_requests_total Requests answered.\n# TYPE segue_requests_total counter\n";
  for (const auto& [what, count] : counters_.Requests()) {
    out << "segue_requests_total{route=\"" << (what.first.empty() ? "none" : what.first) << "\",status=\"" << what.second
        << "\"} " << count << '\n';
  }
  metric("segue_lists_total", "counter", "Recommendation lists given.", counters_.lists.load());
  metric("segue_events_total", "counter", "Feedback events accepted.", counters_.events.load());
  metric("segue_model_live", "gauge", "1 where a model is live.", live ? 1 : 0);
  metric("segue_model_live_since_seconds", "gauge", "Unix time since which the model is live.", snapshot->live_since());
  if (live) {
    out << "# HELP segue_model_info The live model.\n# TYPE segue_model_info gauge\nsegue_model_info{model_id=\""
        << snapshot->model_id() << "\",algorithm=\"" << snapshot->model()->algorithm() << "\"} 1\n";
  }
  out << "# HELP segue_request_seconds Time to answer.\n# TYPE segue_request_seconds histogram\n";
  uint64_t sum = 0;
  for (size_t i = 0; i < counters_.latency.size(); ++i) {
    sum += counters_.latency[i].load();
    out << "segue_request_seconds_bucket{le=\"";
    if (i < Counters::kBounds.size()) {
      out << static_cast<double>(Counters::kBounds[i]) / 1e6;
    } else {
      out << "+Inf";
    }
    out << "\"} " << sum << '\n';
  }
  out << "segue_request_seconds_sum " << static_cast<double>(counters_.latency_sum_us.load()) / 1e6
      << "\nsegue_request_seconds_count " << sum << '\n';
  return {.body = out.str(), .type = "text/plain; version=0.0.4"};
}

Response Api::Listeners(const Request& request) const {
  const auto n = QueryNumber(request, "n", 100, 1, 10'000);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX);
  if (!n.ok() || !offset.ok()) return ProblemOf(n.ok() ? offset.error() : n.error());
  const auto snapshot = live_.Now();
  const auto& names = snapshot->data().listeners;
  json items = json::array();
  for (size_t i = static_cast<size_t>(*offset); i < names.size() && items.size() < static_cast<size_t>(*n); ++i) {
    items.push_back({{"listener", names[i]}, {"events", snapshot->data().EventsOf(UserIx{static_cast<uint32_t>(i)}).size()}});
  }
  const size_t next = static_cast<size_t>(*offset) + items.size();
  return Json({{"items", items}, {"next", next < names.size() ? json(next) : json()}, {"total", names.size()}});
}

Response Api::Recommendations(const Request& request) {
  const auto n = QueryNumber(request, "n", 10, 1, 1000);
  if (!n.ok()) return ProblemOf(n.error());
  const auto asked = request.query.find("mode");
  const std::string mode = asked == request.query.end() ? "discovery" : asked->second;
  if (mode != "discovery" && mode != "next") {
    return Problem(400, "Bad request", "parameter 'mode' is '" + mode + "', expected discovery or next");
  }
  const auto snapshot = live_.Now();
  std::string body = recommender_.ListFor(*snapshot, request.path[2], mode == "next" ? Mode::kNext : Mode::kDiscovery,
                                          static_cast<size_t>(*n));
  ++counters_.lists;
  // Each answer is a list of its own, so that feedback can name it.
  return {.body = "{\"list_id\":\"" + RandomHex() + "\"," + body.substr(1)};
}

Response Api::Tracks(const Request& request) const {
  const auto n = QueryNumber(request, "n", 20, 1, 1000);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX);
  if (!n.ok() || !offset.ok()) return ProblemOf(n.ok() ? offset.error() : n.error());
  const auto q = request.query.find("q");
  const auto snapshot = live_.Now();
  json items = json::array();
  const auto found = snapshot->Search(q == request.query.end() ? "" : q->second, static_cast<size_t>(*offset), static_cast<size_t>(*n));
  for (const uint32_t row : found) items.push_back(TrackJson(*snapshot, row));
  const bool more = found.size() == static_cast<size_t>(*n);
  return Json({{"items", items}, {"next", more ? json(*offset + *n) : json()}});
}

Response Api::Track(const Request& request) const {
  const auto snapshot = live_.Now();
  const auto row = snapshot->RowOf(request.path[2]);
  if (!row) return Problem(404, "Not found", "there is no track '" + request.path[2] + "'");
  return Json(TrackJson(*snapshot, *row));
}

Response Api::TrackHit(const Request& request) const {
  const auto snapshot = live_.Now();
  const auto row = snapshot->RowOf(request.path[2]);
  if (!row) return Problem(404, "Not found", "there is no track '" + request.path[2] + "'");
  return HitOfTrack(*snapshot, *row);
}

Response Api::ListenerHits(const Request& request) const {
  const auto n = QueryNumber(request, "n", 20, 0, 1000);
  if (!n.ok()) return ProblemOf(n.error());
  return HitsOfListener(*live_.Now(), request.path[2], static_cast<size_t>(*n));
}

Response Api::Hits() const { return Json(HitsOfCatalogue(*live_.Now())); }

Response Api::Similar(const Request& request) const {
  const auto n = QueryNumber(request, "n", 10, 1, 1000);
  if (!n.ok()) return ProblemOf(n.error());
  const auto snapshot = live_.Now();
  const auto row = snapshot->RowOf(request.path[2]);
  if (!row) return Problem(404, "Not found", "there is no track '" + request.path[2] + "'");
  const auto listener = request.query.find("listener");
  return Json(SimilarTo(*snapshot, *row, listener == request.query.end() ? "" : listener->second, static_cast<size_t>(*n)));
}

Response Api::Events(const Request& request) {
  const auto events = ParseEvents(request.body, *live_.Now(), context_.clock.NowSeconds());
  if (!events.ok()) return ProblemOf(events.error());
  const auto outcome = context_.catalog.AppendEvents(*events);
  if (!outcome.ok()) return ProblemOf(outcome.error());
  counters_.events += static_cast<uint64_t>(outcome->accepted);
  // They are durable: what follows may fail without a loss.
  if (const auto caught = live_.CatchUp(); !caught.ok()) context_.instruments.Warn("serve", caught.error().message);
  return Json({{"accepted", outcome->accepted}, {"duplicates", outcome->duplicates}});
}

Response Api::Runs(const Request& request) const {
  const auto n = QueryNumber(request, "n", 50, 1, 1000);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX);
  if (!n.ok() || !offset.ok()) return ProblemOf(n.ok() ? offset.error() : n.error());
  const auto runs = context_.catalog.Runs(*offset, *n);
  if (!runs.ok()) return ProblemOf(runs.error());
  json items = json::array();
  for (const auto& run : *runs) items.push_back(RunJson(run));
  return Json({{"items", items}, {"next", runs->size() == static_cast<size_t>(*n) ? json(*offset + *n) : json()}});
}

Response Api::OneRun(const Request& request) const {
  const auto run = context_.catalog.FindRun(request.path[2]);
  if (!run.ok()) return ProblemOf(run.error());
  if (!*run) return Problem(404, "Not found", "there is no run '" + request.path[2] + "'");
  return Json(RunJson(**run));
}

Response Api::RunLog(const Request& request) const {
  const auto run = context_.catalog.FindRun(request.path[2]);
  if (!run.ok()) return ProblemOf(run.error());
  if (!*run) return Problem(404, "Not found", "there is no run '" + request.path[2] + "'");
  const std::string type = "application/x-ndjson";
  const auto kept = context_.bucket.Get(store::RunKey((*run)->run_id, "log.ndjson"));
  if (kept.ok() && (*run)->state != "running") return {.body = *kept, .type = type};
  std::ostringstream text;
  if (std::ifstream file(context_.folder.run_log((*run)->run_id)); file) text << file.rdbuf();
  return {.body = text.str(), .type = type};
}

Response Api::Models(const Request& request) const {
  const auto n = QueryNumber(request, "n", 50, 1, 1000);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX);
  if (!n.ok() || !offset.ok()) return ProblemOf(n.ok() ? offset.error() : n.error());
  const auto models = context_.catalog.Models(*offset, *n);
  const auto live = LiveModels();
  if (!models.ok() || !live.ok()) return ProblemOf(models.ok() ? live.error() : models.error());
  json items = json::array();
  for (const auto& model : *models) {
    items.push_back(ModelJson(model, *live));
  }
  return Json({{"items", items}, {"next", models->size() == static_cast<size_t>(*n) ? json(*offset + *n) : json()}});
}

Response Api::OneModel(const Request& request) const {
  const auto model = context_.catalog.FindModel(request.path[2]);
  const auto live = LiveModels();
  if (!model.ok() || !live.ok()) return ProblemOf(model.ok() ? live.error() : model.error());
  if (!*model) return Problem(404, "Not found", "there is no model '" + request.path[2] + "'");
  return Json(ModelJson(**model, *live));
}

Result<std::vector<store::DeploymentRecord>> Api::LiveModels() const {
  std::vector<store::DeploymentRecord> all;
  for (const ModelKind kind : {ModelKind::kRecommender, ModelKind::kHits}) {
    SEGUE_TRY(const auto live, context_.catalog.Live(kind));
    if (live) all.push_back(*live);
  }
  return all;
}

Response Api::Deployments() const {
  const auto deployments = context_.catalog.Deployments(1000);
  if (!deployments.ok()) return ProblemOf(deployments.error());
  json items = json::array();
  for (const auto& deployment : *deployments) items.push_back(DeploymentJson(deployment));
  return Json({{"items", items}});
}

Response Api::Alarms() const {
  const auto alarms = context_.catalog.Alarms(1000);
  if (!alarms.ok()) return ProblemOf(alarms.error());
  json items = json::array();
  for (const auto& alarm : *alarms) {
    items.push_back({{"id", alarm.id}, {"at", store::Iso8601(alarm.at)}, {"severity", alarm.severity},
                     {"name", alarm.name}, {"message", alarm.message}, {"run_id", OrNull(alarm.run_id)}});
  }
  return Json({{"items", items}});
}

Response Api::Quality(const Request& request) const {
  const std::string key = store::DatasetKey(request.path[2], "quality.json");
  const auto text = context_.bucket.Get(key);
  if (!text.ok()) return Problem(404, "Not found", "there is no dataset '" + request.path[2] + "'");
  return {.body = *text};
}

Response Api::Rejected(const Request& request) const {
  const auto n = QueryNumber(request, "n", 100, 1, 10'000);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX / 2);
  if (!n.ok() || !offset.ok()) return ProblemOf(n.ok() ? offset.error() : n.error());
  const auto path = context_.bucket.LocalPath(store::DatasetKey(request.path[2], "rejected.parquet"));
  if (!path.ok()) return Problem(404, "Not found", "there is no dataset '" + request.path[2] + "'");
  const auto duck = store::OpenDuck({.threads = 1, .memory_limit_mb = 256});
  if (!duck.ok()) return ProblemOf(duck.error());
  json items = json::array();
  const segue::Status read = (*duck)->Query(
      "SELECT coalesce(file,''), coalesce(line,0)::BIGINT, coalesce(rule,''), coalesce(field,''), coalesce(reason,''), "
      "coalesce(sample,'') FROM read_parquet(" + store::Quoted(path->string()) + ") LIMIT " + std::to_string(*n) +
          " OFFSET " + std::to_string(*offset),
      [&](const store::DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows(); ++r) {
          items.push_back({{"file", chunk.Text(0, r)}, {"line", chunk.Int(1, r)}, {"rule", chunk.Text(2, r)},
                           {"field", chunk.Text(3, r)}, {"reason", chunk.Text(4, r)}, {"sample", chunk.Text(5, r)}});
        }
      });
  if (!read.ok()) return ProblemOf(read.error());
  const bool more = items.size() == static_cast<size_t>(*n);
  return Json({{"items", items}, {"next", more ? json(*offset + *n) : json()}});
}

Response Api::Quarantine(const Request& request) const {
  const auto n = QueryNumber(request, "n", 100, 1, 10'000);
  const auto before = QueryNumber(request, "before", 0, 0, INT64_MAX);
  if (!n.ok() || !before.ok()) return ProblemOf(n.ok() ? before.error() : n.error());
  const auto rows = context_.catalog.Quarantine(*before, *n);
  const auto total = context_.catalog.QuarantineCount();
  if (!rows.ok() || !total.ok()) return ProblemOf(rows.ok() ? total.error() : rows.error());
  json items = json::array();
  for (const auto& row : *rows) {
    items.push_back({{"id", row.id}, {"file", row.file}, {"line", row.line == 0 ? json() : json(row.line)},
                     {"field", OrNull(row.field)}, {"reason", row.reason}, {"sample", row.sample},
                     {"sha256", row.sha256}, {"at", store::Iso8601(row.at)}});
  }
  return Json({{"items", items}, {"total", *total},
               {"next", rows->size() == static_cast<size_t>(*n) ? json(rows->back().id) : json()}});
}

Response Api::Promote(const Request& request) {
  const auto model = context_.catalog.FindModel(request.path[2]);
  if (!model.ok()) return ProblemOf(model.error());
  if (!*model) return Problem(404, "Not found", "there is no model '" + request.path[2] + "'");
  return Ask("promote", request, request.path[2]);
}

Response Api::Ask(const std::string& kind, const Request& request, const std::string& model_id) {
  json arguments = json::object();
  if (!request.body.empty()) {
    const auto body = ParseObject(request.body);
    if (!body.ok()) return ProblemOf(body.error());
    const auto reason = body->find("reason");
    if (reason != body->end() && !reason->is_string()) return Problem(400, "Bad request", "reason: expected a text");
    arguments["reason"] = body->value("reason", "");
    if (const auto model_kind = body->find("kind"); model_kind != body->end()) {
      if (!model_kind->is_string() || !ParseModelKind(model_kind->get<std::string>())) {
        return Problem(400, "Bad request", "kind: expected \"recommender\" or \"hits\"");
      }
      arguments["kind"] = *model_kind;
    }
  }
  if (!model_id.empty()) arguments["model_id"] = model_id;
  const auto id = context_.catalog.AddCommand({.kind = kind, .arguments = arguments.dump(), .actor = "api", .state = "pending"});
  if (!id.ok()) return ProblemOf(id.error());
  const Response accepted = Json({{"command_id", *id}}, 202);
  if (kind == "run") return accepted;
  Response response;
  response.later = [this, id = *id, accepted, end = steady_clock::now() + kLongestWait]() -> std::optional<Response> {
    const auto command = context_.catalog.FindCommand(id);
    if (!command.ok()) return ProblemOf(command.error());
    if (*command && (*command)->state == "pending") {
      return steady_clock::now() < end ? std::nullopt : std::optional(accepted);
    }
    const json outcome = *command ? Kept((*command)->outcome) : json();
    if (*command && (*command)->state == "done") {
      // The next request shall see it: do not wait for the follower's next look.
      const std::string live = outcome.is_object() ? outcome.value("live", "") : "";
      const auto snapshot = live_.Now();
      const auto view = snapshot->hits();
      const bool of_hits = outcome.is_object() && outcome.value("kind", "") == Name(ModelKind::kHits);
      const bool seen = of_hits ? view != nullptr && view->model_id == live : outcome.is_object() && snapshot->model_id() == live;
      return seen || steady_clock::now() >= end ? std::optional(Json(outcome)) : std::nullopt;
    }
    const std::string code = outcome.is_object() ? outcome.value("code", "") : "";
    const int status = code == "not_found" ? 404 : code == "conflict" ? 409 : 500;
    return Problem(status, status == 404 ? "Not found" : status == 409 ? "Conflict" : "It failed",
                   outcome.is_object() ? outcome.value("message", "") : "");
  };
  return response;
}

Result<std::string> Api::InboxKey(const Request& request) const {
  std::string name;
  const auto listener = request.query.find("listener");
  if (listener != request.query.end()) {
    if (listener->second.find('/') != std::string::npos) return Error{ErrorCode::kInvalid, "parameter 'listener' has a slash"};
    name = listener->second;
  }
  for (size_t i = 2; i < request.path.size(); ++i) {
    // A slash that was escaped is one too.
    name += (name.empty() ? "" : "/") + request.path[i];
  }
  const std::string key = "inbox/" + name;
  SEGUE_RETURN_IF_ERROR(store::CheckKey(key));
  if (request.path.back().starts_with('.')) return Error{ErrorCode::kInvalid, "a file whose name starts with a dot is not taken in"};
  return key;
}

Response Api::AcceptUpload(const std::string& key, const std::filesystem::path& file) {
  if (const auto put = context_.bucket.PutFile(key, file); !put.ok()) return ProblemOf(put.error());
  return Json({{"object", key}}, 202);
}

}  // namespace segue::serve
