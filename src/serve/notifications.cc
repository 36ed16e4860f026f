#include "serve/notifications.h"

#include <cctype>

#include <nlohmann/json.hpp>
#include <openssl/crypto.h>

#include "core/hash.h"
#include "store/object_store.h"

namespace segue::serve {
namespace {

using nlohmann::json;

Error Wrong(const std::string& field, const std::string& why) { return {ErrorCode::kInvalid, field + ": " + why}; }

/// The field `path` of a record, parted by dots; null where it is not there.
const json* Find(const json& record, std::string_view path) {
  const json* at = &record;
  while (!path.empty()) {
    const std::string part(path.substr(0, path.find('.')));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    const auto next = at->is_object() ? at->find(part) : at->end();
    if (!at->is_object() || next == at->end()) return nullptr;
    at = &*next;
  }
  return at;
}

Result<std::string> Text(const json& record, const std::string& where, const std::string& path) {
  const json* value = Find(record, path);
  if (value == nullptr || !value->is_string() || value->get_ref<const std::string&>().empty()) {
    return Wrong(where + "." + path, value == nullptr ? "is missing" : "expected a text that is not empty");
  }
  return value->get<std::string>();
}

Result<ObjectCreated> ReadRecord(const json& record, const std::string& where, std::string event) {
  ObjectCreated object{.event = std::move(event)};
  SEGUE_TRY(object.bucket, Text(record, where, "s3.bucket.name"));
  SEGUE_TRY(const std::string escaped, Text(record, where, "s3.object.key"));
  SEGUE_TRY(object.key, DecodePercent(escaped, true, where + ".s3.object.key"));
  if (const Status key = store::CheckKey(object.key); !key.ok()) return Wrong(where + ".s3.object.key", key.error().message);
  if (const json* size = Find(record, "s3.object.size"); size != nullptr) {
    if (!size->is_number_integer() || *size < 0) return Wrong(where + ".s3.object.size", "expected a whole number of bytes");
    object.bytes = size->get<int64_t>();
  }
  if (const json* etag = Find(record, "s3.object.eTag"); etag != nullptr) {
    if (!etag->is_string()) return Wrong(where + ".s3.object.eTag", "expected a text");
    object.etag = etag->get<std::string>();
  }
  return object;
}

}  // namespace

Result<Notification> ParseNotification(std::string_view body) {
  SEGUE_TRY(const json told, ParseObject(body));
  Notification notification;
  if (const auto event = told.find("Event"); event != told.end()) {
    if (*event != "s3:TestEvent") return Wrong("Event", "expected \"s3:TestEvent\"; events of objects come in Records");
    notification.test = true;
    return notification;
  }
  const auto records = told.find("Records");
  if (records == told.end() || !records->is_array() || records->empty()) return Wrong("Records", "expected a list of at least one record");
  for (size_t i = 0; i < records->size(); ++i) {
    const json& record = (*records)[i];
    const std::string where = "Records[" + std::to_string(i) + "]";
    if (!record.is_object()) return Wrong(where, "expected an object");
    SEGUE_TRY(std::string event, Text(record, where, "eventName"));
    if (event.starts_with("s3:")) event.erase(0, 3);
    if (!event.starts_with("ObjectCreated:")) {
      ++notification.ignored;
      continue;
    }
    SEGUE_TRY(ObjectCreated object, ReadRecord(record, where, std::move(event)));
    notification.created.push_back(std::move(object));
  }
  return notification;
}

bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool KnowsSecret(const Request& request, std::string_view secret) {
  if (SameSecret(request.authorization, "Bearer " + std::string(secret)) || SameSecret(request.authorization, secret)) return true;
  std::string signature = request.signature;
  if (signature.starts_with("sha256=")) signature.erase(0, 7);
  for (char& c : signature) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::string expected = HmacSha256Hex(secret, request.body);
  return SameSecret(signature, expected);
}

}  // namespace segue::serve
