#include "store/sqlite_listeners.h"

#include <sqlite3.h>

#include <string>

#include "store/blocked_artists.h"
#include "store/sqlite_delivery.h"

namespace segue::store {
namespace {

ForgottenListener ReadTombstone(const Statement& row) { return {row.Int(0), row.Text(1), row.Int(2), row.Int(3)}; }

/// Rows that the statement removed.
Result<int64_t> Remove(sqlite3* database, std::string_view sql, std::string_view listener) {
  SEGUE_RETURN_IF_ERROR(Statement(database, sql).Bind(listener).Run());
  return sqlite3_changes(database);
}

}  // namespace

FeedbackEvent ReadEvent(const Statement& row) {
  return {row.Int(0),  row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5),
          row.Text(6), row.Int(7),  row.Real(8), row.Text(9), row.Int(10), row.Text(11),
          row.Text(12), row.Int(13), row.Int(14), row.Text(15)};
}

Result<Forgotten> SqliteListeners::Forget(std::string_view listener, int64_t at) {
  if (listener.empty()) return Error{ErrorCode::kInvalid, "whom to forget? the listener's name is empty"};
  const std::lock_guard lock(writer_mutex_);
  Forgotten forgotten;
  // SQLite leaves removed rows in the file until their pages are needed again.
  SEGUE_RETURN_IF_ERROR(writer_.Run("PRAGMA secure_delete=ON"));
  const Status done = InTransaction(writer_, [&]() -> Status {
    sqlite3* database = writer_.get();
    // A clock that was set back must not bring back what was forgotten before.
    Statement insert(database, std::string("INSERT OR REPLACE INTO forgotten(listener,at,through_seq) VALUES (?1,max(?2,coalesce("
                                           "(SELECT at FROM forgotten WHERE listener=?1),0)),(") + kLastSeq + "))");
    SEGUE_RETURN_IF_ERROR(insert.Bind(listener).Bind(at).Run());
    SEGUE_TRY(forgotten.events, Remove(database, "DELETE FROM events WHERE listener=?", listener));
    SEGUE_TRY(forgotten.lists, Remove(database, "DELETE FROM impressions WHERE listener=?", listener));
    SEGUE_RETURN_IF_ERROR(Statement(database, "DELETE FROM documents WHERE kind=? AND id=?").Bind(kUserDocument).Bind(listener).Run());
    const std::string blocked = BlockedArtistPrefix(listener);
    SEGUE_RETURN_IF_ERROR(Statement(database, "DELETE FROM documents WHERE kind=?1 AND id>=?2 AND substr(id,1,length(?2))=?2").Bind(kBlockedArtist).Bind(blocked).Run());
    // Bytes that somebody else sent too stay his.
    SEGUE_RETURN_IF_ERROR(Statement(database, "DELETE FROM quarantine WHERE sha256 IN (SELECT sha256 FROM objects WHERE listener=?1) AND "
                                              "sha256 NOT IN (SELECT sha256 FROM objects WHERE listener<>?1)").Bind(listener).Run());
    Statement select(database, "SELECT id,listener,at,through_seq FROM forgotten WHERE listener=?");
    select.Bind(listener);
    SEGUE_TRY(const auto tombstone, ReadFirst(select, ReadTombstone));
    if (tombstone) forgotten.tombstone = *tombstone;
    return {};
  });
  // Off again: it costs every other removal a write.
  const Status off = writer_.Run("PRAGMA secure_delete=OFF");
  if (!done.ok()) return done.error();
  if (!off.ok()) return off.error();
  // The log still has the old pages. Where a reader is in the way, a later checkpoint does it.
  (void)writer_.Run("PRAGMA busy_timeout=200; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout=10000").ok();
  return forgotten;
}

Result<std::vector<ForgottenListener>> SqliteListeners::ForgottenAfter(int64_t after) const {
  const std::lock_guard lock(reader_mutex_);
  Statement select(reader_.get(), "SELECT id,listener,at,through_seq FROM forgotten WHERE id>? ORDER BY id");
  select.Bind(after);
  return ReadAll(select, ReadTombstone);
}

Result<std::vector<FeedbackEvent>> SqliteListeners::EventsOf(std::string_view listener, int64_t after, int64_t limit) const {
  const std::lock_guard lock(reader_mutex_);
  Statement select(reader_.get(), std::string("SELECT ") + kEventColumns + " FROM events WHERE seq>? AND listener=? ORDER BY seq LIMIT ?");
  select.Bind(after).Bind(listener).Bind(limit);
  return ReadAll(select, ReadEvent);
}

Result<std::vector<Impression>> SqliteListeners::ImpressionsOf(std::string_view listener, int64_t after, int64_t limit) const {
  const std::lock_guard lock(reader_mutex_);
  return ReadImpressionsOf(reader_.get(), listener, after, limit);
}

}  // namespace segue::store
