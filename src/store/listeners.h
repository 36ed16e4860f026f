#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace segue::store {

struct FeedbackEvent;
struct Impression;

/// A tombstone: what Segue holds of this listener up to here counts nowhere any
/// more. Forgotten are his events up to `through_seq`, his rows of files that
/// came in up to `at`, and rows of later files that tell of a time before `at`:
/// an old export that is dropped once more brings nothing back.
struct ForgottenListener {
  int64_t id = 0;           ///< ascending; a listener who is forgotten again gets a new one
  std::string listener;
  int64_t at = 0;           ///< Unix seconds
  int64_t through_seq = 0;  ///< number of the last event of anybody at that moment
};

/// What one Forget did.
struct Forgotten {
  ForgottenListener tombstone;
  int64_t events = 0;       ///< removed from the catalog
  int64_t lists = 0;        ///< impressions, likewise
};

/// What is on disk all the same, for people.
inline constexpr std::string_view kWhatForgettingLeaves =
    "Nothing of him is used or shown any more, and the next dataset and the models trained on it are without him. Still on disk, as they were: files "
    "that came in (raw/, staged/, quarantine/), feedback and lists already flushed (events/, impressions/), datasets, models and reports made before, "
    "until they are removed by hand; and the live model learned from him too, until another is approved.";

/// What the catalog has of single listeners. Forget is durable when it returns,
/// and one transaction. Thread-safe; several processes may use one.
class ListenerRecords {
 public:
  virtual ~ListenerRecords() = default;

  /// Removes his events, impressions and document (store/documents.h), and what quarantine shows of his own
  /// files; keeps a tombstone for what cannot be changed: objects in the bucket.
  /// The pages that held them are overwritten. kInvalid where the name is empty.
  virtual Result<Forgotten> Forget(std::string_view listener, int64_t at) = 0;

  /// Tombstones with id > after, ascending; one a listener, the newest.
  virtual Result<std::vector<ForgottenListener>> ForgottenAfter(int64_t after) const = 0;

  /// His events with seq > after, ascending, at most `limit`.
  virtual Result<std::vector<FeedbackEvent>> EventsOf(std::string_view listener, int64_t after, int64_t limit) const = 0;
  /// Lists that he was shown, likewise. Looks through those of all.
  virtual Result<std::vector<Impression>> ImpressionsOf(std::string_view listener, int64_t after, int64_t limit) const = 0;
};

}  // namespace segue::store
