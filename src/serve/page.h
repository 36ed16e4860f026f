#pragma once

#include <string_view>

namespace segue::serve {

/// web/index.html, compiled in.
extern const std::string_view kIndexPage;

/// web/docs.html, which shows /openapi.json.
extern const std::string_view kDocsPage;

}  // namespace segue::serve
