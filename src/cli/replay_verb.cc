#include <charconv>
#include <chrono>
#include <cstdio>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/inputs.h"
#include "cli/verbs.h"
#include "core/text.h"
#include "monitor/run_log.h"
#include "pipeline/replay_report.h"
#include "store/file_system.h"
#include "train/trainer.h"

namespace segue::cli {
namespace {

namespace fs = std::filesystem;

/// "7d", "12h", "2w": seconds.
Result<int64_t> ParseSpan(const std::string& flag, const std::string& text) {
  const int64_t unit = text.empty() ? 0 : text.back() == 'd' ? 86'400 : text.back() == 'w' ? 7 * 86'400 : text.back() == 'h' ? 3600 : 0;
  int64_t count = 0;
  const char* end = text.data() + (text.empty() ? 0 : text.size() - 1);
  const auto read = std::from_chars(text.data(), end, count);
  if (unit == 0 || read.ec != std::errc() || read.ptr != end || count <= 0 || count > 1'000'000) {
    return Error{ErrorCode::kInvalid, flag + " " + text + ": expected a span of hours, days or weeks, e.g. 12h, 7d, 4w"};
  }
  return count * unit;
}

/// "2025-05-01": Unix seconds of its beginning, UTC.
std::optional<int64_t> ParseDate(const std::string& text) {
  int year = 0, month = 0, day = 0, used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || used != static_cast<int>(text.size())) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)), std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86'400};
}

Result<pipeline::ReplayOptions> OptionsOf(const ReplayFlags& flags) {
  pipeline::ReplayOptions options;
  options.algorithm = flags.algorithm;
  options.clock.clock = flags.clock;
  SEGUE_TRY(options.clock.window_s, ParseSpan("--window", flags.window));
  if (const auto share = ParseReal(flags.start)) {
    if (!(*share > 0 && *share < 1)) return Error{ErrorCode::kInvalid, "--start " + flags.start + ": a share of the events is above 0 and below 1; a span is e.g. 90d"};
    options.clock.start_share = *share;
  } else {
    SEGUE_TRY(options.clock.start_s, ParseSpan("--start", flags.start));
  }
  options.arms = {.every = flags.retrain_every, .trigger_plays = flags.trigger_plays, .trigger_share = flags.trigger_share, .trigger_drift = flags.trigger_drift};
  options.recovered = flags.recovered;
  if (flags.switch_at.empty()) return options;
  options.switch_at = ParseDate(flags.switch_at);
  if (!options.switch_at) {
    const auto since = ParseSpan("--switch-at", flags.switch_at);
    if (!since.ok()) return Error{ErrorCode::kInvalid, "--switch-at " + flags.switch_at + ": expected a date (2025-05-01) or the time since the first day (60d)"};
    options.switch_at = *since;
    options.switch_is_age = true;
  }
  return options;
}

Result<Dataset> ReplayedDataset(const Common& common, const Settings& settings, const ReplayFlags& flags) {
  if (flags.histories.empty()) {
    if (!flags.tracks.empty()) return Error{ErrorCode::kInvalid, "--tracks goes with --histories; a data folder has its tracks already"};
    return LiveDataset(common);
  }
  const fs::path scratch = fs::path(flags.output) / (".scratch-" + std::to_string(::getpid()));
  return DatasetOfFiles(common, settings, flags.histories, flags.tracks, scratch);
}

Result<nlohmann::json> ReplayTo(const Common& common, const ReplayFlags& flags, std::string& text) {
  SEGUE_TRY(auto settings, ReadSettings(common, flags.algorithm));
  if (flags.seed >= 0) settings.seed = flags.seed;
  SEGUE_TRY(const auto options, OptionsOf(flags));
  if (const auto known = train::MakeTrainer(flags.algorithm); !known.ok()) return known.error();
  std::error_code error;
  fs::create_directories(flags.output, error);
  if (error) return store::SystemError("creating", flags.output, error.value());
  const auto instruments = monitor::ConsoleInstruments(common.quiet, [] { return Cancelled().load(); });
  SEGUE_TRY(auto data, ReplayedDataset(common, settings, flags));
  SEGUE_TRY(const auto replay, pipeline::Replay(std::move(data), options, settings, *instruments));
  const auto summary = pipeline::Summarize(replay);
  nlohmann::json json = pipeline::ReplayJson(replay, summary);
  const fs::path folder = flags.output;
  SEGUE_RETURN_IF_ERROR(store::WriteFile(folder / "replay.json", json.dump(1) + "\n"));
  SEGUE_RETURN_IF_ERROR(store::WriteFile(folder / "replay.html", pipeline::ReplayPage(replay, summary)));
  SEGUE_RETURN_IF_ERROR(store::WriteFile(folder / "replay.svg", pipeline::ReplayPicture(replay, summary)));
  text = pipeline::ReplayText(replay, summary);
  instruments->Info("replay", "wrote replay.json, replay.html and replay.svg to " + folder.string());
  return json;
}

}  // namespace

int ReplayHistories(const Common& common, const ReplayFlags& flags) {
  CatchSignals();
  std::string text;
  const auto json = ReplayTo(common, flags, text);
  if (!json.ok()) return Fail(json.error());
  if (common.json) text = json->dump(1) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kOk;
}

}  // namespace segue::cli
