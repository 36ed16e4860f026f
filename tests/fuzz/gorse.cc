#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "serve/dialects/gorse_body.h"

using namespace segue::serve;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = TextOf(data, size);
  for (const bool many : {false, true}) {
    if (const auto users = ParseGorseUsers(text, many); users.ok()) {
      for (const GorseUser& user : *users) {
        Expect(!user.id.empty() && user.id.size() <= 256);
        const auto again = ParseGorseUsers(ToJson(user).dump(), false);
        Expect(again.ok() && (*again)[0].id == user.id && (*again)[0].labels == user.labels && (*again)[0].comment == user.comment);
      }
    }
    if (const auto items = ParseGorseItems(text, many); items.ok()) {
      for (const GorseItem& item : *items) {
        const TrackNaming track = NamingOf(item);
        Expect(!track.source_id.empty());
        const auto again = ParseGorseItems(ToJson(item).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), false);
        Expect(again.ok() && (*again)[0].id == item.id && (*again)[0].labels == item.labels && (*again)[0].hidden == item.hidden);
      }
    }
  }
  const auto told = ParseGorseFeedback(text, kFuzzNow);
  if (!told.ok()) return 0;
  Expect(told->size() <= 10'000);
  for (const GorseFeedback& one : *told) {
    Expect(!one.user.empty() && !one.item.empty() && !KindOfGorse(one.type).empty());
    Expect(one.value >= 0 && one.value <= 1e9 && one.at >= kFirstListen && one.at <= kFuzzNow + 86'400);
  }
  return 0;
}
