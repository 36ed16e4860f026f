#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "cli/verbs.h"
#include "core/version.h"
#include "train/classifier_trainer.h"
#include "train/trainer.h"

namespace segue::cli {
namespace {

CLI::App* Verb(CLI::App& app, Common& common, const std::string& name, const std::string& help, bool data = true) {
  CLI::App* verb = app.add_subcommand(name, help);
  if (data) verb->add_option("--data", common.data, "The data folder")->capture_default_str();
  verb->add_option("--config", common.config, "Settings file; default: <data>/segue.toml where there is one");
  verb->add_option("--set", common.set, "KEY=VALUE: one setting (`segue settings` lists them)")
      ->allow_extra_args(false);
  verb->add_flag("--json", common.json, "Print JSON for machines");
  verb->add_flag("--quiet", common.quiet, "Only warnings and errors on stderr");
  return verb;
}

void RunningVerbs(CLI::App& app, Common& common, int& exit_code, ServeFlags& serve, DemoFlags& demo) {
  CLI::App* verb = Verb(app, common, "serve", "Serve recommendations and follow the inbox, until stopped");
  verb->add_option("--listen", serve.listen, "ADDRESS:PORT; default 127.0.0.1:7348");
  verb->add_flag("--replica", serve.replica, "Answer requests only; another process runs the pipeline");
  verb->callback([&] { exit_code = Serve(common, serve); });

  verb = Verb(app, common, "demo", "Make listeners, train on them, and leave a server running in the background");
  verb->add_option("--listen", demo.listen, "ADDRESS:PORT; default 127.0.0.1:7348");
  verb->add_flag("--stop", demo.stop, "Stop the demo's server");
  verb->callback([&] { exit_code = Demo(common, demo); });
}

void DataVerbs(CLI::App& app, Common& common, int& exit_code, IngestFlags& ingest, CleanFlags& clean,
               RunFlags& run) {
  CLI::App* verb = Verb(app, common, "ingest", "Take files or folders in (the inbox does the same by itself)");
  verb->add_option("paths", ingest.paths, "Files and folders: Spotify exports, track tables, ratings, ...")->required();
  verb->add_option("--listener", ingest.listener, "Who listened; default: the folder the export lies in");
  verb->callback([&] { exit_code = IngestPaths(common, ingest); });

  verb = Verb(app, common, "clean", "Clean all that came in into a dataset, and say what was done to it");
  verb->add_flag("--report", clean.report, "Print the whole quality report");
  verb->callback([&] { exit_code = CleanData(common, clean); });

  verb = Verb(app, common, "run", "One run: ingest, clean, train, evaluate, gate, deploy");
  verb->add_option("--reason", run.reason, "Why, for the record");
  verb->add_flag("--dry-run", run.dry_run, "Clean, train, evaluate and ask the gate, but put nothing live; exit code 0 where the gate approves, 3 where not");
  verb->callback([&] { exit_code = RunPipeline(common, run); });
}

void RegistryVerbs(CLI::App& app, Common& common, int& exit_code, PromoteFlags& promote, AliasFlags& alias, int64_t& days, std::string& argument) {
  const auto of_kind = [](CLI::App& verb, std::string& kind, const char* help) {
    return verb.add_option("--kind", kind, help)->check(CLI::IsMember({"recommender", "hits"}));
  };
  CLI::App* models = Verb(app, common, "models", "List the models with their figures");
  of_kind(*models, argument, "recommender or hits; default: both");
  CLI::App* reproduce = models->add_subcommand("reproduce", "Train a model again from its manifest, and compare the bytes");
  reproduce->add_option("model", promote.model_id, "Model id, or an alias")->required();
  CLI::App* lineage = models->add_subcommand("lineage", "From a model to its dataset and the files that it was made of");
  lineage->add_option("model", promote.model_id, "Model id, or an alias")->required();
  CLI::App* names = models->add_subcommand("alias", "Give a model a name, take one away, or list them");
  names->add_option("name", alias.name, "The name: a-z, 0-9, '.', '_', '-'");
  names->add_option("model", alias.model, "Model id, or an alias");
  names->add_option("--remove", alias.remove, "Take this name away");
  CLI::App* online = models->add_subcommand("online", "What became of the lists that each model was shown in");
  online->add_option("--days", days, "Of so many days")->check(CLI::Range(1, 36500))->capture_default_str();
  for (CLI::App* verb : {reproduce, lineage, names, online}) verb->fallthrough();
  models->callback([&, models, reproduce, lineage, names, online] {
    exit_code = models->got_subcommand(reproduce) ? ReproduceModel(common, promote.model_id)
                : models->got_subcommand(lineage) ? ShowLineage(common, promote.model_id)
                : models->got_subcommand(names)   ? AliasModel(common, alias)
                : models->got_subcommand(online)  ? ShowOnline(common, days)
                                                  : ListModels(common, argument);
  });
  CLI::App* runs = Verb(app, common, "runs", "List the runs with their verdicts, or show one with all that it tried");
  runs->add_option("run", argument, "A run's id, or `last`: its stages, every trial with its settings and figures, the gate's checks");
  runs->callback([&] { exit_code = ListRuns(common, argument); });

  CLI::App* verb = Verb(app, common, "promote", "Put a model live, if the gate approves it");
  verb->add_option("model", promote.model_id, "Model id, or an alias")->required();
  of_kind(*verb, promote.kind, "recommender or hits: what the model has to be")->capture_default_str();
  verb->add_option("--reason", promote.reason, "Why, for the record");
  verb->callback([&] { exit_code = PromoteModel(common, promote); });

  verb = Verb(app, common, "rollback", "End the canary or shadow that is going on; else go back to the model that was live before");
  of_kind(*verb, promote.kind, "recommender or hits: whose live model to leave")->capture_default_str();
  verb->add_option("--reason", promote.reason, "Why, for the record");
  verb->callback([&] { exit_code = RollBack(common, promote); });
}

void WatchingVerbs(CLI::App& app, Common& common, int& exit_code, LogFlags& logs, AlarmFlags& alarms) {
  CLI::App* verb = Verb(app, common, "logs", "Print a run's log, or search those of all runs and requests");
  verb->add_option("run,--run", logs.run_id, "Run id; default: the newest, or all where something is searched for");
  verb->add_option("--stage", logs.stage, "Lines of one stage: ingest, clean, ..., or request");
  verb->add_option("--level", logs.level, "Lines of this level or a more serious one")->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  verb->add_option("--query", logs.text, "Lines that have this text");
  verb->add_option("--since", logs.since, "Lines from then on, UTC: 2026-03-01, 2026-03-01T12:30");
  verb->add_option("--until", logs.until, "Lines up to then, UTC");
  verb->add_option("-n", logs.n, "At most so many lines, the newest; default: all of a run, 100 of a search")->check(CLI::Range(1, 1000000));
  verb->add_flag("--follow", logs.follow, "Go on with what is written, until stopped");
  verb->callback([&] { exit_code = ShowLogs(common, logs); });

  verb = Verb(app, common, "alarms", "List alarms, one with its history, or acknowledge one");
  verb->add_option("--state", alarms.state, "open (pending or firing), pending, firing, resolved or inactive; default: all but inactive")
      ->check(CLI::IsMember({"open", "pending", "firing", "resolved", "inactive"}));
  verb->add_option("--name", alarms.name, "Of one rule or event");
  verb->add_option("--id", alarms.id, "One alarm, with its history");
  verb->add_option("-n", alarms.n, "At most so many, the newest")->check(CLI::Range(1, 10000))->capture_default_str();
  CLI::App* acknowledge = verb->add_subcommand("ack", "Say that it has been seen; of an event, that it is over");
  acknowledge->add_option("alarm", alarms.id, "Alarm id")->required();
  acknowledge->add_option("--note", alarms.note, "Why, for the record");
  acknowledge->fallthrough();
  verb->callback([&, verb, acknowledge] {
    exit_code = verb->got_subcommand(acknowledge) ? AcknowledgeAlarm(common, alarms) : ListAlarms(common, alarms);
  });
}

void AccessVerbs(CLI::App& app, Common& common, int& exit_code, TokenFlags& flags, ForgetFlags& forget, int64_t& n) {
  CLI::App* tokens = Verb(app, common, "tokens", "Make, list and revoke the tokens that requests carry");
  CLI::App* create = tokens->add_subcommand("create", "Make a token, and print it this once");
  create->add_option("name", flags.name, "What it is for: \"phone\", \"navidrome\"")->required();
  create->add_option("--role", flags.role, "read: look; listen: tell what was played, and get recommendations; admin: all")
      ->required()->check(CLI::IsMember({"read", "listen", "admin"}));
  create->add_option("--listener", flags.listener, "Whom a token of role listen belongs to; default: anybody's events");
  create->add_flag("--legacy", flags.legacy, "Good for Audioscrobbler 1.2 too, which needs its MD5 kept: for players that speak nothing newer");
  CLI::App* list = tokens->add_subcommand("list", "List the tokens, without their secrets");
  CLI::App* revoke = tokens->add_subcommand("revoke", "A token is good no longer, from the next request on");
  revoke->add_option("token", flags.name, "Its name or id")->required();
  for (CLI::App* verb : {create, list, revoke}) verb->fallthrough();
  tokens->require_subcommand(1);
  create->callback([&] { exit_code = CreateToken(common, flags); });
  list->callback([&] { exit_code = ListTokens(common); });
  revoke->callback([&] { exit_code = RevokeToken(common, flags.name); });

  CLI::App* verb = Verb(app, common, "forget", "Forget a listener: nothing of him counts any more, and the next models are without him");
  verb->add_option("listener", forget.listener, "His name")->required();
  verb->add_flag("--yes", forget.yes, "It is meant: this cannot be undone");
  verb->callback([&] { exit_code = ForgetListener(common, forget); });

  verb = Verb(app, common, "audit", "Print what admins did, the newest first");
  verb->add_option("-n", n, "How many")->check(CLI::Range(1, 1000000))->capture_default_str();
  verb->callback([&] { exit_code = ShowAudit(common, n); });
}

/// What there is to train on, and how.
void TrainingOptions(CLI::App& verb, OfflineFlags& flags) {
  verb.add_option("--train", flags.files.train, "CSV: user_id,item_id,value[,at]");
  verb.add_option("--fold-in", flags.files.fold_in, "CSV, the same columns: the past of listeners who are not trained on");
  verb.add_option("--item-tags", flags.files.item_tags, "CSV: item_id,tag[,count]");
  verb.add_option("--item-features", flags.files.item_features, "CSV: item_id and columns of numbers");
  verb.add_option("--friends", flags.files.friends, "CSV: user_id,friend_id");
  std::string known;
  for (const std::string_view name : train::KnownAlgorithms()) known += (known.empty() ? "" : ", ") + std::string(name);
  verb.add_option("--algorithm", flags.algorithm, "One of " + known)->capture_default_str();
  verb.add_option("--seed", flags.seed, "Random seed; default train.seed");
}

void ModelVerbs(CLI::App& app, Common& common, int& exit_code, OfflineFlags& flags) {
  CLI::App* verb = Verb(app, common, "evaluate", "Train on one file, judge on another: full ranking");
  TrainingOptions(*verb, flags);
  verb->get_option("--train")->required();
  verb->add_option("--test", flags.files.test, "CSV, the same columns: what is to be found")->required();
  verb->callback([&] { exit_code = EvaluateFiles(common, flags); });

  verb = Verb(app, common, "predict", "Train on one file, predict the ratings of another");
  TrainingOptions(*verb, flags);
  verb->get_option("--train")->required();
  verb->add_option("--test", flags.files.test, "CSV, the same columns: whose ratings to predict")->required();
  verb->add_option("--output", flags.output, "CSV file: user_id,item_id,value,prediction")->required();
  verb->callback([&] { exit_code = PredictFiles(common, flags); });

  verb = Verb(app, common, "recommend", "Recommend: to a listener of a data folder, or to all of a CSV file");
  verb->add_option("listener", flags.listener, "Listener (with --data)");
  TrainingOptions(*verb, flags);
  verb->add_option("-n", flags.n, "Tracks a listener")->check(CLI::Range(1, 100000))->capture_default_str();
  verb->add_option("--output", flags.output, "CSV file: user_id,item_id,rank,score");
  verb->callback([&] { exit_code = Recommend(common, flags); });

  verb = Verb(app, common, "similar", "Tracks like a track");
  verb->add_option("track", flags.track, "Track id, or \"Artist - Title\"")->required();
  verb->add_option("-n", flags.n, "How many")->check(CLI::Range(1, 100000))->capture_default_str();
  verb->callback([&] { exit_code = SimilarTracks(common, flags); });
}

void GroupsVerb(CLI::App& app, Common& common, int& exit_code, GroupsFlags& flags) {
  CLI::App* verb = Verb(app, common, "groups", "Group listeners and tracks by taste, with what is typical of each");
  verb->add_option("--train", flags.files.train, "CSV: user_id,item_id,value[,at]; default: what the live model was trained on");
  verb->add_option("--item-tags", flags.files.item_tags, "CSV: item_id,tag[,count]");
  verb->add_option("--output", flags.output, "File to keep the groups in");
  verb->add_option("--previous", flags.previous, "File of earlier groups to go on from: groups keep their numbers");
  verb->callback([&] { exit_code = ListGroups(common, flags); });
}

void HitsVerb(CLI::App& app, Common& common, int& exit_code, HitsFlags& flags) {
  CLI::App* verb = Verb(app, common, "hits", "Learn what makes a hit (or a genre) from song files, and judge it on songs held out", false);
  std::string known;
  for (const std::string_view name : train::KnownClassifiers()) known += (known.empty() ? "" : ", ") + std::string(name);
  verb->add_option("--csv", flags.csv, "CSV of songs: columns of numbers and one of labels; once a file")->required()->allow_extra_args(false);
  verb->add_option("--model", flags.models, "One or more of " + known + ", comma between; all: each of them")->capture_default_str();
  verb->add_option("--split", flags.split, "random:SHARE:SEED, or artist:SHARE:SEED: no artist on both sides")->capture_default_str();
  verb->add_option("--seeds", flags.seeds, "So many splits, seeds counted up: mean and spread")->check(CLI::Range(1, 1000))->capture_default_str();
  verb->add_option("--with", flags.with, "decade: as a feature (a column, or of the file's name)")->check(CLI::IsMember({"decade"}));
  verb->add_option("--by", flags.by, "The column of labels")->capture_default_str();
  verb->add_option("--group", flags.group, "genres: labels in about ten groups")->check(CLI::IsMember({"genres"}));
  verb->add_option("--search", flags.search, "Search settings on the training part: so many trials (20), or seconds (60s)");
  verb->add_option("--calibrate", flags.calibrate, "Put probabilities right on out-of-fold predictions")
      ->check(CLI::IsMember({"none", "isotonic", "platt"}))->capture_default_str();
  verb->add_option("--leak", flags.leak, "artist-hit-rate: the artist's share of hits in train, which gives the label away")
      ->check(CLI::IsMember({"artist-hit-rate"}));
  verb->add_flag("--learning-curve", flags.learning_curve, "Judge models of a tenth, a fifth, ... of the training songs too");
  verb->add_flag("--importance", flags.importance, "What each feature is worth: held-out values shuffled");
  verb->add_option("--save", flags.save, "Keep the (one) model in this file");
  verb->add_option("--html", flags.html, "Write a page with the curves");
  verb->add_option("--predict", flags.predict, "Predict with a saved model instead");
  verb->add_option("--output", flags.output, "CSV file for --predict");
  verb->callback([&] { exit_code = JudgeHits(common, flags); });
}

void SongVerbs(CLI::App& app, Common& common, int& exit_code, StatsFlags& flags) {
  CLI::App* verb = Verb(app, common, "stats", "What sets songs of one class apart (hits from flops), and what the data look like", false);
  verb->add_option("--csv,files", flags.files, "CSV files of songs: a header, columns of numbers, one of labels")->required();
  verb->add_option("--by", flags.by, "The column of labels; \"\" for none")->capture_default_str();
  verb->add_option("--features", flags.features, "NAME[,NAME...]: columns to look at; default: all of numbers but ids, dates and popularity")
      ->delimiter(',')->allow_extra_args(false);
  verb->add_option("--without", flags.without, "NAME[,NAME...]: columns to leave out")->delimiter(',')->allow_extra_args(false);
  verb->add_flag("--text-is-missing", flags.text_is_missing, "Take text in a number's place for missing, and count it");
  verb->add_option("--html", flags.html, "File to write a page with charts to");
  verb->callback([&] { exit_code = Stats(common, flags); });
}

void ReplayVerb(CLI::App& app, Common& common, int& exit_code, ReplayFlags& flags) {
  CLI::App* verb = Verb(app, common, "replay", "Walk through real history: does retraining pay, and which way of it?");
  verb->add_option("--histories", flags.histories, "Folder (or file) of listening histories; default: what the live model of --data was trained on");
  verb->add_option("--tracks", flags.tracks, "Table of tracks; once a file")->allow_extra_args(false);
  verb->add_option("--output", flags.output, "Folder for replay.json, replay.html and replay.svg")->required();
  verb->add_option("--algorithm", flags.algorithm, "What is trained; `segue evaluate --help` lists them")->capture_default_str();
  verb->add_option("--window", flags.window, "Length of a window: 7d, 12h, 4w")->capture_default_str();
  verb->add_option("--clock", flags.clock, "calendar: dates as they were; listener: everybody's first day is day 0; auto: calendar where listeners share its windows")
      ->check(CLI::IsMember({"auto", "calendar", "listener"}))->capture_default_str();
  verb->add_option("--start", flags.start, "The first judged window has this share of all events before it (0.25), or this much time (90d)")->capture_default_str();
  verb->add_option("--retrain-every", flags.retrain_every, "The timer's windows; 0: never")->capture_default_str();
  verb->add_option("--trigger-plays", flags.trigger_plays, "Train when at least so many events are new ...; 0: not by events")->capture_default_str();
  verb->add_option("--trigger-share", flags.trigger_share, "... and at least this share of those trained on")->capture_default_str();
  verb->add_option("--trigger-drift", flags.trigger_drift, "Or when the share of plays of unfamiliar artists has risen by so much; 0: not by drift")->capture_default_str();
  verb->add_option("--switch-at", flags.switch_at, "When tastes are known to have switched (2025-05-01, or 60d after the first day): tells how each arm recovers");
  verb->add_option("--recovered", flags.recovered, "Recovered at this share of the level before")->check(CLI::Range(0.01, 1.0))->capture_default_str();
  verb->add_option("--seed", flags.seed, "Random seed; default train.seed");
  verb->callback([&] { exit_code = ReplayHistories(common, flags); });
}

void OtherVerbs(CLI::App& app, Common& common, int& exit_code, SimulateFlags& flags) {
  CLI::App* verb = Verb(app, common, "simulate", "Write made-up listeners with drifting tastes as raw files", false);
  verb->add_option("--output", flags.output, "Folder to write to")->required();
  verb->add_option("--listeners", flags.listeners, "Listeners")->check(CLI::Range(1, 10000000))->capture_default_str();
  verb->add_option("--tracks", flags.tracks, "Tracks")->check(CLI::Range(10, 10000000))->capture_default_str();
  verb->add_option("--days", flags.days, "Days of listening")->check(CLI::Range(1, 36500))->capture_default_str();
  verb->add_option("--plays-per-day", flags.plays_per_day, "Mean a listener")->capture_default_str();
  verb->add_option("--drift", flags.drift, "Share of a taste that moves each day")->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--switch-day", flags.switch_day, "On this day every taste becomes another, and old favourites are forgotten; default: never");
  verb->add_option("--seed", flags.seed, "Random seed: the same seed, the same files")->capture_default_str();
  verb->callback([&] { exit_code = SimulateWorld(common, flags); });

  Verb(app, common, "settings", "List every setting with its value, range and meaning", false)
      ->callback([&] { exit_code = ListSettings(common); });
}

int Main(int argc, char** argv) {
  CLI::App app{"Segue: a self-hosted music recommender that keeps itself up to date.\n"
               "Drop listening histories into the inbox; the rest happens by itself.\n\n"
               "  segue demo                                 see it work on made-up listeners\n"
               "  segue serve --data DIR                     run it; the inbox is DIR/bucket/inbox\n"
               "  segue recommend --data DIR LISTENER        ask it\n",
               "segue"};
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);

  Common common;
  int exit_code = kOk;
  ServeFlags serve;
  DemoFlags demo;
  IngestFlags ingest;
  CleanFlags clean;
  RunFlags run;
  PromoteFlags promote;
  AliasFlags alias;
  int64_t days = 1;
  std::string argument;
  OfflineFlags offline;
  GroupsFlags groups;
  HitsFlags hits;
  ReplayFlags replay;
  SimulateFlags simulate;
  StatsFlags stats;
  LogFlags logs;
  AlarmFlags alarms;
  TokenFlags token;
  ForgetFlags forget;
  int64_t audited = 50;
  RunningVerbs(app, common, exit_code, serve, demo);
  DataVerbs(app, common, exit_code, ingest, clean, run);
  ModelVerbs(app, common, exit_code, offline);
  RegistryVerbs(app, common, exit_code, promote, alias, days, argument);
  WatchingVerbs(app, common, exit_code, logs, alarms);
  AccessVerbs(app, common, exit_code, token, forget, audited);
  GroupsVerb(app, common, exit_code, groups);
  HitsVerb(app, common, exit_code, hits);
  SongVerbs(app, common, exit_code, stats);
  ReplayVerb(app, common, exit_code, replay);
  OtherVerbs(app, common, exit_code, simulate);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kOk : kUsage;
  }
  return exit_code;
}

}  // namespace
}  // namespace segue::cli

int main(int argc, char** argv) {
  try {
    return segue::cli::Main(argc, argv);
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "segue: %s\n", bug.what());
    return segue::cli::kFailed;
  }
}
