#include "gate/checks.h"

#include <cmath>

namespace segue::gate {

Check AtLeast(const char* check, double value, const char* words, double limit) {
  const bool passed = value >= limit;
  if (std::isnan(value)) {
    return {check, false, value, limit,
            Sentence("%s is not a number or not in the report; at least %.4f is asked for", words, limit)};
  }
  return {check, passed, value, limit,
          Sentence("%s is %.4f, %s the %.4f asked for", words, value, passed ? "at least" : "below", limit)};
}

Check ArtifactSize(uint64_t artifact_bytes, const Settings& settings) {
  const double megabytes = static_cast<double>(artifact_bytes) / 1e6;
  const auto limit = static_cast<double>(settings.max_artifact_mb);
  if (artifact_bytes == 0) return {"artifact_size", false, 0, limit, "the model file is empty"};
  return {"artifact_size", megabytes <= limit, megabytes, limit,
          Sentence("the model file has %.1f MB, the limit is %.0f MB", megabytes, limit)};
}

Check SmokeTest(bool passed) {
  return {"smoke_test", passed, passed ? 1.0 : 0.0, 1,
          passed ? "the saved model, loaded again, answers as the trained one did"
                 : "the saved model, loaded again, does not answer as the trained one did"};
}

std::string Failures(const std::vector<Check>& checks) {
  std::string reason;
  for (const Check& check : checks) {
    if (check.passed) continue;
    reason += (reason.empty() ? "" : "; ") + check.name + ": " + check.why;
  }
  return reason;
}

}  // namespace segue::gate
