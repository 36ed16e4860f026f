#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>

#include "core/dataset.h"
#include "core/result.h"
#include "store/catalog.h"

namespace segue::monitor {

/// The least number in [1, last + 1] from which on `at` (which does not fall)
/// reaches `wanted`; about log2(last) calls.
Result<int64_t> FirstReaching(int64_t last, int64_t wanted, const std::function<Result<int64_t>(int64_t number)>& at);

/// How recommended tracks are received: the feedback that names the list it
/// answers, of the last seven days by the hour, as it lies in the event log.
/// Not thread-safe.
class Reception {
 public:
  struct Counts {
    std::array<int64_t, kEventKinds> by_kind{};
    int64_t all = 0;
    /// Share of one kind; 0 of nothing.
    double ShareOf(EventKind kind) const;
  };

  /// Reads on in the log, at most 100,000 events a call; true where it has come to the end.
  Result<bool> CatchUp(const store::Catalog& catalog, int64_t now_seconds);
  /// Of the last seven days.
  Counts Week(int64_t now_seconds) const;

 private:
  bool began_ = false;
  int64_t read_seq_ = 0;
  std::map<int64_t, Counts> by_hour_;
};

}  // namespace segue::monitor
