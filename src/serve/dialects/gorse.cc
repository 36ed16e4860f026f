#include "serve/dialects/gorse.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "serve/access.h"
#include "serve/lists.h"
#include "serve/record_json.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr std::string_view kItemDocument = "gorse_item";
constexpr int64_t kMostListed = 10'000;
constexpr size_t kMostRecommended = 1000;
constexpr int64_t kLookAgain = 5;  ///< seconds: another process may have told of items
constexpr int64_t kBatch = 10'000;

Response RowAffected(int64_t rows) { return Json({{"RowAffected", rows}}); }

Response ErrorOf(const Error& error) { return GorseError(error.code == ErrorCode::kInvalid ? 400 : ProblemOf(error).status, error.message); }

store::Document DocumentOf(const GorseUser& user) { return {user.id, ToJson(user).dump()}; }

store::Document DocumentOf(const GorseItem& item) {
  json body = ToJson(item);
  if (item.deleted) body["Deleted"] = true;
  return {item.id, body.dump()};
}

/// What we wrote reads again.
GorseItem ItemOf(const store::Document& document) {
  GorseItem item{.id = document.id};
  (void)PatchGorseItem(document.body, item).ok();
  return item;
}

/// A listener's own token may not change what all see.
std::optional<Response> NotOfAll(const Request& request) {
  if (request.caller.listener.empty()) return std::nullopt;
  return GorseError(403, "the token '" + request.caller.name + "' belongs to listener '" + request.caller.listener + "' and tells his feedback alone");
}

std::optional<Response> NotHis(const Request& request, const std::string& user) {
  if (request.caller.listener.empty() || request.caller.listener == user) return std::nullopt;
  return NotOfAll(request);
}

/// A page of documents: {"Cursor","<name>"}.
template <typename Show>
Response Page(const Request& request, store::Documents& documents, std::string_view kind, const char* name, const Show& show) {
  const auto n = QueryNumber(request, "n", 100, 1, kMostListed);
  if (!n.ok()) return ErrorOf(n.error());
  std::string after = FieldOf(request.query, "cursor");
  json items = json::array();
  bool more = true;
  while (more && items.size() < static_cast<size_t>(*n)) {
    const auto page = documents.DocumentsAfter(kind, after, *n);
    if (!page.ok()) return ErrorOf(page.error());
    more = page->size() == static_cast<size_t>(*n);
    for (const store::Document& document : *page) {
      if (items.size() == static_cast<size_t>(*n)) {
        more = true;
        break;
      }
      after = document.id;
      if (const json shown = show(document); !shown.is_null()) items.push_back(shown);
    }
  }
  return Json({{"Cursor", more ? after : ""}, {name, items}});
}

}  // namespace

Response GorseError(int status, std::string_view why) { return {.status = status, .body = std::string(why), .type = "text/plain; charset=utf-8"}; }

Response Gorse::Health() const {
  return Json({{"Ready", true}, {"DataStoreConnected", true}, {"DataStoreError", nullptr}, {"CacheStoreConnected", true}, {"CacheStoreError", nullptr}});
}

Response Gorse::InsertUsers(const Request& request, bool many) {
  const auto users = ParseGorseUsers(request.body, many);
  if (!users.ok()) return ErrorOf(users.error());
  std::vector<store::Document> documents;
  for (const GorseUser& user : *users) {
    if (auto refusal = NotHis(request, user.id)) return *std::move(refusal);
    documents.push_back(DocumentOf(user));
  }
  if (const auto put = parts_.context.catalog.documents().PutDocuments(store::kUserDocument, documents); !put.ok()) return ErrorOf(put.error());
  return RowAffected(static_cast<int64_t>(documents.size()));
}

Response Gorse::Users(const Request& request) const {
  return Page(request, parts_.context.catalog.documents(), store::kUserDocument, "Users",
              [](const store::Document& document) { return json::parse(document.body, nullptr, false); });
}

Response Gorse::User(const Request& request) const {
  const std::string& id = request.path[2];
  const auto found = parts_.context.catalog.documents().FindDocument(store::kUserDocument, id);
  if (!found.ok()) return ErrorOf(found.error());
  if (*found) return Json(json::parse((*found)->body, nullptr, false));
  // Whom we know otherwise is a user of whom nothing was told.
  if (parts_.live.Now()->Knows(id)) return Json(ToJson(GorseUser{.id = id}));
  return GorseError(404, "user not found");
}

Response Gorse::PatchUser(const Request& request) {
  if (auto refusal = NotHis(request, request.path[2])) return *std::move(refusal);
  store::Documents& documents = parts_.context.catalog.documents();
  GorseUser user{.id = request.path[2]};
  const auto found = documents.FindDocument(store::kUserDocument, user.id);
  if (!found.ok()) return ErrorOf(found.error());
  if (*found) (void)PatchGorseUser((*found)->body, user).ok();
  if (const auto patched = PatchGorseUser(request.body, user); !patched.ok()) return ErrorOf(patched.error());
  if (const auto put = documents.PutDocuments(store::kUserDocument, std::vector{DocumentOf(user)}); !put.ok()) return ErrorOf(put.error());
  return RowAffected(1);
}

Status Gorse::PutItems(const std::vector<GorseItem>& items) {
  std::vector<store::Document> documents;
  for (const GorseItem& item : items) documents.push_back(DocumentOf(item));
  SEGUE_RETURN_IF_ERROR(parts_.context.catalog.documents().PutDocuments(kItemDocument, documents));
  const std::lock_guard lock(items_mutex_);
  ++items_version_;
  return {};
}

Result<std::optional<GorseItem>> Gorse::FindItem(const std::string& id) const {
  SEGUE_TRY(const auto found, parts_.context.catalog.documents().FindDocument(kItemDocument, id));
  return found ? std::optional(ItemOf(*found)) : std::nullopt;
}

Response Gorse::InsertItems(const Request& request, bool many) {
  if (auto refusal = NotOfAll(request)) return *std::move(refusal);
  const auto items = ParseGorseItems(request.body, many);
  if (!items.ok()) return ErrorOf(items.error());
  if (const auto put = PutItems(*items); !put.ok()) return ErrorOf(put.error());
  return RowAffected(static_cast<int64_t>(items->size()));
}

Response Gorse::Items(const Request& request) const {
  const std::string q = FieldOf(request.query, "q");
  return Page(request, parts_.context.catalog.documents(), kItemDocument, "Items", [&](const store::Document& document) {
    const GorseItem item = ItemOf(document);
    const bool fits = !item.deleted && (q.empty() || document.body.find(q) != std::string::npos);
    return fits ? ToJson(item) : json();
  });
}

Response Gorse::Item(const Request& request) const {
  const std::string& id = request.path[2];
  const auto item = FindItem(id);
  if (!item.ok()) return ErrorOf(item.error());
  if (*item && !(*item)->deleted) return Json(ToJson(**item));
  const auto snapshot = parts_.live.Now();
  const auto row = *item ? std::nullopt : snapshot->RowOf(id);
  if (!row) return GorseError(404, "item not found");
  // A track that came otherwise.
  const Tracks& tracks = snapshot->data().tracks;
  GorseItem shown{.id = id, .labels = json{{"artist", tracks.artist[*row]}, {"title", tracks.title[*row]}}.dump()};
  return Json(ToJson(shown));
}

Response Gorse::PatchItem(const Request& request) {
  if (auto refusal = NotOfAll(request)) return *std::move(refusal);
  const auto found = FindItem(request.path[2]);
  if (!found.ok()) return ErrorOf(found.error());
  GorseItem item = found->value_or(GorseItem{.id = request.path[2]});
  item.deleted = false;
  if (const auto patched = PatchGorseItem(request.body, item); !patched.ok()) return ErrorOf(patched.error());
  if (const auto put = PutItems({item}); !put.ok()) return ErrorOf(put.error());
  return RowAffected(1);
}

Response Gorse::DeleteItem(const Request& request) {
  if (auto refusal = NotOfAll(request)) return *std::move(refusal);
  const auto found = FindItem(request.path[2]);
  if (!found.ok()) return ErrorOf(found.error());
  GorseItem item = found->value_or(GorseItem{.id = request.path[2]});
  item.deleted = true;
  if (const auto put = PutItems({item}); !put.ok()) return ErrorOf(put.error());
  return RowAffected(1);
}

Response Gorse::SetCategory(const Request& request, bool in) {
  if (auto refusal = NotOfAll(request)) return *std::move(refusal);
  const std::string& category = request.path[4];
  const auto found = FindItem(request.path[2]);
  if (!found.ok()) return ErrorOf(found.error());
  if (!*found || (*found)->deleted) return GorseError(404, "item not found");
  GorseItem item = **found;
  std::erase(item.categories, category);
  if (in) item.categories.push_back(category);
  if (const auto put = PutItems({item}); !put.ok()) return ErrorOf(put.error());
  return RowAffected(1);
}

std::shared_ptr<const Gorse::ItemsByTrack> Gorse::ByTrack(const Snapshot& snapshot) const {
  const int64_t now = parts_.context.clock.NowSeconds();
  const std::lock_guard lock(items_mutex_);
  const bool good = by_track_ != nullptr && by_track_->dataset_id == snapshot.dataset_id() && by_track_->version == items_version_ &&
                    std::abs(now - by_track_->looked_at) < kLookAgain;
  if (good) return by_track_;
  auto made = std::make_shared<ItemsByTrack>(ItemsByTrack{.dataset_id = snapshot.dataset_id(), .version = items_version_, .looked_at = now, .items = {}});
  for (std::string after;;) {
    const auto page = parts_.context.catalog.documents().DocumentsAfter(kItemDocument, after, kBatch);
    if (!page.ok() || page->empty()) break;
    for (const store::Document& document : *page) {
      const GorseItem item = ItemOf(document);
      const bool shown = !item.hidden && !item.deleted;
      made->all_shown = made->all_shown && shown;
      // Of two items that are one track the first stands for it.
      made->items.try_emplace(Scrobbles::IdOf(snapshot, NamingOf(item)), KnownItem{item.id, shown, item.categories});
      if (snapshot.RowOf(item.id)) made->items.try_emplace(snapshot.Canonical(item.id), KnownItem{item.id, shown, item.categories});
    }
    after = page->back().id;
  }
  by_track_ = made;
  return made;
}

Response Gorse::Recommend(const Request& request) {
  const auto n = QueryNumber(request, "n", 10, 1, static_cast<int64_t>(kMostRecommended));
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX);
  if (!n.ok() || !offset.ok()) return ErrorOf(n.ok() ? offset.error() : n.error());
  if (!FieldOf(request.query, "write-back-type").empty()) {
    return GorseError(400, "write-back-type: what was recommended was not heard yet; send feedback when it is played");
  }
  const std::string& user = request.path[2];
  const std::string category = FieldOf(request.query, "category");
  const auto snapshot = parts_.live.Now();
  const auto items = ByTrack(*snapshot);
  // Where all is shown that is asked for, it leaves an impression.
  const bool as_asked = *offset == 0 && category.empty() && items->all_shown;
  Result<std::shared_ptr<const MadeList>> list(nullptr);
  if (as_asked) {
    const auto given = parts_.lists.Give(user, Wish{.n = static_cast<size_t>(*n)});
    list = given.ok() ? Result<std::shared_ptr<const MadeList>>(given->list) : given.error();
  } else {
    list = parts_.lists.Look(user, Wish{.n = kMostRecommended});
  }
  if (!list.ok()) return ErrorOf(list.error());
  const json made = json::parse((*list)->body, nullptr, false);
  const bool with_scores = request.api_version == "2";
  json answer = json::array();
  int64_t passed = 0;
  for (const json& item : made["items"]) {
    const std::string track_id = item["track_id"];
    const auto known = items->items.find(track_id);
    const bool has = known != items->items.end();
    if (has && !known->second.shown) continue;
    if (!category.empty() && (!has || std::find(known->second.categories.begin(), known->second.categories.end(), category) == known->second.categories.end())) continue;
    if (passed++ < *offset) continue;
    const std::string& id = has ? known->second.id : track_id;
    answer.push_back(with_scores ? json{{"Id", id}, {"Score", item["score"]}} : json(id));
    if (answer.size() == static_cast<size_t>(*n)) break;
  }
  return Json(answer);
}

}  // namespace segue::serve
