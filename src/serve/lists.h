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
#include "serve/rotation.h"

namespace segue::serve {

/// A list as a listener is given it.
struct GivenList {
  std::string list_id;  ///< "" where it has no impression
  std::shared_ptr<const MadeList> list;
  std::shared_ptr<Snapshot> made_by;
  /// The response: the list's body with its id.
  std::string Body() const { return "{\"list_id\":" + (list_id.empty() ? "null" : "\"" + list_id + "\"") + "," + list->body.substr(1); }
};

/// Gives lists: by the live model or the canary, as the listener's arm says, and
/// leaves an impression of each. Where a canary cannot make one (it throws), the
/// live model does, and the failure is an impression of the canary. Where a
/// shadow is tried, a share of the lists is made by it too, afterwards and on a
/// thread of its own; when that does not keep up, some are left out. Several
/// listeners together are given a list by the live model, whichever arms they are
/// of, and each has an impression of it under the same id. Artists that somebody
/// has blocked are read from the catalog for each list, so that a block counts at
/// once, whichever process it came through: kIo where the catalog cannot be read.
/// Thread-safe.
class Lists {
 public:
  Lists(const Context& context, const Live& live);
  ~Lists();
  Lists(const Lists&) = delete;
  Lists& operator=(const Lists&) = delete;

  Result<GivenList> Give(const std::string& listener, const Wish& wish);
  /// To several who listen together; one name at least.
  Result<GivenList> GiveTogether(const std::vector<std::string>& listeners, Strategy strategy, const Wish& wish);
  /// The list that Give would give, without an impression: for clients that take
  /// more than they show.
  Result<std::shared_ptr<const MadeList>> Look(const std::string& listener, const Wish& wish);
  /// For somebody who has no name: of him, nothing is kept.
  GivenList GiveNameless(const std::shared_ptr<Snapshot>& snapshot, const Audience& audience, const Wish& wish, const nlohmann::json& about) const;
  /// A list that somebody else made for a listener: "" and no impression where he has
  /// no name. Gives its id.
  std::string Shown(const std::string& listener, const Snapshot& made_by, std::string_view mode, std::vector<std::string> tracks);

  /// Artists of whom he wants nothing, as Audience has them; nobody for "".
  Result<std::vector<std::string>> BlockedBy(const std::string& listener) const;

  const ImpressionLog& impressions() const { return impressions_; }
  /// Waits until shadows have been asked for all lists that were given before,
  /// two seconds at most, and until the impressions are in the catalog.
  void Flush();

 private:
  struct Shadowed {
    std::shared_ptr<Snapshot> challenger;
    std::string list_id;
    Group group;
    Wish wish;
    int64_t at_ms = 0;
  };

  /// For whom a list is, with all that must not be shown to them.
  Result<Group> GroupOf(const std::vector<std::string>& listeners, Strategy strategy, const Snapshot& maker);
  void LogCanaryFailure(const ServedModels& models, const std::string& list_id, const std::string& listener, Mode mode, const std::string& why);
  void Shadow(const ServedModels& models, const std::string& list_id, Group group, const Wish& wish);
  void FollowShadow();
  void MakeShadow(const Shadowed& asked);

  Context context_;
  const Live& live_;
  Recommender recommender_;
  Rotation rotation_;
  ImpressionLog impressions_;

  std::mutex mutex_;
  std::condition_variable asked_, idle_;
  std::deque<Shadowed> queue_;
  bool busy_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace segue::serve
