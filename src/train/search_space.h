#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/settings.h"

namespace segue::train {

/// What one setting can be in a search.
struct SearchRange {
  std::string_view algorithm;
  std::string_view setting;      ///< with its algorithm in front, as for --set
  double least = 0, most = 0;    ///< numbers, ends included
  bool whole = false;            ///< integers
  bool logarithmic = false;      ///< drawn evenly in the logarithm
  std::string_view choices = ""; ///< texts, '|' between; then no numbers
};

/// What a search may set of an algorithm, classifier of songs or recommender (of
/// an ensemble: of all its members, but for what they have in brackets). Empty:
/// nothing; a hybrid selects among its members by itself.
std::vector<SearchRange> SearchRanges(std::string_view algorithm, const Settings& settings);

/// One value of the range, as for --set: random search (Bergstra, Bengio, JMLR 2012).
std::string Draw(const SearchRange& range, Random& random);

}  // namespace segue::train
