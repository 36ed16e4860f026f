#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/instruments.h"
#include "core/observer.h"
#include "core/result.h"
#include "core/settings.h"
#include "store/catalog.h"
#include "store/clock.h"
#include "store/layout.h"
#include "store/object_store.h"

namespace segue::serve {

struct Context {
  store::ObjectStore& bucket;
  store::Catalog& catalog;
  const store::Clock& clock;
  const Settings& settings;
  Instruments& instruments;
  store::DataFolder folder;
  RequestObserver* observer = nullptr;  ///< is told of each answer; null: nobody is
};

/// The HTTP face. Follows the live pointer in the catalog and swaps models
/// without dropping a request; answers while no model is live; hands requests
/// for runs, promotions and rollbacks to the pipeline as catalog commands.
/// Owns its threads.
class Server {
 public:
  virtual ~Server() = default;  ///< as Stop
  /// The port it listens on (useful with port 0).
  virtual uint16_t port() const = 0;
  /// The port that speaks TLS; 0 none.
  virtual uint16_t tls_port() const = 0;
  /// Reads certificate and key again (it does so by itself when the files
  /// change); where they do not fit, those before go on. Nothing without TLS.
  virtual Status ReadCertificate() = 0;
  /// Stops accepting, lets requests under way finish (5 s at most), joins.
  virtual void Stop() = 0;
};

/// Binds, starts the threads and returns. kInvalid for an address that is not
/// one, kConflict where the port is taken (names it), kPermission where an
/// address other than loopback is asked for where there is no token.
Result<std::unique_ptr<Server>> Start(const Context& context);

}  // namespace segue::serve
