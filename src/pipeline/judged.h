#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// The settings that change what a run comes to, and the program, as lines
/// "name=value": those of ingest, clean, train, evaluate and gate, of the
/// algorithms that compete, and of models of hits. Where one listens, how many
/// threads there are, and algorithms that do not take part are not among them.
std::string ConfigFingerprint(const Settings& settings);

/// Of that, what models of hits and their verdicts depend on besides the songs.
std::string HitConfigFingerprint(const Settings& settings);

/// "gate.min_mrr 0.02 -> 0.05, ials.factors 64 -> 32 and 3 more"; "" where they are the same.
std::string ConfigChange(const std::string& before, const std::string& now);

/// Sums over what there is to learn from.
struct Material {
  int64_t objects = 0;  ///< accepted
  int64_t rows = 0;     ///< of these
  int64_t events = 0;   ///< sequence number of the last one
  int64_t forgotten = 0;///< number of the last listener who was forgotten
};
Result<Material> MaterialNow(const Context& context);

/// What is there now that the last run that came to a verdict (or found that
/// there was none to come to) did not have before it.
struct News {
  Material there;          ///< all there is
  Material fresh;          ///< of it, what is new; below 0 where objects went away
  std::string config;      ///< as ConfigChange; "" also where nothing was judged yet
};
Result<News> WhatIsNew(const Context& context);
/// News::config alone, which costs little.
Result<std::string> ConfigNews(const Context& context);

/// {"objects","rows","events","forgotten"?,"config"?} of a run, as its ingest stage keeps it; null before.
nlohmann::json NewsOf(const store::RunRecord& run);

/// From now on `there` and the settings are no news. Several transactions: who
/// is killed between them sees something as new that is not, never the reverse.
/// `run_id` is kept first of all, so that a run that is resumed knows what it did.
Status RememberJudged(const Context& context, const Material& there, const std::string& dataset_id, const std::string& run_id);
/// Did this run get as far as RememberJudged?
Result<bool> JudgedBy(const Context& context, const std::string& run_id);

/// Is there nothing in this dataset to learn from that was not in the last judged one?
Result<bool> SameAsLastJudged(const Context& context, const std::string& dataset_id);

}  // namespace segue::pipeline
