#include <chrono>
#include <cstdio>
#include <thread>

#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "store/alarms.h"
#include "store/log_search.h"

namespace segue::cli {
namespace {

using nlohmann::json;

constexpr int64_t kAll = 1'000'000;
constexpr int64_t kSearched = 100;
constexpr auto kFollowLook = std::chrono::milliseconds(300);

void PrintEntry(const store::LogEntry& entry, bool as_json, bool with_time) {
  json line = json::parse(entry.line, nullptr, false);
  if (as_json) {
    line["run_id"] = entry.run_id.empty() ? json() : json(entry.run_id);
    std::printf("%s\n", line.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
    return;
  }
  const json fields = line.value("fields", json());
  const std::string where = with_time ? entry.at + " " + (entry.run_id.empty() ? "" : entry.run_id + " ") : "";
  std::printf("%s%-7s %-9s %s %s\n", where.c_str(), line.value("level", "").c_str(), line.value("stage", "").c_str(),
              line.value("message", "").c_str(),
              fields.is_null() || fields.empty() ? "" : fields.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
}

/// What has come at or after the time up to which was printed, but for the
/// `printed` lines of that very time.
struct Printed {
  std::string at;
  int64_t lines = 0;
};

void PrintOldestFirst(const std::vector<store::LogEntry>& entries, const Common& common, bool with_time, Printed& printed) {
  // Of the lines at the time where the last call ended, those were printed already.
  const std::string ended_at = printed.at;
  int64_t skip = printed.lines;
  for (auto it = entries.rbegin(); it != entries.rend(); ++it) {
    if (it->at == ended_at && skip-- > 0) continue;
    PrintEntry(*it, common.json, with_time);
    if (it->at != printed.at) printed = {it->at, 0};
    ++printed.lines;
  }
  std::fflush(stdout);
}

json HistoryOf(const store::AlarmBook& book, int64_t id) {
  json history = json::array();
  const auto changes = book.AlarmHistory(id);
  if (!changes.ok()) return history;
  for (const auto& change : *changes) history.push_back(store::ToJson(change));
  return history;
}

void PrintAlarm(const json& alarm) {
  std::printf("%6lld  %-9s %-9s %-20s %s  %s%s\n", static_cast<long long>(alarm["id"].get<int64_t>()), alarm["state"].get<std::string>().c_str(),
              alarm["severity"].get<std::string>().c_str(), alarm["name"].get<std::string>().c_str(), alarm["at"].get<std::string>().c_str(),
              alarm["message"].get<std::string>().c_str(), alarm["acknowledged"].is_null() ? "" : "  (acknowledged)");
}

}  // namespace

int ShowLogs(const Common& common, const LogFlags& flags) {
  CatchSignals();
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const Program& open = **program;
  const bool searches = !(flags.stage.empty() && flags.level.empty() && flags.text.empty() && flags.since.empty() && flags.until.empty());
  store::LogQuery query{.run_id = flags.run_id, .stage = flags.stage, .level = flags.level, .text = flags.text, .since = flags.since,
                        .until = flags.until};
  if (query.run_id.empty() && !searches && !flags.follow) {
    const auto runs = open.catalog->Runs(0, 1);
    if (!runs.ok()) return Fail(runs.error());
    if (runs->empty()) return Fail({ErrorCode::kNotFound, "there has been no run yet"});
    query.run_id = runs->front().run_id;
  }
  const bool one_run = !query.run_id.empty();
  query.limit = flags.n != 0 ? flags.n : one_run && !searches ? kAll : kSearched;
  Printed printed;
  for (;;) {
    const auto page = store::SearchLogs(*open.bucket, *open.catalog, open.folder, query);
    if (!page.ok()) return Fail(page.error());
    PrintOldestFirst(page->entries, common, !one_run, printed);
    if (!flags.follow || Cancelled().load()) return kOk;
    std::this_thread::sleep_for(kFollowLook);
    if (!printed.at.empty()) query.since = printed.at;
    query.limit = kAll;
  }
}

int ListAlarms(const Common& common, const AlarmFlags& flags) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const store::AlarmBook& book = (*program)->catalog->alarm_book();
  const auto alarms = flags.id != 0 ? book.FindAlarm(flags.id) : book.ListAlarms({.state = flags.state, .name = flags.name, .limit = flags.n});
  if (!alarms.ok()) return Fail(alarms.error());
  if (flags.id != 0 && alarms->empty()) return Fail({ErrorCode::kNotFound, "there is no alarm " + std::to_string(flags.id) + "; `segue alarms` lists them"});
  json list = json::array();
  for (const auto& alarm : *alarms) {
    list.push_back(store::ToJson(alarm));
    if (flags.id != 0) list.back()["history"] = HistoryOf(book, alarm.id);
  }
  if (common.json) {
    std::printf("%s\n", list.dump(2, ' ', false, json::error_handler_t::replace).c_str());
    return kOk;
  }
  for (const json& alarm : list) {
    PrintAlarm(alarm);
    for (const json& change : alarm.value("history", json::array())) {
      std::printf("        %s  %-12s by %s%s\n", change["at"].get<std::string>().c_str(), change["change"].get<std::string>().c_str(),
                  change["actor"].get<std::string>().c_str(), change["delivered"].is_null() ? "" : ", delivered");
    }
  }
  return kOk;
}

int AcknowledgeAlarm(const Common& common, const AlarmFlags& flags) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto alarm = (*program)->catalog->alarm_book().AcknowledgeAlarm(flags.id, "cli", flags.note, (*program)->clock.NowMs());
  if (!alarm.ok()) return Fail(alarm.error());
  if (common.json) {
    std::printf("%s\n", store::ToJson(*alarm).dump(2).c_str());
  } else {
    PrintAlarm(store::ToJson(*alarm));
  }
  return kOk;
}

}  // namespace segue::cli
