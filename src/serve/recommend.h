#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "serve/snapshot.h"

namespace segue::serve {

enum class Mode { kDiscovery, kNext };
/// "discovery", "next".
std::string_view Name(Mode mode);

/// A list that was made.
struct MadeList {
  std::string body;                 ///< the response but for list_id: {"listener","model_id","fallback","items":[...]}
  std::vector<std::string> tracks;  ///< ids, in order
};

/// The lists: candidates from the model, without what must not be shown, no
/// more than serve.max_per_artist of one artist, a reason each. Lists are kept
/// until the listener does something or the model changes, 64 MiB of them at
/// most. Thread-safe.
class Recommender {
 public:
  explicit Recommender(const Settings& settings) : settings_(settings) {}

  struct Answer {
    std::shared_ptr<const MadeList> list;
    bool kept = false;  ///< it was made before
  };
  /// Discovery shows nothing he has met; no mode ever shows what he dislikes. An
  /// unknown listener gets what is popular, and "fallback" says so.
  Answer ListFor(const Snapshot& snapshot, const std::string& listener, Mode mode, size_t n);
  /// The same, made anew and not kept.
  MadeList Make(const Snapshot& snapshot, const std::string& listener, Mode mode, size_t n) const;

 private:
  struct Kept {
    std::string asked;     // mode, n, listener: what one list is asked for by
    std::string made_of;   // model, dataset and the listener's version
    std::shared_ptr<const MadeList> list;
    size_t Bytes() const { return 2 * asked.size() + made_of.size() + list->body.size() + 60 * list->tracks.size() + 250; }
  };

  void Keep(Kept list);

  const Settings& settings_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // newest first
  size_t kept_bytes_ = 0;
  std::unordered_map<std::string, std::list<Kept>::iterator> by_asked_;
};

/// {"track_id","artist","title",...} of a row of the catalogue.
nlohmann::json TrackJson(const Snapshot& snapshot, uint32_t row);

/// Tracks like the one in `row`, best first, at most n: row and score.
std::vector<std::pair<uint32_t, float>> SimilarRows(const Snapshot& snapshot, uint32_t row, size_t n);

/// Tracks like the one in `row`: {"items":[...]}, without what is disliked by
/// `listener` ("" nobody).
nlohmann::json SimilarTo(const Snapshot& snapshot, uint32_t row, const std::string& listener, size_t n);

}  // namespace segue::serve
