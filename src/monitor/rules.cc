#include "monitor/rules.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace segue::monitor {
namespace {

constexpr int64_t kHour = 3600;
constexpr int64_t kDay = 24 * kHour;

constexpr std::array kMetrics = {
    MetricInfo{"model_age_seconds", "since the live recommender went live; none before the first"},
    MetricInfo{"data_age_seconds", "since the newest file or feedback came in; none before the first"},
    MetricInfo{"like_rate", "likes among the feedback on recommended lists in the last 7 days; none below 50 events"},
    MetricInfo{"dislike_rate", "the same of dislikes"},
    MetricInfo{"shown_coverage", "of the live model's catalogue, the share that the newest 10,000 lists of the last 7 days showed to anyone; none below 50 lists"},
    MetricInfo{"shown_repetition", "of the places in these lists, the share whose track the listener had been shown before; none below 50 lists"},
    MetricInfo{"refused_runs", "runs that the gate refused since it last approved one, without those that found nothing new"},
    MetricInfo{"failed_runs", "runs in a row that failed"},
    MetricInfo{"request_p99_seconds", "99 of 100 requests of the last 5 to 10 minutes took at most so long; none below 100 requests"},
    MetricInfo{"quarantined_last_day", "rows and files put into quarantine in the last 24 hours"},
    MetricInfo{"listening_drift", "Jensen-Shannon distance of what is played since the live model's dataset; none below drift.min_rows plays"},
    MetricInfo{"log_lines_dropped", "lines of the log of requests that found no room since the program started"},
};

std::vector<AlarmRule> BuiltIn(const Settings& settings) {
  return {
      {.name = "model_old", .metric = "model_age_seconds", .threshold = 30.0 * kDay, .for_seconds = kHour,
       .message = "the live model has been live for {value} seconds: no run has come to a better one"},
      {.name = "no_new_data", .metric = "data_age_seconds", .threshold = 7.0 * kDay, .for_seconds = kHour,
       .message = "nothing has come in for {value} seconds: does the export still run?"},
      {.name = "like_rate_low", .metric = "like_rate", .comparison = "<", .threshold = 0.01, .for_seconds = 6 * kHour,
       .message = "{value} of the feedback on recommended lists are likes, less than {threshold}"},
      {.name = "dislike_rate_high", .metric = "dislike_rate", .threshold = 0.25, .for_seconds = kHour,
       .message = "{value} of the feedback on recommended lists are dislikes, more than {threshold}"},
      {.name = "runs_refused", .metric = "refused_runs", .comparison = ">=", .threshold = 3,
       .message = "the gate has refused {value} runs in a row: `segue runs` has the reasons"},
      {.name = "runs_failed", .metric = "failed_runs", .comparison = ">=", .threshold = 3, .severity = "critical",
       .message = "{value} runs in a row have failed: `segue runs` has the reasons"},
      {.name = "slow_answers", .metric = "request_p99_seconds", .threshold = 0.5, .for_seconds = 300,
       .message = "one of 100 requests takes more than {value} seconds"},
      {.name = "quarantine_grows", .metric = "quarantined_last_day", .threshold = 1000,
       .message = "{value} rows and files were put into quarantine within a day: GET /v1/quarantine has the reasons"},
      // The trigger of drift waits for this name (pipeline/triggers.cc).
      {.name = "drift", .metric = "listening_drift", .comparison = ">=", .threshold = settings.drift.max_listening,
       .message = "what is played since the live model's dataset is {value} from what its listeners played before (limit {threshold})"},
      {.name = "log_lines_lost", .metric = "log_lines_dropped", .threshold = 0, .message = "{value} lines of the log of requests found no room"},
  };
}

void Replace(std::string& text, std::string_view what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) text.replace(at, what.size(), with);
}

}  // namespace

std::span<const MetricInfo> KnownMetrics() { return kMetrics; }

Result<std::vector<AlarmRule>> RulesInForce(const Settings& settings) {
  std::vector<AlarmRule> rules;
  if (settings.alarms.defaults == "on") rules = BuiltIn(settings);
  for (const AlarmRule& own : settings.alarms.rules) {
    const bool known = std::any_of(kMetrics.begin(), kMetrics.end(), [&](const MetricInfo& metric) { return metric.name == own.metric; });
    if (!known) {
      std::string names;
      for (const MetricInfo& metric : kMetrics) names += (names.empty() ? "" : ", ") + std::string(metric.name);
      return Error{ErrorCode::kInvalid, "alarms.rule '" + own.name + "': there is no metric '" + own.metric + "'; known: " + names};
    }
    std::erase_if(rules, [&](const AlarmRule& other) { return other.name == own.name; });
    rules.push_back(own);
  }
  return rules;
}

bool Holds(const AlarmRule& rule, double value) {
  if (rule.comparison == ">") return value > rule.threshold;
  if (rule.comparison == ">=") return value >= rule.threshold;
  if (rule.comparison == "<") return value < rule.threshold;
  return value <= rule.threshold;
}

std::string MessageOf(const AlarmRule& rule, double value) {
  std::string text = rule.message.empty() ? rule.metric + " is {value}, which is " + rule.comparison + " {threshold}" : rule.message;
  Replace(text, "{value}", Significant(value, 4));
  Replace(text, "{threshold}", Significant(rule.threshold, 4));
  return text;
}

}  // namespace segue::monitor
