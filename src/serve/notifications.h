#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http.h"

// What S3, Ceph and MinIO tell of objects that come into a bucket: the event
// notification's JSON, version 2.x, as they POST it to a webhook.
namespace segue::serve {

inline constexpr std::string_view kNotificationsRoute = "/v1/notifications";

struct ObjectCreated {
  std::string event;   ///< "ObjectCreated:Put", without "s3:"
  std::string bucket;
  std::string key;     ///< decoded; checked, as store::CheckKey has it
  std::string etag;    ///< "" where it is not told
  int64_t bytes = 0;
};

struct Notification {
  bool test = false;   ///< {"Event":"s3:TestEvent"}: nothing happened
  std::vector<ObjectCreated> created;
  int64_t ignored = 0; ///< records of other events, which make nothing new: ObjectRemoved:Delete, ...
};

/// kInvalid names the field that is wrong: "Records[0].s3.object.key".
Result<Notification> ParseNotification(std::string_view body);

/// Equal without telling by the time it takes where the two part.
bool SameSecret(std::string_view a, std::string_view b);

/// Does the sender know the secret? "Authorization: Bearer SECRET" (MinIO sends
/// SECRET alone where its auth_token has one word), or the body's HMAC-SHA256
/// under it (RFC 2104), hexadecimal, in X-Segue-Signature, "sha256=" before it or not.
bool KnowsSecret(const Request& request, std::string_view secret);

}  // namespace segue::serve
