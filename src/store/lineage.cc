#include "store/lineage.h"

#include <string>

#include <nlohmann/json.hpp>

#include "store/aliases.h"
#include "store/clock.h"
#include "store/layout.h"

namespace segue::store {
namespace {

using nlohmann::json;

json ReadObject(const ObjectStore& bucket, const std::string& key) {
  const auto text = bucket.Get(key);
  json value = text.ok() ? json::parse(*text, nullptr, false) : json();
  return value.is_object() ? value : json();
}

/// Null where the manifest is not there or lacks it.
json Field(const json& manifest, const char* name) { return manifest.is_object() ? manifest.value(name, json()) : json(); }

Result<json> Input(const Catalog& catalog, const json& input) {
  const std::string sha256 = input.value("sha256", ""), listener = input.value("listener", "");
  json object = {{"sha256", sha256}, {"name", input.value("name", "")}, {"listener", listener}, {"table", input.value("table", "")},
                 {"left_out", input.value("left_out", json())}, {"raw", "raw/" + sha256}, {"rows", json()}, {"format", json()}, {"added", json()}};
  SEGUE_TRY(const auto record, catalog.FindObject(sha256, listener));
  if (record) {
    object["rows"] = record->rows;
    object["format"] = record->format;
    object["added"] = Iso8601(record->added_at);
  }
  return object;
}

Result<json> DatasetLineage(const ObjectStore& bucket, const Catalog& catalog, const std::string& dataset_id) {
  const json manifest = ReadObject(bucket, DatasetKey(dataset_id, "manifest.json"));
  json dataset = {{"dataset_id", dataset_id}, {"objects", json::array()}, {"events", {{"through_seq", Field(manifest, "events_through_seq")}, {"objects", json::array()}}}};
  for (const char* name : {"rows_in", "rows_kept", "listeners", "tracks", "code_version"}) dataset[name] = Field(manifest, name);
  for (const json& input : Field(manifest, "inputs")) {
    const std::string name = input.value("name", "");
    if (name.starts_with("events/")) {
      dataset["events"]["objects"].push_back({{"key", name}, {"sha256", input.value("sha256", "")}});
      continue;
    }
    SEGUE_TRY(json object, Input(catalog, input));
    dataset["objects"].push_back(std::move(object));
  }
  return dataset;
}

}  // namespace

Result<json> LineageOf(const ObjectStore& bucket, const Catalog& catalog, std::string_view model) {
  SEGUE_TRY(const std::string model_id, ResolveModel(catalog, model));
  SEGUE_TRY(const auto record, catalog.FindModel(model_id));
  if (!record) return Error{ErrorCode::kNotFound, "there is no model '" + std::string(model) + "'; `segue models` lists them"};
  const json manifest = json::parse(record->manifest, nullptr, false);
  json lineage = {{"model_id", model_id}, {"kind", Name(record->kind)}, {"algorithm", record->algorithm}, {"run_id", record->run_id},
                  {"created", Iso8601(record->created_at)}, {"settings", Field(manifest, "settings")}, {"seed", Field(manifest, "seed")},
                  {"artifact_sha256", Field(Field(manifest, "artifact"), "sha256")}};
  SEGUE_TRY(lineage["dataset"], DatasetLineage(bucket, catalog, record->dataset_id));
  return lineage;
}

}  // namespace segue::store
