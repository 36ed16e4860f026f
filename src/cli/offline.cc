#include "cli/offline.h"

#include "monitor/run_log.h"
#include "train/trainer.h"

namespace segue::cli {

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Result<Fitted> FitFiles(const Common& common, const OfflineFlags& flags) {
  Fitted fitted;
  SEGUE_TRY(fitted.settings, ReadSettings(common, flags.algorithm));
  fitted.instruments = monitor::ConsoleInstruments(common.quiet, [] { return Cancelled().load(); });
  fitted.seed = static_cast<uint64_t>(flags.seed >= 0 ? flags.seed : fitted.settings.seed);
  SEGUE_TRY(const auto trainer, train::MakeTrainer(flags.algorithm));
  SEGUE_TRY(fitted.files, store::LoadCsvFiles(flags.files));
  const auto start = Clock::now();
  SEGUE_TRY(fitted.model, trainer->Fit(fitted.files.train, fitted.settings, fitted.seed, *fitted.instruments));
  fitted.seconds = SecondsSince(start);
  // From here on train is only the past that listeners are known by.
  store::AddEvents(fitted.files.train, fitted.files.fold_in);
  return fitted;
}

StrengthRule RuleOf(const Settings& settings) { return {settings.skip_weight, settings.like_weight}; }

std::string CsvField(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace segue::cli
