#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/hit_report.h"
#include "core/report.h"
#include "core/result.h"
#include "core/verdict.h"

namespace segue::pipeline {

/// {"model_id","algorithm","protocol","listeners","held_out","catalogue",
///  "figures":{name:{"value","low","high"}}}
nlohmann::json ToJson(const Report& report);

/// {"model_id","algorithm","dataset_id","trained","songs","labels","figures":{"auc",
///  "accuracy","log_loss":{"value"}},"classes":{label:{"precision","recall","f1","support"}},"confusion":[[...]]}
nlohmann::json ToJson(const HitReport& report);

/// [{"name","passed","value","limit","why"}]; null for what is no number
nlohmann::json ToJson(const std::vector<Check>& checks);

/// {"approved","model_id","reason","checks":[...]}
nlohmann::json ToJson(const Verdict& verdict);

/// A new run's id: sortable by time, "r20260301-120000-3fa2".
std::string NewRunId(int64_t now_ms);

}  // namespace segue::pipeline
