#include "monitor/webhook.h"

#include <curl/curl.h>

#include <memory>

#include "core/hash.h"

namespace segue::monitor {
namespace {

size_t Discard(char*, size_t size, size_t count, void*) { return size * count; }

int Stopped(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

}  // namespace

Status PostJson(const WebhookTarget& target, const std::string& body, const std::atomic<bool>& stop) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) return Error{ErrorCode::kIo, "webhook: libcurl does not start"};
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  const auto add = [&](const std::string& header) { headers.reset(curl_slist_append(headers.release(), header.c_str())); };
  add("Content-Type: application/json");
  add("Expect:");
  if (!target.secret.empty()) add("X-Segue-Signature: sha256=" + HmacSha256Hex(target.secret, body));
  char why[CURL_ERROR_SIZE] = "";
  CURL* const request = curl.get();
  curl_easy_setopt(request, CURLOPT_URL, target.url.c_str());
  curl_easy_setopt(request, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(request, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(request, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(request, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(request, CURLOPT_TIMEOUT, static_cast<long>(target.timeout_s));
  curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(request, CURLOPT_ERRORBUFFER, why);
  curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, Discard);
  curl_easy_setopt(request, CURLOPT_XFERINFOFUNCTION, Stopped);
  // libcurl's signature has no const; Stopped only reads.
  curl_easy_setopt(request, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&stop));
  curl_easy_setopt(request, CURLOPT_NOPROGRESS, 0L);
  const CURLcode done = curl_easy_perform(request);
  if (done == CURLE_ABORTED_BY_CALLBACK) return Error{ErrorCode::kCancelled, "webhook: asked to stop"};
  if (done != CURLE_OK) {
    return Error{ErrorCode::kUnavailable, "webhook " + target.url + ": " + (why[0] != '\0' ? why : curl_easy_strerror(done))};
  }
  long status = 0;
  curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299) return Error{ErrorCode::kUnavailable, "webhook " + target.url + ": it answers " + std::to_string(status)};
  return {};
}

}  // namespace segue::monitor
