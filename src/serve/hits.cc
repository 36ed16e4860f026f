#include "serve/hits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "models/calibrated_classifier.h"
#include "models/hit_chance.h"
#include "serve/snapshot.h"
#include "store/layout.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();
constexpr size_t kMostSongs = 10'000;

Response Json(const json& body) { return {.body = body.dump(-1, ' ', false, json::error_handler_t::replace)}; }

Response NoModel() {
  return Problem(409, "No hit model", "no model of hits is live: one is trained where hits.min_songs tracks with the label 'hit' (or 'target') came in");
}

std::vector<std::string> MissingFeatures(const Tracks& tracks, size_t row) {
  std::vector<std::string> missing;
  for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
    if (std::isnan(tracks.features[row * kAudioFeatures.size() + f])) missing.emplace_back(kAudioFeatures[f]);
  }
  if (tracks.duration_ms[row] <= 0) missing.emplace_back("duration_ms");
  return missing;
}

/// Tracks and plays by what is known of them.
struct Tally {
  uint64_t labelled = 0, predicted = 0, plays = 0;
  json ToJson() const { return {{"tracks", labelled + predicted}, {"labelled", labelled}, {"predicted", predicted}, {"plays", plays}}; }
};

struct Tallies {
  std::array<Tally, 3> of;  ///< others, hits, unknown

  /// The label where there is one, else the model's more probable class.
  void Add(const Snapshot& snapshot, const HitView* view, uint32_t row, uint64_t plays) {
    const int label = snapshot.data().tracks.hit[row];
    const float p = view == nullptr ? kUnknown : view->probability[row];
    Tally& tally = of[label >= 0 ? (label > 0 ? 1 : 0) : std::isnan(p) ? 2 : p >= 0.5f ? 1 : 0];
    ++(label >= 0 ? tally.labelled : tally.predicted);
    tally.plays += plays;
  }
  void Write(json& body, bool plays) const {
    for (const auto& [name, at] : {std::pair{"others", 0}, {"hits", 1}, {"unknown", 2}}) {
      json one = of[static_cast<size_t>(at)].ToJson();
      if (at == 2) one = {{"tracks", one["tracks"]}, {"plays", one["plays"]}};
      if (!plays) one.erase("plays");
      body[name] = std::move(one);
    }
  }
};

/// Features of one song as they were sent.
Result<std::vector<float>> ReadSong(const json& song, const models::Classifier& model) {
  if (!song.is_object()) return Error{ErrorCode::kInvalid, "expected an object of features, {\"danceability\":0.7,...}"};
  std::vector<std::string> names;
  std::vector<double> values;
  for (const auto& [name, value] : song.items()) {
    if (!value.is_number() && !value.is_null()) return Error{ErrorCode::kInvalid, "feature '" + name + "': expected a number, or null where it is not known"};
    names.push_back(name);
    values.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  }
  SEGUE_TRY(auto row, models::ArrangeFeatures(names, values, model));
  if (const auto unknown = models::UnknownFeatures(names, model); !unknown.empty()) {
    return Error{ErrorCode::kInvalid, "the model does not know " + Joined(unknown) + "; it knows " + Joined(model.features())};
  }
  return row;
}

}  // namespace

Result<std::shared_ptr<const HitView>> LoadHitView(const Context& context, std::string_view model_id, int64_t live_since,
                                                   const Tracks& tracks) {
  auto view = std::make_shared<HitView>();
  view->model_id = std::string(model_id);
  view->live_since = live_since;
  SEGUE_TRY(const auto path, context.bucket.LocalPath(store::ModelKey(model_id, "model.segue")));
  SEGUE_TRY(view->model, models::LoadClassifier(path));
  auto chances = models::HitChances(*view->model, tracks);
  if (!chances.ok()) return chances.error().In("model " + view->model_id);
  view->probability = *std::move(chances);
  return std::shared_ptr<const HitView>(std::move(view));
}

Response HitOfTrack(const Snapshot& snapshot, uint32_t row) {
  const auto view = snapshot.hits();
  if (view == nullptr) return NoModel();
  const Tracks& tracks = snapshot.data().tracks;
  const auto missing = MissingFeatures(tracks, row);
  if (std::isnan(view->probability[row])) {
    return Problem(409, "No features", "nothing is known of how track '" + tracks.id[row] + "' sounds; missing: " + Joined(missing));
  }
  json body = {{"track", tracks.id[row]}, {"probability", view->probability[row]}, {"model_id", view->model_id}};
  if (tracks.hit[row] >= 0) body["known_label"] = tracks.hit[row] == 1;
  if (!missing.empty()) body["missing_features"] = missing;
  return Json(body);
}

Response PredictHits(const Snapshot& snapshot, std::string_view text) {
  const auto view = snapshot.hits();
  const auto body = ParseObject(text);
  if (!body.ok()) return ProblemOf(body.error());
  const bool one = body->contains("features"), many = body->contains("songs");
  if (one == many) return Problem(400, "Bad request", "expected {\"features\":{...}} or {\"songs\":[{...},...]}");
  if (view == nullptr) return NoModel();
  const json songs = one ? json::array({(*body)["features"]}) : (*body)["songs"];
  if (!songs.is_array() || songs.empty() || songs.size() > kMostSongs) {
    return Problem(400, "Bad request", "songs: expected a list of 1 to " + std::to_string(kMostSongs) + " objects of features");
  }
  std::vector<float> rows;
  std::vector<std::string> where;
  for (size_t i = 0; i < songs.size(); ++i) {
    where.push_back(one ? "features" : "songs[" + std::to_string(i) + "]");
    const auto row = ReadSong(songs[i], *view->model);
    if (!row.ok()) return ProblemOf(row.error().In(where.back()));
    rows.insert(rows.end(), row->begin(), row->end());
  }
  std::vector<float> p(songs.size() * 2);
  view->model->Predict(rows, p);
  json predictions = json::array(), warnings = json::array();
  for (size_t i = 0; i < songs.size(); ++i) predictions.push_back({{"probability", p[i * 2 + 1]}, {"hit", p[i * 2 + 1] >= 0.5f}});
  if (const auto* kept = dynamic_cast<const models::CalibratedClassifier*>(view->model.get())) {
    for (const std::string& warning : models::RangeWarnings(rows, kept->ranges(), view->model->features(), where)) warnings.push_back(warning);
  }
  return Json({{"model_id", view->model_id}, {"predictions", predictions}, {"warnings", warnings}});
}

Response HitsOfListener(const Snapshot& snapshot, const std::string& listener, size_t n) {
  auto played = snapshot.PlaysOf(listener);
  if (!played) return Problem(404, "Not found", "nothing is known of a listener '" + listener + "'");
  const auto view = snapshot.hits();
  std::stable_sort(played->begin(), played->end(), [](const auto& a, const auto& b) { return a.plays > b.plays; });
  const Tracks& tracks = snapshot.data().tracks;
  Tallies tallies;
  json items = json::array();
  for (const auto& [row, plays] : *played) {
    tallies.Add(snapshot, view.get(), row, plays);
    if (items.size() >= n) continue;
    const float p = view == nullptr ? kUnknown : view->probability[row];
    items.push_back({{"track_id", tracks.id[row]}, {"artist", tracks.artist[row]}, {"title", tracks.title[row]}, {"plays", plays},
                     {"known_label", tracks.hit[row] < 0 ? json() : json(tracks.hit[row] == 1)},
                     {"probability", std::isnan(p) ? json() : json(p)}});
  }
  json body = {{"listener", listener}, {"model_id", view == nullptr ? json() : json(view->model_id)}, {"items", items}};
  tallies.Write(body, true);
  return Json(body);
}

json HitsOfCatalogue(const Snapshot& snapshot) {
  const auto view = snapshot.hits();
  Tallies tallies;
  const size_t tracks = snapshot.data().tracks.size();
  for (uint32_t row = 0; row < tracks; ++row) tallies.Add(snapshot, view.get(), row, 0);
  json body = {{"model_id", view == nullptr ? json() : json(view->model_id)}, {"tracks", tracks}};
  tallies.Write(body, false);
  return body;
}

}  // namespace segue::serve
