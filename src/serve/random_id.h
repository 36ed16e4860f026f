#pragma once

#include <string>

namespace segue::serve {

/// A random id for a list or a request: 16 hex digits.
std::string RandomHex();

}  // namespace segue::serve
