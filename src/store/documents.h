#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace segue::store {

/// A Document of this kind is about the listener whom its id names, and goes when
/// he is forgotten.
inline constexpr std::string_view kUserDocument = "gorse_user";

/// What a client told of one of its things, kept as it is.
struct Document {
  std::string id;
  std::string body;  ///< JSON
};

/// Small JSON documents by kind and id, for what clients keep with us and no stage
/// reads. Writing calls are durable when they return. Thread-safe.
class Documents {
 public:
  virtual ~Documents() = default;

  /// Inserts or replaces, in one transaction.
  virtual Status PutDocuments(std::string_view kind, std::span<const Document> documents) = 0;
  virtual Result<std::optional<Document>> FindDocument(std::string_view kind, std::string_view id) const = 0;
  /// With an id above `after` ("": from the first), ascending, at most `limit`.
  virtual Result<std::vector<Document>> DocumentsAfter(std::string_view kind, std::string_view after, int64_t limit) const = 0;
  /// False where there is none.
  virtual Result<bool> RemoveDocument(std::string_view kind, std::string_view id) = 0;
};

}  // namespace segue::store
