#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "serve/snapshot.h"

namespace segue::serve {

/// What a listener's own plays say of him, the dataset's and those since:
///
///   counts       plays, skips, likes, dislikes (as they stand), tracks and artists he has met
///   first_event, last_event
///   top_artists, top_tags   ten each, by plays
///   taste        for each audio feature the mean over his plays, the catalogue's over its
///                tracks, and how many of its standard deviations lie between
///   moved        his newest third of plays against the older ones, from 30 plays on: the
///                features' means in those deviations, the share of plays of artists who
///                are not among the older ones, and whose share grew most
///
/// What the data do not carry is absent. The pitch class ("key") has no mean.
nlohmann::json ProfileOf(const Snapshot& snapshot, const std::string& listener);

}  // namespace segue::serve
