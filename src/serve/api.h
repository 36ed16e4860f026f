#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/access.h"
#include "serve/counters.h"
#include "serve/dialects/audioscrobbler.h"
#include "serve/dialects/gorse.h"
#include "serve/dialects/lastfm.h"
#include "serve/dialects/listenbrainz.h"
#include "serve/dialects/scrobbles.h"
#include "serve/http.h"
#include "serve/likeness.h"
#include "serve/lists.h"
#include "serve/live.h"
#include "serve/openapi.h"
#include "serve/rate_limit.h"

namespace segue::serve {

struct RadioWish;

/// What the server can do: a request in, a response out. Thread-safe. Throws
/// only for bugs.
class Api {
 public:
  explicit Api(const Context& context);
  ~Api();

  /// Once the headers are there: finds out who asks, and what he may still ask.
  void Meet(Request& request);
  /// Why this caller gets no answer: 401, 403 or 429.
  std::optional<Response> Refusal(const Request& request) const;
  Response Handle(const Request& request);
  /// Adds the headers that every answer has, and puts what an admin did on the audit.
  void Finish(const Request& request, Response& response);
  /// Bytes that the body may have.
  uint64_t BodyLimit(const Request& request) const;
  /// The pattern of the address, as Request::route.
  static std::string_view RouteOf(const Request& request);
  /// The native API's routes, without the dialects'.
  static std::vector<Route> OwnRoutes();

  /// Where an upload goes and under which name; checked. kInvalid tells what
  /// is wrong with the name.
  Result<std::string> InboxKey(const Request& request) const;
  /// Takes a finished upload over.
  Response AcceptUpload(const std::string& key, const std::filesystem::path& file);

  /// A request was answered, or given up; `bytes`: of the answer's body.
  void Note(const Request& request, int status, uint64_t microseconds, uint64_t bytes);

 private:
  struct Row {
    std::string_view method, pattern;
    Access access;
    Response (*answer)(Api&, const Request&);
    /// How the route's clients expect to be refused; null: a Problem.
    Response (*refusal)(int status, std::string_view why) = nullptr;
  };
  static std::span<const Row> Rows();
  static std::span<const Row> OwnRows();
  static std::span<const Row> DialectRows();
  /// Null where nothing answers.
  static const Row* Find(const Request& request);

  Response Index(const Request& request);
  /// The description of all own routes, as /openapi.json.
  static const std::string& Description();
  Response Tokens() const;
  Response CreateToken(const Request& request);
  Response RevokeToken(const Request& request);
  Response Audit(const Request& request) const;
  Response Status() const;
  Response Ready() const;
  Response Metrics() const;
  Response Listeners(const Request& request) const;
  Response Listener(const Request& request) const;
  Response ExportListener(const Request& request);
  Response ForgetListener(const Request& request);
  Response ForgetGorseUser(const Request& request);
  Response Recommendations(const Request& request);
  Response SessionRecommendations(const Request& request);
  Response GroupRecommendations(const Request& request);
  Response TrackRadio(const Request& request);
  Response MixedRadio(const Request& request);
  Response PlayRadio(const Snapshot& snapshot, const RadioWish& radio);
  Response Artists(const Request& request) const;
  Response OneArtist(const Request& request) const;
  Response ArtistsLike(const Request& request) const;
  Response BlockedArtists(const Request& request) const;
  Response BlockArtist(const Request& request);
  Response UnblockArtist(const Request& request);
  /// The listener, where the caller may ask for his lists; "" may be asked for by anybody.
  static Result<std::string> MayAskFor(const Request& request, const std::string& listener);
  /// Nobody for "".
  Result<Audience> AudienceOf(const Snapshot& snapshot, const std::string& listener) const;
  Response Hits() const;
  Response ListenerHits(const Request& request) const;
  Response TrackHit(const Request& request) const;
  Response Tracks(const Request& request) const;
  Response Track(const Request& request) const;
  Response Similar(const Request& request) const;
  Response Events(const Request& request);
  Response FeedbackEvents(const Request& request) const;
  Response Runs(const Request& request) const;
  Response OneRun(const Request& request) const;
  Response RunLog(const Request& request) const;
  Response Models(const Request& request) const;
  Response OneModel(const Request& request) const;
  Response Deployments() const;
  Response Alarms(const Request& request) const;
  Response OneAlarm(const Request& request) const;
  Response AcknowledgeAlarm(const Request& request);
  Response Logs(const Request& request) const;
  Response Drift(const Request& request) const;
  Response Quality(const Request& request) const;
  Response Rejected(const Request& request) const;
  Response Quarantine(const Request& request) const;
  Response Promote(const Request& request);
  Response OneList(const Request& request);
  Response Lineage(const Request& request) const;
  Response Aliases() const;
  Response PutAlias(const Request& request);
  Response RemoveAlias(const Request& request);
  Response Delivery() const;
  Response Online(const Request& request);
  Response Notifications(const Request& request);
  /// Does what a promotion or rollback (its command's outcome) led to answer requests now?
  bool Serves(const nlohmann::json& outcome) const;
  Response Ask(const std::string& kind, const Request& request, const std::string& model_id);

  Context context_;
  Gatekeeper gate_;
  RateLimiter limiter_;
  Live live_;
  Lists lists_;
  Neighbourhood neighbourhood_;
  Counters counters_;
  Scrobbles scrobbles_;
  ListenBrainz listenbrainz_;
  Audioscrobbler audioscrobbler_;
  LastFm lastfm_;
  Gorse gorse_;
};

}  // namespace segue::serve
