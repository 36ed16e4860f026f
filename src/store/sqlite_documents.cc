#include "store/sqlite_documents.h"

#include <sqlite3.h>

namespace segue::store {
namespace {

Document ReadDocument(const Statement& row) { return {row.Text(0), row.Text(1)}; }

}  // namespace

Status SqliteDocuments::PutDocuments(std::string_view kind, std::span<const Document> documents) {
  const std::lock_guard lock(writer_mutex_);
  return InTransaction(writer_, [&]() -> Status {
    Statement put(writer_.get(), "INSERT OR REPLACE INTO documents(kind,id,body) VALUES (?,?,?)");
    for (const Document& document : documents) SEGUE_RETURN_IF_ERROR(put.Bind(kind).Bind(document.id).Bind(document.body).Run());
    return {};
  });
}

Result<std::optional<Document>> SqliteDocuments::FindDocument(std::string_view kind, std::string_view id) const {
  const std::lock_guard lock(reader_mutex_);
  Statement select(reader_.get(), "SELECT id,body FROM documents WHERE kind=? AND id=?");
  select.Bind(kind).Bind(id);
  return ReadFirst(select, ReadDocument);
}

Result<std::vector<Document>> SqliteDocuments::DocumentsAfter(std::string_view kind, std::string_view after, int64_t limit) const {
  const std::lock_guard lock(reader_mutex_);
  Statement select(reader_.get(), "SELECT id,body FROM documents WHERE kind=? AND id>? ORDER BY id LIMIT ?");
  select.Bind(kind).Bind(after).Bind(limit);
  return ReadAll(select, ReadDocument);
}

Result<bool> SqliteDocuments::RemoveDocument(std::string_view kind, std::string_view id) {
  const std::lock_guard lock(writer_mutex_);
  SEGUE_RETURN_IF_ERROR(Statement(writer_.get(), "DELETE FROM documents WHERE kind=? AND id=?").Bind(kind).Bind(id).Run());
  return sqlite3_changes(writer_.get()) > 0;
}

}  // namespace segue::store
