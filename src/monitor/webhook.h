#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/result.h"

namespace segue::monitor {

struct WebhookTarget {
  std::string url;
  std::string secret;     ///< "": the body is not signed
  int64_t timeout_s = 10;
};

/// POSTs a JSON body, once. With a secret, its HMAC-SHA256 goes along as
/// `X-Segue-Signature: sha256=<hex>`, as POST /v1/notifications takes it.
/// kUnavailable where there is no answer in time or one outside 200..299;
/// kCancelled soon after `stop` is set. Follows no redirects.
Status PostJson(const WebhookTarget& target, const std::string& body, const std::atomic<bool>& stop);

}  // namespace segue::monitor
