#include "serve/random_id.h"

#include <cstdio>

#include <openssl/rand.h>

#include "core/check.h"

namespace segue::serve {

std::string RandomHex() {
  unsigned char bytes[8];
  SEGUE_CHECK(RAND_bytes(bytes, sizeof bytes) == 1);
  char text[17];
  for (int i = 0; i < 8; ++i) std::snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  return text;
}

}  // namespace segue::serve
