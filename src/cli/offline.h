#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "cli/verbs.h"
#include "models/model.h"
#include "store/csv_files.h"

// What the verbs that fit models on CSV files have in common.

namespace segue::cli {

using Clock = std::chrono::steady_clock;
double SecondsSince(Clock::time_point start);

/// A model fitted on CSV files, with what it was fitted on.
struct Fitted {
  Settings settings;
  store::TrainTest files;
  std::unique_ptr<models::Model> model;
  uint64_t seed = 0;
  double seconds = 0;
  std::unique_ptr<Instruments> instruments;
};
Result<Fitted> FitFiles(const Common& common, const OfflineFlags& flags);

StrengthRule RuleOf(const Settings& settings);

/// As CSV wants it: quoted where it has a comma, quote or line break.
std::string CsvField(std::string_view text);

}  // namespace segue::cli
