#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "store/catalog.h"

namespace segue::serve {

/// What each listener was recommended lately, so that it is not recommended again
/// within serve.repeat_after_hours.
///
/// "Again" is in a list that replaced another. While nothing changes (he did
/// nothing, blocked nobody, and the model is the same: one *turn*), asking again
/// gives the same list, its next page or another filter's, and none of them hides
/// a track from the other. When something changes a new turn begins, and what was
/// shown in the turns before, within those hours, is out. What is out is settled
/// when the turn begins. A restart begins a turn; what was shown before it is read
/// from the catalog's impressions. Thread-safe; memory grows with the lists of
/// those hours.
class Rotation {
 public:
  using Tracks = std::shared_ptr<const std::vector<std::string>>;

  /// hours 0: nothing is kept, and nothing is ever out.
  explicit Rotation(int64_t hours) : hours_(hours) {}
  /// Lists that were shown before, by whatever process.
  Status Read(const store::Catalog& catalog, int64_t now_ms);

  struct Out {
    std::vector<std::string> tracks;  ///< ids, ascending
    uint64_t turn = 0;                ///< its number
  };
  /// What is out for a listener. `state`: any text that changes when a turn begins.
  /// `forgotten`: his tombstone's number; with a new one nothing was ever shown to him.
  Out OutFor(const std::string& listener, const std::string& state, int64_t forgotten, int64_t now_ms);
  /// He is shown these.
  void Note(const std::string& listener, Tracks tracks, int64_t now_ms);

 private:
  struct Shown {
    Tracks tracks;
    int64_t at_ms = 0;
  };
  struct One {
    std::string state;
    int64_t forgotten = 0;
    Out out;
    std::deque<Shown> shown;  // by time
  };

  int64_t hours_;
  std::mutex mutex_;
  std::unordered_map<std::string, One> listeners_;
};

}  // namespace segue::serve
