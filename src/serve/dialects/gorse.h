#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "serve/dialects/gorse_body.h"
#include "serve/dialects/scrobbles.h"
#include "serve/http.h"
#include "store/catalog.h"

// The part of Gorse's HTTP API that feeds a recommender and asks it: users, items,
// feedback, recommendations. Users are listeners, items tracks, feedback events.
namespace segue::serve {

/// The reason as text, which is how Gorse tells errors.
Response GorseError(int status, std::string_view why);

/// Thread-safe.
class Gorse {
 public:
  explicit Gorse(const DialectParts& parts) : parts_(parts) {}

  Response Health() const;
  /// `many`: the body is a list.
  Response InsertUsers(const Request& request, bool many);
  Response Users(const Request& request) const;
  Response User(const Request& request) const;
  Response PatchUser(const Request& request);

  Response InsertItems(const Request& request, bool many);
  Response Items(const Request& request) const;
  Response Item(const Request& request) const;
  Response PatchItem(const Request& request);
  /// It is no more to be seen; what was told of it stays.
  Response DeleteItem(const Request& request);
  Response SetCategory(const Request& request, bool in);

  /// `overwrite`: also where the user has feedback of that type on the item.
  Response InsertFeedback(const Request& request, bool overwrite);
  /// Of all, by cursor; with a type where the address has one.
  Response Feedback(const Request& request) const;
  Response FeedbackOfUser(const Request& request) const;
  Response FeedbackOfItem(const Request& request) const;
  /// /api/feedback/{user}/{item} and /api/feedback/{type}/{user}/{item}.
  Response FeedbackOfPair(const Request& request) const;
  Response DeleteFeedback(const Request& request);

  Response Recommend(const Request& request);

 private:
  /// One piece of feedback that stands, and the event that told it.
  struct Standing {
    store::FeedbackEvent event;
    bool stands = false;
    int64_t times = 0;              ///< how often it was told
    std::vector<int64_t> removed;   ///< times at which it was taken back
  };
  /// By type and item.
  using FeedbackOfOne = std::map<std::pair<std::string, std::string>, Standing>;
  struct KnownItem {
    std::string id;
    bool shown = true;
    std::vector<std::string> categories;
  };
  /// Items by track, as of one dataset and one state of the items.
  struct ItemsByTrack {
    std::string dataset_id;
    uint64_t version = 0;
    int64_t looked_at = 0;
    bool all_shown = true;
    std::unordered_map<std::string, KnownItem> items;
  };

  Result<std::optional<GorseItem>> FindItem(const std::string& id) const;
  Status PutItems(const std::vector<GorseItem>& items);
  Result<FeedbackOfOne> FeedbackBy(const std::string& user) const;
  Result<std::vector<store::FeedbackEvent>> EventsOf(const Snapshot& snapshot, std::vector<GorseFeedback> told, bool overwrite);
  Status AddUnknown(const std::vector<GorseFeedback>& told, std::unordered_map<std::string, GorseItem>& items);
  Status Append(const std::vector<store::FeedbackEvent>& events);
  std::shared_ptr<const ItemsByTrack> ByTrack(const Snapshot& snapshot) const;
  store::FeedbackEvent Removal(const Snapshot& snapshot, const std::string& user, const std::pair<std::string, std::string>& key, const Standing& standing) const;

  DialectParts parts_;
  std::mutex feedback_mutex_;  // who reads what stands and writes after it
  mutable std::mutex items_mutex_;
  mutable uint64_t items_version_ = 0;
  mutable std::shared_ptr<const ItemsByTrack> by_track_;
};

}  // namespace segue::serve
