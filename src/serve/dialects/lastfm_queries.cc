#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>

#include "core/identity.h"
#include "serve/access.h"
#include "serve/dialects/lastfm.h"
#include "serve/recommend.h"

// What programs ask Last.fm for: what was played, and what is like it.
namespace segue::serve {
namespace {

constexpr int64_t kMostItems = 1000;
constexpr size_t kTracksOfArtist = 10;     ///< whose neighbours tell an artist's
constexpr size_t kNeighboursOfTrack = 100;

/// A positive number, `most` at most; `missing` where it is none.
int64_t NumberOf(const LastFmForm& form, const std::string& name, int64_t missing, int64_t most) {
  const int64_t value = ParseWholeNumber(FieldOf(form, name));
  return value > 0 ? std::min(value, most) : missing;
}

/// "14 Nov 2023, 22:13".
std::string DateText(int64_t at) {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = at;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  std::snprintf(text, sizeof text, "%02d %s %d, %02d:%02d", utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min);
  return text;
}

Element Played(const std::string& artist, const std::string& title, const std::string& album, const std::string& mbid) {
  return {.name = "track",
          .children = {{.name = "artist", .attributes = {{"mbid", ""}}, .text = artist}, {.name = "name", .text = title},
                       {.name = "mbid", .text = mbid}, {.name = "album", .attributes = {{"mbid", ""}}, .text = album},
                       {.name = "streamable", .text = "0"}, {.name = "url"}}};
}

/// Scores as Last.fm's "match": 1 for the best.
std::string Match(double score, double best) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", best > 0 ? std::clamp(score / best, 0.0, 1.0) : 0.0);
  return text;
}

}  // namespace

bool LastFm::MayLook(const Asking& asking, const std::string& listener) {
  if (!listener.empty() && asking.listener == listener) return true;
  // Programs that only look send an api_key alone: a token does as one.
  const auto by_key = parts_.gate.Find(FieldOf(asking.form, "api_key"));
  const Caller& caller = by_key ? *by_key : asking.request.caller;
  if (listener.empty()) return caller.known || !asking.listener.empty();
  return caller.known && Permits(Access::kOwn, caller, listener).ok();
}

Response LastFm::RecentTracks(const Asking& asking) {
  const std::string user = FieldOf(asking.form, "user");
  if (user.empty()) return LastFmError(6, "Invalid parameters - user is required", asking.json);
  if (!MayLook(asking, user)) return LastFmError(17, "Login: User required to be logged in", asking.json);
  const int64_t limit = NumberOf(asking.form, "limit", 50, 200);
  const int64_t page = NumberOf(asking.form, "page", 1, 1'000'000);
  const int64_t from = NumberOf(asking.form, "from", 1, INT64_MAX - 1);
  const int64_t to = NumberOf(asking.form, "to", INT64_MAX - 1, INT64_MAX - 1);
  const auto snapshot = parts_.live.Now();
  const auto listens = snapshot->ListensOf(user, from - 1, to + 1, SIZE_MAX);
  Element answer{.name = "recenttracks", .list = true, .of = "track"};
  if (const auto playing = parts_.scrobbles.Playing(user); playing && page == 1) {
    Element track = Played(playing->track.artist, playing->track.title, playing->track.album, "");
    track.attributes = {{"nowplaying", "true"}};
    answer.children.push_back(std::move(track));
  }
  const auto first = static_cast<size_t>((page - 1) * limit);
  for (size_t i = first; i < listens.size() && i < first + static_cast<size_t>(limit); ++i) {
    const Listen& listen = listens[i];
    Element track = Played(listen.artist, listen.title, listen.album, snapshot->MbidOf(listen.track_id));
    track.children.push_back({.name = "date", .attributes = {{"uts", std::to_string(listen.at)}}, .text = DateText(listen.at)});
    answer.children.push_back(std::move(track));
  }
  const auto pages = (listens.size() + static_cast<size_t>(limit) - 1) / static_cast<size_t>(limit);
  answer.attributes = {{"user", user}, {"page", std::to_string(page)}, {"perPage", std::to_string(limit)},
                       {"totalPages", std::to_string(pages)}, {"total", std::to_string(listens.size())}};
  return LastFmAnswer(answer, asking.json);
}

Response LastFm::SimilarTracks(const Asking& asking) {
  if (!MayLook(asking, "")) return LastFmError(17, "Login: User required to be logged in", asking.json);
  const TrackNaming named = ReadLastFmTrack(asking.form, "");
  if (named.source_id.empty() && (named.artist.empty() || named.title.empty())) {
    return LastFmError(6, "Invalid parameters - artist and track, or mbid, are required", asking.json);
  }
  const auto snapshot = parts_.live.Now();
  const auto row = snapshot->RowOf(Scrobbles::IdOf(*snapshot, named));
  if (!row) return LastFmError(6, "Track not found", asking.json);
  const auto n = static_cast<size_t>(NumberOf(asking.form, "limit", 100, kMostItems));
  Element answer{.name = "similartracks", .attributes = {{"artist", snapshot->data().tracks.artist[*row]}}, .list = true, .of = "track"};
  const auto similar = SimilarRows(*snapshot, *row, n);
  for (const auto& [other, score] : similar) {
    const Tracks& tracks = snapshot->data().tracks;
    Element track{.name = "track"};
    track.children = {{.name = "name", .text = tracks.title[other]}, {.name = "mbid", .text = snapshot->MbidOf(tracks.id[other])},
                      {.name = "match", .text = Match(score, similar.front().second)}, {.name = "url"},
                      {.name = "duration", .text = std::to_string(tracks.duration_ms[other] / 1000)},
                      {.name = "artist", .children = {{.name = "name", .text = tracks.artist[other]}, {.name = "mbid"}, {.name = "url"}}}};
    answer.children.push_back(std::move(track));
  }
  return LastFmAnswer(answer, asking.json);
}

Response LastFm::SimilarArtists(const Asking& asking) {
  if (!MayLook(asking, "")) return LastFmError(17, "Login: User required to be logged in", asking.json);
  const std::string wanted = NormalizeArtist(FieldOf(asking.form, "artist"));
  if (wanted.empty()) return LastFmError(6, "Invalid parameters - artist is required", asking.json);
  const auto snapshot = parts_.live.Now();
  const Tracks& tracks = snapshot->data().tracks;
  // The artist's most played tracks stand for him, and others' tracks for them.
  std::vector<uint32_t> rows = snapshot->Search(FieldOf(asking.form, "artist"), 0, 50 * kTracksOfArtist);
  std::erase_if(rows, [&](uint32_t row) { return NormalizeArtist(tracks.artist[row]) != wanted; });
  if (rows.empty()) return LastFmError(6, "The artist you supplied could not be found", asking.json);
  if (rows.size() > kTracksOfArtist) rows.resize(kTracksOfArtist);
  std::map<std::string, double> scores;
  for (const uint32_t row : rows) {
    for (const auto& [other, score] : SimilarRows(*snapshot, row, kNeighboursOfTrack)) {
      if (NormalizeArtist(tracks.artist[other]) != wanted) scores[tracks.artist[other]] += score;
    }
  }
  std::vector<std::pair<std::string, double>> ranked(scores.begin(), scores.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  const auto n = static_cast<size_t>(NumberOf(asking.form, "limit", 100, kMostItems));
  Element answer{.name = "similarartists", .attributes = {{"artist", tracks.artist[rows.front()]}}, .list = true, .of = "artist"};
  for (size_t i = 0; i < ranked.size() && i < n; ++i) {
    answer.children.push_back({.name = "artist", .children = {{.name = "name", .text = ranked[i].first}, {.name = "mbid"},
                                                              {.name = "match", .text = Match(ranked[i].second, ranked.front().second)}, {.name = "url"}}});
  }
  return LastFmAnswer(answer, asking.json);
}

}  // namespace segue::serve
