#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/catalog.h"

namespace segue::store {

// Names that a model may be called by, wherever its id is asked for:
//   live, previous              of recommenders: what is live, and was before it
//   challenger                  the recommender that a shadow or canary tries
//   live-hits, previous-hits    the same of models of hits
//   any other                   as a person has given it (Catalog::PutAlias)

/// The id that a name stands for now. What is no alias is taken for an id, and
/// comes back as it is, whether the registry has it or not. kNotFound for a name
/// of the first three rows that stands for nothing now.
Result<std::string> ResolveModel(const Catalog& catalog, std::string_view name);

/// Gives a model a name, or moves the name to it. kInvalid for a name that is
/// one of the above, no 1 to 64 of a-z, 0-9, '.', '_' and '-', or a model's id;
/// kNotFound where the registry does not have the model. `model` may be an alias.
Result<AliasRecord> GiveAlias(Catalog& catalog, std::string_view name, std::string_view model, int64_t now, std::string_view actor);

/// All names that stand for something now.
Result<std::vector<AliasRecord>> AllAliases(const Catalog& catalog);

}  // namespace segue::store
