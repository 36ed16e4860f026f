#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <span>
#include <string_view>
#include <utility>

#include "serve/http.h"
#include "serve/live.h"
#include "serve/recommend.h"

namespace segue::serve {

/// Counts for /metrics. Thread-safe.
struct Counters {
  std::atomic<uint64_t> lists{0};
  std::atomic<uint64_t> events{0};
  /// Upper ends of the latency histogram, microseconds; the last bucket is +Inf.
  static constexpr std::array<uint64_t, 8> kBounds = {500, 1000, 2500, 5000, 10000, 50000, 250000, 1000000};
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> latency{};
  std::atomic<uint64_t> latency_sum_us{0};

  /// `route` as in Request: text that lives as long as the program.
  void Note(std::string_view route, int status, uint64_t microseconds);
  std::map<std::pair<std::string_view, int>, uint64_t> Requests() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string_view, int>, uint64_t> requests_;  // by route and status
};

/// What the server can do: a request in, a response out. Thread-safe. Throws
/// only for bugs.
class Api {
 public:
  explicit Api(const Context& context);
  ~Api();

  Response Handle(const Request& request);
  /// Is the token that the settings ask for there?
  bool Allowed(const Request& request) const;
  /// The pattern of the address, as Request::route.
  static std::string_view RouteOf(const Request& request);

  /// Where an upload goes and under which name; checked. kInvalid tells what
  /// is wrong with the name.
  Result<std::string> InboxKey(const Request& request) const;
  /// Takes a finished upload over.
  Response AcceptUpload(const std::string& key, const std::filesystem::path& file);

  Counters& counters() { return counters_; }

 private:
  struct Row {
    std::string_view method, pattern;
    Response (*answer)(Api&, const Request&);
  };
  static std::span<const Row> Rows();

  Response Index() const;
  Response Status() const;
  Response Ready() const;
  Response Metrics() const;
  Response Listeners(const Request& request) const;
  Response Recommendations(const Request& request);
  Response Hits() const;
  Response ListenerHits(const Request& request) const;
  Response TrackHit(const Request& request) const;
  /// The models that are live, and were before, of any kind.
  Result<std::vector<store::DeploymentRecord>> LiveModels() const;
  Response Tracks(const Request& request) const;
  Response Track(const Request& request) const;
  Response Similar(const Request& request) const;
  Response Events(const Request& request);
  Response Runs(const Request& request) const;
  Response OneRun(const Request& request) const;
  Response RunLog(const Request& request) const;
  Response Models(const Request& request) const;
  Response OneModel(const Request& request) const;
  Response Deployments() const;
  Response Alarms() const;
  Response Quality(const Request& request) const;
  Response Rejected(const Request& request) const;
  Response Quarantine(const Request& request) const;
  Response Promote(const Request& request);
  Response Notifications(const Request& request);
  Response Ask(const std::string& kind, const Request& request, const std::string& model_id);

  Context context_;
  Live live_;
  Recommender recommender_;
  Counters counters_;
};

/// A random id for a list or a request: 16 hex digits.
std::string RandomHex();

}  // namespace segue::serve
