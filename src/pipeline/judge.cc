#include "pipeline/judge.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/preferences.h"
#include "gate/gate.h"
#include "models/past.h"
#include "store/dataset_store.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

/// rejected / in of quality.json; 0 where it does not say.
double RejectedShare(const Context& context, std::string_view dataset_id) {
  const auto text = context.bucket.Get(store::DatasetKey(dataset_id, "quality.json"));
  if (!text.ok()) return 0;
  const json quality = json::parse(*text, nullptr, false);
  if (quality.is_discarded() || !quality.contains("rows")) return 0;
  const double in = quality["rows"].value("in", 0.0);
  return in > 0 ? quality["rows"].value("rejected", 0.0) / in : 0;
}

bool SameAnswers(const models::Model& a, const models::Model& b, const History& history) {
  const auto first = a.Top(a.FoldIn(history), 10, {});
  const auto second = b.Top(b.FoldIn(history), 10, {});
  if (first.size() != second.size() || first.empty()) return false;
  for (size_t i = 0; i < first.size(); ++i) {
    if (a.TrackId(first[i].track) != b.TrackId(second[i].track)) return false;
  }
  return true;
}

}  // namespace

Result<Court> OpenCourt(const Context& context, std::string_view dataset_id) {
  SEGUE_TRY(Dataset data, store::LoadDataset(context.bucket, dataset_id));
  Court court;
  court.dataset_id = std::string(dataset_id);
  court.split = evaluate::SplitByTime(std::move(data), context.settings);
  court.rejected_share = RejectedShare(context, dataset_id);
  return court;
}

Result<Report> Judge(const Context& context, const Court& court, const models::Model& model,
                     std::string_view model_id, Instruments& instruments) {
  SEGUE_TRY(Report report, evaluate::Evaluate(model, court.split, context.settings,
                                              static_cast<uint64_t>(context.settings.seed), instruments));
  report.model_id = std::string(model_id);
  report.dataset_id = court.dataset_id;
  return report;
}

Result<std::unique_ptr<models::Model>> LoadModel(const Context& context, std::string_view model_id) {
  SEGUE_TRY(const auto path, context.bucket.LocalPath(store::ModelKey(model_id, "model.segue")));
  return models::Load(path);
}

Result<uint64_t> ArtifactBytes(const Context& context, std::string_view model_id) {
  SEGUE_TRY(const auto path, context.bucket.LocalPath(store::ModelKey(model_id, "model.segue")));
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return Error{ErrorCode::kIo, "model " + std::string(model_id) + ": " + error.message()};
  return static_cast<uint64_t>(bytes);
}

Smoke SmokeTest(const Context& context, const Court& court, const models::Model& fitted,
                std::string_view model_id) {
  constexpr size_t kCompared = 5, kTimed = 500;
  const auto loaded = LoadModel(context, model_id);
  if (!loaded.ok() || (*loaded)->track_count() != fitted.track_count()) return {};
  if (!SameAnswers(fitted, **loaded, {})) return {};
  const StrengthRule rule{context.settings.skip_weight, context.settings.like_weight};
  const models::RowMap rows(fitted, court.split.train.tracks.id);
  const auto& listeners = court.split.listeners;
  const auto past_of = [&](UserIx user) {
    return rows.PastOf(court.split.train.listeners[Raw(user)], court.split.train.EventsOf(user), rule);
  };
  for (size_t i = 0; i < listeners.size(); i += std::max<size_t>(1, listeners.size() / kCompared)) {
    if (!SameAnswers(fitted, **loaded, past_of(listeners[i]).View())) return {};
  }
  std::vector<double> ms;
  for (size_t i = 0; i < listeners.size(); i += std::max<size_t>(1, listeners.size() / kTimed)) {
    const auto past = past_of(listeners[i]);
    const auto start = std::chrono::steady_clock::now();
    (*loaded)->Top((*loaded)->FoldIn(past.View()), 10, {});
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(ms.begin(), ms.end());
  return {true, ms.empty() ? 0 : ms[std::min(ms.size() - 1, ms.size() * 99 / 100)]};
}

Result<Verdict> AskGate(const Context& context, const Court& court, const Report& report,
                        const Smoke& smoke, Instruments& instruments,
                        std::unique_ptr<Report>* live_report) {
  SEGUE_TRY(const auto live, context.catalog.Live());
  std::unique_ptr<Report> against;
  if (live && live->to_model != report.model_id) {
    auto model = LoadModel(context, live->to_model);
    if (!model.ok()) return model.error().In("judging the live model");
    SEGUE_TRY(Report judged, Judge(context, court, **model, live->to_model, instruments));
    against = std::make_unique<Report>(std::move(judged));
  }
  SEGUE_TRY(const uint64_t bytes, ArtifactBytes(context, report.model_id));
  const Verdict verdict = gate::Decide({.challenger = report,
                                        .live = against.get(),
                                        .artifact_bytes = bytes,
                                        .rejected_share = court.rejected_share,
                                        .smoke_test_passed = smoke.passed,
                                        .p99_ms = smoke.p99_ms,
                                        .settings = context.settings,
                                        .seed = static_cast<uint64_t>(context.settings.seed)});
  if (live_report != nullptr) *live_report = std::move(against);
  return verdict;
}

}  // namespace segue::pipeline
