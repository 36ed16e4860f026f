#include <cstdio>

#include <nlohmann/json.hpp>

#include "cli/inputs.h"
#include "cli/verbs.h"
#include "models/groups.h"
#include "monitor/run_log.h"
#include "store/csv_files.h"
#include "train/groups.h"

namespace segue::cli {
namespace {

using models::Group;
using models::Grouping;
using nlohmann::json;

Result<Dataset> DatasetOf(const Common& common, const GroupsFlags& flags) {
  if (flags.files.train.empty()) return LiveDataset(common);
  SEGUE_TRY(auto files, store::LoadCsvFiles(flags.files));
  return std::move(files.train);
}

Result<std::unique_ptr<models::Model>> PreviousGroups(const std::string& file) {
  if (file.empty()) return std::unique_ptr<models::Model>();
  SEGUE_TRY(auto model, models::Load(file));
  if (model->algorithm() != models::GroupsModel::kAlgorithm) {
    return Error{ErrorCode::kInvalid, file + " is a model of '" + std::string(model->algorithm()) + "', not of groups"};
  }
  return model;
}

std::string Shown(const Dataset& data, TrackIx track) {
  const size_t row = Raw(track);
  if (data.tracks.title[row].empty()) return data.tracks.id[row];
  const std::string& artist = data.tracks.artist[row];
  return (artist.empty() ? "" : artist + " - ") + data.tracks.title[row];
}

json AsJson(const Dataset& data, const Grouping& grouping, std::span<const std::string> names) {
  json groups = json::array();
  for (const Group& group : grouping.groups) {
    json typical = json::array();
    for (const TrackIx track : group.typical) {
      const size_t row = Raw(track);
      typical.push_back({{"track_id", data.tracks.id[row]}, {"artist", data.tracks.artist[row]}, {"title", data.tracks.title[row]}});
    }
    groups.push_back({{"group", group.id}, {"size", group.size}, {"tags", group.tags}, {"typical", typical}, {"members", json::array()}});
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (grouping.group_of[i] != Grouping::kNone) groups[grouping.group_of[i]]["members"].push_back(names[i]);
  }
  return groups;
}

void Print(const Dataset& data, const Grouping& grouping, const char* of) {
  std::printf("%zu groups of %s\n", grouping.groups.size(), of);
  for (const Group& group : grouping.groups) {
    std::printf("  group %u: %llu %s%s%s\n", group.id, static_cast<unsigned long long>(group.size), of,
                group.tags.empty() ? "" : "; ", group.tags.c_str());
    for (const TrackIx track : group.typical) std::printf("      %s\n", Shown(data, track).c_str());
  }
}

}  // namespace

int ListGroups(const Common& common, const GroupsFlags& flags) {
  CatchSignals();
  const auto settings = ReadSettings(common, "groups");
  if (!settings.ok()) return Fail(settings.error());
  const auto previous = PreviousGroups(flags.previous);
  if (!previous.ok()) return Fail(previous.error());
  const auto data = DatasetOf(common, flags);
  if (!data.ok()) return Fail(data.error());
  const auto instruments = monitor::ConsoleInstruments(common.quiet, [] { return Cancelled().load(); });
  const auto model = train::FitGroups(*data, *settings, static_cast<uint64_t>(settings->seed),
                                      static_cast<const models::GroupsModel*>(previous->get()), *instruments);
  if (!model.ok()) return Fail(model.error());
  if (!flags.output.empty()) {
    if (const auto saved = (*model)->Save(flags.output); !saved.ok()) return Fail(saved.error());
  }
  const Grouping& listeners = (*model)->of_listeners();
  const Grouping& tracks = (*model)->of_tracks();
  if (common.json) {
    const json out = {{"listener_groups", AsJson(*data, listeners, data->listeners)},
                      {"track_groups", AsJson(*data, tracks, data->tracks.id)}};
    std::printf("%s\n", out.dump(2, ' ', false, json::error_handler_t::replace).c_str());
    return kOk;
  }
  Print(*data, listeners, "listeners");
  Print(*data, tracks, "tracks");
  return kOk;
}

}  // namespace segue::cli
