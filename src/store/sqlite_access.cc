#include "store/sqlite_access.h"

#include <string>

namespace segue::store {
namespace {

constexpr const char* kTokenColumns = "id,name,role,listener,hash,legacy_md5,created_at,last_used_at,revoked_at";

TokenRecord ReadToken(const Statement& row) {
  // A role that only a newer segue knows cannot be here: its files are of a newer version.
  return {row.Text(0), row.Text(1), ParseRole(row.Text(2)).value_or(Role::kRead), row.Text(3), row.Text(4), row.Text(5),
          row.Int(6),  row.Int(7),  row.Int(8)};
}

}  // namespace

Status SqliteAccess::AddToken(const TokenRecord& token) {
  const std::lock_guard lock(writer_mutex_);
  Statement insert(writer_.get(), std::string("INSERT INTO tokens(") + kTokenColumns + ") VALUES (?,?,?,?,?,?,?,?,?)");
  const Status added = insert.Bind(token.id).Bind(token.name).Bind(Name(token.role)).Bind(token.listener).Bind(token.hash).Bind(token.legacy_md5)
                           .Bind(token.created_at).Bind(token.last_used_at).Bind(token.revoked_at).Run();
  if (!added.ok() && added.error().code == ErrorCode::kConflict) {
    return Error{ErrorCode::kConflict, "there is a token named '" + token.name + "' already: revoke it, or choose another name"};
  }
  return added;
}

Result<std::optional<TokenRecord>> SqliteAccess::FindToken(std::string_view hash) const {
  const std::lock_guard lock(reader_mutex_);
  Statement select(reader_.get(), std::string("SELECT ") + kTokenColumns + " FROM tokens WHERE hash=? AND revoked_at=0");
  select.Bind(hash);
  return ReadFirst(select, ReadToken);
}

Result<std::vector<TokenRecord>> SqliteAccess::Tokens() const {
  const std::lock_guard lock(reader_mutex_);
  Statement select(reader_.get(), std::string("SELECT ") + kTokenColumns + " FROM tokens ORDER BY n");
  return ReadAll(select, ReadToken);
}

Status SqliteAccess::NoteTokenUse(std::string_view id, int64_t at) {
  const std::lock_guard lock(writer_mutex_);
  return Statement(writer_.get(), "UPDATE tokens SET last_used_at=? WHERE id=?").Bind(at).Bind(id).Run();
}

Result<TokenRecord> SqliteAccess::RevokeToken(std::string_view id_or_name, int64_t at) {
  const std::lock_guard lock(writer_mutex_);
  Statement revoke(writer_.get(), std::string("UPDATE tokens SET revoked_at=?1 WHERE n=(SELECT n FROM tokens WHERE (id=?2 OR name=?2) AND "
                                              "revoked_at=0 ORDER BY id=?2 DESC LIMIT 1) RETURNING ") + kTokenColumns);
  revoke.Bind(at).Bind(id_or_name);
  SEGUE_TRY(const auto revoked, ReadAll(revoke, ReadToken));
  if (revoked.empty()) {
    return Error{ErrorCode::kNotFound, "there is no good token '" + std::string(id_or_name) + "'; `segue tokens list` lists them"};
  }
  return revoked.front();
}

Status SqliteAccess::AppendAudit(const AuditRecord& record) {
  const std::lock_guard lock(writer_mutex_);
  return Statement(writer_.get(), "INSERT INTO audit(at,actor,action,subject,outcome) VALUES (?,?,?,?,?)")
      .Bind(record.at).Bind(record.actor).Bind(record.action).Bind(record.subject).Bind(record.outcome).Run();
}

Result<std::vector<AuditRecord>> SqliteAccess::Audit(int64_t before, int64_t limit) const {
  const std::lock_guard lock(reader_mutex_);
  Statement select(reader_.get(), "SELECT id,at,actor,action,subject,outcome FROM audit WHERE ?1=0 OR id<?1 ORDER BY id DESC LIMIT ?2");
  select.Bind(before).Bind(limit);
  return ReadAll<AuditRecord>(select, [](const Statement& row) {
    return AuditRecord{row.Int(0), row.Int(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5)};
  });
}

}  // namespace segue::store
