#include "core/settings.h"
#include "fuzz.h"

// Nobody sends a segue.toml; but one that is wrong must end in a message, not in a crash.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  segue::Settings settings;
  if (segue::ApplyToml(settings, TextOf(data, size), "fuzz.toml").ok()) {
    for (const auto& info : segue::AllSettings()) (void)segue::Get(settings, info);
  }
  return 0;
}
