#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "serve/api.h"
#include "serve/artists.h"
#include "serve/paging.h"
#include "serve/playlists.h"
#include "serve/radio_wish.h"
#include "serve/record_json.h"
#include "serve/session.h"
#include "store/blocked_artists.h"

// What the API recommends: to a listener, to several together, to somebody without
// a name, as a radio; and what a listener wants never to be recommended.
namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kMostListeners = 50;
constexpr size_t kMostRadio = 1000;  ///< offset of a radio, which is walked from its beginning
constexpr std::string_view kRadioMode = "radio";

constexpr std::array<std::string_view, 1> kListOthers = {"format"};
constexpr std::array<std::string_view, 2> kSessionOthers = {"format", "tracks"};
constexpr std::array<std::string_view, 3> kGroupOthers = {"format", "listeners", "strategy"};
constexpr std::array<std::string_view, 3> kTrackRadioOthers = {"format", "listener", "seed"};
constexpr std::array<std::string_view, 6> kRadioOthers = {"format", "listener", "seed", "tracks", "artists", "tags"};

Error Invalid(const std::string& what) { return {ErrorCode::kInvalid, what}; }

/// A text of a body; "" where it is not there.
Result<std::string> TextOf(const json& body, const std::string& name) {
  const auto it = body.find(name);
  if (it == body.end() || it->is_null()) return std::string();
  if (!it->is_string()) return Invalid(name + ": is " + it->dump() + ", expected a text");
  return it->get<std::string>();
}

/// A list of texts of a body; empty where it is not there.
Result<std::vector<std::string>> TextsOf(const json& body, const std::string& name, size_t most) {
  std::vector<std::string> texts;
  const auto it = body.find(name);
  if (it == body.end() || it->is_null()) return texts;
  if (!it->is_array() || it->size() > most) return Invalid(name + ": expected a list of at most " + std::to_string(most) + " texts");
  for (const json& one : *it) {
    if (!one.is_string() || one.get_ref<const std::string&>().empty()) return Invalid(name + ": has " + one.dump() + ", expected texts");
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

/// The wish of a request without a body, its seeds by their present ids.
Result<Wish> WishOf(const Parameters& parameters, std::span<const std::string_view> others, const Snapshot& snapshot) {
  SEGUE_TRY(Wish wish, ParseWish(parameters, others));
  for (std::string& seed : wish.seeds) {
    const auto row = snapshot.RowOf(seed);
    if (!row) return Invalid("parameter 'seeds' names '" + seed + "', and there is no such track: GET /v1/tracks?q= finds tracks by their names");
    seed = snapshot.data().tracks.id[*row];
  }
  return wish;
}

Result<Wish> WishOf(const json& body, std::span<const std::string_view> others, const Snapshot& snapshot) {
  SEGUE_TRY(const Parameters parameters, ParametersOf(body, others));
  return WishOf(parameters, others, snapshot);
}

Result<uint32_t> ArtistNamed(const Snapshot& snapshot, const std::string& name) {
  const auto artist = snapshot.ground()->facets().FindArtist(name);
  if (artist) return *artist;
  return Error{ErrorCode::kNotFound, "there is no artist '" + name + "'; GET /v1/artists?q= finds artists by their names"};
}

/// A list in the format that is asked for.
Response Answer(Format format, const GivenList& given, const std::string& title, int64_t now) {
  Response response;
  if (format == Format::kJson) {
    response.body = given.Body();
  } else {
    response = PlaylistResponse(format, *given.made_by, {.title = title, .list_id = given.list_id, .at = now, .tracks = given.list->tracks});
  }
  if (!given.list_id.empty()) response.headers.emplace_back("X-List-Id", given.list_id);
  return response;
}

/// The model of the arm that a listener is in, on the ground of all of them.
const Snapshot& MakerFor(const ServedModels& models, const std::string& listener) {
  return !listener.empty() && models.ArmOf(listener) == Arm::kCanary ? *models.challenger : *models.live;
}

/// What a wish has that a radio cannot give.
segue::Status FitsRadio(const Wish& wish) {
  if (wish.diversity != 0 || wish.novelty != 0) return Invalid("a radio knows no diversity and no novelty: it drifts by itself");
  if (!wish.seeds.empty()) return Invalid("parameter 'seeds': a radio takes its seeds as tracks, artists and tags");
  if (wish.offset <= kMostRadio) return {};
  return Invalid("parameter 'offset' is '" + std::to_string(wish.offset) + "', expected at most 1000 for a radio; begin another with what was played last");
}

/// The seeds of a radio, from tracks, artists and tags of a body.
segue::Status AddSeeds(const json& body, const Snapshot& snapshot, RadioWish& radio) {
  const Facets& facets = snapshot.ground()->facets();
  SEGUE_TRY(const auto tracks, TextsOf(body, "tracks", 100));
  SEGUE_TRY(const auto artists, TextsOf(body, "artists", 100));
  SEGUE_TRY(const auto tags, TextsOf(body, "tags", 100));
  for (const std::string& id : tracks) {
    const auto row = snapshot.RowOf(id);
    if (!row) return Invalid("tracks: there is no track '" + id + "'; GET /v1/tracks?q= finds tracks by their names");
    radio.seeds.tracks.push_back(*row);
    radio.told.push_back(TrackName(snapshot, *row));
  }
  for (const std::string& name : artists) {
    const auto artist = facets.FindArtist(name);
    if (!artist) return Invalid("artists: there is no artist '" + name + "'; GET /v1/artists?q= finds artists by their names");
    radio.seeds.artists.push_back(*artist);
    radio.told.push_back(facets.ArtistName(*artist));
  }
  for (const std::string& name : tags) {
    const auto tag = facets.FindTag(name);
    if (!tag) return Invalid("tags: no track has the tag '" + name + "'");
    radio.seeds.tags.push_back(*tag);
    radio.told.push_back(facets.TagName(*tag));
  }
  if (radio.told.empty()) return Invalid("a radio needs something to begin with: tracks (ids), artists or tags (names)");
  return {};
}

}  // namespace

Result<std::string> Api::MayAskFor(const Request& request, const std::string& listener) {
  if (!listener.empty()) SEGUE_RETURN_IF_ERROR(Permits(Access::kOwn, request.caller, listener));
  return listener;
}

Response Api::Recommendations(const Request& request) {
  const auto format = FormatOf(FieldOf(request.query, "format"), request.accept);
  if (!format.ok()) return ProblemOf(format.error());
  const auto wish = WishOf(request.parameters, kListOthers, *live_.Now());
  if (!wish.ok()) return ProblemOf(wish.error());
  const auto given = lists_.Give(request.path[2], *wish);
  if (!given.ok()) return ProblemOf(given.error());
  ++counters_.lists;
  return Answer(*format, *given, "Segue for " + request.path[2], context_.clock.NowSeconds());
}

Response Api::SessionRecommendations(const Request& request) {
  const auto snapshot = live_.Now();
  const auto asked = [&]() -> Result<std::pair<Format, GivenList>> {
    SEGUE_TRY(const json body, ParseObject(request.body));
    SEGUE_TRY(const std::string name, TextOf(body, "format"));
    SEGUE_TRY(const Format format, FormatOf(name, request.accept));
    SEGUE_TRY(const Wish wish, WishOf(body, kSessionOthers, *snapshot));
    SEGUE_TRY(Session session, ReadSession(body, *snapshot, context_.clock.NowSeconds()));
    const Audience audience{.tastes = {std::move(session.taste)}, .blocked = {}, .not_again = {}};
    json unknown = json::array();  // as they were given
    for (const size_t place : session.unknown) {
      unknown.push_back(body["tracks"][place]);
      unknown.back()["index"] = place;
    }
    return std::pair{format, lists_.GiveNameless(snapshot, audience, wish, {{"unknown", unknown}})};
  }();
  if (!asked.ok()) return ProblemOf(asked.error());
  ++counters_.lists;
  return Answer(asked->first, asked->second, "Segue", context_.clock.NowSeconds());
}

Response Api::GroupRecommendations(const Request& request) {
  const auto asked = [&]() -> Result<std::pair<Format, GivenList>> {
    SEGUE_TRY(const json body, ParseObject(request.body));
    SEGUE_TRY(const std::string format_name, TextOf(body, "format"));
    SEGUE_TRY(const Format format, FormatOf(format_name, request.accept));
    SEGUE_TRY(const std::string strategy_name, TextOf(body, "strategy"));
    const auto strategy = ParseStrategy(strategy_name.empty() ? "average" : strategy_name);
    if (!strategy) return Invalid("strategy: is '" + strategy_name + "', expected average, least_misery or most_pleasure");
    SEGUE_TRY(const auto names, TextsOf(body, "listeners", kMostListeners));
    if (names.empty()) return Invalid("listeners: expected the names of those who listen together");
    std::vector<std::string> listeners;  // each once
    for (const std::string& name : names) {
      SEGUE_TRY(const std::string listener, MayAskFor(request, name));
      if (std::find(listeners.begin(), listeners.end(), listener) == listeners.end()) listeners.push_back(listener);
    }
    SEGUE_TRY(const Wish wish, WishOf(body, kGroupOthers, *live_.Now()));
    SEGUE_TRY(GivenList given, lists_.GiveTogether(listeners, *strategy, wish));
    return std::pair{format, std::move(given)};
  }();
  if (!asked.ok()) return ProblemOf(asked.error());
  ++counters_.lists;
  return Answer(asked->first, asked->second, "Segue for several", context_.clock.NowSeconds());
}

Response Api::TrackRadio(const Request& request) {
  const auto models = live_.Models();
  const auto& snapshot = models->live;
  if (!snapshot->RowOf(request.path[2])) return Problem(404, "Not found", "there is no track '" + request.path[2] + "'");
  const auto asked = [&]() -> Result<RadioWish> {
    RadioWish radio;
    SEGUE_TRY(radio.format, FormatOf(FieldOf(request.query, "format"), request.accept));
    SEGUE_TRY(radio.listener, MayAskFor(request, FieldOf(request.query, "listener")));
    SEGUE_TRY(radio.seed, QueryNumber(request, "seed", 0, 0, INT64_MAX));
    SEGUE_TRY(radio.wish, ParseWish(request.parameters, kTrackRadioOthers, radio.wish));
    SEGUE_RETURN_IF_ERROR(AddSeeds({{"tracks", {request.path[2]}}}, *snapshot, radio));
    return radio;
  }();
  return asked.ok() ? PlayRadio(MakerFor(*models, asked->listener), *asked) : ProblemOf(asked.error());
}

Response Api::MixedRadio(const Request& request) {
  const auto models = live_.Models();
  const auto& snapshot = models->live;
  const auto asked = [&]() -> Result<RadioWish> {
    RadioWish radio;
    SEGUE_TRY(const json body, ParseObject(request.body));
    SEGUE_TRY(const std::string format, TextOf(body, "format"));
    SEGUE_TRY(radio.format, FormatOf(format, request.accept));
    SEGUE_TRY(const std::string listener, TextOf(body, "listener"));
    SEGUE_TRY(radio.listener, MayAskFor(request, listener));
    if (const auto seed = body.find("seed"); seed != body.end() && !seed->is_null()) {
      if (!seed->is_number_unsigned() || seed->get<uint64_t>() > INT64_MAX) return Invalid("seed: is " + seed->dump() + ", expected a whole number from 0");
      radio.seed = seed->get<int64_t>();
    }
    SEGUE_TRY(const Parameters parameters, ParametersOf(body, kRadioOthers));
    SEGUE_TRY(radio.wish, ParseWish(parameters, kRadioOthers, radio.wish));
    SEGUE_RETURN_IF_ERROR(AddSeeds(body, *snapshot, radio));
    return radio;
  }();
  return asked.ok() ? PlayRadio(MakerFor(*models, asked->listener), *asked) : ProblemOf(asked.error());
}

Response Api::PlayRadio(const Snapshot& snapshot, const RadioWish& radio) {
  const Wish& wish = radio.wish;
  if (const auto fits = FitsRadio(wish); !fits.ok()) return ProblemOf(fits.error());
  json answer = {{"list_id", json()}, {"listener", OrNull(radio.listener)}, {"seeds", radio.told}, {"seed", radio.seed}, {"mode", Name(wish.mode)},
                 {"model_id", OrNull(snapshot.model_id())}, {"fallback", json()}, {"items", json::array()}, {"next", json()}};
  std::vector<std::string> tracks;
  if (snapshot.model() == nullptr) {
    answer["fallback"] = "no model is live yet: drop listening data into the inbox";
  } else {
    const auto audience = AudienceOf(snapshot, radio.listener);
    if (!audience.ok()) return ProblemOf(audience.error());
    const size_t end = wish.offset + wish.n;
    const auto steps = Radio(snapshot, neighbourhood_, radio.seeds, Forbidden(snapshot, *audience, wish), static_cast<uint64_t>(radio.seed), end + 1);
    if (steps.size() > end) answer["next"] = end;
    for (size_t i = wish.offset; i < std::min(end, steps.size()); ++i) {
      json item = BriefJson(snapshot, steps[i].row);
      if (wish.explain) item["reason"] = steps[i].reason;
      tracks.push_back(item["track_id"]);
      answer["items"].push_back(std::move(item));
    }
    answer["list_id"] = OrNull(lists_.Shown(radio.listener, snapshot, kRadioMode, tracks));
  }
  ++counters_.lists;
  const std::string list_id = answer["list_id"].is_null() ? "" : answer["list_id"].get<std::string>();
  Response response = Json(answer);
  if (radio.format != Format::kJson) {
    std::string title = "Segue radio: ";
    for (size_t i = 0; i < radio.told.size(); ++i) title += (i == 0 ? "" : ", ") + radio.told[i];
    response = PlaylistResponse(radio.format, snapshot, {.title = title, .list_id = list_id, .at = context_.clock.NowSeconds(), .tracks = tracks});
  }
  if (!list_id.empty()) response.headers.emplace_back("X-List-Id", list_id);
  return response;
}

Result<Audience> Api::AudienceOf(const Snapshot& snapshot, const std::string& listener) const {
  Audience audience{.tastes = {}, .blocked = {}, .not_again = {}};
  if (listener.empty()) return audience;
  audience.tastes.push_back({snapshot.Listener(listener)});
  SEGUE_TRY(audience.blocked, lists_.BlockedBy(listener));
  return audience;
}

Response Api::Similar(const Request& request) const {
  const auto n = QueryNumber(request, "n", 10, 1, 1000);
  if (!n.ok()) return ProblemOf(n.error());
  const auto snapshot = live_.Now();
  const auto row = snapshot->RowOf(request.path[2]);
  if (!row) return Problem(404, "Not found", "there is no track '" + request.path[2] + "'");
  const auto audience = AudienceOf(*snapshot, FieldOf(request.query, "listener"));
  if (!audience.ok()) return ProblemOf(audience.error());
  return Json(SimilarTo(*snapshot, *row, *audience, static_cast<size_t>(*n)));
}

Response Api::Artists(const Request& request) const {
  const auto page = PageOf(request, "artists", 20, 1000);
  const auto passed = page.ok() ? NumberAfter(*page, 0) : Result<int64_t>(0);
  if (!page.ok() || !passed.ok()) return ProblemOf(page.ok() ? passed.error() : page.error());
  const auto ground = live_.Now()->ground();
  const auto found = SearchArtists(*ground, FieldOf(request.query, "q"));
  const size_t first = std::min(static_cast<size_t>(*passed), found.size());
  const size_t end = std::min(found.size(), first + static_cast<size_t>(page->limit));
  json items = json::array();
  for (size_t i = first; i < end; ++i) items.push_back(ArtistJson(*ground, found[i]));
  return Json({{"items", items}, {"total", found.size()}, {"next_cursor", NextCursor("artists", std::to_string(end), end < found.size())}});
}

Response Api::OneArtist(const Request& request) const {
  const auto n = QueryNumber(request, "n", 20, 1, 1000);
  if (!n.ok()) return ProblemOf(n.error());
  const auto snapshot = live_.Now();
  const auto artist = ArtistNamed(*snapshot, request.path[2]);
  return artist.ok() ? Json(ArtistPage(*snapshot, *artist, static_cast<size_t>(*n))) : ProblemOf(artist.error());
}

Response Api::ArtistsLike(const Request& request) const {
  const auto n = QueryNumber(request, "n", 10, 1, 1000);
  if (!n.ok()) return ProblemOf(n.error());
  const auto snapshot = live_.Now();
  const auto artist = ArtistNamed(*snapshot, request.path[2]);
  const auto blocked = lists_.BlockedBy(FieldOf(request.query, "listener"));
  if (!artist.ok() || !blocked.ok()) return ProblemOf(artist.ok() ? blocked.error() : artist.error());
  json items = json::array();
  if (snapshot->model() != nullptr) {
    for (const auto& [other, score] : SimilarArtists(*snapshot, *artist, *blocked, static_cast<size_t>(*n))) {
      items.push_back(ArtistJson(*snapshot->ground(), other));
      items.back()["score"] = score;
    }
  }
  return Json({{"artist", snapshot->ground()->facets().ArtistName(*artist)}, {"items", items}});
}

Response Api::BlockedArtists(const Request& request) const {
  const auto artists = store::BlockedArtistsOf(context_.catalog.documents(), request.path[2]);
  if (!artists.ok()) return ProblemOf(artists.error());
  json items = json::array();
  for (const auto& artist : *artists) items.push_back({{"artist", artist.name}, {"since", store::Iso8601(artist.since)}});
  return Json({{"items", items}});
}

Response Api::BlockArtist(const Request& request) {
  const std::string &listener = request.path[2], &name = request.path[4];
  const std::string key = Facets::ArtistKey(name);
  if (key.empty() || name.size() > 1000) return Problem(400, "Bad request", "the artist's name is '" + name.substr(0, 100) + "', expected one of at most 1000 bytes");
  const auto blocked = store::BlockArtist(context_.catalog.documents(), listener, {key, name, context_.clock.NowSeconds()});
  if (!blocked.ok()) return ProblemOf(blocked.error());
  return Json({{"listener", listener}, {"artist", blocked->name}, {"since", store::Iso8601(blocked->since)},
               {"in_catalogue", live_.Now()->ground()->facets().FindArtistKey(key).has_value()}});
}

Response Api::UnblockArtist(const Request& request) {
  const std::string &listener = request.path[2], &name = request.path[4];
  const auto removed = store::UnblockArtist(context_.catalog.documents(), listener, Facets::ArtistKey(name));
  if (!removed.ok()) return ProblemOf(removed.error());
  if (!*removed) return Problem(404, "Not found", "'" + listener + "' has not blocked '" + name + "'");
  return Json({{"listener", listener}, {"artist", name}});
}

}  // namespace segue::serve
