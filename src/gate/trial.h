#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/online.h"
#include "core/settings.h"
#include "core/verdict.h"

namespace segue::gate {

/// What the gate looks at while a challenger, which it approved on held-out
/// listening, is tried on listeners.
struct TrialQuestion {
  std::string challenger_id;
  bool shown = true;                          ///< a canary; else a shadow
  int64_t running_s = 0;                      ///< since the trial began
  ArmFigures challenger, live;                ///< lists since then
  std::span<const ListenerOutcome> outcomes;  ///< of a canary: OnlineLedger::Outcomes
  std::string alarm;                          ///< a critical alarm that ends it, in a sentence; "" none
  const Settings& settings;                   ///< delivery.*
};

struct TrialRuling {
  std::optional<Verdict> verdict;  ///< empty: the trial goes on
  bool timed_out = false;          ///< the verdict is what delivery.on_timeout says
  std::vector<Check> checks;       ///< with the figures of now; as in the verdict, if there is one
  std::string waits_for;           ///< a sentence where it goes on
};

/// A pure function: same question, same ruling. May be asked as often as one
/// likes: the comparison is valid at any time (math/sequential.h).
///
/// Refused (the trial is to be rolled back) as soon as one of these is so:
///   alarm         there is one
///   failed_lists  more than delivery.max_failed_share of 20 lists or more failed
///   latency_p99   of 100 lists or more one in a hundred took longer than delivery.max_p99_ms
///   hit_rate, like_rate, dislike_rate (of a canary)   surely worse than the live model's
/// Approved: a shadow after delivery.shadow_minutes and delivery.shadow_lists; a
/// canary once all three rates are surely no worse by more than delivery.margin.
///
/// Rates are means over listeners, since listeners are what was drawn by lot:
/// the lists of one are no independent observations, so that each listener counts
/// once, with his share of lists that were hit (liked, disliked). Both arms need
/// delivery.min_listeners. delivery.alpha is divided by three, for there are
/// three rates to be unlucky with: the chance that a challenger that is as good as
/// the live model is ever called worse is at most delivery.alpha, and the chance that
/// one is promoted that is worse by more than the margin is at most a third of it.
TrialRuling Decide(const TrialQuestion& question);

}  // namespace segue::gate
