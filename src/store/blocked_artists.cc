#include "store/blocked_artists.h"

#include <nlohmann/json.hpp>

#include "store/documents.h"

namespace segue::store {
namespace {

using nlohmann::json;

constexpr int64_t kBatch = 1000;

/// The document's, whose id is `prefix` and the key.
BlockedArtist Read(const Document& document, size_t prefix) {
  const json body = json::parse(document.body, nullptr, false);
  BlockedArtist artist{.key = document.id.substr(prefix), .name = "", .since = 0};
  if (!body.is_object()) return artist;
  artist.name = body.value("name", artist.key);
  artist.since = body.value("since", int64_t{0});
  return artist;
}

}  // namespace

std::string BlockedArtistPrefix(std::string_view listener) {
  // With its length before it, no listener's name is the beginning of another's.
  return std::to_string(listener.size()) + ":" + std::string(listener) + ":";
}

Result<BlockedArtist> BlockArtist(Documents& documents, std::string_view listener, const BlockedArtist& artist) {
  const std::string prefix = BlockedArtistPrefix(listener);
  SEGUE_TRY(const auto before, documents.FindDocument(kBlockedArtist, prefix + artist.key));
  if (before) return Read(*before, prefix.size());
  const Document document{prefix + artist.key, json{{"name", artist.name}, {"since", artist.since}}.dump()};
  SEGUE_RETURN_IF_ERROR(documents.PutDocuments(kBlockedArtist, {&document, 1}));
  return artist;
}

Result<bool> UnblockArtist(Documents& documents, std::string_view listener, std::string_view key) {
  return documents.RemoveDocument(kBlockedArtist, BlockedArtistPrefix(listener) + std::string(key));
}

Result<std::vector<BlockedArtist>> BlockedArtistsOf(const Documents& documents, std::string_view listener) {
  const std::string prefix = BlockedArtistPrefix(listener);
  std::vector<BlockedArtist> artists;
  for (std::string after = prefix;;) {
    // The first page is small: most block nobody.
    SEGUE_TRY(const auto page, documents.DocumentsAfter(kBlockedArtist, after, after == prefix ? 20 : kBatch));
    for (const Document& document : page) {
      if (!document.id.starts_with(prefix)) return artists;
      artists.push_back(Read(document, prefix.size()));
    }
    if (page.empty()) return artists;
    after = page.back().id;
  }
}

}  // namespace segue::store
