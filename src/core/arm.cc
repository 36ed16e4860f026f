#include "core/arm.h"

#include <charconv>
#include <string>

#include "core/hash.h"

namespace segue {
namespace {

constexpr size_t kDigits = 13;
constexpr double kPlaces = 0x1.0p52;  // 16^13

}  // namespace

std::string_view Name(Arm arm) {
  switch (arm) {
    case Arm::kCanary: return "canary";
    case Arm::kShadow: return "shadow";
    case Arm::kLive: break;
  }
  return "live";
}

std::optional<Arm> ParseArm(std::string_view name) {
  for (const Arm arm : {Arm::kLive, Arm::kCanary, Arm::kShadow}) {
    if (name == Name(arm)) return arm;
  }
  return std::nullopt;
}

double CanaryPlace(std::string_view challenger_id, std::string_view listener) {
  std::string key(challenger_id);
  key += '\n';
  key += listener;
  const std::string digest = Sha256Hex(key);
  uint64_t place = 0;
  std::from_chars(digest.data(), digest.data() + kDigits, place, 16);
  return static_cast<double>(place) / kPlaces;
}

}  // namespace segue
