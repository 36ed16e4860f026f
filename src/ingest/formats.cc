#include "ingest/formats.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "core/check.h"
#include "core/staged.h"
#include "ingest/known_formats.h"
#include "ingest/naming.h"
#include "ingest/values.h"

namespace segue::ingest {
namespace {

using Names = std::vector<std::string>;

As AsOf(const std::string& to) {
  static const std::map<std::string, As> kSpecial = {{"listener", As::kText}, {"track", As::kTrack},
                                                     {"source_id", As::kTrack}, {"at", As::kMoment}};
  if (const auto it = kSpecial.find(to); it != kSpecial.end()) return it->second;
  static const Names kTexts = {"artist", "title", "album", "kind", "text", "event_id", "tags"};
  return std::find(kTexts.begin(), kTexts.end(), to) == kTexts.end() ? As::kNumber : As::kText;
}

/// The user's own mapping as a plan.
Result<Plan> PlanOf(const ColumnMapping& mapping, const Sample& sample) {
  Plan plan{.format = "mapping:" + mapping.name, .table = mapping.table};
  const std::vector<StagedColumn> columns = StagedColumns(mapping.table);
  static const Names kNotToMap = {"line", "row", "part", "name_key", "at_precision"};
  for (const auto& [ours, theirs] : mapping.columns) {
    const std::string to = ours == "track" ? "source_id" : ours;
    const bool known = std::any_of(columns.begin(), columns.end(), [&](const auto& column) { return column.name == to; });
    if (!known || std::find(kNotToMap.begin(), kNotToMap.end(), to) != kNotToMap.end()) {
      return Error{ErrorCode::kInvalid, "mapping '" + mapping.name + "' in segue.toml names '" + ours +
                                            "', which is no column of " + mapping.table};
    }
    plan.rules.push_back({to, {theirs}, AsOf(ours), ours == "listener"});
  }
  NamespaceByFolder(sample, plan);
  if (mapping.table == "listens") plan.constants["kind"] = mapping.kind;
  if (mapping.table == "tracks") plan.constants["part"] = "whole";
  return plan;
}

bool Fits(const ColumnMapping& mapping, const Sample& sample) {
  return std::all_of(mapping.columns.begin(), mapping.columns.end(), [&](const auto& column) {
    return std::find(sample.columns.begin(), sample.columns.end(), column.second) != sample.columns.end();
  });
}

bool Fits(const Format& format, const Sample& sample) {
  return std::all_of(format.needs.begin(), format.needs.end(),
                     [&](const std::string& name) { return FindColumn(sample.columns, name) >= 0; }) &&
         (format.also == nullptr || format.also(sample));
}

/// A plan for listens without a listener in the file: he is told by a person,
/// the folder, the file's user name, or the settings.
void GiveListener(const Sample& sample, const Settings& settings, Plan& plan) {
  if (plan.table != "listens") return;
  for (const ColumnRule& rule : plan.rules) {
    if (rule.to == "listener" && FirstColumn(sample, rule.from) >= 0) return;
  }
  std::erase_if(plan.rules, [](const ColumnRule& rule) { return rule.to == "listener"; });
  plan.listener = sample.listener;
  if (plan.listener.empty()) plan.listener = NearestFolder(sample.name);
  const int username = FindColumn(sample.columns, "username");
  for (size_t row = 0; row < sample.rows.size() && plan.listener.empty(); ++row) {
    plan.listener = Value(sample, row, username);
  }
  if (plan.listener.empty()) plan.listener = settings.default_listener;
  plan.constants["listener"] = plan.listener;
}

/// The name that two columns of the header share, "" where all differ: then
/// which of them is meant is a guess, and only a mapping may tell.
std::string SharedName(const Sample& sample) {
  constexpr std::string_view kSecond = " (2)";
  for (const std::string& column : sample.columns) {
    if (!column.ends_with(kSecond)) continue;
    const std::string base = column.substr(0, column.size() - kSecond.size());
    if (std::find(sample.columns.begin(), sample.columns.end(), base) != sample.columns.end()) return base;
  }
  return "";
}

constexpr const char* kHowToMap =
    "If it holds listens or tracks, say which column is what in segue.toml: [[ingest.mapping]] name = \"mine\", "
    "table = \"listens\", columns = { listener = \"...\", artist = \"...\", title = \"...\", at = \"...\" }";

Error Unknown(const Sample& sample) {
  std::string columns;
  constexpr size_t kMost = 30;
  for (size_t i = 0; i < std::min(sample.columns.size(), kMost); ++i) columns += (i == 0 ? "" : ", ") + sample.columns[i];
  if (sample.columns.size() > kMost) columns += ", ...";
  return {ErrorCode::kInvalid,
          "no known format: " + sample.shape + ", columns: " + columns + ". " + kHowToMap};
}

}  // namespace

Result<Plan> Recognise(const Sample& sample, const Settings& settings) {
  for (const ColumnMapping& mapping : settings.mappings) {
    if (!Fits(mapping, sample)) continue;
    SEGUE_TRY(Plan plan, PlanOf(mapping, sample));
    GiveListener(sample, settings, plan);
    return plan;
  }
  if (const std::string shared = SharedName(sample); !shared.empty()) {
    return Error{ErrorCode::kInvalid, "two columns are named '" + shared + "' in line 1, so that what they hold is a guess. " + kHowToMap};
  }
  for (Format& format : KnownFormats()) {
    if (!Fits(format, sample)) continue;
    if (format.finish != nullptr) format.finish(sample, format.plan);
    GiveListener(sample, settings, format.plan);
    return std::move(format.plan);
  }
  if (IsSpotifyAccountFile(sample.name)) return SpotifyOther();
  return Unknown(sample);
}

Plan SpotifyOther() {
  return {.format = "spotify_other", .set_aside = "part of a Spotify export that holds no listening"};
}

int FindColumn(const std::vector<std::string>& columns, std::string_view name) {
  const auto same = [](std::string_view a, std::string_view b) {
    const auto next = [](std::string_view text, size_t& at) {
      while (at < text.size() && (text[at] == '_' || text[at] == '-' || text[at] == ' ')) ++at;
      return at < text.size() ? std::tolower(static_cast<unsigned char>(text[at++])) : -1;
    };
    size_t i = 0;
    size_t j = 0;
    while (true) {
      const int x = next(a, i);
      const int y = next(b, j);
      if (x != y) return false;
      if (x < 0) return true;
    }
  };
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == name) return static_cast<int>(i);
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (same(columns[i], name)) return static_cast<int>(i);
  }
  return -1;
}

std::string_view StagedSchema(std::string_view table) {
  if (table == "listens") return kStagedListens;
  if (table == "tracks") return kStagedTracks;
  if (table == "tag_names") return kStagedTagNames;
  SEGUE_CHECK(table == "taggings");
  return kStagedTaggings;
}

std::vector<StagedColumn> StagedColumns(std::string_view table) {
  std::vector<StagedColumn> columns;
  std::string_view schema = StagedSchema(table);
  while (true) {
    const size_t comma = schema.find(',');
    const std::string_view piece = Trimmed(schema.substr(0, comma));
    const size_t space = piece.find(' ');
    std::string name(piece.substr(0, space));
    std::erase(name, '"');  // words that SQL reserves are quoted
    const std::string_view type = piece.substr(space + 1);
    columns.push_back({std::move(name), type == "BIGINT"    ? StagedType::kBigInt
                                        : type == "INTEGER" ? StagedType::kInteger
                                        : type == "DOUBLE"  ? StagedType::kDouble
                                                            : StagedType::kText});
    if (comma == std::string_view::npos) return columns;
    schema.remove_prefix(comma + 1);
  }
}

}  // namespace segue::ingest
