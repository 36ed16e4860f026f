#include "serve/api.h"

#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>
#include <openssl/rand.h>

#include "core/check.h"
#include "core/version.h"
#include "serve/events.h"
#include "serve/notifications.h"
#include "serve/record_json.h"
#include "serve/page.h"

namespace segue::serve {
namespace {

using nlohmann::json;

Response WrongMethod(const std::string& allow) {
  Response response = Problem(405, "Method not allowed", "this address takes " + allow);
  response.allow = allow;
  return response;
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
  const bool by_token = token.empty() || request.path.empty() || request.path[0] != "v1" || SameSecret(request.authorization, "Bearer " + token);
  if (request.route != kNotificationsRoute || context_.settings.notifications_secret.empty()) return by_token;
  // Who notifies has a secret of his own, and needs no other.
  return KnowsSecret(request, context_.settings.notifications_secret) || (!token.empty() && by_token);
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
      {"POST", kNotificationsRoute, [](Api& api, const Request& r) { return api.Notifications(r); }},
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
  if (!Allowed(request)) return Problem(401, "Unauthorized", request.route == kNotificationsRoute
                                                                ? "send notifications.secret: Authorization: Bearer ..., or the body's HMAC-SHA256 with it as X-Segue-Signature: sha256=..."
                                                                : "send the token: Authorization: Bearer ...");
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

}  // namespace segue::serve
