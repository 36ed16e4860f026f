#include "serve/dialects/listenbrainz.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "serve/access.h"
#include "serve/lists.h"
#include "serve/record_json.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr std::string_view kSource = "listenbrainz";
constexpr int64_t kDefaultCount = 25;
constexpr int64_t kMostCount = 1000;

Response Ok() { return Json({{"status", "ok"}}); }

/// Errors of ours as ListenBrainz tells them.
Response ErrorOf(const Error& error) {
  return ListenBrainzError(error.code == ErrorCode::kInvalid ? 400 : error.code == ErrorCode::kNoSpace ? 503 : ProblemOf(error).status, error.message);
}

/// As ListenBrainz reads its arguments: of a count that is too large the largest.
Result<int64_t> Argument(const Request& request, const char* name, int64_t missing) {
  const std::string text = FieldOf(request.query, name);
  if (text.empty()) return missing;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return Error{ErrorCode::kInvalid, "Invalid " + std::string(name) + " argument: " + text};
}

json MetadataJson(const TrackNaming& track, const std::string& track_id, const std::string& mbid) {
  json info = {{"recording_msid", MsidOf(track_id)}};
  if (track.duration_ms > 0) info["duration_ms"] = track.duration_ms;
  if (!mbid.empty()) info["recording_mbid"] = mbid;
  json metadata = {{"artist_name", track.artist}, {"track_name", track.title}, {"release_name", OrNull(track.album)}, {"additional_info", info}};
  if (!mbid.empty()) metadata["mbid_mapping"] = {{"recording_mbid", mbid}};
  return metadata;
}

json ListenJson(const Snapshot& snapshot, const std::string& listener, const Listen& listen) {
  const TrackNaming track{.artist = listen.artist, .title = listen.title, .album = listen.album, .duration_ms = listen.duration_ms};
  return {{"listened_at", listen.at}, {"inserted_at", listen.at}, {"user_name", listener}, {"recording_msid", MsidOf(listen.track_id)},
          {"track_metadata", MetadataJson(track, listen.track_id, snapshot.MbidOf(listen.track_id))}};
}

json OpinionJson(const Snapshot& snapshot, const std::string& listener, const Opinion& opinion, bool metadata) {
  const std::string mbid = snapshot.MbidOf(opinion.track_id);
  json item = {{"created", opinion.at}, {"recording_mbid", OrNull(mbid)}, {"recording_msid", OrNull(MsidOf(opinion.track_id))},
               {"score", opinion.verdict}, {"user_id", listener}, {"track_metadata", json()}};
  if (metadata) item["track_metadata"] = MetadataJson({.artist = opinion.artist, .title = opinion.title}, opinion.track_id, mbid);
  return item;
}

/// The names in a list, be it JSON or a text with commas.
std::vector<std::string> Names(const json& list) {
  std::vector<std::string> names;
  if (list.is_array()) {
    for (const json& name : list) {
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
  }
  if (!list.is_string()) return names;
  std::string_view rest = list.get_ref<const std::string&>();
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (comma > 0) names.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return names;
}

/// The track that a body names by "recording_msid" or "recording_mbid".
Result<TrackNaming> NamedIn(const json& body) {
  TrackNaming track;
  if (const auto msid = body.find("recording_msid"); msid != body.end() && msid->is_string() && !msid->get_ref<const std::string&>().empty()) {
    track.source_id = TrackIdOfMsid(msid->get_ref<const std::string&>());
    if (track.source_id.empty()) return Error{ErrorCode::kInvalid, "recording_msid is none that this server has given"};
  }
  if (const auto mbid = body.find("recording_mbid"); track.source_id.empty() && mbid != body.end() && mbid->is_string()) {
    track.source_id = MbidSource(mbid->get_ref<const std::string&>());
    if (track.source_id.empty()) return Error{ErrorCode::kInvalid, "recording_mbid MBID format invalid."};
  }
  if (!track.source_id.empty()) return track;
  return Error{ErrorCode::kInvalid, "JSON document must contain either recording_msid or recording_mbid, and score top level keys"};
}

}  // namespace

Response ListenBrainzError(int status, std::string_view why) { return Json({{"code", status}, {"error", why}}, status); }

std::optional<std::string> ListenBrainz::Caller(const Request& request, Response& refusal) {
  if (request.authorization.empty()) {
    refusal = ListenBrainzError(401, "You need to provide an Authorization header.");
    return std::nullopt;
  }
  const std::string_view secret = SecretOf(request.authorization);
  if (secret.empty()) {
    refusal = ListenBrainzError(401, "Provided Authorization header is invalid.");
    return std::nullopt;
  }
  auto listener = parts_.gate.ListenerOf(request, secret);
  if (!listener) refusal = ListenBrainzError(401, "Invalid authorization token.");
  return listener;
}

std::optional<Response> ListenBrainz::MayLook(const Request& request, const std::string& listener) {
  if (!request.caller.known) return ListenBrainzError(401, "You need to provide an Authorization header.");
  if (const auto permitted = Permits(Access::kOwn, request.caller, listener); !permitted.ok()) {
    return ListenBrainzError(403, permitted.error().message);
  }
  return std::nullopt;
}

Response ListenBrainz::SubmitListens(const Request& request) {
  Response refusal;
  const auto listener = Caller(request, refusal);
  if (!listener) return refusal;
  const auto submitted = ParseSubmitListens(request.body, parts_.context.clock.NowSeconds());
  if (!submitted.ok()) return ErrorOf(submitted.error());
  json answer = {{"status", "ok"}};
  std::vector<std::string> ids;
  if (submitted->type == ListenType::kPlayingNow) {
    parts_.scrobbles.SetPlaying(*listener, submitted->listens.front());
    ids.push_back(Scrobbles::IdOf(*parts_.live.Now(), submitted->listens.front().track));
  } else {
    auto taken = parts_.scrobbles.Take(*listener, submitted->listens, kSource);
    if (!taken.ok()) return ErrorOf(taken.error());
    ids = std::move(taken->track_ids);
  }
  if (FieldOf(request.query, "return_msid") == "true") {
    std::vector<std::string> msids;
    for (const std::string& id : ids) msids.push_back(MsidOf(id));
    answer["recording_msid"] = submitted->type == ListenType::kImport ? json(msids) : json(msids.front());
  }
  return Json(answer);
}

Response ListenBrainz::ValidateToken(const Request& request) {
  std::string secret(SecretOf(request.authorization));
  if (secret.empty()) secret = FieldOf(request.query, "token");
  if (secret.empty()) return ListenBrainzError(400, "You need to provide an Authorization token.");
  const auto listener = parts_.gate.ListenerOf(request, secret);
  if (!listener) return Json({{"code", 200}, {"message", "Token invalid."}, {"valid", false}});
  return Json({{"code", 200}, {"message", "Token valid."}, {"valid", true}, {"user_name", *listener}});
}

Response ListenBrainz::Listens(const Request& request) {
  const std::string& listener = request.path[2];
  if (auto refusal = MayLook(request, listener)) return *std::move(refusal);
  const auto count = Argument(request, "count", kDefaultCount);
  const auto before = Argument(request, "max_ts", INT64_MAX);
  const auto after = Argument(request, "min_ts", 0);
  for (const auto* argument : {&count, &before, &after}) {
    if (!argument->ok()) return ErrorOf(argument->error());
  }
  if (*count < 0) return ListenBrainzError(400, "'count' should be a non-negative integer");
  if (*before != INT64_MAX && *after != 0 && *before <= *after) return ListenBrainzError(400, "max_ts should be greater than min_ts");
  const auto snapshot = parts_.live.Now();
  const auto n = static_cast<size_t>(std::min(*count, kMostCount));
  // With min_ts alone ListenBrainz gives those that follow it, not the newest.
  const bool upwards = *after != 0 && *before == INT64_MAX;
  auto listens = snapshot->ListensOf(listener, *after, *before, upwards ? SIZE_MAX : n);
  if (listens.size() > n) listens.erase(listens.begin(), listens.end() - static_cast<std::ptrdiff_t>(n));
  json items = json::array();
  for (const Listen& listen : listens) items.push_back(ListenJson(*snapshot, listener, listen));
  const auto latest = snapshot->ListensOf(listener, 0, INT64_MAX, 1);
  const size_t given = items.size();
  return Json({{"payload", {{"count", given}, {"listens", std::move(items)}, {"user_id", listener},
                            {"latest_listen_ts", latest.empty() ? 0 : latest.front().at}}}});
}

Response ListenBrainz::ListenCount(const Request& request) {
  if (auto refusal = MayLook(request, request.path[2])) return *std::move(refusal);
  return Json({{"payload", {{"count", parts_.live.Now()->CountListens(request.path[2])}}}});
}

Response ListenBrainz::PlayingNow(const Request& request) {
  const std::string& listener = request.path[2];
  if (auto refusal = MayLook(request, listener)) return *std::move(refusal);
  json items = json::array();
  if (const auto playing = parts_.scrobbles.Playing(listener)) {
    const auto snapshot = parts_.live.Now();
    const std::string id = Scrobbles::IdOf(*snapshot, playing->track);
    items.push_back({{"playing_now", true}, {"track_metadata", MetadataJson(playing->track, id, snapshot->MbidOf(id))}});
  }
  const size_t count = items.size();
  return Json({{"payload", {{"count", count}, {"listens", std::move(items)}, {"playing_now", true}, {"user_id", listener}}}});
}

Response ListenBrainz::DeletePlayingNow(const Request& request) {
  Response refusal;
  const auto listener = Caller(request, refusal);
  if (!listener) return refusal;
  parts_.scrobbles.ClearPlaying(*listener);
  return Ok();
}

Response ListenBrainz::DeleteListen(const Request& request) {
  Response refusal;
  const auto listener = Caller(request, refusal);
  if (!listener) return refusal;
  const auto body = ParseObject(request.body);
  if (!body.ok()) return ErrorOf(body.error());
  if (!body->contains("listened_at")) return ListenBrainzError(400, "Listen timestamp missing.");
  if (!(*body)["listened_at"].is_number_integer()) return ListenBrainzError(400, "Listen timestamp invalid.");
  if (!body->contains("recording_msid")) return ListenBrainzError(400, "Recording MSID missing.");
  const std::string track_id = (*body)["recording_msid"].is_string() ? TrackIdOfMsid((*body)["recording_msid"].get_ref<const std::string&>()) : "";
  if (track_id.empty()) return ListenBrainzError(400, "Recording MSID format invalid.");
  const auto taken = parts_.scrobbles.TakeBack(*listener, track_id, (*body)["listened_at"].get<int64_t>(), kSource);
  return taken.ok() ? Ok() : ErrorOf(taken.error());
}

Response ListenBrainz::LatestImport(const Request& request) {
  const std::string listener = FieldOf(request.query, "user_name");
  if (auto refusal = MayLook(request, listener)) return *std::move(refusal);
  const auto kept = parts_.context.catalog.Meta("latest_import:" + listener);
  if (!kept.ok()) return ErrorOf(kept.error());
  int64_t at = 0;
  std::from_chars(kept->data(), kept->data() + kept->size(), at);
  return Json({{"musicbrainz_id", listener}, {"latest_import", at}});
}

Response ListenBrainz::SetLatestImport(const Request& request) {
  Response refusal;
  const auto listener = Caller(request, refusal);
  if (!listener) return refusal;
  const auto body = ParseObject(request.body);
  if (!body.ok() || !body->contains("ts") || !(*body)["ts"].is_number()) return ListenBrainzError(400, "Invalid data sent");
  const double at = (*body)["ts"].get<double>();
  if (!(at >= 0 && at < 1e15)) return ListenBrainzError(400, "Invalid data sent");
  const auto put = parts_.context.catalog.SetMeta("latest_import:" + *listener, std::to_string(static_cast<int64_t>(at)));
  return put.ok() ? Ok() : ErrorOf(put.error());
}

Response ListenBrainz::Services(const Request& request) {
  if (auto refusal = MayLook(request, request.path[2])) return *std::move(refusal);
  return Json({{"user_name", request.path[2]}, {"services", json::array()}});
}

Response ListenBrainz::Judge(const std::string& listener, const TrackNaming& track, int verdict) {
  const auto judged = parts_.scrobbles.Judge(listener, track, verdict, kSource);
  return judged.ok() ? Ok() : ErrorOf(judged.error());
}

Response ListenBrainz::RecordingFeedback(const Request& request) {
  Response refusal;
  const auto listener = Caller(request, refusal);
  if (!listener) return refusal;
  const auto body = ParseObject(request.body);
  if (!body.ok()) return ErrorOf(body.error());
  const auto score = body->find("score");
  if (score == body->end()) {
    return ListenBrainzError(400, "JSON document must contain either recording_msid or recording_mbid, and score top level keys");
  }
  if (!score->is_number_integer() || *score < -1 || *score > 1) return ListenBrainzError(400, "Score can have a value of 1, 0 or -1.");
  const auto track = NamedIn(*body);
  if (!track.ok()) return ErrorOf(track.error());
  return Judge(*listener, *track, score->get<int>());
}

Response ListenBrainz::Feedback(const Request& request) {
  const std::string& listener = request.path[3];
  if (auto refusal = MayLook(request, listener)) return *std::move(refusal);
  const auto count = Argument(request, "count", kDefaultCount);
  const auto offset = Argument(request, "offset", 0);
  const auto score = Argument(request, "score", 0);
  for (const auto* argument : {&count, &offset, &score}) {
    if (!argument->ok()) return ErrorOf(argument->error());
  }
  if (*count < 0 || *offset < 0) return ListenBrainzError(400, "'count' and 'offset' should be non-negative integers");
  if (*score < -1 || *score > 1) return ListenBrainzError(400, "Score can have a value of 1 or -1.");
  const auto snapshot = parts_.live.Now();
  auto opinions = snapshot->OpinionsOf(listener);
  std::erase_if(opinions, [&](const Opinion& o) { return o.verdict == 0; });
  const size_t total = opinions.size();
  if (*score != 0) std::erase_if(opinions, [&](const Opinion& o) { return o.verdict != *score; });
  json items = json::array();
  const auto most = static_cast<size_t>(std::min(*count, kMostCount));
  for (auto i = static_cast<size_t>(*offset); i < opinions.size() && items.size() < most; ++i) {
    items.push_back(OpinionJson(*snapshot, listener, opinions[i], FieldOf(request.query, "metadata") == "true"));
  }
  const size_t given = items.size();
  return Json({{"feedback", std::move(items)}, {"count", given}, {"total_count", total}, {"offset", *offset}});
}

Response ListenBrainz::FeedbackForRecordings(const Request& request) {
  const std::string& listener = request.path[3];
  if (auto refusal = MayLook(request, listener)) return *std::move(refusal);
  json asked = json::object();
  for (const auto& [name, value] : request.query) asked[name] = value;
  if (request.method == "POST") {
    const auto body = ParseObject(request.body);
    if (!body.ok()) return ErrorOf(body.error());
    asked = *body;
  }
  const auto snapshot = parts_.live.Now();
  std::vector<std::string> ids;
  for (const auto& msid : Names(asked.value("recording_msids", asked.value("recordings", json())))) {
    if (const std::string id = TrackIdOfMsid(msid); !id.empty()) ids.push_back(snapshot->Canonical(id));
  }
  for (const auto& mbid : Names(asked.value("recording_mbids", json()))) {
    if (const std::string source = MbidSource(mbid); !source.empty()) ids.push_back(Scrobbles::IdOf(*snapshot, {.source_id = source}));
  }
  if (ids.empty()) return ListenBrainzError(400, "No valid recording msid or recording mbid found.");
  const auto opinions = snapshot->OpinionsOf(listener);
  json items = json::array();
  for (const std::string& id : ids) {
    const auto known = std::find_if(opinions.begin(), opinions.end(), [&](const Opinion& o) { return o.track_id == id; });
    items.push_back(OpinionJson(*snapshot, listener, known == opinions.end() ? Opinion{.track_id = id} : *known, false));
  }
  return Json({{"feedback", items}});
}

Response ListenBrainz::Recommendations(const Request& request) {
  const std::string& listener = request.path[4];
  if (auto refusal = MayLook(request, listener)) return *std::move(refusal);
  const auto count = Argument(request, "count", kDefaultCount);
  const auto offset = Argument(request, "offset", 0);
  if (!count.ok() || !offset.ok()) return ErrorOf(count.ok() ? offset.error() : count.error());
  if (*count < 0 || *offset < 0) return ListenBrainzError(400, "'count' and 'offset' should be non-negative integers");
  const auto snapshot = parts_.live.Now();
  if (snapshot->model() == nullptr || !snapshot->Listener(listener).known) return {.status = 204};
  // All that may be asked for: only some have an MBID, and the pages follow on one another.
  const auto made = parts_.lists.Look(listener, Wish{.n = static_cast<size_t>(kMostCount)});
  if (!made.ok()) return ErrorOf(made.error());
  const json list = json::parse((*made)->body);
  json mbids = json::array(), recordings = json::array();
  const auto most = static_cast<size_t>(std::min(*count, kMostCount));
  const auto first = static_cast<size_t>(*offset);
  size_t with_mbid = 0, all = 0;
  for (const json& item : list["items"]) {
    const std::string track_id = item["track_id"];
    const std::string mbid = snapshot->MbidOf(track_id);
    if (all++ >= first && recordings.size() < most) {
      recordings.push_back({{"artist_name", item["artist"]}, {"track_name", item["title"]}, {"recording_msid", MsidOf(track_id)},
                            {"recording_mbid", OrNull(mbid)}, {"score", item["score"]}});
    }
    if (mbid.empty()) continue;
    if (with_mbid++ >= first && mbids.size() < most) mbids.push_back({{"recording_mbid", mbid}, {"score", item["score"]}});
  }
  const size_t given = mbids.size();
  return Json({{"payload", {{"mbids", std::move(mbids)}, {"entity", "recording"}, {"user_name", listener}, {"last_updated", snapshot->live_since()},
                            {"model_id", list["model_id"]}, {"count", given}, {"total_mbid_count", with_mbid}, {"offset", *offset},
                            {"recordings", std::move(recordings)}}}});
}

Response ListenBrainz::RecommendationFeedback(const Request& request) {
  Response refusal;
  const auto listener = Caller(request, refusal);
  if (!listener) return refusal;
  const auto body = ParseObject(request.body);
  if (!body.ok()) return ErrorOf(body.error());
  const std::string rating = body->contains("rating") && (*body)["rating"].is_string() ? (*body)["rating"].get<std::string>() : "";
  const bool good = rating == "like" || rating == "love";
  if (!good && rating != "dislike" && rating != "hate" && rating != "bad_recommendation") {
    return ListenBrainzError(400, "rating should be one of like, love, dislike, hate and bad_recommendation");
  }
  const auto track = NamedIn(*body);
  if (!track.ok()) return ErrorOf(track.error());
  return Judge(*listener, *track, good ? 1 : -1);
}

}  // namespace segue::serve
