#include "ingest/known_formats.h"

#include <algorithm>

#include "core/dataset.h"
#include "ingest/naming.h"
#include "ingest/values.h"

namespace segue::ingest {
namespace {

using Names = std::vector<std::string>;

const Names kUserNames = {"user", "user_id", "listener", "listener_id", "reviewerID", "username", "uid"};
const Names kItemNames = {"item", "item_id", "movie_id", "track_id", "song_id", "artist_id", "parent_asin", "product_id"};
const Names kArtistNames = {"artist", "artist_name", "artists"};
const Names kTitleNames = {"title", "track_name", "song_name", "song", "track"};
const Names kRatingNames = {"rating", "overall", "stars", "score"};
const Names kCountNames = {"plays", "play_count", "playcount", "count", "weight", "listens"};
const Names kTimeNames = {"at", "timestamp", "time", "ts", "unixReviewTime", "played_at", "listened_at", "date", "utc_time"};
const Names kTextNames = {"reviewText", "review_text", "text", "review", "comment"};

bool Has(const Sample& sample, const Names& alternatives) {
  return std::any_of(alternatives.begin(), alternatives.end(),
                     [&](const std::string& name) { return FindColumn(sample.columns, name) >= 0; });
}

/// Ratings stay within ten; play counts of a thousand rows do not.
bool LooksLikeRatings(const Sample& sample, int column) {
  for (size_t row = 0; row < sample.rows.size(); ++row) {
    if (ParseReal(Value(sample, row, column)).value_or(0) > 10) return false;
  }
  return true;
}

Names Joined(const Names& a, const Names& b) {
  Names all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

std::vector<ColumnRule> FeatureRules(const std::string& prefix) {
  std::vector<ColumnRule> rules;
  for (const std::string_view feature : kAudioFeatures) {
    const std::string name(feature);
    rules.push_back({name, prefix.empty() ? Names{name} : Names{prefix + name, name}, As::kNumber});
  }
  return rules;
}

std::vector<ColumnRule> With(std::vector<ColumnRule> rules, const std::vector<ColumnRule>& more) {
  rules.insert(rules.end(), more.begin(), more.end());
  return rules;
}

std::vector<Format> SpotifyHistories() {
  Format podcasts{.needs = {"podcastName", "episodeName"},
                  .also = [](const Sample& s) { return FindColumn(s.columns, "trackName") < 0; },
                  .plan = {.format = "spotify_podcast", .set_aside = "podcasts of a Spotify export, not music"}};
  Format audiobooks{.needs = {"endTime", "audiobookName"},
                    .plan = {.format = "spotify_audiobook", .set_aside = "audiobooks of a Spotify export, not music"}};
  Format account{.needs = {"endTime", "artistName", "trackName", "msPlayed"},
                 .plan = {.format = "spotify_account",
                          .table = "listens",
                          .rules = {{"at", {"endTime"}, As::kMoment, true},
                                    {"artist", {"artistName"}, As::kText, true},
                                    {"title", {"trackName"}, As::kText, true},
                                    {"ms_played", {"msPlayed"}, As::kNumber, true}},
                          .constants = {{"kind", "play"}}}};
  Format extended{.needs = {"ts", "ms_played", "master_metadata_track_name"},
                  .plan = {.format = "spotify_extended",
                           .table = "listens",
                           .rules = {{"at", {"ts"}, As::kMoment, true},
                                     {"artist", {"master_metadata_album_artist_name"}, As::kText, false},
                                     {"title", {"master_metadata_track_name"}, As::kText, false},
                                     {"album", {"master_metadata_album_album_name"}, As::kText, false},
                                     {"source_id", {"spotify_track_uri"}, As::kText, false},
                                     {"ms_played", {"ms_played"}, As::kNumber, true}},
                           .constants = {{"kind", "play"}},
                           .spoken_word = {"episode_name", "episode_show_name", "spotify_episode_uri", "audiobook_title",
                                           "audiobook_uri"}}};
  return {podcasts, audiobooks, account, extended};
}

std::vector<Format> SpotifySongTables() {
  Format hits{.needs = {"track", "artist", "uri", "danceability", "energy", "tempo", "target"},
              .plan = {.format = "hit_predictor",
                       .table = "tracks",
                       .rules = With({{"title", {"track"}, As::kText, false},
                                      {"artist", {"artist"}, As::kText, false},
                                      {"source_id", {"uri"}, As::kText, false},
                                      {"duration_ms", {"duration_ms"}, As::kNumber, false},
                                      {"hit", {"target"}, As::kNumber, true}},
                                     FeatureRules("")),
                       .constants = {{"part", "whole"}}},
              .finish = [](const Sample& sample, Plan& plan) {
                const std::string decade = DecadeTag(sample.name);
                if (!decade.empty()) plan.constants["tags"] = decade;
              }};
  const std::vector<ColumnRule> measured = With({{"title", {"song_name"}, As::kText, true},
                                                 {"popularity", {"song_popularity"}, As::kNumber, false},
                                                 {"duration_ms", {"song_duration_ms"}, As::kNumber, false}},
                                                FeatureRules("song_"));
  Format genres{.needs = {"song_name", "artist_name", "song_genre"},
                .plan = {.format = "spotify_songs",
                         .table = "tracks",
                         .rules = With({{"artist", {"artist_name"}, As::kText, false},
                                        {"album", {"album_name"}, As::kText, false},
                                        {"tags", {"song_genre"}, As::kText, false}},
                                       measured),
                         .constants = {{"part", "whole"}}}};
  Format features{.needs = {"song_name", "song_duration_ms", "song_danceability"},
                  .also = [](const Sample& s) { return FindColumn(s.columns, "artist_name") < 0; },
                  .plan = {.format = "spotify_song_data",
                           .table = "tracks",
                           .rules = measured,
                           .constants = {{"part", "features"}},
                           .needs_identity = false}};
  Format names{.needs = {"song_name", "artist_name", "playlist"},
               .plan = {.format = "spotify_song_info",
                        .table = "tracks",
                        .rules = {{"title", {"song_name"}, As::kText, true},
                                  {"artist", {"artist_name"}, As::kText, false},
                                  {"album", {"album_names", "album_name"}, As::kText, false},
                                  {"tags", {"playlist"}, As::kText, false}},
                        .constants = {{"part", "names"}}}};
  return {hits, genres, features, names};
}

/// HetRec 2011's Last.fm tables: what is listened to is an artist.
std::vector<Format> LastFm2k() {
  const std::string listener = "lastfm-2k:";
  const std::string artist = "lastfm-2k:artist:";
  Format artists{.needs = {"id", "name", "url", "pictureURL"},
                 .plan = {.format = "lastfm2k_artists",
                          .table = "tracks",
                          .rules = {{"source_id", {"id"}, As::kItem, true}, {"artist", {"name"}, As::kText, true}},
                          .constants = {{"part", "whole"}},
                          .item_prefix = artist}};
  Format plays{.needs = {"userID", "artistID", "weight"},
               .plan = {.format = "lastfm2k_user_artists",
                        .table = "listens",
                        .rules = {{"listener", {"userID"}, As::kListener, true},
                                  {"source_id", {"artistID"}, As::kItem, true},
                                  {"value", {"weight"}, As::kNumber, true}},
                        .constants = {{"kind", "play"}},
                        .listener_prefix = listener,
                        .item_prefix = artist}};
  Format tags{.needs = {"tagID", "tagValue"},
              .plan = {.format = "lastfm2k_tags",
                       .table = "tag_names",
                       .rules = {{"tag_id", {"tagID"}, As::kText, true}, {"tag", {"tagValue"}, As::kText, true}},
                       .needs_identity = false}};
  Format taggings{.needs = {"userID", "artistID", "tagID"},
                  .plan = {.format = "lastfm2k_taggings",
                           .table = "taggings",
                           .rules = {{"listener", {"userID"}, As::kListener, true},
                                     {"source_id", {"artistID"}, As::kItem, true},
                                     {"tag_id", {"tagID"}, As::kText, true}},
                           .listener_prefix = listener,
                           .item_prefix = artist}};
  Format friends{.needs = {"userID", "friendID"},
                 .plan = {.format = "lastfm2k_friends",
                          .set_aside = "friendships are recognised but not kept in the bucket; "
                                       "`segue evaluate --friends` takes them"}};
  return {artists, plays, tags, taggings, friends};
}

/// Tables in our own terms: what Segue writes, or what somebody prepared for it.
std::vector<Format> Ours() {
  Format tracks{.needs = {},
                .also = [](const Sample& s) {
                  return Has(s, kArtistNames) && Has(s, kTitleNames) && !Has(s, kUserNames) && !Has(s, kTimeNames) &&
                         FindColumn(s.columns, "kind") < 0 && Has(s, {"track_id", "source_id", "uri", "tempo"});
                },
                .plan = {.format = "segue_tracks",
                         .table = "tracks",
                         .rules = With({{"source_id", {"track_id", "source_id", "uri"}, As::kTrack, false},
                                        {"title", kTitleNames, As::kText, false},
                                        {"artist", kArtistNames, As::kText, false},
                                        {"album", {"album", "album_name"}, As::kText, false},
                                        {"year", {"year"}, As::kNumber, false},
                                        {"duration_ms", {"duration_ms"}, As::kNumber, false},
                                        {"popularity", {"popularity"}, As::kNumber, false},
                                        {"tags", {"tags", "genre", "track_genre"}, As::kText, false},
                                        {"hit", {"hit"}, As::kNumber, false}},
                                       FeatureRules("")),
                         .constants = {{"part", "whole"}}},
                .finish = NamespaceByFolder};
  Format listens{
      .needs = {},
      .also = [](const Sample& s) {
        const bool listener = FindColumn(s.columns, "listener") >= 0;
        const bool named = Has(s, kArtistNames) && Has(s, kTitleNames) && (listener || Has(s, kTimeNames));
        const bool review = FindColumn(s.columns, "kind") < 0 && (Has(s, kRatingNames) || Has(s, kTextNames));
        return !review && (named || (listener && Has(s, {"track_id", "source_id"})));
      },
      .plan = {.format = "segue_listens",
               .table = "listens",
               .rules = {{"listener", kUserNames, As::kText, true},
                         {"source_id", {"track_id", "source_id"}, As::kTrack, false},
                         {"artist", kArtistNames, As::kText, false},
                         {"title", kTitleNames, As::kText, false},
                         {"album", {"album", "album_name"}, As::kText, false},
                         {"at", kTimeNames, As::kMoment, false},
                         {"kind", {"kind"}, As::kText, false},
                         {"value", {"value"}, As::kNumber, false},
                         {"ms_played", {"ms_played"}, As::kNumber, false},
                         {"text", {"text"}, As::kText, false},
                         {"event_id", {"event_id"}, As::kText, false}},
               .constants = {{"kind", "play"}}},
      .finish = NamespaceByFolder};
  return {tracks, listens};
}

bool ColumnIs(const Sample& sample, int column, bool (*is)(std::string_view)) {
  for (size_t row = 0; row < sample.rows.size(); ++row) {
    if (!is(Value(sample, row, column))) return false;
  }
  return !sample.rows.empty();
}

/// Most, not all: a table with a few broken rows is still that table.
bool ColumnMostly(const Sample& sample, int column, bool (*is)(std::string_view)) {
  size_t good = 0;
  for (size_t row = 0; row < sample.rows.size(); ++row) good += is(Value(sample, row, column)) ? 1 : 0;
  return good > 0 && good * 10 >= sample.rows.size() * 9;
}

bool IsReal(std::string_view text) { return ParseReal(text).has_value(); }
bool IsMomentOrBlank(std::string_view text) { return IsMissingMark(text) || ParseMoment(text).has_value(); }
bool IsFilled(std::string_view text) { return !Trimmed(text).empty(); }

std::vector<Format> RatingsAndReviews() {
  Format amazon{.needs = {"reviewerID", "asin"},
                .plan = {.format = "amazon_reviews",
                         .table = "listens",
                         .rules = {{"listener", {"reviewerID"}, As::kText, true},
                                   {"source_id", {"asin"}, As::kItem, true},
                                   {"value", {"overall"}, As::kNumber, false},
                                   {"text", {"reviewText", "summary"}, As::kText, false},
                                   {"at", {"unixReviewTime"}, As::kMoment, false}},
                         .item_prefix = "amazon:",
                         .review_where_text = true}};
  Format reviews{.needs = {},
                 .also = [](const Sample& s) {
                   return Has(s, kUserNames) && Has(s, Joined({"asin"}, kItemNames)) && Has(s, kTextNames);
                 },
                 .plan = {.format = "reviews",
                          .table = "listens",
                          .rules = {{"listener", kUserNames, As::kListener, true},
                                    {"source_id", Joined({"asin"}, kItemNames), As::kTrack, true},
                                    {"value", kRatingNames, As::kNumber, false},
                                    {"text", kTextNames, As::kText, false},
                                    {"at", kTimeNames, As::kMoment, false}},
                          .review_where_text = true},
                 .finish = [](const Sample& sample, Plan& plan) {
                   NamespaceByFolder(sample, plan);
                   if (FindColumn(sample.columns, "asin") >= 0) plan.item_prefix = "amazon:";
                 }};
  const Names values = Joined(Joined(kRatingNames, kCountNames), {"value"});
  Format table{.needs = {},
               .also = [values](const Sample& s) { return Has(s, kUserNames) && Has(s, kItemNames) && Has(s, values); },
               .plan = {.format = "ratings",
                        .table = "listens",
                        .rules = {{"listener", kUserNames, As::kListener, true},
                                  {"source_id", kItemNames, As::kItem, true},
                                  {"value", values, As::kNumber, true},
                                  {"at", kTimeNames, As::kMoment, false}}},
               .finish = [](const Sample& sample, Plan& plan) {
                 NamespaceByFolder(sample, plan);
                 const bool rating = Has(sample, kRatingNames) ||
                                     (!Has(sample, kCountNames) && LooksLikeRatings(sample, FirstColumn(sample, {"value"})));
                 plan.constants["kind"] = rating ? "rating" : "play";
               }};
  Format triples{.needs = {"column1", "column2", "column3"},
                 .also = [](const Sample& s) {
                   return !s.has_header && s.columns.size() <= 4 && ColumnIs(s, 0, IsFilled) && ColumnIs(s, 1, IsFilled) &&
                          ColumnMostly(s, 2, IsReal) && (s.columns.size() == 3 || ColumnMostly(s, 3, IsMomentOrBlank));
                 },
                 .plan = {.format = "ratings",
                          .table = "listens",
                          .rules = {{"listener", {"column1"}, As::kListener, true},
                                    {"source_id", {"column2"}, As::kItem, true},
                                    {"value", {"column3"}, As::kNumber, true},
                                    {"at", {"column4"}, As::kMoment, false}}},
                 .finish = [](const Sample& sample, Plan& plan) {
                   NamespaceByFolder(sample, plan);
                   plan.constants["kind"] = LooksLikeRatings(sample, 2) ? "rating" : "play";
                 }};
  return {amazon, reviews, table, triples};
}

/// Last.fm-1K, bare as it is published. Copies whose header names artist_id
/// twice, meaning two things, are left to a mapping.
std::vector<Format> LastFm1k() {
  Format bare{.needs = {"column1", "column2", "column3", "column4", "column5", "column6"},
              .also = [](const Sample& s) {
                return !s.has_header && s.columns.size() == 6 && !ColumnMostly(s, 1, IsReal) &&
                       ColumnMostly(s, 1, [](std::string_view text) { return ParseMoment(text).has_value(); });
              },
              .plan = {.format = "lastfm1k",
                       .table = "listens",
                       .rules = {{"listener", {"column1"}, As::kText, true},
                                 {"at", {"column2"}, As::kMoment, true},
                                 {"artist", {"column4"}, As::kText, true},
                                 {"source_id", {"column5"}, As::kItem, false},
                                 {"title", {"column6"}, As::kText, true}},
                       .constants = {{"kind", "play"}},
                       .item_prefix = "mbid:"}};
  return {bare};
}

}  // namespace

std::string Value(const Sample& sample, size_t row, int column) {
  const auto& fields = sample.rows[row];
  if (column < 0 || static_cast<size_t>(column) >= fields.size()) return {};
  return fields[static_cast<size_t>(column)].value_or("");
}

int FirstColumn(const Sample& sample, const Names& alternatives) {
  for (const std::string& name : alternatives) {
    if (const int column = FindColumn(sample.columns, name); column >= 0) return column;
  }
  return -1;
}

void NamespaceByFolder(const Sample& sample, Plan& plan) {
  const std::string folder = NearestFolder(sample.name);
  plan.item_prefix = (folder.empty() ? "ratings" : folder) + ":";
  plan.listener_prefix = folder.empty() ? "" : folder + ":";
}

std::vector<Format> KnownFormats() {
  std::vector<Format> all;
  for (const auto& group : {SpotifyHistories(), SpotifySongTables(), LastFm2k(), LastFm1k(), Ours(), RatingsAndReviews()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace segue::ingest
