#pragma once

#include <mutex>

#include "store/access.h"
#include "store/sqlite.h"

namespace segue::store {

/// AccessRecords in the tables `tokens` and `audit` of a catalog, over its two
/// connections and their locks, which are borrowed.
class SqliteAccess final : public AccessRecords {
 public:
  SqliteAccess(std::mutex& writer_mutex, SqliteConnection& writer, std::mutex& reader_mutex, SqliteConnection& reader)
      : writer_mutex_(writer_mutex), writer_(writer), reader_mutex_(reader_mutex), reader_(reader) {}

  Status AddToken(const TokenRecord& token) override;
  Result<std::optional<TokenRecord>> FindToken(std::string_view hash) const override;
  Result<std::vector<TokenRecord>> Tokens() const override;
  Status NoteTokenUse(std::string_view id, int64_t at) override;
  Result<TokenRecord> RevokeToken(std::string_view id_or_name, int64_t at) override;
  Status AppendAudit(const AuditRecord& record) override;
  Result<std::vector<AuditRecord>> Audit(int64_t before, int64_t limit) const override;

 private:
  std::mutex& writer_mutex_;
  SqliteConnection& writer_;
  std::mutex& reader_mutex_;
  SqliteConnection& reader_;
};

}  // namespace segue::store
