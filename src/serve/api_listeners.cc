#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "serve/api.h"
#include "serve/listener_export.h"
#include "serve/listener_profile.h"
#include "serve/paging.h"
#include "serve/record_json.h"

// What the API tells each listener of himself, and how he is forgotten.
namespace segue::serve {

using nlohmann::json;

namespace {

/// Small letters and large ones are the same to a search.
bool Contains(const std::string& text, const std::string& lower) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(), same) != text.end();
}

}  // namespace

Response Api::Listeners(const Request& request) const {
  const auto page = PageOf(request, "listeners", 100, 10'000);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX);
  if (!page.ok() || !offset.ok()) return ProblemOf(page.ok() ? offset.error() : page.error());
  const auto snapshot = live_.Now();
  auto names = snapshot->ground()->Listeners();
  std::string q = FieldOf(request.query, "q");
  std::transform(q.begin(), q.end(), q.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::erase_if(names, [&](const std::string& name) { return !Contains(name, q); });
  const auto after = page->after.empty() ? names.begin() : std::upper_bound(names.begin(), names.end(), page->after);
  const size_t first = static_cast<size_t>(after - names.begin()) + std::min(static_cast<size_t>(*offset), names.size());
  json items = json::array();
  for (size_t i = first; i < names.size() && items.size() < static_cast<size_t>(page->limit); ++i) {
    const auto user = FindSorted(snapshot->data().listeners, names[i]);
    items.push_back({{"listener", names[i]}, {"events", user ? snapshot->data().EventsOf(UserIx{*user}).size() : 0}});
  }
  const size_t next = first + items.size();
  const bool more = next < names.size();
  return Json({{"items", items}, {"next", more ? json(next) : json()}, {"next_cursor", NextCursor("listeners", more ? names[next - 1] : "", more)},
               {"total", names.size()}});
}

Response Api::FeedbackEvents(const Request& request) const {
  const auto page = PageOf(request, "events", 100, 10'000);
  const auto after = page.ok() ? NumberAfter(*page, 0) : Result<int64_t>(0);
  if (!page.ok() || !after.ok()) return ProblemOf(page.ok() ? after.error() : page.error());
  const std::string listener = FieldOf(request.query, "listener");
  const auto events = listener.empty() ? context_.catalog.EventsAfter(*after, page->limit)
                                       : context_.catalog.listeners().EventsOf(listener, *after, page->limit);
  if (!events.ok()) return ProblemOf(events.error());
  json items = json::array();
  for (const auto& event : *events) items.push_back(EventJson(event));
  const bool more = events->size() == static_cast<size_t>(page->limit);
  return Json({{"items", items}, {"next_cursor", NextCursor("events", more ? std::to_string(events->back().seq) : "", more)}});
}

Response Api::Listener(const Request& request) const {
  const auto snapshot = live_.Now();
  if (!snapshot->Knows(request.path[2])) return Problem(404, "Not found", "nothing is known of a listener '" + request.path[2] + "'");
  return Json(ProfileOf(*snapshot, request.path[2]));
}

Response Api::ExportListener(const Request& request) {
  lists_.Flush();
  const auto text = ExportOf(context_, *live_.Now(), request.path[2]);
  if (!text.ok()) return ProblemOf(text.error());
  return {.body = *text, .type = "application/x-ndjson"};
}

Response Api::ForgetListener(const Request& request) {
  const std::string& listener = request.path[2];
  const bool known = live_.Now()->Knows(listener);
  lists_.Flush();  // an impression that waits would be written after his others are gone
  const auto forgotten = context_.catalog.listeners().Forget(listener, context_.clock.NowSeconds());
  if (!forgotten.ok()) return ProblemOf(forgotten.error());
  scrobbles_.ClearPlaying(listener);
  // It is durable: what follows may fail, and is tried again within a moment.
  if (const auto caught = live_.CatchUp(); !caught.ok()) context_.instruments.Warn("serve", caught.error().message);
  Response response = Json(ForgottenJson(context_.catalog, *forgotten, known));
  response.subject = listener;
  return response;
}

Response Api::ForgetGorseUser(const Request& request) {
  Response forgotten = ForgetListener(request);
  if (forgotten.status != 200) return GorseError(forgotten.status, json::parse(forgotten.body, nullptr, false).value("detail", ""));
  Response response = Json({{"RowAffected", 1}});
  response.subject = forgotten.subject;
  return response;
}

}  // namespace segue::serve
