#include <chrono>

#include <nlohmann/json.hpp>

#include "serve/api.h"
#include "serve/notifications.h"
#include "serve/record_json.h"
#include "store/aliases.h"

// What the API asks the pipeline to do, and files on their way to it.
namespace segue::serve {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr auto kLongestWait = std::chrono::seconds(10);

}  // namespace

Response Api::Promote(const Request& request) {
  const auto model_id = store::ResolveModel(context_.catalog, request.path[2]);
  if (!model_id.ok()) return ProblemOf(model_id.error());
  const auto model = context_.catalog.FindModel(*model_id);
  if (!model.ok()) return ProblemOf(model.error());
  if (!*model) return Problem(404, "Not found", "there is no model '" + request.path[2] + "'");
  return Ask("promote", request, *model_id);
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
    if (const auto dry_run = body->find("dry_run"); dry_run != body->end()) {
      if (!dry_run->is_boolean() || kind != "run") return Problem(400, "Bad request", "dry_run: expected true or false, and of a run");
      arguments["dry_run"] = *dry_run;
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
    json outcome = *command ? Kept((*command)->outcome) : json();
    if (*command && (*command)->state == "done" && outcome.is_object()) {
      // The next request shall see it: do not wait for the follower's next look.
      live_.Wake();
      outcome["serving"] = Serves(outcome);
      return outcome["serving"] == true || steady_clock::now() >= end ? std::optional(Json(outcome)) : std::nullopt;
    }
    const std::string code = outcome.is_object() ? outcome.value("code", "") : "";
    const int status = code == "not_found" ? 404 : code == "conflict" ? 409 : 500;
    return Problem(status, status == 404 ? "Not found" : status == 409 ? "Conflict" : "It failed",
                   outcome.is_object() ? outcome.value("message", "") : "");
  };
  return response;
}

bool Api::Serves(const json& outcome) const {
  const std::string live = outcome.value("live", ""), tried = outcome.value("ended", "");
  const auto models = live_.Models();
  if (outcome.value("kind", "") == Name(ModelKind::kHits)) {
    const auto view = models->live->hits();
    return view != nullptr && view->model_id == live;
  }
  return models->live->model_id() == live && (tried.empty() || models->challenger == nullptr);
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

Response Api::Notifications(const Request& request) {
  const auto told = ParseNotification(request.body);
  if (!told.ok()) return ProblemOf(told.error());
  if (told->test) return Json({{"accepted", json::array()}, {"ignored", 0}, {"does", "nothing: this is a test, and it has arrived"}}, 202);
  json accepted = json::array();
  for (const ObjectCreated& object : told->created) {
    const json arguments = {{"event", object.event}, {"bucket", object.bucket}, {"key", object.key}, {"size", object.bytes},
                            {"etag", object.etag}, {"at", context_.clock.NowSeconds()}};
    const auto id = context_.catalog.AddCommand({.kind = "notification", .arguments = arguments.dump(), .actor = "api", .state = "pending"});
    if (!id.ok()) return ProblemOf(id.error());
    accepted.push_back({{"object", object.key}, {"command_id", *id}});
  }
  const char* does = accepted.empty() ? "nothing: none of these made an object"
                                      : "looks into the inbox now; a run starts when the object is there";
  return Json({{"accepted", accepted}, {"ignored", told->ignored}, {"does", does}}, 202);
}

}  // namespace segue::serve
