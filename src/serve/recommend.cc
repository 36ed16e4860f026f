#include "serve/recommend.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "serve/diversify.h"
#include "serve/likeness.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kMostKeptBytes = size_t{64} << 20;
constexpr size_t kBlock = 100;  ///< places that are chosen together
constexpr size_t kPool = 400;   ///< from so many
constexpr size_t kDeeper = 4;   ///< how much further down the ranking is looked, each time that it does not suffice

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// The long list that Recommender tells of, as far as it is needed.
class LongList {
 public:
  LongList(const Snapshot& snapshot, const Ranking& ranking, const Wish& wish, size_t cap)
      : snapshot_(snapshot), ranking_(ranking), wish_(wish), cap_(cap), placed_(snapshot.model()->track_count(), 0) {}

  /// Its first places, n or all.
  std::vector<models::ScoredTrack> First(size_t n) {
    while (list_.size() < n) {
      const auto pool = Pool();
      if (pool.empty()) break;
      const size_t before = list_.size();
      Place(pool, std::min(kBlock, n - before));
    }
    // At the ranking's end the cap gives way.
    for (size_t i = 0; i < ranked_.size() && list_.size() < n; ++i) {
      if (placed_[Raw(ranked_[i].track)] == 0) list_.push_back(ranked_[i]);
    }
    return std::move(list_);
  }

 private:
  uint32_t ArtistOf(const models::ScoredTrack& track) const {
    return snapshot_.ground()->facets().ArtistOf(*snapshot_.RowOfModel(track.track));
  }
  bool Fits(const models::ScoredTrack& track) const {
    const auto shown = shown_.find(ArtistOf(track));
    return placed_[Raw(track.track)] == 0 && (shown == shown_.end() || shown->second < cap_);
  }

  /// The best that are still to be placed.
  std::vector<models::ScoredTrack> Pool() {
    for (;; depth_ *= kDeeper) {
      if (ranked_.size() < depth_ && !at_end_) {
        ranked_ = ranking_.Top(depth_);
        at_end_ = ranked_.size() < depth_;
      }
      std::vector<models::ScoredTrack> pool;
      for (const auto& track : ranked_) {
        if (Fits(track)) pool.push_back(track);
        if (pool.size() == kPool) return pool;
      }
      if (at_end_) return pool;
    }
  }

  void Place(const std::vector<models::ScoredTrack>& pool, size_t most) {
    std::vector<float> scores, novelty;
    std::vector<uint32_t> rows;
    for (const auto& track : pool) {
      rows.push_back(*snapshot_.RowOfModel(track.track));
      scores.push_back(track.score);
      novelty.push_back(snapshot_.ground()->facets().Novelty(rows.back()));
    }
    const auto likeness = [&](size_t a, size_t b) { return LikenessOf(snapshot_, rows[a], rows[b]); };
    const auto take = [&](size_t i) {
      if (!Fits(pool[i])) return false;
      placed_[Raw(pool[i].track)] = 1;
      if (const uint32_t artist = ArtistOf(pool[i]); artist != Facets::kNone) ++shown_[artist];
      list_.push_back(pool[i]);
      return true;
    };
    Diversify(Wanted(scores, novelty, wish_.novelty), most, wish_.diversity, likeness, take);
  }

  const Snapshot& snapshot_;
  const Ranking& ranking_;
  const Wish& wish_;
  size_t cap_;
  std::vector<uint8_t> placed_;  // [tracks of the model]
  std::unordered_map<uint32_t, size_t> shown_;  // by artist
  std::vector<models::ScoredTrack> list_, ranked_;
  size_t depth_ = kPool;
  bool at_end_ = false;
};

}  // namespace

json BriefJson(const Snapshot& snapshot, uint32_t row) {
  const Tracks& tracks = snapshot.data().tracks;
  return {{"track_id", tracks.id[row]}, {"artist", tracks.artist[row]}, {"title", tracks.title[row]}};
}

json TrackJson(const Snapshot& snapshot, uint32_t row) {
  const Tracks& tracks = snapshot.data().tracks;
  json track = {{"track_id", tracks.id[row]}, {"artist", tracks.artist[row]}, {"title", tracks.title[row]},
                {"album", tracks.album[row].empty() ? json() : json(tracks.album[row])},
                {"year", tracks.year[row] == 0 ? json() : json(tracks.year[row])},
                {"duration_ms", tracks.duration_ms[row] == 0 ? json() : json(tracks.duration_ms[row])},
                {"tags", json::array()}, {"features", json::object()},
                {"hit", tracks.hit[row] < 0 ? json() : json(tracks.hit[row] == 1)}};
  ForEachTag(tracks.tags[row], [&](std::string_view tag) { track["tags"].push_back(tag); });
  for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
    const float value = tracks.features[row * kAudioFeatures.size() + f];
    if (!std::isnan(value)) track["features"][std::string(kAudioFeatures[f])] = value;
  }
  return track;
}

namespace {

/// The n best whose rows of the model are not in `exclude`.
std::vector<std::pair<uint32_t, float>> SimilarAmong(const Snapshot& snapshot, uint32_t row, size_t n, std::span<const uint8_t> exclude) {
  std::vector<std::pair<uint32_t, float>> rows;
  const auto model_row = snapshot.ModelRowOf(row);
  if (!model_row || n == 0) return rows;
  const auto forbidden = static_cast<size_t>(std::count(exclude.begin(), exclude.end(), 1));
  for (const auto& similar : snapshot.model()->Similar(*model_row, n + forbidden)) {
    if (exclude[Raw(similar.track)] != 0) continue;
    rows.emplace_back(*snapshot.RowOfModel(similar.track), similar.score);
    if (rows.size() == n) break;
  }
  return rows;
}

}  // namespace

std::vector<std::pair<uint32_t, float>> SimilarRows(const Snapshot& snapshot, uint32_t row, size_t n) {
  if (snapshot.model() == nullptr) return {};
  return SimilarAmong(snapshot, row, n, Forbidden(snapshot, Audience{}, Wish{}));
}

json SimilarTo(const Snapshot& snapshot, uint32_t row, const Audience& audience, size_t n) {
  json items = json::array();
  if (snapshot.model() == nullptr) return {{"items", items}};
  const auto exclude = Forbidden(snapshot, audience, Wish{.mode = Mode::kNext});
  for (const auto& [other, score] : SimilarAmong(snapshot, row, n, exclude)) {
    items.push_back(BriefJson(snapshot, other));
    items.back()["score"] = score;
  }
  return {{"items", items}};
}

Recommender::Answer Recommender::ListFor(const Snapshot& snapshot, const Group& group, const Wish& wish) {
  const json names = {group.listeners, Name(group.strategy)};
  json versions = {snapshot.model_id(), snapshot.dataset_id(), group.turn, group.blocked};
  for (const std::string& listener : group.listeners) versions.push_back(snapshot.VersionOf(listener));
  Kept list{.asked = wish.Key() + Dump(names), .made_of = Dump(versions), .list = nullptr};
  {
    const std::lock_guard lock(mutex_);
    const auto it = by_asked_.find(list.asked);
    if (it != by_asked_.end() && it->second->made_of == list.made_of) {
      kept_.splice(kept_.begin(), kept_, it->second);
      return {it->second->list, true};
    }
  }
  list.list = std::make_shared<const MadeList>(Make(snapshot, group, wish));
  Answer answer{list.list, false};
  Keep(std::move(list));
  return answer;
}

void Recommender::Keep(Kept list) {
  const std::lock_guard lock(mutex_);
  const auto drop = [&](std::list<Kept>::iterator old) {
    kept_bytes_ -= old->Bytes();
    by_asked_.erase(old->asked);
    kept_.erase(old);
  };
  if (const auto it = by_asked_.find(list.asked); it != by_asked_.end()) drop(it->second);
  kept_bytes_ += list.Bytes();
  kept_.push_front(std::move(list));
  by_asked_[kept_.front().asked] = kept_.begin();
  while (kept_bytes_ > kMostKeptBytes) drop(std::prev(kept_.end()));
}

MadeList Recommender::Make(const Snapshot& snapshot, const Group& group, const Wish& wish) const {
  const bool alone = group.listeners.size() == 1;
  Audience audience{.tastes = {}, .strategy = group.strategy, .blocked = group.blocked, .not_again = group.not_again};
  for (const std::string& listener : group.listeners) {
    Taste taste{.now = snapshot.Listener(listener)};
    if (!alone) {
      taste.did = listener + " played";
      taste.name = listener;
    }
    audience.tastes.push_back(std::move(taste));
  }
  if (alone) return MakeFor(snapshot, audience, wish, {{"listener", group.listeners[0]}});
  return MakeFor(snapshot, audience, wish, {{"listeners", group.listeners}, {"strategy", Name(group.strategy)}});
}

MadeList Recommender::MakeFor(const Snapshot& snapshot, const Audience& audience, const Wish& wish, const json& about) const {
  json answer = about;
  answer.update({{"model_id", json()}, {"fallback", json()}, {"mode", Name(wish.mode)}, {"items", json::array()}, {"next", json()}, {"allowed", 0}});
  if (snapshot.model() == nullptr) {
    answer["fallback"] = "no model is live yet: drop listening data into the inbox";
    return {Dump(answer), {}};
  }
  const Ranking ranking(snapshot, audience, wish);
  answer["model_id"] = snapshot.model_id();
  answer["allowed"] = ranking.allowed();
  if (!ranking.fallback().empty()) answer["fallback"] = ranking.fallback();
  const size_t end = wish.offset + wish.n;
  const auto chosen = LongList(snapshot, ranking, wish, static_cast<size_t>(settings_.max_per_artist)).First(end + 1);
  if (chosen.size() > end) answer["next"] = end;
  MadeList list;
  for (size_t i = wish.offset; i < std::min(end, chosen.size()); ++i) {
    const uint32_t row = *snapshot.RowOfModel(chosen[i].track);
    json item = BriefJson(snapshot, row);
    item["score"] = chosen[i].score;
    if (wish.explain) item["reason"] = ranking.Reason(chosen[i].track);
    list.tracks.push_back(item["track_id"]);
    answer["items"].push_back(std::move(item));
  }
  list.body = Dump(answer);
  return list;
}

}  // namespace segue::serve
