#pragma once

#include <cstdint>
#include <string_view>

namespace segue::clean {

/// The last number in "events/2026/03/01/<first>-<last>.parquet": the newest
/// feedback event in that object; 0 for other names.
int64_t LastOf(std::string_view key);

}  // namespace segue::clean
