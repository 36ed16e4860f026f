#include <algorithm>
#include <span>

#include "clean/cleaner.h"
#include "clean/events.h"
#include "clean/workshop.h"
#include "store/duck.h"

namespace segue::clean {
namespace {

using store::Impression;

constexpr const char* kFolder = "impressions";
constexpr const char* kFlushedSeq = "flushed_impressions";
constexpr int64_t kBatch = 20'000;
constexpr int64_t kDayMs = 86'400'000;

Status WriteImpressions(const Context& context, std::span<const Impression> lists) {
  SEGUE_TRY(const auto work, Workshop::Open(context));
  SEGUE_RETURN_IF_ERROR(work->Run("CREATE TABLE shown(seq BIGINT, list_id VARCHAR, listener VARCHAR, model_id VARCHAR, arm VARCHAR, mode VARCHAR, "
                                  "at_ms BIGINT, made_us BIGINT, error VARCHAR, position BIGINT, track_id VARCHAR)"));
  SEGUE_TRY(auto rows, work->duck().Append("shown"));
  const auto add = [&](const Impression& list, size_t position) {
    rows->Int(list.seq);
    for (const std::string* text : {&list.list_id, &list.listener, &list.model_id, &list.arm, &list.mode}) rows->TextOrNull(*text);
    rows->Int(list.at_ms);
    rows->Int(list.made_us);
    rows->TextOrNull(list.error);
    position == 0 ? rows->Null() : rows->Int(static_cast<int64_t>(position));
    position == 0 ? rows->Null() : rows->Text(list.tracks[position - 1]);
    return rows->EndRow();
  };
  for (const Impression& list : lists) {
    if (list.tracks.empty()) SEGUE_RETURN_IF_ERROR(add(list, 0));
    for (size_t i = 1; i <= list.tracks.size(); ++i) SEGUE_RETURN_IF_ERROR(add(list, i));
  }
  SEGUE_RETURN_IF_ERROR(rows->Close());
  return work->WriteParquet("SELECT * FROM shown ORDER BY seq, position",
                            FlushKey(kFolder, lists.front().seq, lists.back().seq, lists.front().at_ms / 1000));
}

}  // namespace

Status FlushImpressions(const Context& context) {
  SEGUE_TRY(int64_t flushed, FlushedThrough(context, kFolder, kFlushedSeq));
  for (;;) {
    SEGUE_TRY(const auto batch, context.catalog.ImpressionsAfter(flushed, kBatch));
    if (batch.empty()) break;
    std::span<const Impression> rest(batch);
    while (!rest.empty()) {
      if (context.instruments.Cancelled()) return Error{ErrorCode::kCancelled, "clean: stopped while writing impressions to the bucket"};
      const std::string day = DayFolder(rest.front().at_ms / 1000);
      const auto end = std::find_if(rest.begin(), rest.end(), [&](const Impression& list) { return DayFolder(list.at_ms / 1000) != day; });
      const auto count = static_cast<size_t>(end - rest.begin());
      SEGUE_RETURN_IF_ERROR(WriteImpressions(context, rest.first(count)));
      rest = rest.subspan(count);
    }
    flushed = batch.back().seq;
    SEGUE_RETURN_IF_ERROR(context.catalog.SetMeta(kFlushedSeq, std::to_string(flushed)));
  }
  return context.catalog.PruneImpressions(flushed, context.clock.NowMs() - context.settings.impressions.keep_days * kDayMs);
}

}  // namespace segue::clean
