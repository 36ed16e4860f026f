#include "serve/api.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/cron.h"
#include "core/version.h"
#include "serve/conditional.h"
#include "serve/events.h"
#include "serve/notifications.h"
#include "serve/paging.h"
#include "serve/record_json.h"
#include "serve/page.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr const char* kHtml = "text/html; charset=utf-8";

Response WrongMethod(const std::string& allow) {
  Response response = Problem(405, "Method not allowed", "this address takes " + allow);
  response.allow = allow;
  return response;
}

}  // namespace

Api::Api(const Context& context)
    : context_(context), gate_(context.catalog.access(), context.clock, context.settings), live_(context), lists_(context, live_),
      scrobbles_(context_, live_), listenbrainz_({context_, gate_, live_, lists_, scrobbles_}),
      audioscrobbler_({context_, gate_, live_, lists_, scrobbles_}), lastfm_({context_, gate_, live_, lists_, scrobbles_}), gorse_({context_, gate_, live_, lists_, scrobbles_}) {}
Api::~Api() = default;

void Api::Note(const Request& request, int status, uint64_t microseconds, uint64_t bytes) {
  if (context_.settings.metrics == "on") counters_.Note(request.route, status, microseconds);
  if (context_.observer == nullptr) return;
  context_.observer->Answered({.id = request.id, .method = request.method, .route = request.route, .status = status,
                               .microseconds = microseconds, .bytes = bytes});
}

std::span<const Api::Row> Api::OwnRows() {
  static constexpr Row kRows[] = {
      {"GET", "/", Access::kItself, [](Api& api, const Request& r) { return api.Index(r); }},
      {"GET", "/docs", Access::kOpen, [](Api&, const Request&) { return Response{.body = std::string(kDocsPage), .type = kHtml}; }},
      {"GET", "/openapi.json", Access::kOpen, [](Api&, const Request&) { return Response{.body = Description()}; }},
      {"GET", "/healthz", Access::kOpen, [](Api&, const Request&) { return Json({{"status", "ok"}}); }},
      {"GET", "/readyz", Access::kOpen, [](Api& api, const Request&) { return api.Ready(); }},
      {"GET", "/metrics", Access::kRead, [](Api& api, const Request&) { return api.Metrics(); }},
      {"GET", "/v1/status", Access::kRead, [](Api& api, const Request&) { return api.Status(); }},
      {"GET", "/v1/listeners", Access::kRead, [](Api& api, const Request& r) { return api.Listeners(r); }},
      {"GET", "/v1/listeners/{id}", Access::kOwn, [](Api& api, const Request& r) { return api.Listener(r); }},
      {"DELETE", "/v1/listeners/{id}", Access::kOwner, [](Api& api, const Request& r) { return api.ForgetListener(r); }},
      {"GET", "/v1/listeners/{id}/export", Access::kOwn, [](Api& api, const Request& r) { return api.ExportListener(r); }},
      {"GET", "/v1/listeners/{id}/recommendations", Access::kOwn, [](Api& api, const Request& r) { return api.Recommendations(r); }},
      {"GET", "/v1/listeners/{id}/blocked-artists", Access::kOwn, [](Api& api, const Request& r) { return api.BlockedArtists(r); }},
      {"PUT", "/v1/listeners/{id}/blocked-artists/{artist}", Access::kOwnChange, [](Api& api, const Request& r) { return api.BlockArtist(r); }},
      {"DELETE", "/v1/listeners/{id}/blocked-artists/{artist}", Access::kOwnChange, [](Api& api, const Request& r) { return api.UnblockArtist(r); }},
      {"POST", "/v1/sessions/recommendations", Access::kAny, [](Api& api, const Request& r) { return api.SessionRecommendations(r); }},
      {"POST", "/v1/groups/recommendations", Access::kAny, [](Api& api, const Request& r) { return api.GroupRecommendations(r); }},
      {"POST", "/v1/radio", Access::kAny, [](Api& api, const Request& r) { return api.MixedRadio(r); }},
      {"GET", "/v1/tracks/{id}/radio", Access::kAny, [](Api& api, const Request& r) { return api.TrackRadio(r); }},
      {"GET", "/v1/artists", Access::kRead, [](Api& api, const Request& r) { return api.Artists(r); }},
      {"GET", "/v1/artists/{artist}", Access::kRead, [](Api& api, const Request& r) { return api.OneArtist(r); }},
      {"GET", "/v1/artists/{artist}/similar", Access::kRead, [](Api& api, const Request& r) { return api.ArtistsLike(r); }},
      {"GET", "/v1/listeners/{id}/hits", Access::kOwn, [](Api& api, const Request& r) { return api.ListenerHits(r); }},
      {"GET", "/v1/hits", Access::kRead, [](Api& api, const Request&) { return api.Hits(); }},
      {"POST", "/v1/hits/predict", Access::kRead, [](Api& api, const Request& r) { return PredictHits(*api.live_.Now(), r.body); }},
      {"GET", "/v1/tracks", Access::kRead, [](Api& api, const Request& r) { return api.Tracks(r); }},
      {"GET", "/v1/tracks/{id}", Access::kRead, [](Api& api, const Request& r) { return api.Track(r); }},
      {"GET", "/v1/tracks/{id}/similar", Access::kRead, [](Api& api, const Request& r) { return api.Similar(r); }},
      {"GET", "/v1/tracks/{id}/hit", Access::kRead, [](Api& api, const Request& r) { return api.TrackHit(r); }},
      {"GET", "/v1/events", Access::kRead, [](Api& api, const Request& r) { return api.FeedbackEvents(r); }},
      {"POST", "/v1/events", Access::kListen, [](Api& api, const Request& r) { return api.Events(r); }},
      {"POST", kNotificationsRoute, Access::kItself, [](Api& api, const Request& r) { return api.Notifications(r); }},
      // Uploads go past Handle: their bodies do not fit in memory.
      {"PUT", "/v1/inbox/{name}", Access::kAdmin, nullptr},
      {"GET", "/v1/runs", Access::kRead, [](Api& api, const Request& r) { return api.Runs(r); }},
      {"POST", "/v1/runs", Access::kAdmin, [](Api& api, const Request& r) { return api.Ask("run", r, ""); }},
      {"GET", "/v1/runs/{id}", Access::kRead, [](Api& api, const Request& r) { return api.OneRun(r); }},
      {"GET", "/v1/runs/{id}/logs", Access::kRead, [](Api& api, const Request& r) { return api.RunLog(r); }},
      {"GET", "/v1/models", Access::kRead, [](Api& api, const Request& r) { return api.Models(r); }},
      {"POST", "/v1/models/rollback", Access::kAdmin, [](Api& api, const Request& r) { return api.Ask("rollback", r, ""); }},
      {"GET", "/v1/models/aliases", Access::kRead, [](Api& api, const Request&) { return api.Aliases(); }},
      {"PUT", "/v1/models/aliases/{id}", Access::kAdmin, [](Api& api, const Request& r) { return api.PutAlias(r); }},
      {"DELETE", "/v1/models/aliases/{id}", Access::kAdmin, [](Api& api, const Request& r) { return api.RemoveAlias(r); }},
      {"GET", "/v1/models/{id}/lineage", Access::kRead, [](Api& api, const Request& r) { return api.Lineage(r); }},
      {"GET", "/v1/models/{id}", Access::kRead, [](Api& api, const Request& r) { return api.OneModel(r); }},
      {"POST", "/v1/models/{id}/promote", Access::kAdmin, [](Api& api, const Request& r) { return api.Promote(r); }},
      {"GET", "/v1/deployments", Access::kRead, [](Api& api, const Request&) { return api.Deployments(); }},
      {"GET", "/v1/alarms", Access::kRead, [](Api& api, const Request& r) { return api.Alarms(r); }},
      {"GET", "/v1/lists/{id}", Access::kRead, [](Api& api, const Request& r) { return api.OneList(r); }},
      {"GET", "/v1/online", Access::kRead, [](Api& api, const Request& r) { return api.Online(r); }},
      {"GET", "/v1/delivery", Access::kRead, [](Api& api, const Request&) { return api.Delivery(); }},
      {"GET", "/v1/alarms/{id}", Access::kRead, [](Api& api, const Request& r) { return api.OneAlarm(r); }},
      {"POST", "/v1/alarms/{id}/acknowledge", Access::kAdmin, [](Api& api, const Request& r) { return api.AcknowledgeAlarm(r); }},
      {"GET", "/v1/logs", Access::kRead, [](Api& api, const Request& r) { return api.Logs(r); }},
      {"GET", "/v1/datasets/{id}/drift", Access::kRead, [](Api& api, const Request& r) { return api.Drift(r); }},
      {"GET", "/v1/datasets/{id}/quality", Access::kRead, [](Api& api, const Request& r) { return api.Quality(r); }},
      {"GET", "/v1/datasets/{id}/rejected", Access::kRead, [](Api& api, const Request& r) { return api.Rejected(r); }},
      {"GET", "/v1/tokens", Access::kAdmin, [](Api& api, const Request&) { return api.Tokens(); }},
      {"POST", "/v1/tokens", Access::kAdmin, [](Api& api, const Request& r) { return api.CreateToken(r); }},
      {"DELETE", "/v1/tokens/{id}", Access::kAdmin, [](Api& api, const Request& r) { return api.RevokeToken(r); }},
      {"GET", "/v1/audit", Access::kAdmin, [](Api& api, const Request& r) { return api.Audit(r); }},
      {"GET", "/v1/quarantine", Access::kRead, [](Api& api, const Request& r) { return api.Quarantine(r); }},
  };
  return kRows;
}

std::vector<Route> Api::OwnRoutes() {
  std::vector<Route> routes;
  for (const Row& row : OwnRows()) routes.push_back({row.method, row.pattern, row.access});
  return routes;
}

const std::string& Api::Description() {
  static const std::string text = OpenApiDocument(OwnRoutes()).dump();
  return text;
}

std::span<const Api::Row> Api::Rows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> all(OwnRows().begin(), OwnRows().end());
    all.insert(all.end(), DialectRows().begin(), DialectRows().end());
    return all;
  }();
  return rows;
}

std::string_view Api::RouteOf(const Request& request) {
  for (const Row& row : Rows()) {
    if (Matches(row.pattern, request.path)) return row.pattern;
  }
  return "";
}

const Api::Row* Api::Find(const Request& request) {
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const Row& row : Rows()) {
    if (row.method == method && Matches(row.pattern, request.path)) return &row;
  }
  return nullptr;
}

Response Api::Handle(const Request& request) {
  if (IsPreflight(request)) return {.status = 204};
  if (auto refusal = Refusal(request)) return *std::move(refusal);
  if (const Row* row = Find(request); row != nullptr && row->answer != nullptr) {
    if (!request.body.empty() && row->pattern.starts_with("/v1/") && !MayBeJson(request.content_type)) {
      return Problem(415, "Unsupported media type", "the body is said to be '" + request.content_type + "', expected application/json");
    }
    Response response = row->answer(*this, request);
    if (row->method == "GET" && IsKept(row->pattern)) AnswerOnce(request, response);
    return response;
  }
  std::string allow;
  for (const Row& row : Rows()) {
    if (Matches(row.pattern, request.path)) allow += (allow.empty() ? "" : ", ") + std::string(row.method == "GET" ? "GET, HEAD" : row.method);
  }
  return allow.empty() ? Problem(404, "Not found", "there is nothing at " + ShownTarget(request.target)) : WrongMethod(allow);
}

Response Api::Index(const Request& request) {
  if (request.query.contains("hs")) return audioscrobbler_.Handshake(request);
  return {.body = std::string(kIndexPage), .type = kHtml};
}

Response Api::Status() const {
  const auto models = live_.Models();
  const auto& snapshot = models->live;
  const auto runs = context_.catalog.Runs(0, 1);
  if (!runs.ok()) return ProblemOf(runs.error());
  const auto inbox = context_.bucket.List("inbox");
  json live, challenger;
  if (models->challenger != nullptr) {
    challenger = {{"model_id", models->challenger->model_id()}, {"mode", models->shown ? "canary" : "shadow"}, {"share", models->share},
                  {"since", store::Iso8601(models->challenger->live_since())}};
  }
  if (snapshot->model() != nullptr) {
    live = {{"model_id", snapshot->model_id()}, {"since", store::Iso8601(snapshot->live_since())},
            {"algorithm", snapshot->model()->algorithm()}};
  }
  json hits;
  if (const auto view = snapshot->hits()) {
    hits = {{"model_id", view->model_id}, {"since", store::Iso8601(view->live_since)}};
  }
  // A schedule that does not read has been told of at the start.
  const auto next = NextAfter(context_.settings.schedule_cron, context_.settings.schedule_timezone, context_.clock.NowSeconds());
  const bool running = !runs->empty() && runs->front().state == "running";
  return Json({{"version", kVersion}, {"live", live}, {"challenger", challenger}, {"hits", hits}, {"run", running ? RunJson(runs->front()) : json()},
               {"next_scheduled_run", next.ok() && *next ? json(store::Iso8601(**next)) : json()},
               {"inbox", {{"pending", inbox.ok() ? inbox->size() : 0}}},
               {"catalogue", {{"tracks", snapshot->data().tracks.size()}, {"listeners", snapshot->ground()->Listeners().size()}}}});
}

Response Api::Ready() const {
  if (live_.Now()->model() != nullptr) return Json({{"status", "ready"}});
  return Problem(503, "Not ready", "no model is live yet");
}

Response Api::Tracks(const Request& request) const {
  const auto page = PageOf(request, "tracks", 20, 1000);
  const auto passed = page.ok() ? NumberAfter(*page, 0) : Result<int64_t>(0);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX / 2);
  if (!page.ok() || !passed.ok() || !offset.ok()) return ProblemOf(!page.ok() ? page.error() : !passed.ok() ? passed.error() : offset.error());
  const int64_t first = std::min(*passed, INT64_MAX / 2) + *offset;
  const auto snapshot = live_.Now();
  json items = json::array();
  const auto found = snapshot->Search(FieldOf(request.query, "q"), static_cast<size_t>(first), static_cast<size_t>(page->limit));
  for (const uint32_t row : found) items.push_back(TrackJson(*snapshot, row));
  const bool more = found.size() == static_cast<size_t>(page->limit);
  const int64_t next = first + page->limit;
  return Json({{"items", items}, {"next", more ? json(next) : json()}, {"next_cursor", NextCursor("tracks", std::to_string(next), more)}});
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

Response Api::Events(const Request& request) {
  const auto events = ParseEvents(request.body, *live_.Now(), context_.clock.NowSeconds(), request.caller.listener);
  if (!events.ok()) return ProblemOf(events.error());
  const auto outcome = context_.catalog.AppendEvents(*events);
  if (!outcome.ok()) return ProblemOf(outcome.error());
  counters_.events += static_cast<uint64_t>(outcome->accepted);
  // They are durable: what follows may fail without a loss.
  if (const auto caught = live_.CatchUp(); !caught.ok()) context_.instruments.Warn("serve", caught.error().message);
  return Json({{"accepted", outcome->accepted}, {"duplicates", outcome->duplicates}});
}

}  // namespace segue::serve
