#pragma once

#include "serve/http.h"

namespace segue::serve {

/// Are answers of this route worth asking for again? Those that stay the same once
/// they are there: datasets' quality, models, runs and their logs, the API's description.
bool IsKept(std::string_view route);

/// Gives an answer its ETag, a hash of the body; and where the caller has that
/// already (If-None-Match) takes the body away again: 304. Answers other than 200
/// are left alone.
void AnswerOnce(const Request& request, Response& response);

}  // namespace segue::serve
