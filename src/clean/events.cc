#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <span>

#include "clean/cleaner.h"
#include "clean/events.h"
#include "clean/workshop.h"
#include "core/identity.h"
#include "core/staged.h"
#include "store/duck.h"

namespace segue::clean {
namespace {

using store::FeedbackEvent;

constexpr const char* kFlushedSeq = "flushed_seq";
constexpr int64_t kBatch = 200'000;

/// "2026/03/01" of Unix seconds, UTC.
std::string DayFolder(int64_t unix_seconds) {
  const std::chrono::sys_days day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(unix_seconds)));
  const std::chrono::year_month_day date(day);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d/%02u/%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

/// Numbers of equal length, so that a listing is in the order of the events.
std::string EventsKey(std::span<const FeedbackEvent> events) {
  std::array<char, 64> leaf{};
  std::snprintf(leaf.data(), leaf.size(), "%012lld-%012lld.parquet", static_cast<long long>(events.front().seq),
                static_cast<long long>(events.back().seq));
  return "events/" + DayFolder(events.front().received_at) + "/" + leaf.data();
}

}  // namespace

int64_t LastOf(std::string_view key) {
  const size_t dash = key.rfind('-');
  if (dash == std::string_view::npos || !key.ends_with(".parquet")) return 0;
  int64_t last = 0;
  const auto [end, error] = std::from_chars(key.data() + dash + 1, key.data() + key.size(), last);
  return error == std::errc() && end == key.data() + key.size() - 8 ? last : 0;
}

namespace {

/// Where the bucket stands. It may be ahead of the catalog's note: a crash
/// after an object was put and before that was noted.
Result<int64_t> FlushedSeq(const Context& context) {
  SEGUE_TRY(const std::string noted, context.catalog.Meta(kFlushedSeq));
  int64_t flushed = 0;
  std::from_chars(noted.data(), noted.data() + noted.size(), flushed);
  SEGUE_TRY(const auto keys, context.bucket.List("events"));
  for (const auto& key : keys) flushed = std::max(flushed, LastOf(key));
  return flushed;
}

Status WriteEvents(const Context& context, std::span<const FeedbackEvent> events) {
  SEGUE_TRY(const auto work, Workshop::Open(context));
  SEGUE_RETURN_IF_ERROR(work->Run("CREATE TABLE flushed(" + std::string(kStagedListens) +
                                  ", seq BIGINT, list_id VARCHAR, received_at BIGINT)"));
  SEGUE_TRY(auto rows, work->duck().Append("flushed"));
  for (const FeedbackEvent& event : events) {
    rows->Int(event.seq);  // line
    rows->TextOrNull(event.listener);
    rows->TextOrNull(event.track_id);
    rows->TextOrNull(NameKey(event.artist, event.title));
    rows->TextOrNull(event.artist);
    rows->TextOrNull(event.title);
    rows->Null();  // album
    event.at > 0 ? rows->Int(event.at) : rows->Null();
    rows->Int(1);  // at_precision
    rows->TextOrNull(event.kind);
    rows->Real(event.value);
    rows->Null();  // ms_played
    rows->Null();  // text
    rows->TextOrNull(event.event_id);
    rows->Int(event.seq);
    rows->TextOrNull(event.list_id);
    rows->Int(event.received_at);
    SEGUE_RETURN_IF_ERROR(rows->EndRow());
  }
  SEGUE_RETURN_IF_ERROR(rows->Close());
  return work->WriteParquet("SELECT * FROM flushed ORDER BY seq", EventsKey(events));
}

}  // namespace

Status FlushEvents(const Context& context) {
  SEGUE_TRY(int64_t flushed, FlushedSeq(context));
  while (true) {
    SEGUE_TRY(const auto batch, context.catalog.EventsAfter(flushed, kBatch));
    if (batch.empty()) break;
    std::span<const FeedbackEvent> rest(batch);
    while (!rest.empty()) {
      if (context.instruments.Cancelled()) {
        return Error{ErrorCode::kCancelled, "clean: stopped while writing feedback to the bucket"};
      }
      const std::string day = DayFolder(rest.front().received_at);
      const auto end = std::find_if(rest.begin(), rest.end(), [&](const FeedbackEvent& event) {
        return DayFolder(event.received_at) != day;
      });
      const auto count = static_cast<size_t>(end - rest.begin());
      SEGUE_RETURN_IF_ERROR(WriteEvents(context, rest.first(count)));
      rest = rest.subspan(count);
    }
    flushed = batch.back().seq;
    SEGUE_RETURN_IF_ERROR(context.catalog.SetMeta(kFlushedSeq, std::to_string(flushed)));
  }
  return {};
}

}  // namespace segue::clean
