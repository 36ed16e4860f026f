#include <cstdio>
#include <thread>

#include <nlohmann/json.hpp>

#include "clean/cleaner.h"
#include "cli/inputs.h"
#include "cli/run_report.h"
#include "cli/verbs.h"
#include "pipeline/judged.h"
#include "pipeline/lock.h"

namespace segue::cli {
namespace {

using nlohmann::json;

void PrintNumbers(const json& numbers, bool as_json) {
  if (as_json) {
    std::printf("%s\n", numbers.dump(2).c_str());
    return;
  }
  for (const auto& [name, value] : numbers.items()) {
    std::printf("%-16s %s\n", name.c_str(), value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
  }
}

/// Another process runs the pipeline: ask it, and wait.
int RunThere(const Common& common, Program& program, const RunFlags& flags) {
  if (flags.dry_run && !(common.config.empty() && common.set.empty())) {
    return Fail({ErrorCode::kConflict, "a server runs the pipeline of " + common.data + ", with its own settings: try others on a copy of the folder, "
                                       "or leave --config and --set out to try the server's"});
  }
  const auto id = program.catalog->AddCommand(
      {.kind = "run", .arguments = json{{"reason", flags.reason}, {"dry_run", flags.dry_run}}.dump(), .actor = "cli", .state = "pending"});
  if (!id.ok()) return Fail(id.error());
  program.instruments->Info("run", "the server runs it");
  while (!Cancelled().load()) {
    const auto command = program.catalog->FindCommand(*id);
    if (!command.ok()) return Fail(command.error());
    if (*command && (*command)->state != "pending") {
      const json outcome = json::parse((*command)->outcome, nullptr, false);
      const auto run = program.catalog->FindRun(outcome.is_object() ? outcome.value("run_id", "") : "");
      if (!run.ok()) return Fail(run.error());
      if (!*run) return Fail({ErrorCode::kIo, "the server could not run it: " + (*command)->outcome});
      PrintRun(**run, common);
      return ExitCodeOf(**run);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return kFailed;
}

}  // namespace

int IngestPaths(const Common& common, const IngestFlags& flags) {
  CatchSignals();
  auto program = OpenProgram(common, Create::kYes, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto inputs = FindInputs(flags.paths, flags.listener);
  if (!inputs.ok()) return Fail(inputs.error());
  const auto taken = IngestAll(**program, *inputs);
  Audit(**program, "ingest", std::to_string(inputs->size()) + " files", taken.ok() ? Status() : Status(taken.error()));
  if (!taken.ok()) return Fail(taken.error());
  const ingest::Outcome& total = *taken;
  PrintNumbers({{"files", inputs->size()}, {"accepted", total.accepted}, {"already_known", total.already_known},
                {"set_aside", total.set_aside}, {"quarantined", total.quarantined}, {"rows", total.rows},
                {"rejected_rows", total.rejected_rows}}, common.json);
  if (total.accepted > 0 && !common.json && !common.quiet) {
    std::fprintf(stderr, "`segue run --data %s` trains on it.\n", common.data.c_str());
  }
  return total.quarantined > 0 && total.accepted == 0 ? kUsage : kOk;
}

int CleanData(const Common& common, const CleanFlags& flags) {
  CatchSignals();
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const clean::Context context{*(*program)->bucket, *(*program)->catalog, (*program)->clock, (*program)->settings,
                               *(*program)->instruments};
  if (const Status flushed = clean::FlushEvents(context); !flushed.ok()) return Fail(flushed.error());
  const auto outcome = clean::Clean(context);
  if (!outcome.ok()) return Fail(outcome.error());
  const auto text = context.bucket.Get(store::DatasetKey(outcome->dataset_id, "quality.json"));
  if (!text.ok()) return Fail(text.error());
  if (common.json) {
    std::printf("%s\n", text->c_str());
  } else if (flags.report) {
    std::printf("%s", clean::ReadableReport(json::parse(*text)).c_str());
  } else {
    PrintNumbers({{"dataset", outcome->dataset_id}, {"rows_in", outcome->rows_in}, {"rows_kept", outcome->rows_kept},
                  {"listeners", outcome->listeners}, {"tracks", outcome->tracks}}, false);
    std::fprintf(stderr, "`segue clean --report` tells what was removed and why.\n");
  }
  if (outcome->stop) return Fail({ErrorCode::kConflict, outcome->stop_reason});
  return kOk;
}

int RunPipeline(const Common& common, const RunFlags& flags) {
  CatchSignals();
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  auto lock = pipeline::LockPipeline((*program)->folder.root);
  if (!lock.ok()) {
    if (lock.error().code != ErrorCode::kConflict) return Fail(lock.error());
    Audit(**program, "run", "asked of the server", Status());
    return RunThere(common, **program, flags);
  }
  const auto context = (*program)->PipelineContext();
  // A dry run changes nothing: an interrupted run is for the next real one.
  if (!flags.dry_run) {
    if (const auto resumed = pipeline::ResumeInterrupted(context); !resumed.ok()) return Fail(resumed.error());
  }
  const auto run = pipeline::RunOnce(context, {flags.dry_run ? pipeline::kDryRun : "person", flags.reason.empty() ? "cli" : "cli: " + flags.reason});
  Audit(**program, "run", run.ok() ? run->run_id + ": " + run->state : "", run.ok() ? Status() : Status(run.error()));
  if (!run.ok()) return Fail(run.error());
  PrintRun(*run, common);
  return ExitCodeOf(*run);
}

}  // namespace segue::cli
