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

}  // namespace

int64_t LastOf(std::string_view key) {
  const size_t dash = key.rfind('-');
  if (dash == std::string_view::npos || !key.ends_with(".parquet")) return 0;
  int64_t last = 0;
  const auto [end, error] = std::from_chars(key.data() + dash + 1, key.data() + key.size(), last);
  return error == std::errc() && end == key.data() + key.size() - 8 ? last : 0;
}

std::string DayFolder(int64_t unix_seconds) {
  const std::chrono::sys_days day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(unix_seconds)));
  const std::chrono::year_month_day date(day);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d/%02u/%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

std::string FlushKey(std::string_view folder, int64_t first, int64_t last, int64_t unix_seconds) {
  std::array<char, 64> leaf{};
  std::snprintf(leaf.data(), leaf.size(), "%012lld-%012lld.parquet", static_cast<long long>(first), static_cast<long long>(last));
  return std::string(folder) + "/" + DayFolder(unix_seconds) + "/" + leaf.data();
}

Result<int64_t> FlushedThrough(const Context& context, std::string_view folder, std::string_view note) {
  SEGUE_TRY(const std::string noted, context.catalog.Meta(note));
  int64_t flushed = 0;
  std::from_chars(noted.data(), noted.data() + noted.size(), flushed);
  SEGUE_TRY(const auto keys, context.bucket.List(folder));
  for (const auto& key : keys) flushed = std::max(flushed, LastOf(key));
  return flushed;
}

namespace {

Status WriteEvents(const Context& context, std::span<const FeedbackEvent> events) {
  SEGUE_TRY(const auto work, Workshop::Open(context));
  SEGUE_RETURN_IF_ERROR(work->Run("CREATE TABLE flushed(" + std::string(kStagedListens) +
                                  ", seq BIGINT, list_id VARCHAR, received_at BIGINT, duration_ms BIGINT, source VARCHAR)"));
  SEGUE_TRY(auto rows, work->duck().Append("flushed"));
  for (const FeedbackEvent& event : events) {
    rows->Int(event.seq);  // line
    rows->TextOrNull(event.listener);
    // Beside a name another source's id tells more than ours, which is made of the name.
    const std::string name_key = NameKey(event.artist, event.title);
    rows->TextOrNull(event.source_id.empty() ? event.track_id : event.source_id);
    rows->TextOrNull(name_key);
    rows->TextOrNull(event.artist);
    rows->TextOrNull(event.title);
    rows->TextOrNull(event.album);
    event.at > 0 ? rows->Int(event.at) : rows->Null();
    rows->Int(1);  // at_precision
    rows->TextOrNull(event.kind);
    rows->Real(event.value);
    event.ms_played >= 0 ? rows->Int(event.ms_played) : rows->Null();
    rows->Null();  // text
    rows->TextOrNull(event.event_id);
    rows->Int(event.seq);
    rows->TextOrNull(event.list_id);
    rows->Int(event.received_at);
    event.duration_ms > 0 ? rows->Int(event.duration_ms) : rows->Null();
    rows->TextOrNull(event.source);
    SEGUE_RETURN_IF_ERROR(rows->EndRow());
  }
  SEGUE_RETURN_IF_ERROR(rows->Close());
  return work->WriteParquet("SELECT * FROM flushed ORDER BY seq", FlushKey("events", events.front().seq, events.back().seq, events.front().received_at));
}

}  // namespace

Status FlushEvents(const Context& context) {
  SEGUE_TRY(int64_t flushed, FlushedThrough(context, "events", kFlushedSeq));
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
