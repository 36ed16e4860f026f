#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "serve/impressions.h"
#include "serve/live.h"
#include "serve/recommend.h"

namespace segue::serve {

/// A list as a listener is given it.
struct GivenList {
  std::string list_id;
  std::shared_ptr<const MadeList> list;
  /// The response: the list's body with its id.
  std::string Body() const { return "{\"list_id\":\"" + list_id + "\"," + list->body.substr(1); }
};

/// Gives lists: by the live model or the canary, as the listener's arm says, and
/// leaves an impression of each. Where a canary cannot make one (it throws), the
/// live model does, and the failure is an impression of the canary. Where a
/// shadow is tried, a share of the lists is made by it too, afterwards and on a
/// thread of its own; when that does not keep up, some are left out. Thread-safe.
class Lists {
 public:
  Lists(const Context& context, const Live& live);
  ~Lists();
  Lists(const Lists&) = delete;
  Lists& operator=(const Lists&) = delete;

  GivenList Give(const std::string& listener, Mode mode, size_t n);
  /// The list that Give would give, without an impression: for clients that take
  /// more than they show.
  std::shared_ptr<const MadeList> Look(const std::string& listener, Mode mode, size_t n);

  const ImpressionLog& impressions() const { return impressions_; }
  /// Waits until shadows have been asked for all lists that were given before,
  /// two seconds at most, and until the impressions are in the catalog.
  void Flush();

 private:
  struct Shadowed {
    std::shared_ptr<Snapshot> challenger;
    std::string list_id, listener;
    Mode mode = Mode::kDiscovery;
    size_t n = 0;
    int64_t at_ms = 0;
  };

  void LogCanaryFailure(const ServedModels& models, const std::string& list_id, const std::string& listener, Mode mode, const std::string& why);
  void Shadow(const ServedModels& models, const std::string& list_id, const std::string& listener, Mode mode, size_t n);
  void FollowShadow();
  void MakeShadow(const Shadowed& asked);

  Context context_;
  const Live& live_;
  Recommender recommender_;
  ImpressionLog impressions_;

  std::mutex mutex_;
  std::condition_variable asked_, idle_;
  std::deque<Shadowed> queue_;
  bool busy_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace segue::serve
