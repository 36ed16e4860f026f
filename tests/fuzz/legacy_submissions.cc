#include "fuzz.h"
#include "serve/dialects/audioscrobbler.h"

using namespace segue::serve;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parsed = ParseLegacySubmissions(TextOf(data, size), kFuzzNow);
  if (parsed.ok()) {
    Expect(parsed->listens.size() + static_cast<size_t>(parsed->ignored) <= 50);
    for (const Submission& listen : parsed->listens) {
      Expect(!listen.track.artist.empty() && !listen.track.title.empty());
      Expect(listen.listened_at >= kFirstListen && listen.listened_at <= kFuzzNow + kClockAhead);
    }
  }
  const auto playing = ParseLegacyNowPlaying(TextOf(data, size));
  Expect(!playing.ok() || playing->listens.size() == 1);
  return 0;
}
