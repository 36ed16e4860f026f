#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/formats.h"

namespace segue::ingest {

/// A format: which columns tell it, and what becomes of them.
struct Format {
  std::vector<std::string> needs;                      ///< all of these
  std::function<bool(const Sample&)> also = nullptr;   ///< and this
  Plan plan;
  std::function<void(const Sample&, Plan&)> finish = nullptr;  ///< what depends on the file's place and values
};

/// All of them; the first that fits is taken.
std::vector<Format> KnownFormats();

/// A field of the sample, "" where it is not there.
std::string Value(const Sample& sample, size_t row, int column);

/// The first of the alternatives that the sample has; -1 none.
int FirstColumn(const Sample& sample, const std::vector<std::string>& alternatives);

/// Ids that mean something in their own table only get its folder in front.
void NamespaceByFolder(const Sample& sample, Plan& plan);

}  // namespace segue::ingest
