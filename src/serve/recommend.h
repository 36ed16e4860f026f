#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include <nlohmann/json_fwd.hpp>

#include "serve/snapshot.h"

namespace segue::serve {

enum class Mode { kDiscovery, kNext };

/// The lists: candidates from the model, without what must not be shown, no
/// more than serve.max_per_artist of one artist, a reason each. Lists are kept
/// until the listener does something or the model changes, 64 MiB of them at
/// most. Thread-safe.
class Recommender {
 public:
  explicit Recommender(const Settings& settings) : settings_(settings) {}

  /// The response's body but for list_id: {"listener","model_id","fallback",
  /// "items":[...]}. Discovery shows nothing he has met; no mode ever shows
  /// what he dislikes. An unknown listener gets what is popular, and
  /// "fallback" says so.
  std::string ListFor(const Snapshot& snapshot, const std::string& listener, Mode mode, size_t n);

 private:
  struct Kept {
    std::string asked;     // mode, n, listener: what one list is asked for by
    std::string made_of;   // model, dataset and the listener's version
    std::string body;
    size_t Bytes() const { return 2 * asked.size() + made_of.size() + body.size() + 200; }
  };

  void Keep(Kept list);

  std::string Make(const Snapshot& snapshot, const std::string& listener, Mode mode, size_t n) const;

  const Settings& settings_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // newest first
  size_t kept_bytes_ = 0;
  std::unordered_map<std::string, std::list<Kept>::iterator> by_asked_;
};

/// {"track_id","artist","title",...} of a row of the catalogue.
nlohmann::json TrackJson(const Snapshot& snapshot, uint32_t row);

/// Tracks like the one in `row`: {"items":[...]}, without what is disliked by
/// `listener` ("" nobody).
nlohmann::json SimilarTo(const Snapshot& snapshot, uint32_t row, const std::string& listener, size_t n);

}  // namespace segue::serve
