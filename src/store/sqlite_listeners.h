#pragma once

#include <mutex>

#include "store/catalog.h"
#include "store/sqlite.h"

namespace segue::store {

/// What the upgrade to tombstones runs.
inline constexpr const char* kForgottenSchema = R"sql(
CREATE TABLE forgotten (
  id INTEGER PRIMARY KEY AUTOINCREMENT, listener TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, through_seq INTEGER NOT NULL);
CREATE INDEX events_by_listener ON events(listener, seq);
)sql";

/// The number that the newest event got, whether it is still there or not.
/// (sqlite_sequence counts events that were there already, too.)
inline constexpr const char* kLastSeq =
    "SELECT max(coalesce((SELECT max(seq) FROM events),0), coalesce((SELECT max(through_seq) FROM forgotten),0))";

inline constexpr const char* kEventColumns = "seq,event_id,listener,track_id,artist,title,kind,at,value,list_id,received_at,album,source_id,duration_ms,ms_played,source";
FeedbackEvent ReadEvent(const Statement& row);

/// ListenerRecords over a catalog's two connections and their locks, which are borrowed.
class SqliteListeners final : public ListenerRecords {
 public:
  SqliteListeners(std::mutex& writer_mutex, SqliteConnection& writer, std::mutex& reader_mutex, SqliteConnection& reader)
      : writer_mutex_(writer_mutex), writer_(writer), reader_mutex_(reader_mutex), reader_(reader) {}

  Result<Forgotten> Forget(std::string_view listener, int64_t at) override;
  Result<std::vector<ForgottenListener>> ForgottenAfter(int64_t after) const override;
  Result<std::vector<FeedbackEvent>> EventsOf(std::string_view listener, int64_t after, int64_t limit) const override;
  Result<std::vector<Impression>> ImpressionsOf(std::string_view listener, int64_t after, int64_t limit) const override;

 private:
  std::mutex& writer_mutex_;
  SqliteConnection& writer_;
  std::mutex& reader_mutex_;
  SqliteConnection& reader_;
};

}  // namespace segue::store
