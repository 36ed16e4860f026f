#include "monitor/reception.h"

namespace segue::monitor {
namespace {

constexpr int64_t kHour = 3600;
constexpr int64_t kWeek = 7 * 24 * kHour;
constexpr int64_t kPage = 10'000;
constexpr int64_t kMostPages = 10;

}  // namespace

Result<int64_t> FirstReaching(int64_t last, int64_t wanted, const std::function<Result<int64_t>(int64_t)>& at) {
  int64_t low = 1, high = last + 1;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    SEGUE_TRY(const int64_t value, at(middle));
    (value < wanted ? low : high) = value < wanted ? middle + 1 : middle;
  }
  return low;
}

double Reception::Counts::ShareOf(EventKind kind) const {
  return all > 0 ? static_cast<double>(by_kind[static_cast<size_t>(kind)]) / static_cast<double>(all) : 0;
}

Result<bool> Reception::CatchUp(const store::Catalog& catalog, int64_t now_seconds) {
  if (!began_) {
    SEGUE_TRY(const int64_t last, catalog.LastEventSeq());
    SEGUE_TRY(const int64_t first, FirstReaching(last, now_seconds - kWeek, [&](int64_t seq) -> Result<int64_t> {
                SEGUE_TRY(const auto event, catalog.EventsAfter(seq - 1, 1));
                return event.empty() ? INT64_MAX : event.front().received_at;
              }));
    read_seq_ = first - 1;
    began_ = true;
  }
  for (int64_t page = 0; page < kMostPages; ++page) {
    SEGUE_TRY(const auto events, catalog.EventsAfter(read_seq_, kPage));
    for (const auto& event : events) {
      read_seq_ = event.seq;
      const auto kind = ParseEventKind(event.kind);
      if (event.list_id.empty() || !kind) continue;
      Counts& hour = by_hour_[event.received_at / kHour];
      ++hour.by_kind[static_cast<size_t>(*kind)];
      ++hour.all;
    }
    if (events.size() < static_cast<size_t>(kPage)) {
      by_hour_.erase(by_hour_.begin(), by_hour_.lower_bound((now_seconds - kWeek) / kHour));
      return true;
    }
  }
  return false;
}

Reception::Counts Reception::Week(int64_t now_seconds) const {
  Counts sum;
  for (auto it = by_hour_.lower_bound((now_seconds - kWeek) / kHour); it != by_hour_.end(); ++it) {
    for (size_t k = 0; k < sum.by_kind.size(); ++k) sum.by_kind[k] += it->second.by_kind[k];
    sum.all += it->second.all;
  }
  return sum;
}

}  // namespace segue::monitor
