#pragma once

#include <memory>

#include "core/instruments.h"
#include "core/observer.h"
#include "core/result.h"
#include "core/settings.h"
#include "store/catalog.h"
#include "store/clock.h"
#include "store/layout.h"
#include "store/object_store.h"

namespace segue::monitor {

struct Context {
  store::ObjectStore& bucket;
  store::Catalog& catalog;
  const store::Clock& clock;
  const Settings& settings;
  Instruments& instruments;
  store::DataFolder folder;
  bool leads = true;  ///< evaluates rules and delivers alarms; one process a data folder does
};

/// What watches a running server: keeps the log of requests, takes readings each
/// alarms.check_seconds, evaluates rules on them, delivers alarms, and exposes what
/// it knows. Threads of its own, so that no request waits for any of it.
class Watch : public RequestObserver {
 public:
  ~Watch() override = default;  ///< stops, joins; an alarm that is being sent is sent again at the next start
};

/// kInvalid where a rule is none.
Result<std::unique_ptr<Watch>> StartWatch(const Context& context);

}  // namespace segue::monitor
