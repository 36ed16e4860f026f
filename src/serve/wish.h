#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"
#include "serve/http.h"

namespace segue::serve {

/// kDiscovery: nothing that the listener has met. kNext: repeats are allowed.
enum class Mode { kDiscovery, kNext };
/// "discovery", "next".
std::string_view Name(Mode mode);

/// Which tracks may be in a list. What is not given lets all through; a track of
/// which the year or a feature is not known does not pass where it is asked for.
struct Filter {
  std::vector<std::string> tags_any;     ///< has one of these
  std::vector<std::string> tags_all;     ///< has each of these
  std::vector<std::string> tags_not;     ///< has none of these
  std::vector<std::string> artists;      ///< is by one of these
  std::vector<std::string> artists_not;  ///< is by none of these
  std::optional<int64_t> year_from, year_to;  ///< both inclusive

  /// An audio feature's range, inclusive.
  struct Range {
    size_t feature = 0;                  ///< of kAudioFeatures
    double least = -std::numeric_limits<double>::infinity();
    double most = std::numeric_limits<double>::infinity();
  };
  std::vector<Range> features;           ///< one a feature, ascending

  bool empty() const {
    return tags_any.empty() && tags_all.empty() && tags_not.empty() && artists.empty() && artists_not.empty() && !year_from && !year_to &&
           features.empty();
  }
};

/// What is asked of a list, all but for whom it is.
struct Wish {
  static constexpr int64_t kMost = 1000;        ///< of n
  static constexpr int64_t kMostOffset = 9000;

  size_t n = 10;
  size_t offset = 0;               ///< places of the list that are left out at its beginning
  Mode mode = Mode::kDiscovery;
  std::vector<std::string> seeds;  ///< ids of tracks that the list leans to
  Filter filter;
  double diversity = 0;            ///< [0, 1], serve/diversify.h
  double novelty = 0;              ///< [0, 1], likewise
  bool explain = true;             ///< a reason with each track

  /// The same text for the same wish, and no other.
  std::string Key() const;
};

/// Reads a wish from parameters of an address or of a body. Of a name that stands
/// for one value the last counts. Those in `others` are the caller's. kInvalid,
/// with the parameter, its value and what is expected, for what cannot be read,
/// and for names that nobody knows: a misspelt filter must not let all through.
/// `wish`: what is not given stays as it is there.
Result<Wish> ParseWish(const Parameters& given, std::span<const std::string_view> others, Wish wish = {});

/// A JSON object's fields as parameters, but for those in `others`: a list is its
/// name again for each of its values. kInvalid for objects.
Result<Parameters> ParametersOf(const nlohmann::json& body, std::span<const std::string_view> others);

}  // namespace segue::serve
