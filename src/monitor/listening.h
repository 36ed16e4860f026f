#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"
#include "core/settings.h"
#include "monitor/distribution.h"
#include "store/catalog.h"
#include "store/object_store.h"

namespace segue::monitor {

/// What is played since a dataset against what the same listeners played in it.
struct ListeningDrift {
  std::string dataset_id;
  int64_t plays = 0;             ///< since then, by listeners whom the dataset knows
  int64_t listeners = 0;
  int64_t artists = 0;           ///< that are told apart
  Distance jensen_shannon;
};
nlohmann::json ToJson(const ListeningDrift& drift);

/// Compares by artist. Who happens to be listening is not drift: the baseline is
/// each listener's own mix of artists in the dataset, weighted by how much he has
/// played since (direct standardisation: Rothman, Greenland, Lash, "Modern
/// Epidemiology", 3rd ed., 2008, ch. 4). Artists of fewer than 5 expected plays
/// count as one (Cochran, "Some methods for strengthening the common χ² tests",
/// Biometrics 10, 1954). Listeners whom the dataset does not know are left out.
/// Plays only: imported histories have no likes, and would differ by that alone.
/// Not thread-safe.
class ListeningWatch {
 public:
  ListeningWatch(const store::ObjectStore& bucket, const store::Catalog& catalog, const DriftSettings& settings);

  /// Reads the events since the dataset of `model_id`, and compares as soon as there
  /// are drift.min_rows plays, then every drift.check_minutes; in between, what it
  /// found last. Empty below that many, and where no model is live.
  Result<std::optional<ListeningDrift>> Look(const std::string& model_id, int64_t now_ms);

 private:
  Status Follow(const std::string& model_id);
  Result<std::optional<ListeningDrift>> Compare() const;

  const store::ObjectStore& bucket_;
  const store::Catalog& catalog_;
  const DriftSettings& settings_;
  std::string model_id_;
  std::string dataset_id_;
  int64_t read_seq_ = 0;
  struct Played {
    int64_t plays = 0;
    std::string artist;  ///< as the event named it; "" it did not
  };
  std::map<std::pair<std::string, std::string>, Played> played_;  ///< by listener and track
  int64_t plays_ = 0;
  std::optional<ListeningDrift> found_;
  int64_t compared_ms_ = 0;
};

}  // namespace segue::monitor
