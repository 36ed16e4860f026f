#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "store/catalog.h"

namespace segue::monitor {

/// What listeners are shown: the lists that were made for them (of the live model
/// and of a canary; those of a shadow nobody sees, and a list that is given again
/// because nothing has changed is none) in the last seven days, the newest 10,000.
/// Not thread-safe.
class Shown {
 public:
  struct Figures {
    int64_t lists = 0;
    int64_t tracks = 0;      ///< different ones
    /// Of all places in the lists, the share whose track an earlier list had shown
    /// the same listener; 0 where there are none.
    double repetition = 0;
  };

  /// Reads on among the impressions, at most 20,000 a call.
  Status CatchUp(const store::Catalog& catalog, int64_t now_ms);
  /// As of the last CatchUp.
  Figures Now() const;

 private:
  struct List {
    int64_t at_ms = 0;
    int64_t repeated = 0;
    std::vector<uint64_t> tracks;  ///< hashes
    std::vector<uint64_t> pairs;   ///< of listener and track
  };
  using Counts = std::unordered_map<uint64_t, int32_t>;

  void Add(const store::Impression& shown);
  void RemoveOldest();

  bool began_ = false;
  int64_t read_seq_ = 0;
  std::deque<List> lists_;  ///< oldest first
  Counts tracks_, pairs_;
  int64_t places_ = 0;
  int64_t repeated_ = 0;
};

}  // namespace segue::monitor
