#include "serve/access.h"

#include <algorithm>
#include <cctype>

#include "core/text.h"
#include "serve/dialects/submission.h"
#include "serve/notifications.h"

namespace segue::serve {
namespace {

using store::Role;

constexpr std::string_view kSettingsToken = "serve.token";
constexpr int64_t kNoteEvery = 60;  ///< seconds: a use is written once a minute

bool SameWord(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == y; });
}

/// The host of "http://localhost:7348"; "" of "null" and the like.
std::string_view HostOf(std::string_view origin) {
  const size_t at = origin.find("://");
  if (at == std::string_view::npos) return {};
  std::string_view host = origin.substr(at + 3);
  if (host.starts_with('[')) return host.substr(0, std::min(host.find(']'), host.size() - 1) + 1);
  return host.substr(0, host.find(':'));
}

Status Lacks(std::string_view role, const Caller& caller) {
  return Error{ErrorCode::kPermission, "this needs a token of role " + std::string(role) + "; '" + caller.name + "' has role " +
                                           std::string(Name(caller.role))};
}

}  // namespace

Status Permits(Access access, const Caller& caller, std::string_view listener) {
  if (caller.role == Role::kAdmin) return {};
  switch (access) {
    case Access::kOpen:
    case Access::kAny:
    case Access::kItself: return {};
    case Access::kRead: return caller.role == Role::kRead ? Status() : Lacks("read", caller);
    case Access::kListen: return caller.role == Role::kListen ? Status() : Lacks("listen", caller);
    case Access::kAdmin: return Lacks("admin", caller);
    case Access::kOwner:
      if (caller.role == Role::kListen && !caller.listener.empty() && caller.listener == listener) return {};
      return Error{ErrorCode::kPermission, "this needs a token of role admin, or one that belongs to listener '" + std::string(listener) + "'; '" +
                                               caller.name + "' is neither"};
    case Access::kOwnChange:
      if (caller.role != Role::kListen) return Lacks("listen", caller);
      break;
    case Access::kOwn: break;
  }
  if (caller.role == Role::kRead || caller.listener.empty() || caller.listener == listener) return {};
  return Error{ErrorCode::kPermission, "the token '" + caller.name + "' belongs to listener '" + caller.listener +
                                           "'; other listeners need a token of role " + (access == Access::kOwn ? "read" : "admin")};
}

Caller Gatekeeper::Identify(const Request& request) {
  const std::string_view secret = request.api_key.empty() ? SecretOf(request.authorization) : std::string_view(request.api_key);
  if (!secret.empty()) {
    if (auto caller = Find(secret)) return *std::move(caller);
  }
  if (Open(request)) return {.known = true, .role = Role::kAdmin, .name = "loopback"};
  return {};
}

std::optional<Caller> Gatekeeper::Find(std::string_view secret) {
  if (secret.empty()) return std::nullopt;
  if (!settings_.token.empty() && SameSecret(secret, settings_.token)) {
    return Caller{.known = true, .role = Role::kAdmin, .token_id = std::string(kSettingsToken), .name = std::string(kSettingsToken)};
  }
  // What is looked up is a hash: its timing tells nothing of the secret.
  const std::string hash = store::HashOfSecret(secret);
  const auto token = records_.FindToken(hash);
  if (!token.ok() || !*token || !SameSecret((*token)->hash, hash)) return std::nullopt;
  NoteUse(**token);
  return Caller{.known = true, .role = (*token)->role, .token_id = (*token)->id, .name = (*token)->name, .listener = (*token)->listener};
}

std::optional<std::string> Gatekeeper::ListenerOf(const Request& request, std::string_view secret) {
  if (const auto caller = Find(secret)) {
    if (caller->role == Role::kRead) return std::nullopt;
    if (caller->token_id == kSettingsToken) return settings_.default_listener;
    return caller->listener.empty() ? caller->name : caller->listener;
  }
  if (Open(request) && IsListenerName(secret)) return std::string(secret);
  return std::nullopt;
}

bool Gatekeeper::Open(const Request& request) const {
  if (!request.loopback || !settings_.token.empty()) return false;
  if (request.origin.empty()) return true;
  const std::string_view host = HostOf(request.origin);
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]" || request.origin_is_named;
}

void Gatekeeper::NoteUse(const store::TokenRecord& token) {
  const int64_t minute = clock_.NowSeconds() / kNoteEvery * kNoteEvery;
  {
    const std::lock_guard lock(mutex_);
    int64_t& noted = noted_[token.id];
    if (noted == minute || token.last_used_at == minute) return;
    noted = minute;
  }
  // A note that fails costs nobody his answer.
  (void)records_.NoteTokenUse(token.id, minute).ok();
}

bool IsListenerName(std::string_view text) {
  const auto is_hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
  if (text.empty() || text.size() > 64 || text.starts_with("segue_") || IsUuid(text)) return false;
  if (text.size() >= 32 && std::all_of(text.begin(), text.end(), is_hex)) return false;
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '/'; });
}

std::string_view SecretOf(std::string_view authorization) {
  const size_t blank = authorization.find(' ');
  if (blank == std::string_view::npos) return {};
  const std::string_view scheme = authorization.substr(0, blank);
  if (!SameWord(scheme, "bearer") && !SameWord(scheme, "token")) return {};
  return Trimmed(authorization.substr(blank + 1));
}

bool IsNamedOrigin(std::string_view named, std::string_view origin) {
  if (origin.empty()) return false;
  while (!named.empty()) {
    const size_t comma = std::min(named.find(','), named.size());
    const std::string_view one = Trimmed(named.substr(0, comma));
    if (one == origin || one == "*") return true;
    named.remove_prefix(std::min(comma + 1, named.size()));
  }
  return false;
}

}  // namespace segue::serve
