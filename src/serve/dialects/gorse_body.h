#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"
#include "serve/dialects/submission.h"

// What clients of Gorse (https://gorse.io) send, and how it is told back to them.
namespace segue::serve {

struct GorseUser {
  std::string id;
  std::string labels = "null";  ///< JSON
  std::string comment;
};

struct GorseItem {
  std::string id;
  bool hidden = false;
  std::vector<std::string> categories;
  int64_t at = 0;               ///< Unix seconds; 0 not told
  std::string labels = "null";  ///< JSON
  std::string comment;
  bool deleted = false;         ///< it was, and is not recommended
};

/// One piece of feedback: of each type a user has at most one on an item.
struct GorseFeedback {
  std::string type, user, item;
  double value = 0;             ///< at least 0
  int64_t at = 0;               ///< Unix seconds
};

/// Our kind of event for a type of feedback: read, play, listen, click, view and
/// the like; "" where the type is not known.
std::string_view KindOfGorse(std::string_view type);

/// A body of one, or (`many`) a list of at most 10,000. kInvalid names the field.
/// Ids have 1 to 256 bytes, without control characters; labels are null, texts and
/// numbers, lists of texts or lists of numbers, and objects of these.
Result<std::vector<GorseUser>> ParseGorseUsers(std::string_view body, bool many);
Result<std::vector<GorseItem>> ParseGorseItems(std::string_view body, bool many);
/// A list; feedback without a time is of `now`, and none is of later than a day
/// ahead. Types that KindOfGorse does not know are kInvalid, and the error names the known.
Result<std::vector<GorseFeedback>> ParseGorseFeedback(std::string_view body, int64_t now);
/// Replaces the fields that the body has; never the id.
Status PatchGorseUser(std::string_view body, GorseUser& user);
Status PatchGorseItem(std::string_view body, GorseItem& item);

/// How an item names a track: by artist and title (and album) of its labels, where
/// they are an object with these; and by its id, as it is for "mbid:", "isrc:" and
/// "spotify:track:", else as "gorse:<id>".
TrackNaming NamingOf(const GorseItem& item);

// As Gorse shows them; the parsers above read them back.
nlohmann::json ToJson(const GorseUser& user);
nlohmann::json ToJson(const GorseItem& item);
/// "1996-03-15T00:00:00Z"; for 0 the time that Go calls zero.
std::string GorseTime(int64_t at);

}  // namespace segue::serve
