#include "pipeline/judged.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/version.h"
#include "train/classifier_trainer.h"
#include "train/member_list.h"
#include "train/trainer.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

constexpr const char* kObjects = "judged_objects";
constexpr const char* kRows = "judged_rows";
constexpr const char* kSeq = "judged_seq";
constexpr const char* kForgotten = "judged_forgotten";
constexpr const char* kDataset = "judged_dataset";
constexpr const char* kRun = "judged_run";        ///< whose these marks are
constexpr const char* kConfig = "judged_config";  ///< ConfigFingerprint

constexpr size_t kNamedChanges = 3;

std::map<std::string, std::string> LinesOf(const std::string& fingerprint) {
  std::map<std::string, std::string> values;
  std::istringstream lines(fingerprint);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find('=');
    values[line.substr(0, equals)] = equals == std::string::npos ? "" : line.substr(equals + 1);
  }
  return values;
}

/// 0 where nothing was kept yet.
Result<int64_t> Kept(const Context& context, const char* name) {
  SEGUE_TRY(const std::string text, context.catalog.Meta(name));
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Hash of what a dataset's models learn from, whatever it was made from: its
/// listening; and, where models of content take part, its tracks and reviews. For
/// all others track tables change the catalogue that is served, not the models.
Result<std::string> LearningHash(const Context& context, const std::string& dataset_id) {
  std::vector<std::string> leaves = {"interactions.parquet"};
  const std::string& algorithms = context.settings.algorithms;
  if (algorithms.find("content") != std::string::npos || algorithms.find("hybrid") != std::string::npos ||
      algorithms.find("hit_chance") != std::string::npos) {
    leaves.insert(leaves.end(), {"tracks.parquet", "reviews.parquet"});
  }
  std::string hashes;
  for (const std::string& leaf : leaves) {
    const auto bytes = context.bucket.Get(store::DatasetKey(dataset_id, leaf));
    if (!bytes.ok() && bytes.error().code == ErrorCode::kNotFound && leaf == "reviews.parquet") continue;
    if (!bytes.ok()) return bytes.error();
    hashes += Sha256Hex(*bytes);
  }
  return hashes;
}

}  // namespace

std::string HitConfigFingerprint(const Settings& settings) {
  std::string text = ResultFingerprint(settings, "hits.") + ResultFingerprint(settings, "search.");
  for (const std::string& name : train::SplitList(settings.hits.algorithms, ',')) {
    // A name that nobody knows is an error of the run that meets it.
    if (const auto member = train::ReadMember(name, settings); member.ok()) text += train::SettingsOfClassifier(member->algorithm, settings);
  }
  return text;
}

std::string ConfigFingerprint(const Settings& settings) {
  std::string text = "version=" + std::string(kVersion) + "\ntraining_version=" + std::string(kTrainingVersion) + "\n";
  for (const char* prefix : {"ingest.", "clean.", "train.", "evaluate.", "gate."}) text += ResultFingerprint(settings, prefix);
  for (const ColumnMapping& mapping : settings.mappings) {
    text += "ingest.mapping." + mapping.name + "=" + mapping.table + " " + mapping.kind;
    for (const auto& [ours, theirs] : mapping.columns) text += " " + ours + ":" + theirs;
    text += "\n";
  }
  for (const std::string& algorithm : train::SplitList(settings.algorithms, ',')) text += train::SettingsOf(algorithm, settings);
  return text + HitConfigFingerprint(settings);
}

std::string ConfigChange(const std::string& before, const std::string& now) {
  if (before == now) return "";
  const auto old_values = LinesOf(before), new_values = LinesOf(now);
  std::vector<std::string> changes;
  for (const auto& [name, value] : new_values) {
    const auto old = old_values.find(name);
    if (old == old_values.end()) {
      changes.push_back(name + " is new");
    } else if (old->second != value) {
      changes.push_back(name + " " + old->second + " -> " + value);
    }
  }
  for (const auto& [name, value] : old_values) {
    if (!new_values.contains(name)) changes.push_back(name + " is gone");
  }
  std::string text;
  for (size_t i = 0; i < std::min(changes.size(), kNamedChanges); ++i) text += (i == 0 ? "" : ", ") + changes[i];
  if (changes.size() > kNamedChanges) text += " and " + std::to_string(changes.size() - kNamedChanges) + " more";
  return text;
}

Result<Material> MaterialNow(const Context& context) {
  SEGUE_TRY(const auto objects, context.catalog.Objects("accepted"));
  Material material{.objects = static_cast<int64_t>(objects.size())};
  for (const auto& object : objects) material.rows += object.rows;
  SEGUE_TRY(material.events, context.catalog.LastEventSeq());
  SEGUE_TRY(const auto forgotten, context.catalog.listeners().ForgottenAfter(0));
  if (!forgotten.empty()) material.forgotten = forgotten.back().id;
  return material;
}

Result<std::string> ConfigNews(const Context& context) {
  SEGUE_TRY(const std::string config, context.catalog.Meta(kConfig));
  return config.empty() ? std::string() : ConfigChange(config, ConfigFingerprint(context.settings));
}

Result<News> WhatIsNew(const Context& context) {
  News news;
  SEGUE_TRY(news.there, MaterialNow(context));
  SEGUE_TRY(const int64_t objects, Kept(context, kObjects));
  SEGUE_TRY(const int64_t rows, Kept(context, kRows));
  SEGUE_TRY(const int64_t events, Kept(context, kSeq));
  SEGUE_TRY(const int64_t forgotten, Kept(context, kForgotten));
  news.fresh = {.objects = news.there.objects - objects, .rows = news.there.rows - rows, .events = news.there.events - events,
                .forgotten = news.there.forgotten - forgotten};
  SEGUE_TRY(news.config, ConfigNews(context));
  return news;
}

json NewsOf(const store::RunRecord& run) {
  for (const auto& stage : run.stages) {
    if (stage.name != "ingest") continue;
    const json detail = json::parse(stage.detail, nullptr, false);
    return detail.is_object() ? detail.value("new", json()) : json();
  }
  return {};
}

Result<bool> JudgedBy(const Context& context, const std::string& run_id) {
  SEGUE_TRY(const std::string judged, context.catalog.Meta(kRun));
  return judged == run_id;
}

Status RememberJudged(const Context& context, const Material& there, const std::string& dataset_id, const std::string& run_id) {
  store::Catalog& catalog = context.catalog;
  SEGUE_RETURN_IF_ERROR(catalog.SetMeta(kRun, run_id));
  SEGUE_RETURN_IF_ERROR(catalog.SetMeta(kConfig, ConfigFingerprint(context.settings)));
  SEGUE_RETURN_IF_ERROR(catalog.SetMeta(kRows, std::to_string(there.rows)));
  SEGUE_RETURN_IF_ERROR(catalog.SetMeta(kSeq, std::to_string(there.events)));
  SEGUE_RETURN_IF_ERROR(catalog.SetMeta(kForgotten, std::to_string(there.forgotten)));
  SEGUE_RETURN_IF_ERROR(catalog.SetMeta(kDataset, dataset_id));
  return catalog.SetMeta(kObjects, std::to_string(there.objects));
}

Result<bool> SameAsLastJudged(const Context& context, const std::string& dataset_id) {
  SEGUE_TRY(const std::string judged, context.catalog.Meta(kDataset));
  if (judged.empty()) return false;
  if (judged == dataset_id) return true;
  SEGUE_TRY(const std::string mine, LearningHash(context, dataset_id));
  const auto theirs = LearningHash(context, judged);
  return theirs.ok() && mine == *theirs;
}

}  // namespace segue::pipeline
