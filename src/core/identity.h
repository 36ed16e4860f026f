#pragma once

#include <string>
#include <string_view>

namespace segue {

/// When are two names the same track? Sources name tracks differently, so names
/// are brought to one form before they are compared.

/// Lower-cased, accents and width variants folded (Unicode NFKD), punctuation
/// turned to single spaces, "&" to "and", a leading "the " dropped, and only
/// the first of several artists kept ("A feat. B", "A Featuring B", "A;B").
/// A name that is nothing but punctuation ("!!!") is kept as it is, lower-cased.
std::string NormalizeArtist(std::string_view artist);

/// As for artists, without the guest ("(feat. X)", "[with X]", "ft. X") and
/// without remaster notes ("- Remastered 2011", "(2011 Remaster)"); a mix of
/// another year, "(Live)", remixes and acoustic versions are other recordings and stay
/// apart. "Ghost - Acoustic" and "Ghost (Acoustic)" are the same.
std::string NormalizeTitle(std::string_view title);

/// artist and title in normal form with U+001F between; "" where either is
/// empty after normalising.
std::string NameKey(std::string_view artist, std::string_view title);

/// A track's public id: "t" and 16 hex digits of SHA-256 of a name key or of a
/// source's own id. Stable: it depends on nothing but the key.
std::string TrackIdOf(std::string_view key);

/// Makes valid UTF-8 of bytes: as they are if valid, else read as Windows-1252
/// (a superset of Latin-1). `changed` (may be null) tells which.
std::string ToUtf8(std::string_view bytes, bool* changed = nullptr);

}  // namespace segue
