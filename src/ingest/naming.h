#pragma once

#include <string>
#include <string_view>

namespace segue::ingest {

/// What a file's place tells. `name` is the path below the inbox, '!' between
/// an archive and its member: "listener-12/export-2022/a.zip!MyData/x.json".

/// The nearest folder that names somebody: folders such as "MyData", "export-2022"
/// or "2024-03" are passed over; an archive's own name counts as a folder. "" if none.
std::string NearestFolder(std::string_view name);

/// The last part: "x.json".
std::string LeafOf(std::string_view name);

/// "dataset-of-60s.csv" -> "decade:1960s"; "" where the file's name tells none.
std::string DecadeTag(std::string_view name);

/// Is this one of the other files in a Spotify export (account, payments,
/// searches, playlists)? Told by name.
bool IsSpotifyAccountFile(std::string_view name);

/// Belongs to an operating system, not to anybody: ".DS_Store", "__MACOSX/...".
bool IsClutter(std::string_view member);

/// Does an archive's member name point out of its archive ("../x", "/etc/x",
/// "C:\x") or hide characters?
bool IsUnsafeMember(std::string_view member);

}  // namespace segue::ingest
