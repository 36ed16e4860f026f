#pragma once

#include <string_view>

namespace segue::serve {

/// web/index.html, compiled in.
extern const std::string_view kIndexPage;

}  // namespace segue::serve
