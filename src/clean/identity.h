#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace segue::clean {

/// One way in which a row of some source names a track; "" where it does not.
struct Naming {
  std::string source_id;
  std::string name_key;
};

/// Which names are the same track.
///
/// A row that has both a source's id and a name links them; tracks are the
/// connected components of those links. A component's label is its smallest
/// name key, or its smallest source id where no name is known; its id is
/// TrackIdOf(label). When a later source links two components, the id may
/// change: the old one stays valid as an alias.
///
/// A source id that is one of our own track ids ("t" and 16 hex digits) stands
/// for the key that it was made of. One that stands for no key and comes
/// without a name belongs to no track.
struct Identity {
  struct Member {
    std::string key;  ///< a source id or a name key
    uint32_t track = 0;
  };
  std::vector<std::string> track_ids;  ///< ascending; a track's number is its row
  std::vector<Member> members;         ///< ascending by key
  std::vector<Member> aliases;         ///< ascending: every source id, and TrackIdOf of every member

  int64_t source_ids = 0;
  int64_t name_keys = 0;
  int64_t tracks_with_several_names = 0;  ///< names that a shared id brought together
  int64_t tracks_with_several_ids = 0;    ///< ids that a shared name brought together
  int64_t merged = 0;                     ///< how many tracks fewer than without links across names
  int64_t unknown_own_ids = 0;
};

/// Union-find over the namings, O(n log n) for sorting. The result depends on
/// the set of namings only, not on their order or number.
Identity ResolveIdentity(std::vector<Naming> namings);

/// "t" and 16 lower-case hex digits.
bool IsTrackId(std::string_view id);

}  // namespace segue::clean
