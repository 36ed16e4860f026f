#include <nlohmann/json.hpp>

#include "serve/api.h"
#include "serve/record_json.h"
#include "store/aliases.h"
#include "store/lineage.h"
#include "store/online.h"
#include "store/trial.h"

// What the API tells of delivery: names of models, where they come from, which
// lists were shown, what came of them, and the challenger that is being tried.
namespace segue::serve {
namespace {

using nlohmann::json;

constexpr int64_t kDay = 86'400;

json AliasJson(const store::AliasRecord& alias) {
  return {{"name", alias.name}, {"model_id", alias.model_id}, {"at", store::Iso8601(alias.at)}, {"actor", OrNull(alias.actor)}};
}

}  // namespace

Response Api::Aliases() const {
  const auto aliases = store::AllAliases(context_.catalog);
  if (!aliases.ok()) return ProblemOf(aliases.error());
  json items = json::array();
  for (const auto& alias : *aliases) items.push_back(AliasJson(alias));
  return Json({{"items", items}});
}

Response Api::PutAlias(const Request& request) {
  const auto body = ParseObject(request.body);
  if (!body.ok()) return ProblemOf(body.error());
  const auto model = body->find("model_id");
  if (model == body->end() || !model->is_string()) return Problem(400, "Bad request", "model_id: expected the id (or an alias) of a model");
  const auto given = store::GiveAlias(context_.catalog, request.path[3], model->get<std::string>(), context_.clock.NowSeconds(), "api");
  return given.ok() ? Json(AliasJson(*given)) : ProblemOf(given.error());
}

Response Api::RemoveAlias(const Request& request) {
  const auto removed = context_.catalog.RemoveAlias(request.path[3]);
  return removed.ok() ? Json({{"removed", request.path[3]}}) : ProblemOf(removed.error());
}

Response Api::Lineage(const Request& request) const {
  const auto lineage = store::LineageOf(context_.bucket, context_.catalog, request.path[2]);
  return lineage.ok() ? Json(*lineage) : ProblemOf(lineage.error());
}

Response Api::OneList(const Request& request) {
  lists_.Flush();
  const auto shown = context_.catalog.FindImpression(request.path[2]);
  if (!shown.ok()) return ProblemOf(shown.error());
  if (!*shown) {
    return Problem(404, "Not found", "there is no list '" + request.path[2] + "' here; those of before the last " +
                                         std::to_string(context_.settings.impressions.keep_days) + " days are in the bucket's impressions/ alone");
  }
  const store::Impression& list = **shown;
  const auto snapshot = live_.Now();
  json items = json::array();
  for (const std::string& track_id : list.tracks) {
    const auto row = snapshot->RowOf(track_id);
    const segue::Tracks& tracks = snapshot->data().tracks;
    items.push_back({{"track_id", track_id}, {"artist", row ? json(tracks.artist[*row]) : json()}, {"title", row ? json(tracks.title[*row]) : json()}});
  }
  const auto lineage = store::LineageOf(context_.bucket, context_.catalog, list.model_id);
  return Json({{"list_id", list.list_id}, {"listener", list.listener}, {"model_id", list.model_id}, {"arm", list.arm}, {"mode", list.mode},
               {"at", store::Iso8601(list.at_ms / 1000)}, {"error", OrNull(list.error)}, {"items", items},
               {"lineage", lineage.ok() ? *lineage : json()}});
}

Response Api::Online(const Request& request) {
  const auto days = QueryNumber(request, "days", 1, 1, 36'500);
  const auto window_s = QueryNumber(request, "window_s", context_.settings.impressions.window_s, 1, 10'000'000);
  if (!days.ok() || !window_s.ok()) return ProblemOf(days.ok() ? window_s.error() : days.error());
  lists_.Flush();
  const int64_t now = context_.clock.NowSeconds(), since = now - *days * kDay;
  const auto ledger = store::ReadLedger(context_.catalog, since, *window_s);
  if (!ledger.ok()) return ProblemOf(ledger.error());
  json arms = json::array();
  for (const ArmFigures& arm : ledger->Figures(now)) arms.push_back(store::FiguresJson(arm, live_.Now()->data().tracks.size()));
  return Json({{"since", store::Iso8601(since)}, {"window_s", *window_s}, {"arms", arms}});
}

Response Api::Delivery() const {
  const auto trial = context_.catalog.Trial();
  const auto looked = context_.catalog.Meta(store::kTrialLook);
  if (!trial.ok() || !looked.ok()) return ProblemOf(trial.ok() ? looked.error() : trial.error());
  json answer = {{"mode", context_.settings.delivery.mode}, {"trial", json()}};
  if (!*trial) return Json(answer);
  const auto& step = **trial;
  answer["trial"] = {{"mode", step.action}, {"challenger", step.to_model}, {"live", step.from_model}, {"share", store::TrialShare(step)},
                     {"since", store::Iso8601(step.at)}, {"reason", step.reason}, {"look", json()}};
  // What the pipeline saw last; of an earlier trial it is no news of this one.
  const json look = Kept(*looked);
  if (look.is_object() && look.value("trial_seq", int64_t{0}) == step.seq) answer["trial"]["look"] = look;
  return Json(answer);
}

}  // namespace segue::serve
