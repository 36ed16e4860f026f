#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "serve/snapshot.h"

namespace segue::serve {

/// Keeps the newest Snapshot: follows the live pointers and the newest dataset
/// in the catalog, loads beside what serves, and swaps. A model of hits is
/// swapped by itself; where it cannot be loaded, the one before goes on as long
/// as the dataset is the same, and recommendations do not suffer. Thread-safe.
class Live {
 public:
  explicit Live(const Context& context);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  /// Never null; hold it for the length of one request.
  std::shared_ptr<Snapshot> Now() const;

  /// Makes events that were just appended count on every later request.
  Status CatchUp();

 private:
  void Follow();
  void LookOnce();
  void FollowHits(Snapshot& snapshot);

  Context context_;
  mutable std::mutex mutex_;  // held while a new one catches up and is swapped in, so that no event falls between
  std::shared_ptr<Snapshot> current_;
  std::string failed_;        // what could not be loaded, so that it is said once
  std::string failed_hits_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace segue::serve
