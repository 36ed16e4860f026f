#include "monitor/exposition.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/prometheus.h"
#include "core/version.h"

namespace segue::monitor {
namespace {

using nlohmann::json;

/// The reading, if it is there, as a gauge.
void Reading(PrometheusText& out, const Readings& readings, std::string_view reading, std::string_view name, std::string_view help) {
  const auto it = readings.find(reading);
  if (it != readings.end()) out.One(name, "gauge", help, it->second);
}

void ExposeRuns(PrometheusText& out, const Context& context) {
  const auto counts = context.catalog.RunsByState();
  if (!counts.ok()) return;
  out.Family("segue_runs", "gauge", "Runs in the catalog by state.");
  for (const auto& [state, count] : *counts) out.Sample(static_cast<double>(count), {{"state", state}});
  const auto of = [&](const char* state) {
    const auto it = counts->find(state);
    return it == counts->end() ? 0.0 : static_cast<double>(it->second);
  };
  out.Family("segue_gate_decisions_total", "counter", "Verdicts of the gate on the best model of a run.");
  out.Sample(of("approved"), {{"decision", "approved"}});
  out.Sample(of("refused"), {{"decision", "refused"}});
  const auto runs = context.catalog.Runs(0, 20);
  if (!runs.ok()) return;
  for (const auto& run : *runs) {
    if (run.finished_ms == 0) continue;
    out.Family("segue_stage_seconds", "gauge", "How long each stage of the last finished run took.");
    for (const auto& stage : run.stages) {
      if (stage.finished_ms == 0) continue;
      out.Sample(static_cast<double>(stage.finished_ms - stage.started_ms) / 1000, {{"stage", stage.name}, {"state", stage.state}});
    }
    out.One("segue_last_run_timestamp_seconds", "gauge", "Unix time at which the last finished run ended.",
            static_cast<double>(run.finished_ms) / 1000, {{"state", run.state}});
    return;
  }
}

void ExposeAlarms(PrometheusText& out, const Context& context) {
  const auto counts = context.catalog.alarm_book().AlarmsByState();
  if (!counts.ok()) return;
  out.Family("segue_alarms", "gauge", "Alarms in the catalog by state.");
  for (const std::string_view state : {store::kAlarmPending, store::kAlarmFiring, store::kAlarmResolved}) {
    const auto it = counts->find(std::string(state));
    out.Sample(it == counts->end() ? 0 : static_cast<double>(it->second), {{"state", state}});
  }
  const auto firing = context.catalog.alarm_book().ListAlarms({.state = std::string(store::kAlarmFiring), .limit = 1000});
  if (!firing.ok() || firing->empty()) return;
  std::map<std::pair<std::string, std::string>, int64_t> by_name;
  for (const auto& alarm : *firing) ++by_name[{alarm.name, alarm.severity}];
  out.Family("segue_alarms_firing", "gauge", "Alarms that fire now, by name.");
  for (const auto& [which, count] : by_name) {
    out.Sample(static_cast<double>(count), {{"name", which.first}, {"severity", which.second}});
  }
}

/// Of the newest run that compared its dataset.
void ExposeDrift(PrometheusText& out, const Context& context) {
  const auto run_id = context.catalog.Meta("drift_run");
  if (!run_id.ok() || run_id->empty()) return;
  const auto text = context.bucket.Get(store::RunKey(*run_id, "drift.json"));
  const json drift = text.ok() ? json::parse(*text, nullptr, false) : json();
  if (!drift.is_object()) return;
  out.Family("segue_column_drift", "gauge", "Drift of each column of the newest dataset from the live model's, by measure.");
  for (const json& column : drift.value("columns", json::array())) {
    for (const char* measure : {"psi", "wasserstein", "jensen_shannon"}) {
      const json distance = column.value(measure, json());
      if (!distance.is_object() || !distance["value"].is_number()) continue;
      out.Sample(distance["value"].get<double>(), {{"column", column.value("column", "")}, {"measure", measure}});
    }
  }
}

void ExposeProcess(PrometheusText& out) {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  // The second field is the program's name, which may have blanks.
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return;
  std::istringstream fields(text.substr(end + 2));
  std::string skipped;
  double user = 0, system = 0, threads = 0, started = 0, virtual_bytes = 0, resident_pages = 0;
  for (int i = 3; i <= 13; ++i) fields >> skipped;
  fields >> user >> system;                               // 14, 15
  for (int i = 16; i <= 19; ++i) fields >> skipped;
  fields >> threads >> skipped >> started >> virtual_bytes >> resident_pages;  // 20..24
  if (!fields) return;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK)), page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  out.One("process_cpu_seconds_total", "counter", "Time of the processor that the process has used.", (user + system) / ticks);
  out.One("process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.", resident_pages * page);
  out.One("process_virtual_memory_bytes", "gauge", "Address space of the process.", virtual_bytes);
  out.One("process_threads", "gauge", "Threads of the process.", threads);
  std::ifstream stat("/proc/stat");
  for (std::string word; stat >> word;) {
    double boot = 0;
    if (word != "btime" || !(stat >> boot)) continue;
    out.One("process_start_time_seconds", "gauge", "Unix time at which the process started.", boot + started / ticks);
    break;
  }
}

}  // namespace

std::string Expose(const Context& context, const ExposedState& state) {
  PrometheusText out;
  out.One("segue_build_info", "gauge", "The program's version.", 1, {{"version", kVersion}});
  Reading(out, state.readings, "model_age_seconds", "segue_model_age_seconds", "Since the live recommender went live.");
  Reading(out, state.readings, "data_age_seconds", "segue_data_age_seconds", "Since the newest file or feedback came in.");
  Reading(out, state.readings, "like_rate", "segue_recommended_like_ratio", "Likes among the feedback on recommended lists, last 7 days.");
  Reading(out, state.readings, "dislike_rate", "segue_recommended_dislike_ratio", "Dislikes among the feedback on recommended lists, last 7 days.");
  Reading(out, state.readings, "shown_coverage", "segue_shown_coverage_ratio", "Of the catalogue, what the newest 10,000 lists of the last 7 days showed.");
  Reading(out, state.readings, "shown_repetition", "segue_shown_repetition_ratio", "Of the places in these lists, those whose track the listener had been shown before.");
  Reading(out, state.readings, "listening_drift", "segue_listening_drift", "Jensen-Shannon distance of what is played since the live model's dataset; 0 where chance may explain it.");
  ExposeRuns(out, context);
  ExposeAlarms(out, context);
  ExposeDrift(out, context);
  if (const auto rows = context.catalog.QuarantineCount(); rows.ok()) {
    out.One("segue_quarantined_rows_total", "counter", "Rows and files put into quarantine.", static_cast<double>(*rows));
  }
  out.One("segue_log_lines_dropped_total", "counter", "Lines of the log of requests that found no room.", static_cast<double>(state.log_lines_dropped));
  ExposeProcess(out);
  return out.text();
}

}  // namespace segue::monitor
