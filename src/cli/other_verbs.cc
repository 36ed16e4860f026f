#include <cstdio>

#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "monitor/run_log.h"
#include "simulate/simulate.h"

namespace segue::cli {

using nlohmann::json;

int SimulateWorld(const Common& common, const SimulateFlags& flags) {
  CatchSignals();
  const auto instruments = monitor::ConsoleInstruments(common.quiet, [] { return Cancelled().load(); });
  simulate::World world;
  world.seed = static_cast<uint64_t>(flags.seed);
  world.listeners = flags.listeners;
  world.tracks = flags.tracks;
  world.artists = std::max<int64_t>(5, flags.tracks / 8);
  world.days = flags.days;
  world.plays_per_day = flags.plays_per_day;
  world.drift = flags.drift;
  world.switch_day = flags.switch_day;
  const auto summary = simulate::Simulate(world, flags.output, *instruments);
  if (!summary.ok()) return Fail(summary.error());
  if (common.json) {
    std::printf("%s\n", json{{"folder", flags.output}, {"files", summary->files}, {"plays", summary->plays}}.dump(2).c_str());
  } else {
    std::printf("%lld plays of %lld listeners in %lld files below %s\n", static_cast<long long>(summary->plays),
                static_cast<long long>(flags.listeners), static_cast<long long>(summary->files), flags.output.c_str());
  }
  return kOk;
}

int ListSettings(const Common& common) {
  const auto settings = ReadSettings(common);
  if (!settings.ok()) return Fail(settings.error());
  json list = json::array();
  for (const SettingInfo& info : AllSettings()) {
    const std::string given = Get(*settings, info);
    const std::string value = info.secret && !given.empty() ? "(set)" : given;
    const std::string affects = info.affects == Affects::kResults ? "results" : "speed";
    list.push_back({{"name", info.name}, {"value", value}, {"doc", info.doc}, {"affects", affects}});
    if (common.json) continue;
    std::printf("%-28s %-18s %s\n", std::string(info.name).c_str(), value.c_str(), std::string(info.doc).c_str());
  }
  if (common.json) std::printf("%s\n", list.dump(2).c_str());
  return kOk;
}

}  // namespace segue::cli
