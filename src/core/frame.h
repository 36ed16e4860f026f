#pragma once

#include "core/dataset.h"

namespace segue {

/// Everything of a dataset but what its listeners did: tracks, listeners and
/// what is known of them, `begin` of no listener yet. What parts of a dataset
/// are made from.
Dataset FrameOf(const Dataset& data);

}  // namespace segue
