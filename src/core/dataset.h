#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ids.h"

namespace segue {

/// What a listener did with a track.
enum class EventKind : uint8_t { kPlay, kSkip, kLike, kDislike, kRating, kReview, kNeutral };
inline constexpr int kEventKinds = 7;

/// "play", "skip", "like", "dislike", "rating", "review", "neutral" (takes an
/// earlier like or dislike back).
std::string_view Name(EventKind kind);
std::optional<EventKind> ParseEventKind(std::string_view name);

/// The audio features a track may carry, in this order everywhere.
inline constexpr std::array<std::string_view, 14> kAudioFeatures = {
    "danceability",     "energy",   "key",     "loudness", "mode",           "speechiness", "acousticness",
    "instrumentalness", "liveness", "valence", "tempo",    "time_signature", "chorus_hit",  "sections"};

/// The catalogue, a column each, all of the same length n. Empty strings, NaN,
/// -1 and 0 stand for "unknown" as each column says.
struct Tracks {
  std::vector<std::string> id;      ///< stable across datasets, see core/identity.h
  std::vector<std::string> title;
  std::vector<std::string> artist;
  std::vector<std::string> album;   ///< "" unknown
  std::vector<std::string> tags;    ///< genres, tags, keywords, ';' between; "" none
  std::vector<int16_t> year;        ///< 0 unknown
  std::vector<int32_t> duration_ms; ///< 0 unknown
  std::vector<int8_t> hit;          ///< 1 hit, 0 flop, -1 unlabelled
  std::vector<float> features;      ///< [n x 14] row by row, kAudioFeatures; NaN missing
  std::vector<uint8_t> listed;      ///< 1: a table of tracks has it, 0: known from listening alone; empty: all 1

  size_t size() const { return id.size(); }
  bool IsListed(TrackIx track) const { return listed.empty() || listed[Raw(track)] != 0; }
};

/// How much each tag (genre, keyword) says of each track: CSR over tracks.
/// Empty begin: no track has any.
struct TrackTags {
  std::vector<std::string> names;  ///< ascending
  std::vector<uint64_t> begin;     ///< [tracks + 1]
  std::vector<uint32_t> tag;       ///< rows of names, ascending in each track
  std::vector<float> weight;       ///< > 0: e.g. how many gave it

  bool empty() const { return begin.empty(); }
};

/// The tags of Tracks::tags, weight 1 each.
TrackTags TagsOf(const Tracks& tracks);

/// Numbers about tracks beside the audio features, from --item-features.
struct ExtraFeatures {
  std::vector<std::string> names;
  std::vector<float> values;       ///< [tracks x names]; NaN missing
};

/// Who knows whom: CSR over listeners, both directions. Empty begin: unknown.
struct Friends {
  std::vector<uint64_t> begin;     ///< [listeners + 1]
  std::vector<UserIx> of;          ///< ascending in each listener

  std::span<const UserIx> Of(UserIx user) const {
    if (begin.empty()) return {};
    return {of.data() + begin[Raw(user)], of.data() + begin[Raw(user) + 1]};
  }
};

/// What a listener wrote about a track.
struct Review {
  UserIx listener{};
  TrackIx track{};
  int64_t at = 0;      ///< Unix seconds UTC; 0 unknown
  float rating = std::numeric_limits<float>::quiet_NaN();  ///< given with it; NaN: none
  std::string text;
};

/// One event of one listener.
struct Event {
  TrackIx track{};
  EventKind kind = EventKind::kPlay;
  float value = 1;        ///< play, skip: how many; rating: the rating; else 1
  int32_t ms_played = -1; ///< -1 unknown
  int64_t at = 0;         ///< Unix seconds UTC; 0 unknown
};

/// Everything a trainer may look at: an immutable snapshot, made by clean/.
/// Listeners are sorted by name, tracks by id, each listener's events by
/// (at, track, kind): the same content is the same bytes.
struct Dataset {
  std::string id;                      ///< hash of inputs, settings, code version
  Tracks tracks;
  std::vector<std::string> listeners;  ///< names, ascending; row = UserIx
  std::vector<uint64_t> begin;         ///< [listeners + 1] into events
  std::vector<Event> events;           ///< grouped by listener
  TrackTags tags;
  ExtraFeatures extra_features;
  Friends friends;
  std::vector<Review> reviews;         ///< ascending by (listener, track, at, text)
  std::vector<float> hit_chance;       ///< [tracks] as a model of hits sees them, NaN unknown; empty: none has looked

  size_t listener_count() const { return listeners.size(); }
  std::span<const Event> EventsOf(UserIx user) const {
    return {events.data() + begin[Raw(user)], events.data() + begin[Raw(user) + 1]};
  }
};

/// [tracks] 1 for what the data do not know to exist: no table lists it and
/// nobody has met it. Where a part of the listening is held out these are the
/// tracks that the held-out part alone brought into the catalogue: to recommend
/// one is to have looked.
std::vector<uint8_t> UnknownTracks(const Dataset& data);

/// Row of a name in an ascending list, if it is there. O(log n).
std::optional<uint32_t> FindSorted(std::span<const std::string> sorted, std::string_view name);

}  // namespace segue
