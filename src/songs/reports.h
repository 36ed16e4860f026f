#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "page/page.h"
#include "songs/specification.h"

// The specification in the forms in which it is read.

namespace segue::songs {

/// Everything, numbers with all their digits, null for what is not defined. A p
/// value that underflows is 0 with its logarithm beside it.
nlohmann::json ToJson(const Specification& specification);

/// Tables for a terminal of 110 columns, the most important first.
std::string ToText(const Specification& specification);

page::Page ToPage(const Specification& specification);

/// "target 1", or the label alone where it says something by itself: "jazz".
std::string ClassName(const Specification& specification, size_t label);
/// Cohen's words for an effect of |d|: "large" from 0.8, "medium" from 0.5, "small"
/// from 0.2, else "negligible"; "" for NaN. "Statistical Power Analysis", 1988, sec. 2.2.
std::string SizeOf(double d);

}  // namespace segue::songs
