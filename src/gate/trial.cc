#include "gate/trial.h"

#include <cmath>
#include <utility>

#include "gate/checks.h"
#include "math/sequential.h"

namespace segue::gate {
namespace {

constexpr int64_t kLeastListsToFail = 20;
constexpr int64_t kLeastListsForP99 = 100;
constexpr double kRates = 3;

Check Alarm(const TrialQuestion& question) {
  const bool quiet = question.alarm.empty();
  return {"alarm", quiet, quiet ? 0.0 : 1.0, 0, quiet ? "no critical alarm" : question.alarm};
}

Check FailedLists(const TrialQuestion& question) {
  const ArmFigures& tried = question.challenger;
  const double limit = question.settings.delivery.max_failed_share;
  const double share = tried.lists == 0 ? 0 : static_cast<double>(tried.failed) / static_cast<double>(tried.lists);
  return {"failed_lists", tried.lists < kLeastListsToFail || share <= limit, share, limit,
          Sentence("%lld of %lld lists could not be made, the limit is %.1f %%", static_cast<long long>(tried.failed),
                   static_cast<long long>(tried.lists), limit * 100)};
}

Check LatencyP99(const TrialQuestion& question) {
  const ArmFigures& tried = question.challenger;
  const double limit = question.settings.delivery.max_p99_ms;
  return {"latency_p99", tried.lists < kLeastListsForP99 || tried.made_p99_ms <= limit, tried.made_p99_ms, limit,
          Sentence("99 of 100 lists take at most %.2f ms (the live model's %.2f ms), the limit is %.2f ms", tried.made_p99_ms,
                   question.live.made_p99_ms, limit)};
}

/// One rate, so that more is better.
struct RateOf {
  const char* check;
  double ListenerOutcome::*share;
  double sign;
};
constexpr RateOf kCompared[] = {{"hit_rate", &ListenerOutcome::hit, 1},
                                {"like_rate", &ListenerOutcome::liked, 1},
                                {"dislike_rate", &ListenerOutcome::disliked, -1}};

/// Fails where it is surely worse; `no_worse` where it is surely not, but for the margin.
Check Compare(const TrialQuestion& question, const RateOf& rate, bool& no_worse) {
  const DeliverySettings& settings = question.settings.delivery;
  std::vector<double> tried, live;
  for (const ListenerOutcome& outcome : question.outcomes) {
    (outcome.arm == Arm::kCanary ? tried : live).push_back(rate.sign * (outcome.*rate.share));
  }
  const auto least = static_cast<size_t>(settings.min_listeners);
  if (tried.size() < least || live.size() < least) {
    no_worse = false;
    return {rate.check, true, std::nan(""), -settings.margin,
            Sentence("%zu listeners of the canary and %zu others have answered, %zu of each are asked for", tried.size(), live.size(), least)};
  }
  const math::Moments a = math::Describe(tried), b = math::Describe(live);
  const auto now = math::CompareAtAnyTime(a, b, settings.alpha / kRates, settings.margin);
  const bool worse = now.high < 0;
  no_worse = now.low > -settings.margin;
  // In the rate's own direction, as a reader expects it.
  const double low = rate.sign > 0 ? now.low : -now.high, high = rate.sign > 0 ? now.high : -now.low;
  return {rate.check, !worse, now.difference * rate.sign, rate.sign * -settings.margin,
          Sentence("%.4f on %zu listeners, the live model's %.4f on %zu: %+.4f, at any time within [%+.4f, %+.4f]: %s", rate.sign * a.mean, tried.size(),
                   rate.sign * b.mean, live.size(), rate.sign * now.difference, low, high,
                   worse ? "worse" : no_worse ? "no worse" : "not decided")};
}

/// Has a trial without complaint shown enough? Adds the checks that say so, and what it waits for.
bool Enough(const TrialQuestion& question, TrialRuling& ruling) {
  const DeliverySettings& settings = question.settings.delivery;
  if (!question.shown) {
    const bool long_enough = question.running_s >= settings.shadow_minutes * 60;
    const bool many = question.challenger.lists >= settings.shadow_lists;
    ruling.checks.push_back({"shadow_lists", true, static_cast<double>(question.challenger.lists), static_cast<double>(settings.shadow_lists),
                             Sentence("%lld lists in %lld minutes without complaint", static_cast<long long>(question.challenger.lists),
                                      static_cast<long long>(question.running_s / 60))});
    if (!long_enough || !many) {
      ruling.waits_for = Sentence("%lld minutes and %lld lists of the shadow", static_cast<long long>(settings.shadow_minutes),
                                  static_cast<long long>(settings.shadow_lists));
    }
    return long_enough && many;
  }
  bool enough = true;
  for (const RateOf& rate : kCompared) {
    bool no_worse = false;
    ruling.checks.push_back(Compare(question, rate, no_worse));
    if (!no_worse) ruling.waits_for += (ruling.waits_for.empty() ? "" : "; ") + std::string(rate.check) + ": " + ruling.checks.back().why;
    enough = enough && no_worse;
  }
  return enough;
}

}  // namespace

TrialRuling Decide(const TrialQuestion& question) {
  const DeliverySettings& settings = question.settings.delivery;
  TrialRuling ruling{.checks = {Alarm(question), FailedLists(question), LatencyP99(question)}};
  const bool enough = Enough(question, ruling);
  std::string reason = Failures(ruling.checks);
  if (reason.empty() && !enough && question.running_s >= settings.max_hours * 3600) {
    ruling.timed_out = true;
    const bool promote = settings.on_timeout == "promote";
    ruling.checks.push_back({"decided_in_time", promote, static_cast<double>(question.running_s) / 3600, static_cast<double>(settings.max_hours),
                             Sentence("not decided within %lld hours; delivery.on_timeout is %s", static_cast<long long>(settings.max_hours),
                                      promote ? "promote" : "rollback")});
    reason = Failures(ruling.checks);
  }
  if (!reason.empty()) {
    ruling.verdict = Refusal{question.challenger_id, ruling.checks, std::move(reason)};
  } else if (enough || ruling.timed_out) {
    ruling.verdict = Approval(question.challenger_id, ruling.checks);
  }
  if (ruling.verdict) ruling.waits_for.clear();
  return ruling;
}

}  // namespace segue::gate
