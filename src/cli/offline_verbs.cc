#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>

#include <nlohmann/json.hpp>

#include "cli/offline.h"
#include "core/identity.h"
#include "evaluate/evaluator.h"
#include "math/parallel.h"
#include "models/past.h"
#include "pipeline/judge.h"
#include "pipeline/records.h"
#include "store/dataset_store.h"

namespace segue::cli {
namespace {

using nlohmann::json;

std::vector<uint8_t> Heard(const models::Model& model, std::span<const Preference> history) {
  std::vector<uint8_t> heard(model.track_count(), 0);
  for (const Preference& item : history) heard[Raw(item.track)] = 1;
  return heard;
}

/// Listeners first to last's lists, as lines of CSV.
std::string Lists(const Fitted& fitted, const models::RowMap& rows, uint32_t first, uint32_t last, size_t n) {
  const Dataset& data = fitted.files.train;
  const models::Model& model = *fitted.model;
  std::vector<uint8_t> heard(model.track_count(), 0);
  std::string text;
  for (uint32_t u = first; u < last; ++u) {
    const auto past = rows.PastOf(data.listeners[u], data.EventsOf(UserIx{u}), RuleOf(fitted.settings));
    for (const Preference& item : past.tracks) heard[Raw(item.track)] = 1;
    const auto top = model.Top(model.FoldIn(past.View()), n, heard);
    for (const Preference& item : past.tracks) heard[Raw(item.track)] = 0;
    const std::string listener = CsvField(data.listeners[u]);
    for (size_t rank = 0; rank < top.size(); ++rank) {
      char score[32];
      const auto end = std::to_chars(score, score + sizeof score, top[rank].score, std::chars_format::general, 6).ptr;
      text.append(listener).append(",").append(CsvField(model.TrackId(top[rank].track))).append(",");
      text.append(std::to_string(rank + 1)).append(",").append(score, end).append("\n");
    }
  }
  return text;
}

/// On all threads, some listeners a task; written in order, some tasks at a time.
int RecommendToAll(const Common& common, const OfflineFlags& flags) {
  constexpr uint32_t kTask = 64;
  constexpr uint32_t kTasksAtATime = 64;
  const auto fitted = FitFiles(common, flags);
  if (!fitted.ok()) return Fail(fitted.error());
  std::ofstream file;
  if (!flags.output.empty()) {
    file.open(flags.output);
    if (!file) return Fail({ErrorCode::kIo, "cannot write " + flags.output});
  }
  std::ostream& out = flags.output.empty() ? std::cout : file;
  out << "user_id,item_id,rank,score\n";
  const auto listeners = static_cast<uint32_t>(fitted->files.train.listener_count());
  const models::RowMap rows(*fitted->model, fitted->files.train.tracks.id);
  for (uint32_t from = 0; from < listeners && !Cancelled().load(); from += kTask * kTasksAtATime) {
    fitted->instruments->Progress("recommend", from, listeners, "listeners");
    std::vector<std::string> texts(kTasksAtATime);
    math::WithThreads(fitted->settings.threads, [&] {
      math::ParallelFor(kTasksAtATime, [&](size_t task) {
        const uint32_t first = from + static_cast<uint32_t>(task) * kTask;
        if (first < listeners) texts[task] = Lists(*fitted, rows, first, std::min(listeners, first + kTask), static_cast<size_t>(flags.n));
      });
    });
    for (const std::string& text : texts) out << text;
  }
  fitted->instruments->Progress("recommend", listeners, listeners, "listeners");
  out.flush();
  if (!out) return Fail({ErrorCode::kNoSpace, "writing " + flags.output + " failed: is the disk full?"});
  return kOk;
}

/// The live model with its catalogue.
struct LiveModel {
  std::string model_id;
  std::unique_ptr<models::Model> model;
  Dataset data;
  int64_t tombstone = 0;  ///< the last that the dataset knows of (store/listeners.h)
};

Result<LiveModel> OpenLive(const Program& program) {
  SEGUE_TRY(const auto live, program.catalog->Live());
  if (!live) return Error{ErrorCode::kNotFound, "no model is live yet; drop data into the inbox and `segue run`"};
  SEGUE_TRY(const auto record, program.catalog->FindModel(live->to_model));
  if (!record) return Error{ErrorCode::kNotFound, "model " + live->to_model + " is not in the registry"};
  LiveModel result;
  result.model_id = live->to_model;
  SEGUE_TRY(result.model, pipeline::LoadModel(program.PipelineContext(), live->to_model));
  SEGUE_TRY(result.data, store::LoadDataset(*program.bucket, record->dataset_id));
  result.tombstone = store::ManifestNumber(*program.bucket, record->dataset_id, "forgotten_through");
  return result;
}

/// Was he forgotten since the model was trained?
Result<bool> IsForgotten(const Program& program, const LiveModel& live, const std::string& listener) {
  SEGUE_TRY(const auto tombstones, program.catalog->listeners().ForgottenAfter(live.tombstone));
  return std::any_of(tombstones.begin(), tombstones.end(), [&](const auto& one) { return one.listener == listener; });
}

json Item(const LiveModel& live, const models::ScoredTrack& scored) {
  const std::string id(live.model->TrackId(scored.track));
  const auto row = FindSorted(live.data.tracks.id, id);
  return {{"track_id", id}, {"artist", row ? live.data.tracks.artist[*row] : ""},
          {"title", row ? live.data.tracks.title[*row] : ""}, {"score", scored.score}};
}

void PrintItems(const json& items, bool as_json) {
  if (as_json) {
    std::printf("%s\n", json{{"items", items}}.dump(2).c_str());
    return;
  }
  for (const json& item : items) {
    std::printf("%-17s %8.4f  %s - %s%s%s\n", item["track_id"].get<std::string>().c_str(), item["score"].get<double>(),
                item["artist"].get<std::string>().c_str(), item["title"].get<std::string>().c_str(),
                item.contains("reason") ? "   " : "", item.value("reason", "").c_str());
  }
}

std::string ReasonFor(const LiveModel& live, const models::Profile& profile, TrackIx track) {
  const auto why = live.model->Explain(profile, track);
  if (why.because.empty()) return why.general;
  std::string reason = "because you played ";
  for (size_t i = 0; i < why.because.size() && i < 2; ++i) {
    const json item = Item(live, why.because[i]);
    if (i > 0) reason += " and ";
    reason += item["title"].get<std::string>() + " by " + item["artist"].get<std::string>();
  }
  return reason;
}

int RecommendToOne(const Common& common, const OfflineFlags& flags) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto live = OpenLive(**program);
  if (!live.ok()) return Fail(live.error());
  const auto forgotten = IsForgotten(**program, *live, flags.listener);
  if (!forgotten.ok()) return Fail(forgotten.error());
  const auto user = *forgotten ? std::nullopt : FindSorted(live->data.listeners, flags.listener);
  if (!user) std::fprintf(stderr, "segue: nothing is known of '%s'; this is what is popular\n", flags.listener.c_str());
  models::Past past{*forgotten ? "" : flags.listener, {}, {}};
  if (user) {
    const models::RowMap rows(*live->model, live->data.tracks.id);
    past = rows.PastOf(flags.listener, live->data.EventsOf(UserIx{*user}), RuleOf((*program)->settings));
  }
  const auto profile = live->model->FoldIn(past.View());
  json items = json::array();
  for (const auto& scored : live->model->Top(profile, static_cast<size_t>(flags.n), Heard(*live->model, past.tracks))) {
    json item = Item(*live, scored);
    item["reason"] = ReasonFor(*live, profile, scored.track);
    items.push_back(item);
  }
  PrintItems(items, common.json);
  return kOk;
}

}  // namespace

int EvaluateFiles(const Common& common, const OfflineFlags& flags) {
  CatchSignals();
  auto fitted = FitFiles(common, flags);
  if (!fitted.ok()) return Fail(fitted.error());
  const auto split = evaluate::SplitGiven(std::move(fitted->files.train), fitted->files.test, fitted->settings);
  const auto start = Clock::now();
  auto report = evaluate::Evaluate(*fitted->model, split, fitted->settings, fitted->seed, *fitted->instruments);
  if (!report.ok()) return Fail(report.error());
  json out = pipeline::ToJson(*report);
  out["fit_seconds"] = fitted->seconds;
  out["evaluate_seconds"] = SecondsSince(start);
  if (common.json) {
    std::printf("%s\n", out.dump(2).c_str());
    return kOk;
  }
  std::printf("%s: %llu listeners, %llu held-out tracks, catalogue of %llu; fitted in %.2f s\n",
              report->algorithm.c_str(), static_cast<unsigned long long>(report->listeners),
              static_cast<unsigned long long>(report->held_out), static_cast<unsigned long long>(report->catalogue),
              fitted->seconds);
  for (const auto& [name, figure] : report->figures) {
    std::printf("  %-16s %8.4f   [%.4f, %.4f]\n", name.c_str(), figure.value, figure.low, figure.high);
  }
  return kOk;
}

int Recommend(const Common& common, const OfflineFlags& flags) {
  CatchSignals();
  if (!flags.files.train.empty()) return RecommendToAll(common, flags);
  if (flags.listener.empty()) {
    return Fail({ErrorCode::kInvalid, "name a listener (segue recommend --data DIR LISTENER), or a file with --train"});
  }
  return RecommendToOne(common, flags);
}

int SimilarTracks(const Common& common, const OfflineFlags& flags) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto live = OpenLive(**program);
  if (!live.ok()) return Fail(live.error());
  auto row = live->model->Find(flags.track);
  if (const size_t dash = flags.track.find(" - "); !row && dash != std::string::npos) {
    row = live->model->Find(TrackIdOf(NameKey(flags.track.substr(0, dash), flags.track.substr(dash + 3))));
  }
  if (!row) {
    return Fail({ErrorCode::kNotFound, "the live model knows no track '" + flags.track +
                                           "'; give a track id or \"Artist - Title\""});
  }
  json items = json::array();
  for (const auto& scored : live->model->Similar(*row, static_cast<size_t>(flags.n))) items.push_back(Item(*live, scored));
  PrintItems(items, common.json);
  return kOk;
}

}  // namespace segue::cli
