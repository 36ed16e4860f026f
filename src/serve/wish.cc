#include "serve/wish.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "core/dataset.h"
#include "core/text.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kMostValues = 100;    ///< of one name
constexpr size_t kLongestValue = 1000;
constexpr std::string_view kKnown =
    "n, offset, mode, seeds, tag, tag_all, tag_not, artist, artist_not, year_from, year_to, diversity, novelty, explain, and _min and _max of ";

Error Wrong(const std::string& name, const std::string& value, const std::string& expected) {
  return {ErrorCode::kInvalid, "parameter '" + name + "' is '" + value + "', expected " + expected};
}

Result<int64_t> Whole(const std::string& name, const std::string& value, int64_t least, int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size() && number >= least && number <= most) return number;
  return Wrong(name, value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

Result<double> Share(const std::string& name, const std::string& value) {
  const auto number = ParseReal(value);
  if (number && *number >= 0 && *number <= 1) return *number;
  return Wrong(name, value, "a number from 0 to 1");
}

Status Add(std::vector<std::string>& values, const std::string& name, const std::string& value) {
  if (Trimmed(value).empty()) return Wrong(name, value, "a name");
  if (value.size() > kLongestValue) return Error{ErrorCode::kInvalid, "a value of parameter '" + name + "' is longer than 1000 bytes"};
  if (values.size() == kMostValues) return Error{ErrorCode::kInvalid, "parameter '" + name + "' is given more than 100 times"};
  values.push_back(value);
  return {};
}

/// Ids, commas between.
Status AddSeeds(std::vector<std::string>& seeds, const std::string& name, std::string_view value) {
  while (true) {
    const size_t comma = std::min(value.find(','), value.size());
    SEGUE_RETURN_IF_ERROR(Add(seeds, name, std::string(Trimmed(value.substr(0, comma)))));
    if (comma == value.size()) return {};
    value.remove_prefix(comma + 1);
  }
}

std::string FeatureNames() {
  std::string names;
  for (const std::string_view feature : kAudioFeatures) names += (names.empty() ? "" : ", ") + std::string(feature);
  return names;
}

/// "energy_min" and its value, if it is that of a feature. False where it is none.
Result<bool> ReadRange(Filter& filter, const std::string& name, const std::string& value) {
  const bool least = name.ends_with("_min");
  if (!least && !name.ends_with("_max")) return false;
  const auto feature = std::find(kAudioFeatures.begin(), kAudioFeatures.end(), std::string_view(name).substr(0, name.size() - 4));
  if (feature == kAudioFeatures.end()) return false;
  const auto number = ParseReal(value);
  if (!number) return Wrong(name, value, "a number");
  const auto at = static_cast<size_t>(feature - kAudioFeatures.begin());
  auto range = std::lower_bound(filter.features.begin(), filter.features.end(), at, [](const Filter::Range& r, size_t f) { return r.feature < f; });
  if (range == filter.features.end() || range->feature != at) range = filter.features.insert(range, {.feature = at});
  (least ? range->least : range->most) = *number;
  return true;
}

Status ReadOne(Wish& wish, const std::string& name, const std::string& value) {
  Filter& filter = wish.filter;
  if (name == "n") {
    SEGUE_TRY(const int64_t n, Whole(name, value, 1, Wish::kMost));
    wish.n = static_cast<size_t>(n);
  } else if (name == "offset") {
    SEGUE_TRY(const int64_t offset, Whole(name, value, 0, Wish::kMostOffset));
    wish.offset = static_cast<size_t>(offset);
  } else if (name == "mode") {
    if (value != "discovery" && value != "next") return Wrong(name, value, "discovery or next");
    wish.mode = value == "next" ? Mode::kNext : Mode::kDiscovery;
  } else if (name == "explain") {
    if (value != "true" && value != "false") return Wrong(name, value, "true or false");
    wish.explain = value == "true";
  } else if (name == "diversity") {
    SEGUE_TRY(wish.diversity, Share(name, value));
  } else if (name == "novelty") {
    SEGUE_TRY(wish.novelty, Share(name, value));
  } else if (name == "year_from") {
    SEGUE_TRY(filter.year_from, Whole(name, value, 1, 9999));
  } else if (name == "year_to") {
    SEGUE_TRY(filter.year_to, Whole(name, value, 1, 9999));
  } else if (name == "seeds") {
    return AddSeeds(wish.seeds, name, value);
  } else if (name == "tag") {
    return Add(filter.tags_any, name, value);
  } else if (name == "tag_all") {
    return Add(filter.tags_all, name, value);
  } else if (name == "tag_not") {
    return Add(filter.tags_not, name, value);
  } else if (name == "artist") {
    return Add(filter.artists, name, value);
  } else if (name == "artist_not") {
    return Add(filter.artists_not, name, value);
  } else {
    SEGUE_TRY(const bool known, ReadRange(filter, name, value));
    if (!known) return Error{ErrorCode::kInvalid, "there is no parameter '" + name + "' here; there are " + std::string(kKnown) + FeatureNames()};
  }
  return {};
}

Status CheckRanges(const Filter& filter) {
  if (filter.year_from && filter.year_to && *filter.year_from > *filter.year_to) {
    return Wrong("year_from", std::to_string(*filter.year_from), "no year after year_to, " + std::to_string(*filter.year_to));
  }
  for (const Filter::Range& range : filter.features) {
    const std::string name(kAudioFeatures[range.feature]);
    if (range.least > range.most) return Wrong(name + "_min", Significant(range.least, 6), "no more than " + name + "_max, " + Significant(range.most, 6));
  }
  return {};
}

/// Each value with its length before it, so that no two wishes read alike.
void Append(std::string& key, std::string_view value) { key += std::to_string(value.size()) + ":" + std::string(value) + ";"; }

void Append(std::string& key, const std::vector<std::string>& values) {
  key += std::to_string(values.size()) + "(";
  for (const std::string& value : values) Append(key, value);
  key += ")";
}

}  // namespace

std::string_view Name(Mode mode) { return mode == Mode::kNext ? "next" : "discovery"; }

std::string Wish::Key() const {
  const json numbers = {n, offset, static_cast<int>(mode), diversity, novelty, explain, filter.year_from.value_or(0), filter.year_to.value_or(0)};
  std::string key = numbers.dump();
  for (const auto* values : {&seeds, &filter.tags_any, &filter.tags_all, &filter.tags_not, &filter.artists, &filter.artists_not}) Append(key, *values);
  for (const Filter::Range& range : filter.features) {
    // JSON knows no infinity; an open end is null.
    key += json({range.feature, range.least, range.most}).dump();
  }
  return key;
}

Result<Wish> ParseWish(const Parameters& given, std::span<const std::string_view> others, Wish wish) {
  for (const auto& [name, value] : given) {
    if (std::find(others.begin(), others.end(), name) == others.end()) SEGUE_RETURN_IF_ERROR(ReadOne(wish, name, value));
  }
  SEGUE_RETURN_IF_ERROR(CheckRanges(wish.filter));
  return wish;
}

Result<Parameters> ParametersOf(const json& body, std::span<const std::string_view> others) {
  Parameters parameters;
  const auto add = [&](const std::string& name, const json& value) -> Status {
    if (value.is_object() || value.is_array()) return Error{ErrorCode::kInvalid, name + ": expected a text, a number, true or false, or a list of these"};
    if (!value.is_null()) parameters.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
    return {};
  };
  for (const auto& [name, value] : body.items()) {
    if (std::find(others.begin(), others.end(), name) != others.end()) continue;
    if (!value.is_array()) {
      SEGUE_RETURN_IF_ERROR(add(name, value));
      continue;
    }
    for (const json& one : value) SEGUE_RETURN_IF_ERROR(add(name, one));
  }
  return parameters;
}

}  // namespace segue::serve
