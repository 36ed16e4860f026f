#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "serve/ranking.h"
#include "serve/snapshot.h"
#include "serve/wish.h"

namespace segue::serve {

/// For whom a list is asked: one listener, or several who listen together.
struct Group {
  std::vector<std::string> listeners;
  Strategy strategy = Strategy::kAverage;
  std::vector<std::string> blocked;    ///< as in Audience: of any of them
  std::vector<std::string> not_again;  ///< likewise
  uint64_t turn = 0;                   ///< of not_again: another number, another list
};

/// A list that was made.
struct MadeList {
  std::string body;                 ///< the response but for list_id: {"model_id","fallback","items":[...],...}
  std::vector<std::string> tracks;  ///< ids, in order
};

/// The lists: the places offset + 1 to offset + n of one long list, whose order is
/// the Ranking's with these departures.
///
/// - No more than serve.max_per_artist tracks of one artist, until nothing else is left.
/// - Each hundred of its places is chosen, by novelty and diversity (serve/diversify.h),
///   from the four hundred best that are still to be placed, so that a page does
///   not depend on how many places were asked for before it.
///
/// Lists are kept until one of their listeners does something or the model changes,
/// 64 MiB of them at most. Thread-safe.
class Recommender {
 public:
  explicit Recommender(const Settings& settings) : settings_(settings) {}

  struct Answer {
    std::shared_ptr<const MadeList> list;
    bool kept = false;  ///< it was made before
  };
  /// An unknown listener gets what is popular, and "fallback" says so.
  Answer ListFor(const Snapshot& snapshot, const Group& group, const Wish& wish);
  /// The same, made anew and not kept.
  MadeList Make(const Snapshot& snapshot, const Group& group, const Wish& wish) const;
  /// For people who have no name here. `about`: fields that the answer begins with.
  MadeList MakeFor(const Snapshot& snapshot, const Audience& audience, const Wish& wish, const nlohmann::json& about) const;

 private:
  struct Kept {
    std::string asked;     // the wish and for whom: what one list is asked for by
    std::string made_of;   // model, dataset and what else changes the list
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

/// {"track_id","artist","title"}.
nlohmann::json BriefJson(const Snapshot& snapshot, uint32_t row);

/// {"track_id","artist","title",...} of a row of the catalogue.
nlohmann::json TrackJson(const Snapshot& snapshot, uint32_t row);

/// Tracks like the one in `row`, best first, at most n: row and score.
std::vector<std::pair<uint32_t, float>> SimilarRows(const Snapshot& snapshot, uint32_t row, size_t n);

/// Tracks like the one in `row`: {"items":[...]}, without what may not be shown to
/// `audience`.
nlohmann::json SimilarTo(const Snapshot& snapshot, uint32_t row, const Audience& audience, size_t n);

}  // namespace segue::serve
