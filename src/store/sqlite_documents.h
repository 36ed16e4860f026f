#pragma once

#include <mutex>

#include "store/documents.h"
#include "store/sqlite.h"

namespace segue::store {

/// What the upgrade to documents runs.
inline constexpr const char* kDocumentSchema = R"sql(
CREATE TABLE documents (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
)sql";

/// Documents over a catalog's two connections and their locks, which are borrowed.
class SqliteDocuments final : public Documents {
 public:
  SqliteDocuments(std::mutex& writer_mutex, SqliteConnection& writer, std::mutex& reader_mutex, SqliteConnection& reader)
      : writer_mutex_(writer_mutex), writer_(writer), reader_mutex_(reader_mutex), reader_(reader) {}

  Status PutDocuments(std::string_view kind, std::span<const Document> documents) override;
  Result<std::optional<Document>> FindDocument(std::string_view kind, std::string_view id) const override;
  Result<std::vector<Document>> DocumentsAfter(std::string_view kind, std::string_view after, int64_t limit) const override;
  Result<bool> RemoveDocument(std::string_view kind, std::string_view id) override;

 private:
  std::mutex& writer_mutex_;
  SqliteConnection& writer_;
  std::mutex& reader_mutex_;
  SqliteConnection& reader_;
};

}  // namespace segue::store
