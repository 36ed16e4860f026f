#include "fuzz.h"
#include "serve/dialects/listenbrainz.h"

using namespace segue::serve;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parsed = ParseSubmitListens(TextOf(data, size), kFuzzNow);
  if (!parsed.ok()) {
    Expect(!parsed.error().message.empty());
    return 0;
  }
  Expect(!parsed->listens.empty() && parsed->listens.size() <= 1000);
  Expect(parsed->type == ListenType::kImport || parsed->listens.size() == 1);
  for (const Submission& listen : parsed->listens) {
    Expect(!listen.track.artist.empty() && !listen.track.title.empty());
    const bool playing = parsed->type == ListenType::kPlayingNow;
    Expect(playing ? listen.listened_at == 0 : listen.listened_at >= kFirstListen && listen.listened_at <= kFuzzNow + kClockAhead);
    Expect(listen.track.duration_ms >= 0 && listen.track.duration_ms <= 86'400'000 && listen.ms_played >= -1 && listen.ms_played <= 86'400'000);
  }
  return 0;
}
