#include "core/dataset.h"

#include <algorithm>
#include <set>

namespace segue {
namespace {
constexpr std::array<std::string_view, kEventKinds> kKindNames = {"play",    "skip",   "like",
                                                                  "dislike", "rating", "review", "neutral"};
}

std::string_view Name(EventKind kind) { return kKindNames.at(static_cast<size_t>(kind)); }

std::optional<EventKind> ParseEventKind(std::string_view name) {
  for (size_t i = 0; i < kKindNames.size(); ++i) {
    if (kKindNames[i] == name) return static_cast<EventKind>(i);
  }
  return std::nullopt;
}

std::optional<uint32_t> FindSorted(std::span<const std::string> sorted, std::string_view name) {
  const auto it = std::lower_bound(sorted.begin(), sorted.end(), name,
                                   [](const std::string& a, std::string_view b) { return a < b; });
  if (it == sorted.end() || *it != name) return std::nullopt;
  return static_cast<uint32_t>(it - sorted.begin());
}

std::vector<uint8_t> UnknownTracks(const Dataset& data) {
  std::vector<uint8_t> unknown(data.tracks.size());
  for (uint32_t t = 0; t < unknown.size(); ++t) unknown[t] = data.tracks.IsListed(TrackIx{t}) ? 0 : 1;
  for (const Event& event : data.events) unknown[Raw(event.track)] = 0;
  return unknown;
}

TrackTags TagsOf(const Tracks& tracks) {
  std::set<std::string_view> all;
  std::vector<std::set<std::string_view>> of(tracks.tags.size());
  for (size_t i = 0; i < tracks.tags.size(); ++i) {
    const std::string_view text = tracks.tags[i];
    for (size_t from = 0; from < text.size();) {
      const size_t end = std::min(text.find(';', from), text.size());
      if (end > from) of[i].insert(text.substr(from, end - from));
      from = end + 1;
    }
    all.insert(of[i].begin(), of[i].end());
  }
  TrackTags tags;
  if (all.empty()) return tags;
  tags.names.assign(all.begin(), all.end());
  tags.begin.push_back(0);
  for (const auto& own : of) {
    for (const std::string_view name : own) {
      tags.tag.push_back(*FindSorted(tags.names, name));
      tags.weight.push_back(1);
    }
    tags.begin.push_back(tags.tag.size());
  }
  return tags;
}

}  // namespace segue
