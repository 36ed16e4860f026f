#include "serve/listener_export.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

#include "serve/record_json.h"
#include "store/blocked_artists.h"
#include "store/duck.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr int64_t kBatch = 10'000;

/// One export, line by line.
class Export {
 public:
  Export(const Context& context, const Snapshot& snapshot, const std::string& listener) : context_(context), snapshot_(snapshot), listener_(listener) {}

  Result<std::string> Run() {
    SEGUE_TRY(const auto tombstones, context_.catalog.listeners().ForgottenAfter(0));
    const auto mine = std::find_if(tombstones.begin(), tombstones.end(), [&](const auto& one) { return one.listener == listener_; });
    if (mine != tombstones.end()) forgotten_at_ = mine->at;
    SEGUE_RETURN_IF_ERROR(User());
    SEGUE_RETURN_IF_ERROR(BlockedArtists());
    SEGUE_RETURN_IF_ERROR(Files());
    Interactions();
    SEGUE_RETURN_IF_ERROR(Events());
    Opinions();
    SEGUE_RETURN_IF_ERROR(Lists());
    SEGUE_RETURN_IF_ERROR(FlushedLists());
    return std::move(text_);
  }

 private:
  void Line(const char* type, json line) {
    line["type"] = type;
    // What is not known is left out.
    for (auto it = line.begin(); it != line.end();) it = it->is_null() ? line.erase(it) : std::next(it);
    text_ += line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  }
  static json Time(int64_t at) { return at > 0 ? json(store::Iso8601(at)) : json(); }

  Status User() {
    SEGUE_TRY(const auto user, context_.catalog.documents().FindDocument(store::kUserDocument, listener_));
    if (user) Line("user", Kept(user->body));
    return {};
  }

  Status BlockedArtists() {
    SEGUE_TRY(const auto artists, store::BlockedArtistsOf(context_.catalog.documents(), listener_));
    for (const auto& artist : artists) Line("blocked_artist", {{"artist", artist.name}, {"since", Time(artist.since)}});
    return {};
  }

  Status Files() {
    SEGUE_TRY(const auto objects, context_.catalog.Objects(""));
    for (const auto& object : objects) {
      if (object.listener != listener_ || object.added_at <= forgotten_at_) continue;
      Line("file", {{"name", object.name}, {"sha256", object.sha256}, {"status", object.status}, {"rows", object.rows}, {"bytes", object.bytes},
                    {"added", Time(object.added_at)}});
    }
    return {};
  }

  void Interactions() {
    const Dataset& data = snapshot_.data();
    const auto user = FindSorted(data.listeners, listener_);
    if (!user || snapshot_.ground()->DeedsOf(listener_).forgotten) return;
    const auto named = [&](uint32_t row) {
      return json{{"track_id", data.tracks.id[row]}, {"artist", OrNull(data.tracks.artist[row])}, {"title", OrNull(data.tracks.title[row])},
                  {"dataset_id", data.id}};
    };
    for (const Event& event : data.EventsOf(UserIx{*user})) {
      json line = named(Raw(event.track));
      line["kind"] = Name(event.kind);
      line["at"] = Time(event.at);
      line["value"] = event.value;
      line["ms_played"] = event.ms_played < 0 ? json() : json(event.ms_played);
      Line("interaction", std::move(line));
    }
    for (const Review& review : data.reviews) {
      if (review.listener != UserIx{*user}) continue;
      json line = named(Raw(review.track));
      line["at"] = Time(review.at);
      line["rating"] = std::isnan(review.rating) ? json() : json(review.rating);
      line["text"] = review.text;
      Line("review", std::move(line));
    }
  }

  Status Events() {
    for (int64_t after = 0;;) {
      SEGUE_TRY(const auto events, context_.catalog.listeners().EventsOf(listener_, after, kBatch));
      if (events.empty()) return {};
      for (const auto& event : events) {
        json line = EventJson(event);
        line.erase("listener");
        Line("event", std::move(line));
      }
      after = events.back().seq;
    }
  }

  void Opinions() {
    for (const Opinion& opinion : snapshot_.OpinionsOf(listener_)) {
      if (opinion.verdict == 0) continue;
      Line("opinion", {{"track_id", opinion.track_id}, {"artist", OrNull(opinion.artist)}, {"title", OrNull(opinion.title)},
                       {"opinion", opinion.verdict > 0 ? "liked" : "disliked"}, {"at", Time(opinion.at)}});
    }
  }

  void ListLine(const store::Impression& list) {
    Line("list", {{"list_id", list.list_id}, {"at", Time(list.at_ms / 1000)}, {"model_id", list.model_id}, {"arm", list.arm}, {"mode", list.mode},
                  {"tracks", list.tracks}});
  }

  Status Lists() {
    for (int64_t after = 0;;) {
      SEGUE_TRY(const auto lists, context_.catalog.listeners().ImpressionsOf(listener_, after, kBatch));
      if (lists.empty()) return {};
      for (const auto& list : lists) {
        in_catalog_.insert(list.seq);
        ListLine(list);
      }
      after = lists.back().seq;
    }
  }

  /// Those that the catalog keeps no more.
  Status FlushedLists() {
    SEGUE_TRY(const auto keys, context_.bucket.List("impressions"));
    std::string paths;
    for (const auto& key : keys) {
      if (!key.ends_with(".parquet")) continue;
      SEGUE_TRY(const auto path, context_.bucket.LocalPath(key));
      paths += (paths.empty() ? "" : ", ") + store::Quoted(path.string());
    }
    if (paths.empty()) return {};
    SEGUE_TRY(const auto duck, store::OpenDuck({.threads = 1, .memory_limit_mb = 512, .spill_folder = context_.bucket.ScratchFolder()}));
    store::Impression list;
    const auto end = [&] {
      if (list.seq != 0 && !in_catalog_.contains(list.seq)) ListLine(list);
      list = {};
    };
    // Times are told in seconds: of the one in which he was forgotten nothing counts.
    const int64_t from_ms = forgotten_at_ == 0 ? 0 : (forgotten_at_ + 1) * 1000;
    SEGUE_RETURN_IF_ERROR(duck->Query(
        "SELECT seq, coalesce(list_id,''), coalesce(model_id,''), coalesce(arm,''), coalesce(mode,''), at_ms, coalesce(track_id,'') FROM read_parquet([" +
            paths + "]) WHERE listener = " + store::Quoted(listener_) + " AND at_ms >= " + std::to_string(from_ms) + " ORDER BY seq, position",
        [&](const store::DuckChunk& chunk) {
          for (uint64_t r = 0; r < chunk.rows(); ++r) {
            if (chunk.Int(0, r) != list.seq) {
              end();
              list.seq = chunk.Int(0, r);
              list.list_id = chunk.Text(1, r);
              list.model_id = chunk.Text(2, r);
              list.arm = chunk.Text(3, r);
              list.mode = chunk.Text(4, r);
              list.at_ms = chunk.Int(5, r);
            }
            if (!chunk.Text(6, r).empty()) list.tracks.emplace_back(chunk.Text(6, r));
          }
        }));
    end();
    return {};
  }

  const Context& context_;
  const Snapshot& snapshot_;
  const std::string& listener_;
  int64_t forgotten_at_ = 0;
  std::set<int64_t> in_catalog_;  ///< lists, by seq
  std::string text_;
};

}  // namespace

Result<std::string> ExportOf(const Context& context, const Snapshot& snapshot, const std::string& listener) {
  return Export(context, snapshot, listener).Run();
}

}  // namespace segue::serve
