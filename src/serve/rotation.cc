#include "serve/rotation.h"

#include <algorithm>

#include "core/arm.h"

namespace segue::serve {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kBatch = 10'000;

}  // namespace

Status Rotation::Read(const store::Catalog& catalog, int64_t now_ms) {
  if (hours_ == 0) return {};
  for (int64_t after = 0;;) {
    SEGUE_TRY(const auto lists, catalog.ImpressionsAfter(after, kBatch));
    if (lists.empty()) return {};
    for (const store::Impression& list : lists) {
      if (list.at_ms <= now_ms - hours_ * kHourMs || list.arm == Name(Arm::kShadow) || list.tracks.empty()) continue;
      Note(list.listener, std::make_shared<const std::vector<std::string>>(list.tracks), list.at_ms);
    }
    after = lists.back().seq;
  }
}

Rotation::Out Rotation::OutFor(const std::string& listener, const std::string& state, int64_t forgotten, int64_t now_ms) {
  if (hours_ == 0) return {};
  const std::lock_guard lock(mutex_);
  One& one = listeners_[listener];
  if (one.forgotten != forgotten) {
    // Of the first look nothing is known yet but what the catalog had, which is without the forgotten.
    if (!one.state.empty()) one.shown.clear();
    one.forgotten = forgotten;
  }
  if (one.state == state) return one.out;
  one.state = state;
  while (!one.shown.empty() && one.shown.front().at_ms <= now_ms - hours_ * kHourMs) one.shown.pop_front();
  one.out = {{}, one.out.turn + 1};
  for (const Shown& list : one.shown) one.out.tracks.insert(one.out.tracks.end(), list.tracks->begin(), list.tracks->end());
  auto& tracks = one.out.tracks;
  std::sort(tracks.begin(), tracks.end());
  tracks.erase(std::unique(tracks.begin(), tracks.end()), tracks.end());
  return one.out;
}

void Rotation::Note(const std::string& listener, Tracks tracks, int64_t now_ms) {
  if (hours_ == 0) return;
  const std::lock_guard lock(mutex_);
  auto& shown = listeners_[listener].shown;
  // A kept list that is asked for over and over is one.
  if (!shown.empty() && shown.back().tracks == tracks) {
    shown.back().at_ms = now_ms;
  } else {
    shown.push_back({std::move(tracks), now_ms});
  }
}

}  // namespace segue::serve
