#include "fuzz.h"
#include "serve/notifications.h"

using namespace segue::serve;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parsed = ParseNotification(TextOf(data, size));
  if (!parsed.ok()) return 0;
  for (const ObjectCreated& object : parsed->created) Expect(!object.key.empty() && object.key.front() != '/' && object.bytes >= 0);
  return 0;
}
