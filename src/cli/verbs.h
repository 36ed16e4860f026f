#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/program.h"
#include "store/csv_files.h"

namespace segue::cli {

// One function a verb: does it, prints it, and returns the exit code. Results
// go to stdout (JSON with --json), messages and progress to stderr.

struct ServeFlags {
  std::string listen;    ///< "" as configured
  bool replica = false;  ///< answers requests only, runs no pipeline
};
int Serve(const Common& common, const ServeFlags& flags);

struct DemoFlags {
  std::string listen;
  bool stop = false;
};
int Demo(const Common& common, const DemoFlags& flags);

struct IngestFlags {
  std::vector<std::string> paths;
  std::string listener;
};
int IngestPaths(const Common& common, const IngestFlags& flags);

struct CleanFlags {
  bool report = false;
};
int CleanData(const Common& common, const CleanFlags& flags);

struct RunFlags {
  std::string reason;
  bool dry_run = false;
};
int RunPipeline(const Common& common, const RunFlags& flags);

/// `kind` as Name(ModelKind); "" of every kind.
int ListModels(const Common& common, const std::string& kind);
/// Trains a model again from its manifest and compares the bytes; kOk only where they are the same.
int ReproduceModel(const Common& common, const std::string& model_id);
struct AliasFlags {
  std::string name;    ///< "" lists them
  std::string model;   ///< its id, or an alias
  std::string remove;  ///< the name to take away instead; "" none
};
int AliasModel(const Common& common, const AliasFlags& flags);
/// Down to the raw files.
int ShowLineage(const Common& common, const std::string& model);
/// What became of the lists that were shown in the last so many days.
int ShowOnline(const Common& common, int64_t days);
/// One with its trials and checks, or, `run_id` "", all of them, a line each; "last" is the newest.
int ListRuns(const Common& common, const std::string& run_id);

struct LogFlags {
  std::string run_id;   ///< "" the newest, where nothing else is asked for; else all
  std::string stage, level, text, since, until;  ///< as store::LogQuery
  int64_t n = 0;        ///< most lines, the newest; 0: a run's all, else 100
  bool follow = false;  ///< goes on with what comes, until stopped
};
int ShowLogs(const Common& common, const LogFlags& flags);

struct AlarmFlags {
  std::string state;    ///< as store::AlarmFilter
  std::string name;
  int64_t n = 50;
  int64_t id = 0;       ///< one with its history; of acknowledge, which
  std::string note;
};
int ListAlarms(const Common& common, const AlarmFlags& flags);
int AcknowledgeAlarm(const Common& common, const AlarmFlags& flags);

struct PromoteFlags {
  std::string kind = "recommender";  ///< Name(ModelKind)
  std::string model_id;
  std::string reason;
};
int PromoteModel(const Common& common, const PromoteFlags& flags);
/// Of `flags`, all but the model.
int RollBack(const Common& common, const PromoteFlags& flags);

struct TokenFlags {
  std::string name;
  std::string role;      ///< Name(store::Role)
  std::string listener;  ///< "" nobody's
  bool legacy = false;   ///< also for Audioscrobbler 1.2
};
/// Prints the secret, which is nowhere else.
int CreateToken(const Common& common, const TokenFlags& flags);
int ListTokens(const Common& common);
int RevokeToken(const Common& common, const std::string& id_or_name);
/// The newest n records of what admins did.
int ShowAudit(const Common& common, int64_t n);

struct ForgetFlags {
  std::string listener;
  bool yes = false;  ///< it is meant
};
/// Durable at once; where a server follows the folder a run without him starts.
int ForgetListener(const Common& common, const ForgetFlags& flags);

struct OfflineFlags {
  store::CsvFiles files;
  std::string algorithm = "ials";
  int64_t seed = -1;     ///< -1: train.seed
  int64_t n = 10;
  std::string output;    ///< recommend: CSV file, "" stdout; predict: CSV file
  std::string listener;  ///< recommend on a data folder
  std::string track;     ///< similar
};
int EvaluateFiles(const Common& common, const OfflineFlags& flags);
int PredictFiles(const Common& common, const OfflineFlags& flags);
int Recommend(const Common& common, const OfflineFlags& flags);
int SimilarTracks(const Common& common, const OfflineFlags& flags);

struct GroupsFlags {
  store::CsvFiles files;
  std::string previous;  ///< an artifact of groups to go on from; "" none
  std::string output;    ///< where to keep this one; "" nowhere
};
int ListGroups(const Common& common, const GroupsFlags& flags);

struct HitsFlags {
  std::vector<std::string> csv;
  std::string models = "ensemble";      ///< comma between, settings in brackets; "all"
  std::string split = "random:0.3:1";
  int64_t seeds = 1;                    ///< so many splits, seeds counted up
  std::string with;                     ///< "decade": as a feature
  std::string search;                   ///< trials ("20") or seconds ("60s"); "" none
  std::string calibrate = "none";
  std::string leak;                     ///< "artist-hit-rate"
  std::string by = "target";            ///< column of the label
  std::string group;                    ///< "genres": labels in about ten groups
  bool learning_curve = false;
  bool importance = false;
  std::string save;
  std::string html;
  std::string predict;                  ///< a saved model: predicts instead of training
  std::string output;                   ///< of predict
};
int JudgeHits(const Common& common, const HitsFlags& flags);

struct ReplayFlags {
  std::vector<std::string> histories;  ///< none: the data folder's
  std::vector<std::string> tracks;
  std::string output;
  std::string algorithm = "ials";
  std::string window = "7d";
  std::string clock = "auto";
  std::string start = "0.25";          ///< a share of the events, or a span
  int64_t retrain_every = 4;
  int64_t trigger_plays = 1000;
  double trigger_share = 0.2;
  double trigger_drift = 0.15;
  std::string switch_at;               ///< a date, or a span since the first day; "" none known
  double recovered = 0.8;
  int64_t seed = -1;                   ///< -1: train.seed
};
int ReplayHistories(const Common& common, const ReplayFlags& flags);

struct SimulateFlags {
  std::string output;
  int64_t listeners = 200;
  int64_t tracks = 3000;
  int64_t days = 180;
  double plays_per_day = 6;
  double drift = 0.005;
  int64_t switch_day = -1;
  int64_t seed = 7;
};
int SimulateWorld(const Common& common, const SimulateFlags& flags);

struct StatsFlags {
  std::vector<std::string> files;     ///< CSV files of songs
  std::string by = "target";          ///< the column of labels
  std::vector<std::string> features;  ///< none: all that tell of the sound
  std::vector<std::string> without;
  bool text_is_missing = false;
  std::string html;                   ///< where to write the page; "" nowhere
};
int Stats(const Common& common, const StatsFlags& flags);

int ListSettings(const Common& common);

}  // namespace segue::cli
