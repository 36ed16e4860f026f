#include "monitor/shown.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "core/arm.h"

namespace segue::monitor {
namespace {

constexpr int64_t kWeekMs = 7 * 86'400'000LL;
constexpr size_t kMostLists = 10'000;
constexpr int64_t kPage = 1'000;
constexpr int64_t kMostPages = 20;

uint64_t HashOf(std::string_view text) { return std::hash<std::string_view>{}(text); }

/// Of two hashes, whose order counts (Stafford's mix 13 of SplitMix64).
uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9e3779b97f4a7c15ULL + b;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

void Forget(std::unordered_map<uint64_t, int32_t>& counts, uint64_t key) {
  const auto it = counts.find(key);
  if (--it->second == 0) counts.erase(it);
}

}  // namespace

Status Shown::CatchUp(const store::Catalog& catalog, int64_t now_ms) {
  if (!began_) {
    // No more than fit, as far as pruning has left them.
    SEGUE_TRY(const int64_t last, catalog.LastImpressionSeq());
    read_seq_ = std::max<int64_t>(0, last - static_cast<int64_t>(kMostLists));
    began_ = true;
  }
  for (int64_t page = 0; page < kMostPages; ++page) {
    SEGUE_TRY(const auto shown, catalog.ImpressionsAfter(read_seq_, kPage));
    for (const store::Impression& one : shown) {
      read_seq_ = one.seq;
      // A list that took no time was kept from before.
      if (one.arm != Name(Arm::kShadow) && one.error.empty() && one.made_us > 0 && one.at_ms >= now_ms - kWeekMs) Add(one);
    }
    if (shown.size() < static_cast<size_t>(kPage)) break;
  }
  while (!lists_.empty() && (lists_.size() > kMostLists || lists_.front().at_ms < now_ms - kWeekMs)) RemoveOldest();
  return {};
}

void Shown::Add(const store::Impression& shown) {
  List list{.at_ms = shown.at_ms};
  const uint64_t listener = HashOf(shown.listener);
  for (const std::string& track : shown.tracks) {
    const uint64_t hash = HashOf(track);
    const uint64_t pair = Mix(listener, hash);
    list.tracks.push_back(hash);
    list.pairs.push_back(pair);
    if (pairs_.contains(pair)) ++list.repeated;
  }
  for (const uint64_t hash : list.tracks) ++tracks_[hash];
  for (const uint64_t pair : list.pairs) ++pairs_[pair];
  places_ += static_cast<int64_t>(list.tracks.size());
  repeated_ += list.repeated;
  lists_.push_back(std::move(list));
}

void Shown::RemoveOldest() {
  const List& list = lists_.front();
  for (const uint64_t hash : list.tracks) Forget(tracks_, hash);
  for (const uint64_t pair : list.pairs) Forget(pairs_, pair);
  places_ -= static_cast<int64_t>(list.tracks.size());
  repeated_ -= list.repeated;
  lists_.pop_front();
}

Shown::Figures Shown::Now() const {
  return {.lists = static_cast<int64_t>(lists_.size()), .tracks = static_cast<int64_t>(tracks_.size()),
          .repetition = places_ > 0 ? static_cast<double>(repeated_) / static_cast<double>(places_) : 0};
}

}  // namespace segue::monitor
