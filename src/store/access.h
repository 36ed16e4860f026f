#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace segue::store {

/// What a token lets its bearer do.
enum class Role {
  kRead,    ///< look at everything but tokens and the audit
  kListen,  ///< tell events, speak the players' dialects, get recommendations; where it belongs to a listener, only his
  kAdmin,   ///< all
};

/// "read", "listen", "admin".
std::string_view Name(Role role);
std::optional<Role> ParseRole(std::string_view name);

/// A token, without its secret: that is shown once, when it is made.
struct TokenRecord {
  std::string id;         ///< "k" and 16 hex digits; names it for ever
  std::string name;       ///< unique among those that are not revoked
  Role role = Role::kRead;
  std::string listener;   ///< whom it belongs to; "" nobody
  std::string hash;       ///< HashOfSecret
  std::string legacy_md5; ///< MD5 of the secret, where Audioscrobbler 1.2 may use it; "" else
  int64_t created_at = 0; ///< Unix seconds
  int64_t last_used_at = 0; ///< to the minute; 0 never
  int64_t revoked_at = 0; ///< 0: it is good
};

/// What an admin did, or tried to.
struct AuditRecord {
  int64_t id = 0;
  int64_t at = 0;         ///< Unix seconds
  std::string actor;      ///< the token's name, "loopback", "serve.token", "cli"
  std::string action;     ///< "POST /v1/models/m1/promote", "segue tokens revoke"
  std::string subject;    ///< what it was done to, where the action does not tell; "" else
  std::string outcome;    ///< "ok", or what went wrong
};

/// Who may do what, and what they did. Writing calls are durable when they
/// return. Thread-safe; several processes may use one.
class AccessRecords {
 public:
  virtual ~AccessRecords() = default;

  /// kConflict where a token of that name is there and not revoked.
  virtual Status AddToken(const TokenRecord& token) = 0;
  /// By the hash of its secret; a revoked one is not found.
  virtual Result<std::optional<TokenRecord>> FindToken(std::string_view hash) const = 0;
  /// All, by age; revoked ones too.
  virtual Result<std::vector<TokenRecord>> Tokens() const = 0;
  virtual Status NoteTokenUse(std::string_view id, int64_t at) = 0;
  /// kNotFound where no good token has that id or name.
  virtual Result<TokenRecord> RevokeToken(std::string_view id_or_name, int64_t at) = 0;

  virtual Status AppendAudit(const AuditRecord& record) = 0;
  /// Newest first; `before` 0 from the newest, else ids below it.
  virtual Result<std::vector<AuditRecord>> Audit(int64_t before, int64_t limit) const = 0;
};

/// A new secret: "segue_" and 64 hex digits, 256 bits from the system's source
/// of randomness.
std::string NewSecret();

/// SHA-256 of a secret, hexadecimal. A password hash (Argon2, bcrypt) makes
/// guessing a secret that people chose slow; 256 random bits cannot be guessed
/// at any speed, and a fast hash can be looked up on every request.
std::string HashOfSecret(std::string_view secret);

/// MD5, hexadecimal: for the dialects that ask for it, never to keep a secret safe.
std::string Md5Hex(std::string_view bytes);

/// A record with a new id for a new secret, of which it keeps hashes only.
/// `legacy`: keeps its MD5 as well. kInvalid for an empty name, one of more
/// than 100 bytes or with control characters, and a listener for another role than listen.
Result<TokenRecord> MakeToken(std::string_view name, Role role, std::string_view listener, bool legacy, std::string_view secret, int64_t now);

}  // namespace segue::store
