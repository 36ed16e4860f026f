#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "store/catalog.h"

struct sqlite3;

// The SQLite catalog's tables of deployments, aliases and impressions. The caller has the
// connection to himself, and begins and ends transactions.
namespace segue::store {

/// What the upgrade to the latter two runs.
extern const char* const kDeliverySchema;

/// As Catalog::Deploy: checks what the history says before it appends. In a transaction.
Status InsertDeployment(sqlite3* database, const DeploymentRecord& deployment);
Result<std::optional<DeploymentRecord>> LiveDeployment(sqlite3* database, ModelKind kind);
Result<std::optional<DeploymentRecord>> TrialDeployment(sqlite3* database, ModelKind kind);
Result<std::vector<DeploymentRecord>> ReadDeployments(sqlite3* database, int64_t limit);

Status WriteAlias(sqlite3* database, const AliasRecord& alias);
Status DeleteAlias(sqlite3* database, std::string_view name);
Result<std::vector<AliasRecord>> ReadAliases(sqlite3* database);

Status InsertImpressions(sqlite3* database, std::span<const Impression> impressions);
Result<std::vector<Impression>> ReadImpressions(sqlite3* database, int64_t after, int64_t limit);
Result<std::vector<Impression>> ReadImpressionsOf(sqlite3* database, std::string_view listener, int64_t after, int64_t limit);
Result<std::optional<Impression>> ReadImpression(sqlite3* database, std::string_view list_id);

}  // namespace segue::store
