#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/server.h"

namespace segue::serve {

/// The log of lists that were shown. A request leaves its impression in a bounded
/// queue and goes on; one thread writes them to the catalog, many in one durable
/// transaction. Impressions are no acknowledged data: a crash loses the last
/// fifth of a second's, where the disk keeps up, and where the catalog
/// cannot be written so many wait that newer ones are dropped, which is counted
/// and logged. Thread-safe.
class ImpressionLog {
 public:
  explicit ImpressionLog(const Context& context);
  ~ImpressionLog();  ///< writes what waits, once
  ImpressionLog(const ImpressionLog&) = delete;
  ImpressionLog& operator=(const ImpressionLog&) = delete;

  /// False where it was dropped.
  bool Add(store::Impression impression);
  /// Waits until all that was added before is in the catalog, two seconds at most.
  void Flush();

  uint64_t written() const { return written_.load(); }
  uint64_t dropped() const { return dropped_.load(); }

 private:
  void Write();
  bool WriteBatch(const std::vector<store::Impression>& batch);

  Context context_;
  std::mutex mutex_;
  std::condition_variable added_, done_;
  std::deque<store::Impression> queue_;
  uint64_t added_count_ = 0;    ///< to the queue, ever
  uint64_t settled_count_ = 0;  ///< of these, written or given up
  bool hurry_ = false, stop_ = false;
  std::atomic<uint64_t> written_{0}, dropped_{0};
  std::thread thread_;
};

}  // namespace segue::serve
