#include "fuzz.h"
#include "serve/http.h"

using namespace segue::serve;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Request request;
  if (!ParseTarget(TextOf(data, size), request).ok()) return 0;
  for (const std::string& part : request.path) Expect(!part.empty() && part != "." && part != ".." && part.find('\0') == std::string::npos);
  for (const auto& [name, value] : request.query) Expect(value.find('\0') == std::string::npos);
  Matches("/v1/tracks/{id}", request.path);
  (void)ShownTarget(request.target);
  (void)QueryNumber(request, "n", 1, 1, 10).ok();
  return 0;
}
