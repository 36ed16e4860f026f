#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace segue::store {

class Documents;

/// An artist of whom a listener wants nothing.
struct BlockedArtist {
  std::string key;    ///< what names are compared by; the caller's
  std::string name;   ///< as the listener wrote it
  int64_t since = 0;  ///< Unix seconds
};

/// Durable when it returns. Who is blocked already stays blocked since then.
Result<BlockedArtist> BlockArtist(Documents& documents, std::string_view listener, const BlockedArtist& artist);
/// False where he was not blocked.
Result<bool> UnblockArtist(Documents& documents, std::string_view listener, std::string_view key);
/// By key.
Result<std::vector<BlockedArtist>> BlockedArtistsOf(const Documents& documents, std::string_view listener);

/// Documents of this kind with ids that begin so belong to the listener, and go
/// when he is forgotten.
inline constexpr std::string_view kBlockedArtist = "blocked_artist";
std::string BlockedArtistPrefix(std::string_view listener);

}  // namespace segue::store
