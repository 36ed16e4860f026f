#pragma once

#include <string>

#include "core/result.h"
#include "serve/snapshot.h"

namespace segue::serve {

/// All that Segue holds of a listener and may still use, as JSON lines, each with
/// its "type": "user" (what a client of Gorse's API keeps of him), "file" (what was dropped as his), "interaction" and "review" (rows
/// of the newest dataset), "event" (feedback as it came), "opinion" (likes and
/// dislikes as they stand), "list" (what he was shown, from the catalog and the
/// bucket). Empty where nothing is known, and after he was forgotten. In memory as
/// a whole: some 300 bytes a line.
Result<std::string> ExportOf(const Context& context, const Snapshot& snapshot, const std::string& listener);

}  // namespace segue::serve
