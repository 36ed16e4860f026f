#include "interactions.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>

#include "core/random.h"

namespace segue::bench {
namespace {

constexpr uint32_t kMostIds = 1 << 24;
constexpr double kTestShare = 0.2;
constexpr size_t kFewestToSplit = 5;

/// each(user, item, value) for every row below the header.
template <typename Each>
Status ForEachRow(const std::filesystem::path& csv, const Each& each) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(csv.c_str(), "r"), std::fclose);
  if (!file) return Error{ErrorCode::kNotFound, csv.string() + ": there is no such file"};
  char line[256];
  for (int64_t number = 1; std::fgets(line, sizeof line, file.get()) != nullptr; ++number) {
    if (number == 1) continue;
    const char* const end = std::find(line, line + sizeof line, '\n');
    uint32_t user = 0;
    uint32_t item = 0;
    float value = 0;
    auto at = std::from_chars(line, end, user);
    if (at.ec == std::errc() && *at.ptr == ',') at = std::from_chars(at.ptr + 1, end, item);
    if (at.ec == std::errc() && *at.ptr == ',') at = std::from_chars(at.ptr + 1, end, value);
    if (at.ec != std::errc() || user >= kMostIds || item >= kMostIds) {
      return Error{ErrorCode::kInvalid, csv.string() + " line " + std::to_string(number) + " is not two ids below 2^24 and a number"};
    }
    each(user, item, value);
  }
  return {};
}

/// Names of ids that occur, ascending as text, and each id's place among them.
std::vector<std::string> Rank(std::vector<uint32_t>& rank_of) {
  std::vector<std::pair<std::string, uint32_t>> names;
  for (uint32_t id = 0; id < rank_of.size(); ++id) {
    if (rank_of[id] > 0) names.emplace_back(std::to_string(id), id);
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> sorted;
  for (auto& [name, id] : names) {
    rank_of[id] = static_cast<uint32_t>(sorted.size());
    sorted.push_back(std::move(name));
  }
  return sorted;
}

void Count(std::vector<uint32_t>& counts, uint32_t id) {
  if (id >= counts.size()) counts.resize(id + 1);
  ++counts[id];
}

void SortEvents(Dataset& data) {
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto begin = data.events.begin();
    std::sort(begin + static_cast<std::ptrdiff_t>(data.begin[u]), begin + static_cast<std::ptrdiff_t>(data.begin[u + 1]),
              [](const Event& a, const Event& b) { return a.track < b.track; });
  }
}

}  // namespace

Result<Dataset> ReadInteractions(const std::filesystem::path& csv) {
  std::vector<uint32_t> users, items;
  SEGUE_RETURN_IF_ERROR(ForEachRow(csv, [&](uint32_t user, uint32_t item, float) {
    Count(users, user);
    Count(items, item);
  }));
  Dataset data;
  const std::vector<uint32_t> rows_of = users;
  data.listeners = Rank(users);
  data.tracks.id = Rank(items);
  data.begin.assign(data.listeners.size() + 1, 0);
  for (uint32_t user = 0; user < rows_of.size(); ++user) {
    if (rows_of[user] > 0) data.begin[users[user] + 1] = rows_of[user];
  }
  for (size_t u = 1; u < data.begin.size(); ++u) data.begin[u] += data.begin[u - 1];
  data.events.resize(data.begin.back());
  std::vector<uint64_t> next(data.begin.begin(), data.begin.end() - 1);
  SEGUE_RETURN_IF_ERROR(ForEachRow(csv, [&](uint32_t user, uint32_t item, float value) {
    data.events[next[users[user]]++] = {TrackIx{items[item]}, EventKind::kPlay, value, -1, 0};
  }));
  SortEvents(data);
  return data;
}

Carved Carve(const Dataset& all, uint64_t seed) {
  Carved carved;
  for (Dataset* part : {&carved.train, &carved.test}) {
    part->tracks.id = all.tracks.id;
    part->listeners = all.listeners;
    part->begin.push_back(0);
  }
  for (uint32_t u = 0; u < all.listener_count(); ++u) {
    const auto events = all.EventsOf(UserIx{u});
    size_t tested = events.size() < kFewestToSplit ? 0 : std::max<size_t>(1, static_cast<size_t>(kTestShare * static_cast<double>(events.size()) + 1e-9));
    Random random(seed, u);
    for (size_t k = 0; k < events.size(); ++k) {
      const bool is_test = random.Below(events.size() - k) < tested;
      tested -= is_test ? 1 : 0;
      (is_test ? carved.test : carved.train).events.push_back(events[k]);
    }
    carved.train.begin.push_back(carved.train.events.size());
    carved.test.begin.push_back(carved.test.events.size());
  }
  return carved;
}

}  // namespace segue::bench
