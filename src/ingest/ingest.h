#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/instruments.h"
#include "core/result.h"
#include "core/settings.h"
#include "store/catalog.h"
#include "store/clock.h"
#include "store/object_store.h"

namespace segue::ingest {

struct Context {
  store::ObjectStore& bucket;
  store::Catalog& catalog;
  const store::Clock& clock;
  const Settings& settings;
  Instruments& instruments;
};

/// One file to take in.
struct Input {
  std::filesystem::path path;   ///< the local file
  std::string name;             ///< where it lay, relative to the inbox: "listener-01/StreamingHistory0.json"
  std::string listener;         ///< who listened, where a person said so; "" from folder or file
  std::string run_id;
};

struct Outcome {
  int64_t accepted = 0;         ///< files (archive members count each)
  int64_t already_known = 0;    ///< same bytes, same listener, taken in before
  int64_t set_aside = 0;        ///< recognised, not music (podcasts)
  int64_t quarantined = 0;      ///< whole files refused
  int64_t rows = 0;
  int64_t rejected_rows = 0;
  bool grew = false;            ///< the file changed while it was read: nothing was
                                ///< kept, try again when it has settled

  /// Counts of several files; grew says nothing of a sum.
  Outcome& operator+=(const Outcome& other) {
    accepted += other.accepted;
    already_known += other.already_known;
    set_aside += other.set_aside;
    quarantined += other.quarantined;
    rows += other.rows;
    rejected_rows += other.rejected_rows;
    return *this;
  }
};

/// Takes files in, one after another. One thread at a time; what `context` names
/// has to outlive it.
class Ingester {
 public:
  explicit Ingester(const Context& context);
  ~Ingester();
  Ingester(const Ingester&) = delete;
  Ingester& operator=(const Ingester&) = delete;

  /// Takes one file in: unpacks (.gz, .zip, nested folders), recognises by
  /// content, keeps it as raw/<sha256>, stages its rows as Parquet
  /// (core/staged.h), quarantines what cannot be read with file, line, field and
  /// reason, and records all that in the catalog. Idempotent: the same bytes for
  /// the same listener are taken in once. A bad file is an Outcome, not an error;
  /// errors are our own troubles (disk full, catalog gone), after which the same
  /// call can be made again. The input file is left where it is.
  Result<Outcome> Take(const Input& input);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Ingester::Take of a single file.
Result<Outcome> Ingest(const Context& context, const Input& input);

}  // namespace segue::ingest
