#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/model_kind.h"

namespace segue {

class Approval;
struct Refusal;
using Verdict = std::variant<Approval, Refusal>;

namespace gate {
struct Question;
struct HitQuestion;
struct TrialQuestion;
struct TrialRuling;
Verdict Decide(const Question& question);
Verdict Decide(const HitQuestion& question);
TrialRuling Decide(const TrialQuestion& question);
}  // namespace gate

/// One named check of the gate, with the figure that decided it.
struct Check {
  std::string name;    ///< "min_mrr", "no_worse_than_live", ...
  bool passed = false;
  double value = 0;    ///< what was measured
  double limit = 0;    ///< what it was held against
  std::string why;     ///< a sentence
};

/// All checks passed: the right to go live. Only gate::Decide makes one, and
/// deploy::Promote takes nothing else.
class Approval {
 public:
  const std::string& model_id() const { return model_id_; }
  /// As what it may go live.
  ModelKind kind() const { return kind_; }
  const std::vector<Check>& checks() const { return checks_; }

 private:
  friend Verdict gate::Decide(const gate::Question& question);
  friend Verdict gate::Decide(const gate::HitQuestion& question);
  friend gate::TrialRuling gate::Decide(const gate::TrialQuestion& question);
  Approval(std::string model_id, std::vector<Check> checks, ModelKind kind = ModelKind::kRecommender)
      : model_id_(std::move(model_id)), kind_(kind), checks_(std::move(checks)) {}

  std::string model_id_;
  ModelKind kind_;
  std::vector<Check> checks_;
};

/// At least one check failed. Kept and shown.
struct Refusal {
  std::string model_id;
  std::vector<Check> checks;
  std::string reason;  ///< the failed checks in one sentence
};

}  // namespace segue
