#include "cli/hits.h"

namespace segue::cli {

Status WriteHitsPage(const HitsResult&, const std::string& file) {
  return Error{ErrorCode::kUnavailable, "cannot write " + file + " yet"};
}

}  // namespace segue::cli
