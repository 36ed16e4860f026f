#pragma once

#include <optional>
#include <string>

#include "core/instruments.h"
#include "core/settings.h"
#include "monitor/listening.h"
#include "monitor/reception.h"
#include "monitor/rules.h"
#include "monitor/shown.h"
#include "store/catalog.h"
#include "store/object_store.h"

namespace segue::monitor {

/// Takes the readings of KnownMetrics() that lie in the catalog. Not thread-safe.
class Reader {
 public:
  Reader(const store::ObjectStore& bucket, const store::Catalog& catalog, const Settings& settings, Instruments& instruments);

  /// What cannot be read is left out, and said once.
  Readings Read(int64_t now_ms);
  /// What the last Read found; empty where there was too little.
  const std::optional<ListeningDrift>& listening() const { return listening_; }

 private:
  Status ReadAges(int64_t now_ms, Readings& readings);
  Status ReadRuns(Readings& readings);
  Status ReadReception(int64_t now_ms, Readings& readings);
  Status ReadShown(int64_t now_ms, Readings& readings);
  Status ReadQuarantine(int64_t now_ms, Readings& readings);
  Status ReadListening(int64_t now_ms, Readings& readings);

  /// Tracks of the live model's catalogue; 0 where none is live.
  Result<int64_t> CatalogueTracks();

  const store::ObjectStore& bucket_;
  const store::Catalog& catalog_;
  Instruments& instruments_;
  Reception reception_;
  Shown shown_;
  std::string counted_model_;   ///< whose catalogue has counted_tracks_
  int64_t counted_tracks_ = 0;
  ListeningWatch listening_watch_;
  std::optional<ListeningDrift> listening_;
  std::string live_model_;
  std::string last_problem_;
};

}  // namespace segue::monitor
