#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/settings.h"
#include "serve/http.h"
#include "store/access.h"
#include "store/clock.h"

// Who asks, and what he may do.
namespace segue::serve {

/// What a route asks of its caller.
enum class Access {
  kOpen,      ///< nothing: health, the page
  kRead,      ///< a token of role read or admin
  kOwn,       ///< read, admin, or listen for the listener that the address names
  kOwner,     ///< admin, or a token of role listen that belongs to the listener whom the address names; goes on the audit
  kOwnChange, ///< admin, or listen for the listener that the address names
  kAny,       ///< a token of any role; where a listener is named, its handler looks
  kListen,    ///< listen or admin
  kAdmin,     ///< admin; is put on the audit unless it only looks
  kItself,    ///< its handler looks: dialects carry tokens in ways of their own
};

/// May this caller do it? `listener`: whose things they are, for kOwn, kOwnChange and kOwner; else "".
/// kPermission names the role that is needed.
Status Permits(Access access, const Caller& caller, std::string_view listener);

/// Knows callers by their tokens. Thread-safe.
class Gatekeeper {
 public:
  /// All borrowed.
  Gatekeeper(store::AccessRecords& records, const store::Clock& clock, const Settings& settings)
      : records_(records), clock_(clock), settings_(settings) {}

  /// By Authorization ("Bearer ...", "Token ...") or X-API-Key. Without a known
  /// token the machine's own requests have role admin, if that is Open.
  Caller Identify(const Request& request);

  /// Whose token this is; none where it is nobody's. Notes the use.
  std::optional<Caller> Find(std::string_view secret);

  /// For whom a player speaks that sends this secret: the token's listener; its
  /// name, where it belongs to nobody; ingest.default_listener for serve.token.
  /// On an Open request a secret that is no token, and does not look like one,
  /// is itself the listener's name, so that a player on this machine needs
  /// nothing else. None where the secret is nobody's, or its role is read.
  std::optional<std::string> ListenerOf(const Request& request, std::string_view secret);

  /// Does this request need no token? It does not from loopback, unless
  /// serve.token is set or a page of another site sent it (a browser on this
  /// machine would lend its place to any page that it shows).
  bool Open(const Request& request) const;

 private:
  void NoteUse(const store::TokenRecord& token);

  store::AccessRecords& records_;
  const store::Clock& clock_;
  const Settings& settings_;
  std::mutex mutex_;
  std::map<std::string, int64_t, std::less<>> noted_;  ///< by token id: the minute that was written
};

/// The secret in "Bearer SECRET" or "Token SECRET", the scheme in any case;
/// "" where it is none of these.
std::string_view SecretOf(std::string_view authorization);

/// May a secret that is no token be taken for a listener's name? Neither a token
/// of ours that was revoked or mistyped nor what looks like one of ListenBrainz
/// or Last.fm: a secret must not become a name that everybody sees.
bool IsListenerName(std::string_view text);

/// Does a browser ask whether a page of a named origin may send a request?
bool IsPreflight(const Request& request);

/// Is `origin` ("https://a.example") one of `named` (serve.cors_origins)?
bool IsNamedOrigin(std::string_view named, std::string_view origin);

}  // namespace segue::serve
