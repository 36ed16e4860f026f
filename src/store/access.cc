#include "store/access.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/check.h"
#include "core/hash.h"

namespace segue::store {
namespace {

constexpr std::array<std::string_view, 3> kRoles = {"read", "listen", "admin"};

std::string Hex(const unsigned char* bytes, size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

std::string RandomDigits(size_t bytes) {
  std::array<unsigned char, 32> random{};
  SEGUE_CHECK(bytes <= random.size() && RAND_bytes(random.data(), static_cast<int>(bytes)) == 1);
  return Hex(random.data(), bytes);
}

bool IsPlainText(std::string_view text) {
  return text.size() <= 100 && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

std::string_view Name(Role role) { return kRoles.at(static_cast<size_t>(role)); }

std::optional<Role> ParseRole(std::string_view name) {
  for (size_t i = 0; i < kRoles.size(); ++i) {
    if (kRoles[i] == name) return static_cast<Role>(i);
  }
  return std::nullopt;
}

std::string NewSecret() { return "segue_" + RandomDigits(32); }

std::string HashOfSecret(std::string_view secret) { return Sha256Hex(secret); }

std::string Md5Hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  SEGUE_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_md5(), nullptr) == 1);
  return Hex(digest.data(), length);
}

Result<TokenRecord> MakeToken(std::string_view name, Role role, std::string_view listener, bool legacy, std::string_view secret, int64_t now) {
  if (name.empty() || !IsPlainText(name)) {
    return Error{ErrorCode::kInvalid, "a token's name has 1 to 100 bytes without control characters"};
  }
  if (!IsPlainText(listener)) return Error{ErrorCode::kInvalid, "a listener's name has at most 100 bytes without control characters"};
  if (role != Role::kListen && (!listener.empty() || legacy)) {
    return Error{ErrorCode::kInvalid, "only a token of role listen belongs to a listener or has a legacy credential; this one is of role " +
                                          std::string(Name(role))};
  }
  return TokenRecord{.id = "k" + RandomDigits(8), .name = std::string(name), .role = role, .listener = std::string(listener),
                     .hash = HashOfSecret(secret), .legacy_md5 = legacy ? Md5Hex(secret) : "", .created_at = now};
}

}  // namespace segue::store
