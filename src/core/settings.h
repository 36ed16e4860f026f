#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"

namespace segue {

/// Columns of a user's own table, mapped to ours: `[[ingest.mapping]]` in
/// segue.toml. `columns` goes from our name (listener, artist, title, album,
/// track, at, value, ms_played, kind, text, year, duration_ms, tags, ...,
/// the audio features) to the header's. A mapping applies to a table whose
/// header has all the columns that it names.
struct ColumnMapping {
  std::string name;
  std::string table = "listens";  ///< "listens" or "tracks"
  std::map<std::string, std::string> columns;
  std::string kind = "play";      ///< for listens without a kind column
};

/// A rule of alarms of a user's own: `[[alarms.rule]]` in segue.toml. It fires
/// when `metric comparison threshold` has held for `for_seconds`. One with a
/// built-in rule's name takes its place. Which metrics there are: monitor/rules.h.
struct AlarmRule {
  std::string name;
  std::string metric;
  std::string comparison = ">";  ///< ">", ">=", "<", "<="
  double threshold = 0;
  int64_t for_seconds = 0;
  std::string severity = "warning";  ///< or "critical"
  std::string message;               ///< "" made of the rest; "{value}", "{threshold}" stand for the figures
};

// Settings of the algorithms: the table of settings (settings.cc) has what each
// means, with its range; the algorithm's header has the formulas.

struct TrendingSettings {
  double half_life_days = 30;
};
struct KnnSettings {
  std::string similarity = "cosine";
  std::string weighting = "tfidf";
  int64_t neighbours = 200;
  double shrinkage = 0;
  double popular = 0.4;
  std::string scoring = "sum";
  double locality = 1;          ///< user_knn
};
struct SvdSettings {
  int64_t factors = 62;  ///< with two biases, rows of 64 floats
  int64_t epochs = 40;
  double learning_rate = 0.015;
  double decay = 0.94;
  double regularization = 0.08;
  double bias_regularization = 0.8;
  double frequency_exponent = 0.4;
};
struct GibbsSettings {
  int64_t factors = 14;  ///< with two biases, rows of 16 floats
  int64_t burn_in = 20;
  int64_t samples = 200;
  int64_t kept = 32;
};
struct IalsSettings {
  int64_t factors = 128;
  int64_t epochs = 12;
  double alpha = 1.5;
  double regularization = 1.55;
  double frequency_exponent = 0.5;
  std::string confidence = "log";
  double half_life_days = 0;
  int64_t block = 128;
};
struct PairwiseSettings {
  int64_t factors = 63;  ///< with the bias, rows of 64 floats
  int64_t epochs = 30;
  double learning_rate = 0.1;
  double regularization = 0.2;
};
struct EaseSettings {
  double regularization = 30;
  double popularity_penalty = 2;
  double listener_exponent = 0.4;
  int64_t max_dense = 8000;
  int64_t neighbours = 300;
  std::string weighting = "log";
};
struct ContentSettings {
  double text_weight = 1;
  double audio_weight = 0.2;
  double popularity_weight = 0.5;
};
struct ContentMapSettings {
  double regularization = 0.3;
  double prior_listeners = 10;
  int64_t most_steps = 100;
};
/// How models of the next track read a listener's past (models/sequence.h).
struct SequenceSettings {
  int64_t gap_minutes = 30;
  int64_t window = 100;
  double window_half_life = 30;
  double long_term = 0.5;
  double repeat = 0.9;
  double repeat_half_life_days = 60;
  double lately = 0.03;
  double lately_half_life_days = 3;
};
struct SessionSettings {
  int64_t neighbours = 100;
  int64_t most_sessions = 1000;
  double half_life_days = 1000;
  SequenceSettings past{.gap_minutes = 60};
};
struct MarkovSettings {
  double half_life_days = 1000;
  int64_t steps = 10;
  double backward = 0.5;
  double smoothing = 5;
  int64_t kept = 200;
  SequenceSettings past;
};
struct GroupsSettings {
  int64_t most = 32;
};
struct HybridSettings {
  std::string members = "ials,ials_content,ease,item_knn,user_knn,friends,content_text,session_knn,popularity,hit_chance,ease(liked=all),ials(liked=all)";
  int64_t candidates = 100;
  int64_t folds = 3;
  int64_t lists = 4000;
  int64_t trees = 300;
  int64_t depth = 5;
  double learning_rate = 0.08;
  int64_t truncation = 50;
};

/// Classifiers of songs (train/classifier_trainer.h).
struct KnnClassifierSettings {
  int64_t neighbours = 0;  ///< 0: the best of some by leaving one out
  double power = 2;
  std::string scales = "learned";
};
struct LogisticSettings {
  double regularization = 1;
  int64_t parts = 8;
  std::string interactions = "pairs";
};
struct MlpSettings {
  int64_t hidden = 128;
  int64_t hidden2 = 64;
  int64_t networks = 4;
  int64_t epochs = 40;
  int64_t patience = 10;
  int64_t batch = 256;
  double learning_rate = 0.004;
  double weight_decay = 0.01;
  double dropout = 0.3;
  double holdout = 0.1;
  int64_t parts = 8;
};
struct EnsembleSettings {
  std::string members = "mlp,gradient_boosting,extra_trees";
  std::string weights = "greedy";
  std::string folds_by = "song";
  int64_t folds = 3;
};

/// random_forest and extra_trees.
struct ForestSettings {
  int64_t trees = 500;
  int64_t tried = 0;  ///< 0: the root of the number of features
  int64_t min_leaf_rows = 2;
  int64_t max_depth = 0;
  int64_t most_rows = 200'000;
  int64_t bootstrap = 1;
  std::string derived = "frames";
};
/// gradient_boosting.
struct BoostingSettings {
  int64_t trees = 1500;
  double learning_rate = 0.04;
  int64_t depth = 6;
  int64_t leaves = 0;
  double l2 = 10;
  double min_child_hessian = 1;
  int64_t min_child_rows = 20;
  double rows = 0.8;
  double columns = 0.3;
  int64_t bags = 1;
  double holdout = 0.15;
  int64_t patience = 60;
  int64_t paired = 8;
  std::string derived = "frames";
};

/// The hit model in the pipeline (pipeline/hits.h).
struct HitsSettings {
  int64_t min_songs = 500;
  double holdout_share = 0.2;
  std::string algorithms = "gradient_boosting,extra_trees";
  std::string calibrate = "none";
  double min_auc = 0.6;
  double min_accuracy = 0.5;
  double max_drop = 0.02;
};

/// Settings tried in each run (pipeline/search.h).
struct SearchSettings {
  int64_t trials = 2;
  double seconds = 0;
  double enough_mrr = 0;
};

/// When data and predictions count as drifted (monitor/drift.h).
struct DriftSettings {
  int64_t min_rows = 200;
  double max_psi = 0.25;
  double max_wasserstein = 0.1;
  double max_js = 0.1;
  double max_null_change = 0.05;
  double max_undefined = 0.01;
  double max_listening = 0.4;
  int64_t check_minutes = 10;
};
/// Rules, and where alarms go (monitor/alarms.h).
struct AlarmSettings {
  std::string defaults = "on";
  std::vector<AlarmRule> rules;
  int64_t check_seconds = 15;
  int64_t event_hours = 24;
  std::string webhook_url;
  std::string webhook_secret;
  std::string webhook_secret_file;
  int64_t webhook_timeout_s = 10;
};
/// The log of requests (monitor/request_log.h).
struct LogSettings {
  std::string requests = "on";
  int64_t max_mb = 64;
  int64_t keep_days = 14;
};

/// How an approved recommender goes live (pipeline/delivery.h).
struct DeliverySettings {
  std::string mode = "live";
  double canary_share = 0.1;
  double shadow_share = 0.1;
  int64_t shadow_minutes = 60;
  int64_t shadow_lists = 200;
  std::string after_shadow = "canary";
  int64_t max_hours = 168;
  std::string on_timeout = "rollback";
  double alpha = 0.05;
  double margin = 0.05;
  int64_t min_listeners = 30;
  int64_t lists_per_listener = 5;
  int64_t listener_hours = 24;
  double max_failed_share = 0.02;
  double max_p99_ms = 500;
  std::string rollback_alarms = "serve,slow_answers,dislike_rate_high,like_rate_low";
};

/// The log of lists that were shown (store/impressions.h).
struct ImpressionSettings {
  int64_t window_s = 3600;
  int64_t keep_days = 30;
};

/// Every setting with its default. kSettings below gives each its range and
/// documentation; flags, environment, TOML and docs all derive from that table.
struct Settings {
  // serve
  std::string listen = "127.0.0.1:7348";
  std::string token;  ///< an admin's; where it is set, loopback needs a token too
  int64_t rate_per_minute = 600;
  int64_t rate_per_minute_on_loopback = 0;
  std::string cors_origins;
  std::string tls_listen;
  std::string tls_certificate;
  std::string tls_key;
  std::string public_url;
  std::string lastfm_secret;
  int64_t serve_threads = 2;
  int64_t max_body_bytes = 1 << 20;
  int64_t max_upload_bytes = int64_t{4} << 30;
  int64_t request_timeout_s = 30;
  int64_t max_per_artist = 2;
  int64_t repeat_after_hours = 0;
  // inbox and ingest
  int64_t inbox_settle_ms = 1000;
  int64_t inbox_burst_ms = 2000;
  std::string default_listener = "me";
  int64_t max_line_bytes = 64 << 20;
  int64_t max_expanded_bytes = int64_t{64} << 30;
  std::vector<ColumnMapping> mappings;
  // clean
  double max_rejected_share = 0.25;
  std::string suspicious = "stop";
  int64_t skip_below_ms = 30'000;
  int64_t memory_limit_mb = 1024;
  // train
  std::string algorithms = "popularity,ials,ials_content";
  int64_t threads = 0;
  int64_t seed = 42;
  double skip_weight = 0.5;
  double like_weight = 5.0;
  std::string liked = "auto";
  // one algorithm each
  TrendingSettings trending;
  KnnSettings item_knn{.neighbours = 200};
  KnnSettings user_knn{.neighbours = 100};
  SvdSettings svd{.regularization = 0.12};
  SvdSettings svdpp;
  GibbsSettings svdpp_gibbs;
  IalsSettings ials;
  EaseSettings ease;
  ContentSettings content;
  ContentMapSettings ials_content;
  SessionSettings session_knn;
  MarkovSettings markov;
  GroupsSettings groups;
  PairwiseSettings bpr{.epochs = 50, .learning_rate = 0.4, .regularization = 0.05};
  PairwiseSettings warp;
  HybridSettings hybrid;
  KnnClassifierSettings knn;
  LogisticSettings logistic;
  MlpSettings mlp;
  EnsembleSettings ensemble;
  ForestSettings forest;
  ForestSettings extra_trees{.bootstrap = 0};
  BoostingSettings boosting;
  HitsSettings hits;
  SearchSettings search;
  // evaluate
  std::string split = "listener_time";
  double holdout_share = 0.2;
  std::string protocol = "discovery";
  int64_t list_length = 100;
  int64_t bootstrap_samples = 1000;
  int64_t new_below = 20;
  int64_t heavy_from = 200;
  // gate
  double min_mrr = 0.02;
  double min_hit_rate = 0.05;
  double min_coverage = 0.0;
  double min_mrr_new = 0;
  double min_mrr_light = 0;
  double min_mrr_heavy = 0;
  double min_diversity = 0;
  double max_p99_ms = 500;
  double max_drop = 0.05;
  double confidence = 0.95;
  double max_artifact_mb = 4096;
  DeliverySettings delivery;
  ImpressionSettings impressions;
  // runs
  int64_t feedback_trigger = 1000;
  std::string config_trigger = "on";
  int64_t drift_trigger_hours = 24;
  std::string schedule_cron;       ///< "": never
  std::string schedule_timezone = "UTC";
  std::string notifications_secret;
  std::string notifications_secret_file;
  int64_t notifications_patience_s = 3600;
  // what is watched
  DriftSettings drift;
  AlarmSettings alarms;
  LogSettings logs;
  std::string metrics = "on";
};

enum class Affects { kResults, kSpeed };

/// One row of the table of settings.
struct SettingInfo {
  std::string_view name;   ///< dotted, as in segue.toml: "gate.min_mrr"
  std::variant<int64_t*, double*, std::string*> (*field)(Settings&);
  double least = 0;        ///< numbers: inclusive range
  double most = 0;
  std::string_view doc;    ///< one line, with the unit
  Affects affects = Affects::kResults;
  std::string_view choices = "";  ///< strings: allowed values, '|' between; "" any
  Status (*check)(std::string_view text) = nullptr;  ///< strings: is it one? null: any
  bool secret = false;            ///< is not shown
};

std::span<const SettingInfo> AllSettings();

/// Sets one setting from text. Unknown name: an error that names the nearest.
/// Example: Set(settings, "ials.factors", "32").
Status Set(Settings& settings, std::string_view name, std::string_view text);
/// The setting's present value as text.
std::string Get(const Settings& settings, const SettingInfo& info);

/// Reads segue.toml text (`origin` names it in errors, with the line) on top
/// of `settings`.
Status ApplyToml(Settings& settings, std::string_view text, std::string_view origin);

/// SEGUE_GATE_MIN_MRR=0.1 sets gate.min_mrr. `environment` as `environ`.
Status ApplyEnvironment(Settings& settings, const char* const* environment);

/// Those that change results, as "name=value" lines in table order: part of
/// the ids of what they produce.
std::string ResultFingerprint(const Settings& settings, std::string_view prefix);

}  // namespace segue
