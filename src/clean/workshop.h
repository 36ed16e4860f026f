#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "clean/cleaner.h"
#include "core/result.h"
#include "store/duck.h"

namespace segue::clean {

/// A DuckDB with a scratch folder, for one cleaning. Statements end soon with
/// kCancelled once the instruments ask for it. The folder goes with it.
class Workshop {
 public:
  static Result<std::unique_ptr<Workshop>> Open(const Context& context);
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  store::Duck& duck() { return *duck_; }
  Status Run(std::string_view sql) { return duck_->Run(sql); }

  /// COPY (query) to a Parquet file in the scratch folder, and from there to
  /// the bucket. The query must order its rows totally: one thread writes, so
  /// that the same rows are the same bytes on any machine.
  Status WriteParquet(std::string_view query, std::string_view key);

 private:
  class Watcher;
  Workshop(const Context& context, std::filesystem::path folder, std::unique_ptr<store::Duck> duck);

  const Context& context_;
  std::filesystem::path folder_;
  std::unique_ptr<store::Duck> duck_;
  std::unique_ptr<Watcher> watcher_;
};

}  // namespace segue::clean
