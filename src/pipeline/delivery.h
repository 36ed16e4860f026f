#pragma once

#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// Name of the alarm of a challenger that was rolled back or timed out.
inline constexpr const char* kRollbackAlarm = "challenger_rolled_back";

/// Looks once at the challenger that is being tried, if there is one: reads what
/// was shown since its trial began and what came of it, the alarms, and asks the
/// gate (gate/trial.h), whose ruling it carries out. A canary that is approved
/// goes live; a shadow goes on to delivery.after_shadow; one that is refused is
/// withdrawn, the live model stays as it was, and an alarm (critical; a warning
/// where it timed out) says why. The figures of the look are kept under
/// store::kTrialLook, those of the decision in the deployment history.
///
/// The history is written first, in one transaction; the alarm follows from it
/// and is made up for at the next look, so that whoever is killed in between
/// comes to the same end. A step that somebody else took in the same moment counts.
Status FollowDelivery(const Context& context);

}  // namespace segue::pipeline
