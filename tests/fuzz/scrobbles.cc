#include "fuzz.h"
#include "serve/dialects/lastfm.h"

using namespace segue::serve;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto form = ParseForm(TextOf(data, size), "the body");
  if (!form.ok()) return 0;
  Expect(LastFmSignature(*form, "secret").size() == 32);
  const auto parsed = ParseScrobbles(*form, kFuzzNow);
  if (!parsed.ok()) return 0;
  Expect(!parsed->empty() && parsed->size() <= 50);
  for (const Scrobble& scrobble : *parsed) {
    const Submission& listen = scrobble.submission;
    const bool good = !listen.track.artist.empty() && !listen.track.title.empty() && listen.listened_at >= kFirstListen &&
                      listen.listened_at <= kFuzzNow + kClockAhead;
    Expect((scrobble.ignored == 0) == good);
  }
  return 0;
}
