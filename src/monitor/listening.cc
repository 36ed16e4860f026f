#include "monitor/listening.h"

#include <cmath>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "monitor/drift.h"
#include "store/duck.h"
#include "store/layout.h"

namespace segue::monitor {
namespace {

using nlohmann::json;
using store::DuckChunk;

constexpr int64_t kPage = 10'000;
constexpr double kLeastExpected = 5;
constexpr const char* kOthers = "";

/// artist, plays expected of the listeners, plays now; `tracks`, `interactions`: quoted paths.
std::string Query(const std::string& tracks, const std::string& interactions) {
  return "WITH artist_of AS (SELECT track_id, coalesce(nullif(artist, ''), track_id) AS artist FROM read_parquet(" + tracks + ")), "
         "base AS (SELECT i.listener, a.artist, sum(greatest(i.value, 1)) AS n FROM read_parquet(" + interactions + ") i "
         "JOIN artist_of a USING (track_id) WHERE i.kind = 'play' AND i.listener IN (SELECT listener FROM recent) GROUP BY ALL), "
         "total AS (SELECT listener, sum(n) AS t FROM base GROUP BY listener), "
         "known AS (SELECT r.* FROM recent r JOIN total USING (listener)), "
         "weight AS (SELECT listener, sum(plays) AS w FROM known GROUP BY listener), "
         "expected AS (SELECT artist, sum(b.n / t.t * w.w) AS e, sum(b.n) AS n FROM base b JOIN total t USING (listener) "
         "JOIN weight w USING (listener) GROUP BY artist), "
         "actual AS (SELECT coalesce(a.artist, nullif(k.artist, ''), k.track_id) AS artist, sum(k.plays) AS o FROM known k "
         "LEFT JOIN artist_of a USING (track_id) GROUP BY ALL) "
         "SELECT artist, coalesce(e, 0)::DOUBLE, coalesce(o, 0)::BIGINT, coalesce(n, 0)::BIGINT, "
         "(SELECT count(*) FROM weight)::BIGINT FROM expected FULL JOIN actual USING (artist) ORDER BY artist";
}

}  // namespace

json ToJson(const ListeningDrift& drift) {
  return {{"dataset_id", drift.dataset_id}, {"plays", drift.plays}, {"listeners", drift.listeners}, {"artists", drift.artists},
          {"jensen_shannon", ToJson(drift.jensen_shannon)}};
}

ListeningWatch::ListeningWatch(const store::ObjectStore& bucket, const store::Catalog& catalog, const DriftSettings& settings)
    : bucket_(bucket), catalog_(catalog), settings_(settings) {}

Status ListeningWatch::Follow(const std::string& model_id) {
  if (model_id == model_id_) return {};
  SEGUE_TRY(const auto model, catalog_.FindModel(model_id));
  if (!model) return Error{ErrorCode::kNotFound, "drift: there is no model " + model_id};
  SEGUE_TRY(const std::string text, bucket_.Get(store::DatasetKey(model->dataset_id, "manifest.json")));
  const json manifest = json::parse(text, nullptr, false);
  if (!manifest.is_object()) return Error{ErrorCode::kCorrupt, "drift: the manifest of dataset " + model->dataset_id + " does not read"};
  model_id_ = model_id;
  dataset_id_ = model->dataset_id;
  read_seq_ = manifest.value("events_through_seq", int64_t{0});
  played_.clear();
  plays_ = 0;
  found_.reset();
  return {};
}

Result<std::optional<ListeningDrift>> ListeningWatch::Look(const std::string& model_id, int64_t now_ms) {
  if (model_id.empty() || settings_.check_minutes == 0) return std::optional<ListeningDrift>();
  SEGUE_RETURN_IF_ERROR(Follow(model_id));
  for (bool more = true; more;) {
    SEGUE_TRY(const auto events, catalog_.EventsAfter(read_seq_, kPage));
    for (const auto& event : events) {
      read_seq_ = event.seq;
      if (event.kind != "play") continue;
      const auto plays = static_cast<int64_t>(std::llround(std::max(1.0, event.value)));
      Played& played = played_[{event.listener, event.track_id}];
      played.plays += plays;
      if (played.artist.empty()) played.artist = event.artist;
      plays_ += plays;
    }
    more = events.size() == static_cast<size_t>(kPage);
  }
  if (plays_ < settings_.min_rows) return std::optional<ListeningDrift>();
  if (found_ && std::llabs(now_ms - compared_ms_) < settings_.check_minutes * 60'000) return found_;
  SEGUE_TRY(found_, Compare());
  compared_ms_ = now_ms;
  return found_;
}

Result<std::optional<ListeningDrift>> ListeningWatch::Compare() const {
  SEGUE_TRY(const auto tracks, bucket_.LocalPath(store::DatasetKey(dataset_id_, "tracks.parquet")));
  SEGUE_TRY(const auto interactions, bucket_.LocalPath(store::DatasetKey(dataset_id_, "interactions.parquet")));
  SEGUE_TRY(const auto duck, store::OpenDuck({.threads = 1, .memory_limit_mb = 512}));
  SEGUE_RETURN_IF_ERROR(duck->Run("CREATE TABLE recent(listener VARCHAR, track_id VARCHAR, artist VARCHAR, plays BIGINT)"));
  SEGUE_TRY(auto rows, duck->Append("recent"));
  for (const auto& [who, played] : played_) {
    rows->Text(who.first);
    rows->Text(who.second);
    rows->Text(played.artist);
    rows->Int(played.plays);
    SEGUE_RETURN_IF_ERROR(rows->EndRow());
  }
  SEGUE_RETURN_IF_ERROR(rows->Close());

  ListeningDrift drift{.dataset_id = dataset_id_};
  // Expected plays keep three places as whole numbers.
  constexpr double kScale = 1000;
  CategoryColumn before{.complete = true}, now{.complete = true};
  int64_t before_others = 0, now_others = 0, base_plays = 0;
  SEGUE_RETURN_IF_ERROR(duck->Query(Query(store::Quoted(tracks.string()), store::Quoted(interactions.string())), [&](const DuckChunk& chunk) {
    for (uint64_t i = 0; i < chunk.rows(); ++i) {
      const double expected = chunk.Real(1, i);
      const int64_t scaled = std::llround(expected * kScale), actual = chunk.Int(2, i);
      before.values += scaled;
      now.values += actual;
      base_plays += chunk.Int(3, i);
      drift.listeners = chunk.Int(4, i);
      if (expected < kLeastExpected) {
        before_others += scaled;
        now_others += actual;
        continue;
      }
      before.top.emplace_back(chunk.Text(0, i), scaled);
      now.top.emplace_back(chunk.Text(0, i), actual);
    }
  }));
  drift.plays = now.values;
  drift.artists = static_cast<int64_t>(before.top.size());
  if (drift.plays < settings_.min_rows || before.values == 0) return std::optional<ListeningDrift>();
  before.top.emplace_back(kOthers, before_others);
  now.top.emplace_back(kOthers, now_others);
  drift.jensen_shannon = JensenShannon(before, now);
  // The scaled counts are no sample's size: the baseline has that of its plays.
  const double scaled_sampling = 1 / static_cast<double>(before.values) + 1 / static_cast<double>(now.values);
  const double sampling = 1 / static_cast<double>(base_plays) + 1 / static_cast<double>(now.values);
  drift.jensen_shannon.noise *= std::sqrt(sampling / scaled_sampling);
  return std::optional(drift);
}

}  // namespace segue::monitor
