#include "core/settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include <toml++/toml.h>

#include "core/cron.h"
#include "core/time_zone.h"

namespace segue {
namespace {

constexpr double kHuge = 9e15;

using Field = std::variant<int64_t*, double*, std::string*>;

Status CheckCron(std::string_view text) {
  if (text.empty()) return {};
  const auto schedule = ParseCron(text);
  return schedule.ok() ? Status() : Status(schedule.error());
}

Status CheckTimeZone(std::string_view text) {
  const auto zone = LoadTimeZone(text);
  return zone.ok() ? Status() : Status(zone.error());
}

Status CheckWebhook(std::string_view text) {
  if (text.empty() || text.starts_with("http://") || text.starts_with("https://")) return {};
  return Error{ErrorCode::kInvalid, "expected an address that starts with http:// or https://"};
}

/// How a row of the table reaches its setting.
#define SEGUE_SETTING(member) [](Settings& s) -> Field { return &s.member; }

const std::array kSettings = {
    SettingInfo{"serve.listen", SEGUE_SETTING(listen), 0, 0, "address:port to listen on", Affects::kSpeed},
    SettingInfo{"serve.token", SEGUE_SETTING(token), 0, 0, "a token of role admin beside those of `segue tokens`; where it is set, requests from this machine need a token too (set it behind a proxy)", Affects::kSpeed, "", nullptr, true},
    SettingInfo{"serve.rate_per_minute", SEGUE_SETTING(rate_per_minute), 0, 1e9, "requests a minute of each token, and of each address without one; 0: no limit", Affects::kSpeed},
    SettingInfo{"serve.rate_per_minute_on_loopback", SEGUE_SETTING(rate_per_minute_on_loopback), 0, 1e9, "the same for requests from this machine; 0: no limit", Affects::kSpeed},
    SettingInfo{"serve.cors_origins", SEGUE_SETTING(cors_origins), 0, 0, "origins whose pages may ask (\"https://a.example\"), comma between; * all; empty: none", Affects::kSpeed},
    SettingInfo{"serve.tls_listen", SEGUE_SETTING(tls_listen), 0, 0, "address:port to listen on with TLS, beside serve.listen; empty: none", Affects::kSpeed},
    SettingInfo{"serve.tls_certificate", SEGUE_SETTING(tls_certificate), 0, 0, "PEM file of the certificate and its chain; read again when it changes, and on SIGHUP", Affects::kSpeed},
    SettingInfo{"serve.tls_key", SEGUE_SETTING(tls_key), 0, 0, "PEM file of the certificate's private key", Affects::kSpeed},
    SettingInfo{"serve.public_url", SEGUE_SETTING(public_url), 0, 0, "where players reach this server, if a proxy is in front (\"https://segue.example\"); empty: as they asked", Affects::kSpeed},
    SettingInfo{"serve.lastfm_secret", SEGUE_SETTING(lastfm_secret), 0, 0, "shared secret with which Last.fm clients have to sign; empty: signatures are not looked at, the session key alone counts", Affects::kSpeed, "", nullptr, true},
    SettingInfo{"serve.threads", SEGUE_SETTING(serve_threads), 1, 256, "threads that answer requests", Affects::kSpeed},
    SettingInfo{"serve.max_body_bytes", SEGUE_SETTING(max_body_bytes), 1024, 1 << 30, "largest JSON request body, bytes", Affects::kSpeed},
    SettingInfo{"serve.max_upload_bytes", SEGUE_SETTING(max_upload_bytes), 1024, kHuge, "largest upload to the inbox, bytes", Affects::kSpeed},
    SettingInfo{"serve.request_timeout_s", SEGUE_SETTING(request_timeout_s), 1, 3600, "a client slower than this is cut off, seconds", Affects::kSpeed},
    SettingInfo{"serve.max_per_artist", SEGUE_SETTING(max_per_artist), 1, 1000, "most tracks of one artist in a list", Affects::kSpeed},
    SettingInfo{"serve.repeat_after_hours", SEGUE_SETTING(repeat_after_hours), 0, 87'600, "a track of a list that was replaced is not recommended to its listener again for so many hours; 0: it may be", Affects::kSpeed},
    SettingInfo{"inbox.settle_ms", SEGUE_SETTING(inbox_settle_ms), 0, 600'000, "a file counts as complete when unchanged for so long, milliseconds", Affects::kSpeed},
    SettingInfo{"inbox.burst_ms", SEGUE_SETTING(inbox_burst_ms), 0, 3'600'000, "a run starts when the inbox has been quiet for so long, milliseconds", Affects::kSpeed},
    SettingInfo{"ingest.default_listener", SEGUE_SETTING(default_listener), 0, 0, "listener of a Spotify export that lies in no folder"},
    SettingInfo{"ingest.max_line_bytes", SEGUE_SETTING(max_line_bytes), 1024, kHuge, "longest line or record accepted, bytes"},
    SettingInfo{"ingest.max_expanded_bytes", SEGUE_SETTING(max_expanded_bytes), 1024, kHuge, "most that one archive may unpack to, bytes"},
    SettingInfo{"clean.max_rejected_share", SEGUE_SETTING(max_rejected_share), 0, 1, "a file with a larger share of rejected rows stops the run (duplicates, podcasts and zero-length plays are not counted)"},
    SettingInfo{"clean.suspicious", SEGUE_SETTING(suspicious), 0, 0, "what to do with a new file that is wrong as a whole (a column of another scale, shuffled columns, ratings all the same, one track thousands of times): stop the run and quarantine it, or keep it", Affects::kSpeed, "stop|keep"},
    SettingInfo{"clean.skip_below_ms", SEGUE_SETTING(skip_below_ms), 0, 600'000, "a play shorter than this is a skip, milliseconds"},
    SettingInfo{"clean.memory_limit_mb", SEGUE_SETTING(memory_limit_mb), 64, kHuge, "memory for cleaning before it spills to disk, megabytes", Affects::kSpeed},
    SettingInfo{"train.algorithms", SEGUE_SETTING(algorithms), 0, 0, "algorithms that compete in a run, comma between"},
    SettingInfo{"train.threads", SEGUE_SETTING(threads), 0, 4096, "threads to train with; 0: all cores", Affects::kSpeed},
    SettingInfo{"train.seed", SEGUE_SETTING(seed), 0, kHuge, "random seed"},
    SettingInfo{"train.skip_weight", SEGUE_SETTING(skip_weight), 0, 1e6, "a skip takes this many plays away"},
    SettingInfo{"train.like_weight", SEGUE_SETTING(like_weight), 0, 1e6, "a like counts as this many plays"},
    SettingInfo{"train.liked", SEGUE_SETTING(liked), 0, 0, "which rated tracks count as wanted: all; above_mean: at or above the listener's mean; auto: above_mean where ratings reach down to half of the scale", Affects::kResults, "auto|all|above_mean"},
    SettingInfo{"trending.half_life_days", SEGUE_SETTING(trending.half_life_days), 0.01, 1e6, "a play counts half after so many days"},
    SettingInfo{"item_knn.similarity", SEGUE_SETTING(item_knn.similarity), 0, 0, "how alike two tracks are", Affects::kResults, "cosine|pearson|euclidean|jaccard"},
    SettingInfo{"item_knn.weighting", SEGUE_SETTING(item_knn.weighting), 0, 0, "what a play count becomes before it is compared", Affects::kResults, "none|log|binary|bm25|tfidf"},
    SettingInfo{"item_knn.neighbours", SEGUE_SETTING(item_knn.neighbours), 1, 100000, "nearest tracks that are kept"},
    SettingInfo{"item_knn.shrinkage", SEGUE_SETTING(item_knn.shrinkage), 0, 1e9, "added to the support of a likeness, so that few common plays count little"},
    SettingInfo{"item_knn.popular", SEGUE_SETTING(item_knn.popular), 0, 1, "cosine: how much tracks with much in their rows lose; 0.5 is the plain cosine"},
    SettingInfo{"item_knn.scoring", SEGUE_SETTING(item_knn.scoring), 0, 0, "how neighbours add up", Affects::kResults, "sum|mean|max|rank"},
    SettingInfo{"user_knn.similarity", SEGUE_SETTING(user_knn.similarity), 0, 0, "how alike two listeners are", Affects::kResults, "cosine|pearson|euclidean|jaccard"},
    SettingInfo{"user_knn.weighting", SEGUE_SETTING(user_knn.weighting), 0, 0, "what a play count becomes before it is compared", Affects::kResults, "none|log|binary|bm25|tfidf"},
    SettingInfo{"user_knn.neighbours", SEGUE_SETTING(user_knn.neighbours), 1, 100000, "nearest listeners that are kept"},
    SettingInfo{"user_knn.shrinkage", SEGUE_SETTING(user_knn.shrinkage), 0, 1e9, "added to the support of a likeness, so that few common plays count little"},
    SettingInfo{"user_knn.scoring", SEGUE_SETTING(user_knn.scoring), 0, 0, "how neighbours add up", Affects::kResults, "sum|mean|max|rank"},
    SettingInfo{"user_knn.locality", SEGUE_SETTING(user_knn.locality), 0.01, 20, "likeness counts to this power: above 1 the nearest count more"},
    SettingInfo{"svd.factors", SEGUE_SETTING(svd.factors), 1, 4096, "dimensions of the factor space"},
    SettingInfo{"svd.epochs", SEGUE_SETTING(svd.epochs), 1, 1000, "passes over the ratings"},
    SettingInfo{"svd.learning_rate", SEGUE_SETTING(svd.learning_rate), 1e-6, 1, "step of stochastic gradient descent"},
    SettingInfo{"svd.decay", SEGUE_SETTING(svd.decay), 0.01, 1, "the step shrinks by this factor an epoch"},
    SettingInfo{"svd.regularization", SEGUE_SETTING(svd.regularization), 0, 1e6, "weight of the penalty on factors (lambda)"},
    SettingInfo{"svd.bias_regularization", SEGUE_SETTING(svd.bias_regularization), 0, 1e6, "weight of the penalty on biases"},
    SettingInfo{"svd.frequency_exponent", SEGUE_SETTING(svd.frequency_exponent), 0, 1, "the penalty a rating falls with the row's ratings to this power"},
    SettingInfo{"svdpp.factors", SEGUE_SETTING(svdpp.factors), 1, 4096, "dimensions of the factor space"},
    SettingInfo{"svdpp.epochs", SEGUE_SETTING(svdpp.epochs), 1, 1000, "passes over the ratings"},
    SettingInfo{"svdpp.learning_rate", SEGUE_SETTING(svdpp.learning_rate), 1e-6, 1, "step of stochastic gradient descent"},
    SettingInfo{"svdpp.decay", SEGUE_SETTING(svdpp.decay), 0.01, 1, "the step shrinks by this factor an epoch"},
    SettingInfo{"svdpp.regularization", SEGUE_SETTING(svdpp.regularization), 0, 1e6, "weight of the penalty on factors (lambda)"},
    SettingInfo{"svdpp.bias_regularization", SEGUE_SETTING(svdpp.bias_regularization), 0, 1e6, "weight of the penalty on biases"},
    SettingInfo{"svdpp.frequency_exponent", SEGUE_SETTING(svdpp.frequency_exponent), 0, 1, "the penalty a rating falls with the row's ratings to this power"},
    SettingInfo{"svdpp_gibbs.factors", SEGUE_SETTING(svdpp_gibbs.factors), 1, 4096, "dimensions of the factor space"},
    SettingInfo{"svdpp_gibbs.burn_in", SEGUE_SETTING(svdpp_gibbs.burn_in), 0, 100000, "samples thrown away at the start"},
    SettingInfo{"svdpp_gibbs.samples", SEGUE_SETTING(svdpp_gibbs.samples), 1, 100000, "samples drawn after that"},
    SettingInfo{"svdpp_gibbs.kept", SEGUE_SETTING(svdpp_gibbs.kept), 1, 1000, "samples kept in the model, evenly spaced; predictions are their mean, and its size grows with them"},
    SettingInfo{"ials.factors", SEGUE_SETTING(ials.factors), 1, 4096, "dimensions of the factor space"},
    SettingInfo{"ials.epochs", SEGUE_SETTING(ials.epochs), 1, 1000, "passes over the data"},
    SettingInfo{"ials.alpha", SEGUE_SETTING(ials.alpha), 0, 1e6, "confidence is 1 + alpha * log(1 + strength)"},
    SettingInfo{"ials.regularization", SEGUE_SETTING(ials.regularization), 0, 1e9, "weight of the penalty (lambda), for rows with one interaction of confidence 1; grows with both"},
    SettingInfo{"ials.frequency_exponent", SEGUE_SETTING(ials.frequency_exponent), 0, 1, "penalty grows with a row's interactions to this power"},
    SettingInfo{"ials.confidence", SEGUE_SETTING(ials.confidence), 0, 0, "what the strength in the confidence is: as it stands, or its logarithm", Affects::kResults, "log|linear"},
    SettingInfo{"ials.half_life_days", SEGUE_SETTING(ials.half_life_days), 0, 100000, "what is so much older than the listener's newest counts half; 0: age does not count"},
    SettingInfo{"ials.block", SEGUE_SETTING(ials.block), 8, 4096, "factors solved at a time; as many as ials.factors or more: the exact solution"},
    SettingInfo{"bpr.factors", SEGUE_SETTING(bpr.factors), 1, 4096, "dimensions of the factor space"},
    SettingInfo{"bpr.epochs", SEGUE_SETTING(bpr.epochs), 1, 10000, "passes over the data"},
    SettingInfo{"bpr.learning_rate", SEGUE_SETTING(bpr.learning_rate), 1e-6, 10, "length of a step"},
    SettingInfo{"bpr.regularization", SEGUE_SETTING(bpr.regularization), 0, 1000, "weight of the penalty on factors"},
    SettingInfo{"warp.factors", SEGUE_SETTING(warp.factors), 1, 4096, "dimensions of the factor space"},
    SettingInfo{"warp.epochs", SEGUE_SETTING(warp.epochs), 1, 10000, "passes over the data"},
    SettingInfo{"warp.learning_rate", SEGUE_SETTING(warp.learning_rate), 1e-6, 10, "length of a step"},
    SettingInfo{"warp.regularization", SEGUE_SETTING(warp.regularization), 0, 1000, "weight of the penalty on factors"},
    SettingInfo{"ease.regularization", SEGUE_SETTING(ease.regularization), 1e-3, 1e9, "penalty, for weights of mean square 1 and one listener a track (train/ease.h)"},
    SettingInfo{"ease.popularity_penalty", SEGUE_SETTING(ease.popularity_penalty), 0, 1000, "further penalty, in squares of a track's weights: how little it shall be predicted by those alike (train/ease.h)"},
    SettingInfo{"ease.listener_exponent", SEGUE_SETTING(ease.listener_exponent), 0, 1, "a listener of n tracks counts as n to minus this: 0 all of their tracks count alike, 1 all listeners"},
    SettingInfo{"ease.max_dense", SEGUE_SETTING(ease.max_dense), 1, 100000, "most of listeners or played tracks, whichever are fewer, for the exact solution; above it the nearest tracks alone (train/ease.h)"},
    SettingInfo{"ease.neighbours", SEGUE_SETTING(ease.neighbours), 1, 10000, "tracks that each is predicted from above ease.max_dense"},
    SettingInfo{"ease.weighting", SEGUE_SETTING(ease.weighting), 0, 0, "what a play count becomes", Affects::kResults, "none|log|binary|bm25|tfidf"},
    SettingInfo{"content.text_weight", SEGUE_SETTING(content.text_weight), 0, 1000, "content: how much likeness of tags, names and reviews counts beside that of sound"},
    SettingInfo{"content.audio_weight", SEGUE_SETTING(content.audio_weight), 0, 1000, "content: how much likeness of sound counts beside that of tags, names and reviews"},
    SettingInfo{"content.popularity_weight", SEGUE_SETTING(content.popularity_weight), 0, 1000, "how much popularity counts beside content (full likeness is 1)"},
    SettingInfo{"ials_content.regularization", SEGUE_SETTING(ials_content.regularization), 1e-6, 1e9, "weight of the penalty of the map from content to factors (lambda)"},
    SettingInfo{"ials_content.prior_listeners", SEGUE_SETTING(ials_content.prior_listeners), 0, 1e9, "a track's place by content counts as much as so many listeners"},
    SettingInfo{"ials_content.most_steps", SEGUE_SETTING(ials_content.most_steps), 1, 100000, "most steps of conjugate gradients that fit the map"},
    SettingInfo{"session_knn.neighbours", SEGUE_SETTING(session_knn.neighbours), 1, 100000, "most similar sessions that vote"},
    SettingInfo{"session_knn.most_sessions", SEGUE_SETTING(session_knn.most_sessions), 1, 1000000, "newest sessions kept of each track"},
    SettingInfo{"session_knn.half_life_days", SEGUE_SETTING(session_knn.half_life_days), 0.01, 1e6, "a session counts half after so many days"},
    SettingInfo{"session_knn.gap_minutes", SEGUE_SETTING(session_knn.past.gap_minutes), 1, 100000, "a pause longer than this ends a session, minutes"},
    SettingInfo{"session_knn.window", SEGUE_SETTING(session_knn.past.window), 1, 100, "newest plays that the next track follows from"},
    SettingInfo{"session_knn.window_half_life", SEGUE_SETTING(session_knn.past.window_half_life), 0.01, 1e6, "each of them counts half so many plays later"},
    SettingInfo{"session_knn.long_term", SEGUE_SETTING(session_knn.past.long_term), 0, 1, "share that the listener's whole past has in what the next track follows from"},
    SettingInfo{"session_knn.repeat", SEGUE_SETTING(session_knn.past.repeat), 0, 1, "share of the score that the listener's habits have: repeats"},
    SettingInfo{"session_knn.repeat_half_life_days", SEGUE_SETTING(session_knn.past.repeat_half_life_days), 0.01, 1e6, "a habit counts half after so many days"},
    SettingInfo{"session_knn.lately", SEGUE_SETTING(session_knn.past.lately), 0, 1, "share of the habits that the newest plays alone make"},
    SettingInfo{"session_knn.lately_half_life_days", SEGUE_SETTING(session_knn.past.lately_half_life_days), 0.01, 1e6, "each of them counts half after so many days"},
    SettingInfo{"markov.half_life_days", SEGUE_SETTING(markov.half_life_days), 0.01, 1e6, "a transition counts half after so many days"},
    SettingInfo{"markov.steps", SEGUE_SETTING(markov.steps), 1, 1000, "most plays between a track and what follows it, the follower counted"},
    SettingInfo{"markov.backward", SEGUE_SETTING(markov.backward), 0, 1, "a transition counts so much in the other direction"},
    SettingInfo{"markov.smoothing", SEGUE_SETTING(markov.smoothing), 0.001, 1e6, "popularity counts as so many transitions"},
    SettingInfo{"markov.kept", SEGUE_SETTING(markov.kept), 1, 100000, "most followers kept of each track"},
    SettingInfo{"markov.gap_minutes", SEGUE_SETTING(markov.past.gap_minutes), 1, 100000, "a pause longer than this ends a session, minutes"},
    SettingInfo{"markov.window", SEGUE_SETTING(markov.past.window), 1, 100, "newest plays that the next track follows from"},
    SettingInfo{"markov.window_half_life", SEGUE_SETTING(markov.past.window_half_life), 0.01, 1e6, "each of them counts half so many plays later"},
    SettingInfo{"markov.long_term", SEGUE_SETTING(markov.past.long_term), 0, 1, "share that the listener's whole past has in what the next track follows from"},
    SettingInfo{"markov.repeat", SEGUE_SETTING(markov.past.repeat), 0, 1, "share of the score that the listener's habits have: repeats"},
    SettingInfo{"markov.repeat_half_life_days", SEGUE_SETTING(markov.past.repeat_half_life_days), 0.01, 1e6, "a habit counts half after so many days"},
    SettingInfo{"markov.lately", SEGUE_SETTING(markov.past.lately), 0, 1, "share of the habits that the newest plays alone make"},
    SettingInfo{"markov.lately_half_life_days", SEGUE_SETTING(markov.past.lately_half_life_days), 0.01, 1e6, "each of them counts half after so many days"},
    SettingInfo{"groups.most", SEGUE_SETTING(groups.most), 2, 10000, "most groups that are tried"},
    SettingInfo{"hybrid.members", SEGUE_SETTING(hybrid.members), 0, 0, "algorithms whose candidates are ranked, comma between"},
    SettingInfo{"hybrid.candidates", SEGUE_SETTING(hybrid.candidates), 1, 100000, "candidates taken from each member"},
    SettingInfo{"hybrid.folds", SEGUE_SETTING(hybrid.folds), 1, 4, "inner splits that the ranker learns from"},
    SettingInfo{"hybrid.lists", SEGUE_SETTING(hybrid.lists), 1, 1e7, "most listeners of a split that the ranker learns from"},
    SettingInfo{"hybrid.trees", SEGUE_SETTING(hybrid.trees), 1, 10000, "most trees of the ranker"},
    SettingInfo{"hybrid.depth", SEGUE_SETTING(hybrid.depth), 1, 12, "levels of a tree"},
    SettingInfo{"hybrid.learning_rate", SEGUE_SETTING(hybrid.learning_rate), 1e-4, 1, "shrinkage of each tree"},
    SettingInfo{"hybrid.truncation", SEGUE_SETTING(hybrid.truncation), 1, 10000, "ranks below this one do not count in learning"},
    SettingInfo{"knn.neighbours", SEGUE_SETTING(knn.neighbours), 0, 100000, "nearest songs that vote; 0: as many as vote best when each training song is left out"},
    SettingInfo{"knn.power", SEGUE_SETTING(knn.power), 0, 20, "a vote counts as the inverse distance to this power; 0: all the same"},
    SettingInfo{"knn.scales", SEGUE_SETTING(knn.scales), 0, 0, "what features count in the distance: all the same, or as much as helps on training songs", Affects::kResults, "equal|learned"},
    SettingInfo{"logistic.regularization", SEGUE_SETTING(logistic.regularization), 0, 1e9, "weight of the penalty on squared coefficients (lambda), beside the sum over songs"},
    SettingInfo{"logistic.parts", SEGUE_SETTING(logistic.parts), 0, 100, "pieces of each feature's curve; 0: straight lines"},
    SettingInfo{"logistic.interactions", SEGUE_SETTING(logistic.interactions), 0, 0, "products of features as columns of their own", Affects::kResults, "none|pairs"},
    SettingInfo{"mlp.hidden", SEGUE_SETTING(mlp.hidden), 1, 4096, "width of the first hidden layer (rounded up to a multiple of 16)"},
    SettingInfo{"mlp.hidden2", SEGUE_SETTING(mlp.hidden2), 1, 4096, "width of the second hidden layer (rounded up to a multiple of 16)"},
    SettingInfo{"mlp.networks", SEGUE_SETTING(mlp.networks), 1, 100, "networks of other seeds and inner parts whose probabilities are averaged"},
    SettingInfo{"mlp.epochs", SEGUE_SETTING(mlp.epochs), 1, 10000, "most passes over the songs"},
    SettingInfo{"mlp.patience", SEGUE_SETTING(mlp.patience), 1, 10000, "stops after so many passes without a better inner part"},
    SettingInfo{"mlp.batch", SEGUE_SETTING(mlp.batch), 1, 100000, "songs of one step"},
    SettingInfo{"mlp.learning_rate", SEGUE_SETTING(mlp.learning_rate), 1e-7, 1, "largest step of Adam; it falls to 0 along half a cosine"},
    SettingInfo{"mlp.weight_decay", SEGUE_SETTING(mlp.weight_decay), 0, 100, "weights shrink by this share of the step"},
    SettingInfo{"mlp.dropout", SEGUE_SETTING(mlp.dropout), 0, 0.95, "share of hidden units that are left out of a step"},
    SettingInfo{"mlp.holdout", SEGUE_SETTING(mlp.holdout), 0, 0.5, "share of the songs that say when to stop; 0: all epochs are run"},
    SettingInfo{"mlp.parts", SEGUE_SETTING(mlp.parts), 0, 100, "pieces that each feature's scale is cut into beside its value; 0: none"},
    SettingInfo{"ensemble.members", SEGUE_SETTING(ensemble.members), 0, 0, "classifiers whose probabilities are averaged, comma between, settings of their own in brackets"},
    SettingInfo{"ensemble.weights", SEGUE_SETTING(ensemble.weights), 0, 0, "chosen on out-of-fold predictions, or all the same", Affects::kResults, "greedy|equal"},
    SettingInfo{"ensemble.folds_by", SEGUE_SETTING(ensemble.folds_by), 0, 0, "what stays together in a fold", Affects::kResults, "song|artist"},
    SettingInfo{"ensemble.folds", SEGUE_SETTING(ensemble.folds), 2, 100, "folds of the out-of-fold predictions"},
    SettingInfo{"forest.trees", SEGUE_SETTING(forest.trees), 1, 100000, "trees"},
    SettingInfo{"forest.tried", SEGUE_SETTING(forest.tried), 0, 65535, "features drawn at each split; 0: the root of their number"},
    SettingInfo{"forest.min_leaf_rows", SEGUE_SETTING(forest.min_leaf_rows), 1, 1e9, "drawn songs that a split leaves on either side at least"},
    SettingInfo{"forest.max_depth", SEGUE_SETTING(forest.max_depth), 0, 1000, "levels of splits; 0: until nothing is left to split"},
    SettingInfo{"forest.most_rows", SEGUE_SETTING(forest.most_rows), 0, 4e9, "songs drawn for one tree at most; 0: as many as there are"},
    SettingInfo{"forest.bootstrap", SEGUE_SETTING(forest.bootstrap), 0, 1, "1: each tree draws its songs with replacement; 0: each song once"},
    SettingInfo{"forest.derived", SEGUE_SETTING(forest.derived), 0, 0, "columns made of others: how far the duration is from whole frames of a CD", Affects::kResults, "none|frames"},
    SettingInfo{"extra_trees.trees", SEGUE_SETTING(extra_trees.trees), 1, 100000, "trees"},
    SettingInfo{"extra_trees.tried", SEGUE_SETTING(extra_trees.tried), 0, 65535, "features drawn at each split; 0: the root of their number"},
    SettingInfo{"extra_trees.min_leaf_rows", SEGUE_SETTING(extra_trees.min_leaf_rows), 1, 1e9, "drawn songs that a split leaves on either side at least"},
    SettingInfo{"extra_trees.max_depth", SEGUE_SETTING(extra_trees.max_depth), 0, 1000, "levels of splits; 0: until nothing is left to split"},
    SettingInfo{"extra_trees.most_rows", SEGUE_SETTING(extra_trees.most_rows), 0, 4e9, "songs drawn for one tree at most; 0: as many as there are"},
    SettingInfo{"extra_trees.bootstrap", SEGUE_SETTING(extra_trees.bootstrap), 0, 1, "1: each tree draws its songs with replacement; 0: each song once"},
    SettingInfo{"extra_trees.derived", SEGUE_SETTING(extra_trees.derived), 0, 0, "columns made of others: how far the duration is from whole frames of a CD", Affects::kResults, "none|frames"},
    SettingInfo{"boosting.trees", SEGUE_SETTING(boosting.trees), 1, 100000, "most rounds: a tree each, or a tree a class where there are more than two"},
    SettingInfo{"boosting.learning_rate", SEGUE_SETTING(boosting.learning_rate), 1e-4, 1, "shrinkage of each tree"},
    SettingInfo{"boosting.depth", SEGUE_SETTING(boosting.depth), 1, 30, "levels of a tree at most"},
    SettingInfo{"boosting.leaves", SEGUE_SETTING(boosting.leaves), 0, 1e6, "leaves of a tree at most, the best splits first; 0: as many as the depth allows"},
    SettingInfo{"boosting.l2", SEGUE_SETTING(boosting.l2), 0, 1e9, "weight of the penalty on squared leaf values (lambda)"},
    SettingInfo{"boosting.min_child_hessian", SEGUE_SETTING(boosting.min_child_hessian), 0, 1e9, "sum of p(1-p) that a split leaves on either side at least"},
    SettingInfo{"boosting.min_child_rows", SEGUE_SETTING(boosting.min_child_rows), 1, 1e9, "songs that a split leaves on either side at least"},
    SettingInfo{"boosting.rows", SEGUE_SETTING(boosting.rows), 0.01, 1, "share of the songs that each tree sees"},
    SettingInfo{"boosting.columns", SEGUE_SETTING(boosting.columns), 0.01, 1, "share of the columns that each tree sees"},
    SettingInfo{"boosting.bags", SEGUE_SETTING(boosting.bags), 1, 100, "ensembles of other seeds whose sums are averaged"},
    SettingInfo{"boosting.holdout", SEGUE_SETTING(boosting.holdout), 0, 0.5, "share of the songs, whole artists, that say how many rounds there are; 0: all rounds are run"},
    SettingInfo{"boosting.patience", SEGUE_SETTING(boosting.patience), 1, 100000, "the search for the best round ends after so many without a better one"},
    SettingInfo{"boosting.paired", SEGUE_SETTING(boosting.paired), 0, 100, "best features whose sums and differences are columns too; 0: none"},
    SettingInfo{"boosting.derived", SEGUE_SETTING(boosting.derived), 0, 0, "columns made of others: how far the duration is from whole frames of a CD", Affects::kResults, "none|frames"},
    SettingInfo{"hits.min_songs", SEGUE_SETTING(hits.min_songs), 10, kHuge, "labelled tracks that a hit model is trained from on"},
    SettingInfo{"hits.holdout_share", SEGUE_SETTING(hits.holdout_share), 0.01, 0.9, "share of the artists whose tracks hit models are judged on and never learn from"},
    SettingInfo{"hits.algorithms", SEGUE_SETTING(hits.algorithms), 0, 0, "classifiers that compete, comma between, settings of their own in brackets"},
    SettingInfo{"hits.calibrate", SEGUE_SETTING(hits.calibrate), 0, 0, "puts probabilities right on out-of-fold predictions, which takes five more fits", Affects::kResults, "none|isotonic|platt"},
    SettingInfo{"hits.min_auc", SEGUE_SETTING(hits.min_auc), 0, 1, "least area under the ROC curve of a hit model to go live"},
    SettingInfo{"hits.min_accuracy", SEGUE_SETTING(hits.min_accuracy), 0, 1, "least accuracy of a hit model to go live"},
    SettingInfo{"hits.max_drop", SEGUE_SETTING(hits.max_drop), 0, 1, "largest loss of AUC against the live hit model that is let pass when it is not significant"},
    SettingInfo{"search.trials", SEGUE_SETTING(search.trials), 0, 100'000, "settings drawn in each run and tried on a part of the training data; 0: all is as configured"},
    SettingInfo{"search.seconds", SEGUE_SETTING(search.seconds), 0, 1e7, "no trial begins after so many seconds; 0: no limit of time, and the same outcome on every machine"},
    SettingInfo{"search.enough_mrr", SEGUE_SETTING(search.enough_mrr), 0, 1, "the search ends where a trial reaches this MRR; 0: it goes on to the end of its budget"},
    SettingInfo{"evaluate.split", SEGUE_SETTING(split), 0, 0, "how the hold-out is cut", Affects::kResults, "listener_time|global_time"},
    SettingInfo{"evaluate.holdout_share", SEGUE_SETTING(holdout_share), 0.01, 0.9, "share of the newest listening that is held out"},
    SettingInfo{"evaluate.protocol", SEGUE_SETTING(protocol), 0, 0, "discovery: unheard tracks only; next: repeats allowed", Affects::kResults, "discovery|next"},
    SettingInfo{"evaluate.list_length", SEGUE_SETTING(list_length), 1, 10'000, "length of the ranked lists"},
    SettingInfo{"evaluate.bootstrap_samples", SEGUE_SETTING(bootstrap_samples), 10, 1'000'000, "resamples for intervals"},
    SettingInfo{"evaluate.new_below", SEGUE_SETTING(new_below), 1, 1e9, "listeners of fewer known tracks are the segment 'new'"},
    SettingInfo{"evaluate.heavy_from", SEGUE_SETTING(heavy_from), 1, 1e9, "listeners of at least so many are 'heavy', those between 'light'"},
    SettingInfo{"gate.min_mrr", SEGUE_SETTING(min_mrr), 0, 1, "least MRR to go live"},
    SettingInfo{"gate.min_hit_rate", SEGUE_SETTING(min_hit_rate), 0, 1, "least hit rate at 10 to go live"},
    SettingInfo{"gate.min_coverage", SEGUE_SETTING(min_coverage), 0, 1, "least share of the catalogue in anybody's top 10"},
    SettingInfo{"gate.min_mrr_new", SEGUE_SETTING(min_mrr_new), 0, 1, "least MRR of new listeners"},
    SettingInfo{"gate.min_mrr_light", SEGUE_SETTING(min_mrr_light), 0, 1, "least MRR of light listeners"},
    SettingInfo{"gate.min_mrr_heavy", SEGUE_SETTING(min_mrr_heavy), 0, 1, "least MRR of heavy listeners"},
    SettingInfo{"gate.min_diversity", SEGUE_SETTING(min_diversity), 0, 1, "least mean share of different artists in the top 10"},
    SettingInfo{"gate.max_p99_ms", SEGUE_SETTING(max_p99_ms), 0.1, 1e6, "99 of 100 answers of the saved model take at most so many milliseconds"},
    SettingInfo{"gate.max_drop", SEGUE_SETTING(max_drop), 0, 1, "largest mean loss of NDCG@100 against the live model that is let pass when it is not significant"},
    SettingInfo{"gate.confidence", SEGUE_SETTING(confidence), 0.5, 0.9999, "confidence of the paired bootstrap interval"},
    SettingInfo{"gate.max_artifact_mb", SEGUE_SETTING(max_artifact_mb), 1, kHuge, "largest model file, megabytes"},
    SettingInfo{"delivery.mode", SEGUE_SETTING(delivery.mode), 0, 0, "where an approved recommender goes: live; canary: a share of the listeners sees it first; shadow: it is asked beside the live one and not shown", Affects::kSpeed, "live|canary|shadow"},
    SettingInfo{"delivery.canary_share", SEGUE_SETTING(delivery.canary_share), 0.001, 0.999, "share of the listeners that a canary is shown to", Affects::kSpeed},
    SettingInfo{"delivery.shadow_share", SEGUE_SETTING(delivery.shadow_share), 0, 1, "share of the lists that a shadow is asked for too", Affects::kSpeed},
    SettingInfo{"delivery.shadow_minutes", SEGUE_SETTING(delivery.shadow_minutes), 0, 1e6, "a shadow goes on to delivery.after_shadow after this time at the earliest, minutes", Affects::kSpeed},
    SettingInfo{"delivery.shadow_lists", SEGUE_SETTING(delivery.shadow_lists), 1, 1e9, "... and with at least so many lists", Affects::kSpeed},
    SettingInfo{"delivery.after_shadow", SEGUE_SETTING(delivery.after_shadow), 0, 0, "where a shadow without complaint goes", Affects::kSpeed, "canary|live"},
    SettingInfo{"delivery.max_hours", SEGUE_SETTING(delivery.max_hours), 1, 1e5, "a canary or shadow that is not decided by then ends, hours", Affects::kSpeed},
    SettingInfo{"delivery.on_timeout", SEGUE_SETTING(delivery.on_timeout), 0, 0, "how it ends then", Affects::kSpeed, "rollback|promote"},
    SettingInfo{"delivery.alpha", SEGUE_SETTING(delivery.alpha), 1e-6, 0.5, "chance that a canary that is as good as the live model is called worse, however often one looks", Affects::kSpeed},
    SettingInfo{"delivery.margin", SEGUE_SETTING(delivery.margin), 0.001, 1, "a canary is promoted once its hit, like and dislike rates are surely no worse than the live model's by more than this (0.05: five lists in a hundred)", Affects::kSpeed},
    SettingInfo{"delivery.min_listeners", SEGUE_SETTING(delivery.min_listeners), 10, 1e9, "listeners of each arm before a canary's rates are compared", Affects::kSpeed},
    SettingInfo{"delivery.lists_per_listener", SEGUE_SETTING(delivery.lists_per_listener), 1, 1e6, "a listener's first so many lists are what he counts with in that comparison", Affects::kSpeed},
    SettingInfo{"delivery.listener_hours", SEGUE_SETTING(delivery.listener_hours), 1, 1e5, "who has not seen so many counts with what he saw in this time, hours", Affects::kSpeed},
    SettingInfo{"delivery.max_failed_share", SEGUE_SETTING(delivery.max_failed_share), 0, 1, "share of lists that a canary or shadow may fail to make", Affects::kSpeed},
    SettingInfo{"delivery.max_p99_ms", SEGUE_SETTING(delivery.max_p99_ms), 0.001, 1e6, "99th percentile of the time in which a canary or shadow makes a list, milliseconds", Affects::kSpeed},
    SettingInfo{"delivery.rollback_alarms", SEGUE_SETTING(delivery.rollback_alarms), 0, 0, "names of alarms that end a canary or shadow, comma between; a critical one that names the model always does", Affects::kSpeed},
    SettingInfo{"impressions.window_s", SEGUE_SETTING(impressions.window_s), 1, 1e7, "feedback so long after a list was shown is an answer to it, seconds", Affects::kSpeed},
    SettingInfo{"impressions.keep_days", SEGUE_SETTING(impressions.keep_days), 1, 36500, "lists that were shown stay in the catalog so long; in the bucket, for ever, days", Affects::kSpeed},
    SettingInfo{"runs.feedback_trigger", SEGUE_SETTING(feedback_trigger), 0, kHuge, "so many new events start a run; 0: never", Affects::kSpeed},
    SettingInfo{"runs.config_trigger", SEGUE_SETTING(config_trigger), 0, 0, "does a run start where settings that change models or verdicts, or the program, are others than at the last run?", Affects::kSpeed, "on|off"},
    SettingInfo{"runs.drift_trigger_hours", SEGUE_SETTING(drift_trigger_hours), 0, 1e6, "an alarm of drift starts a run, but not sooner after the last such run than this; 0: never", Affects::kSpeed},
    SettingInfo{"schedule.cron", SEGUE_SETTING(schedule_cron), 0, 0, "when runs start by themselves: minute, hour, day of month, month, day of week (\"0 3 * * *\"), or @daily and the like; empty: never", Affects::kSpeed, "", CheckCron},
    SettingInfo{"schedule.timezone", SEGUE_SETTING(schedule_timezone), 0, 0, "whose wall clock schedule.cron means: UTC, or a name such as Europe/Berlin", Affects::kSpeed, "", CheckTimeZone},
    SettingInfo{"notifications.secret", SEGUE_SETTING(notifications_secret), 0, 0, "what POST /v1/notifications has to know: as bearer token, or as the key of the body's HMAC-SHA256 in X-Segue-Signature", Affects::kSpeed, "", nullptr, true},
    SettingInfo{"notifications.secret_file", SEGUE_SETTING(notifications_secret_file), 0, 0, "file that holds notifications.secret", Affects::kSpeed},
    SettingInfo{"notifications.patience_s", SEGUE_SETTING(notifications_patience_s), 1, 1e7, "a notification whose object has not come by then is given up, seconds", Affects::kSpeed},
    SettingInfo{"drift.min_rows", SEGUE_SETTING(drift.min_rows), 1, kHuge, "columns with fewer values, now or before, are not judged for drift", Affects::kSpeed},
    SettingInfo{"drift.max_psi", SEGUE_SETTING(drift.max_psi), 0, 100, "population stability index from which on a column has drifted", Affects::kSpeed},
    SettingInfo{"drift.max_wasserstein", SEGUE_SETTING(drift.max_wasserstein), 0, 1e9, "Wasserstein distance, in the baseline's standard deviations, from which on numbers have drifted", Affects::kSpeed},
    SettingInfo{"drift.max_js", SEGUE_SETTING(drift.max_js), 0, 1, "Jensen-Shannon distance (base 2) from which on categories have drifted", Affects::kSpeed},
    SettingInfo{"drift.max_null_change", SEGUE_SETTING(drift.max_null_change), 0, 1, "change of the share of missing values from which on a column has drifted", Affects::kSpeed},
    SettingInfo{"drift.max_undefined", SEGUE_SETTING(drift.max_undefined), 0, 1, "share of missing or unreadable values, above what the baseline had, from which on undefined data has come in", Affects::kSpeed},
    SettingInfo{"drift.max_listening", SEGUE_SETTING(drift.max_listening), 0, 1, "Jensen-Shannon distance (base 2) of what is played since the live model's dataset from which on the alarm drift fires", Affects::kSpeed},
    SettingInfo{"drift.check_minutes", SEGUE_SETTING(drift.check_minutes), 0, 1e6, "how often a running server compares what is played with the live model's dataset, minutes; 0: never", Affects::kSpeed},
    SettingInfo{"alarms.defaults", SEGUE_SETTING(alarms.defaults), 0, 0, "are the built-in rules in force? [[alarms.rule]] adds others", Affects::kSpeed, "on|off"},
    SettingInfo{"alarms.check_seconds", SEGUE_SETTING(alarms.check_seconds), 1, 86'400, "how often rules are looked at, seconds", Affects::kSpeed},
    SettingInfo{"alarms.event_hours", SEGUE_SETTING(alarms.event_hours), 1, 1e6, "an alarm that tells of something that happened is over when acknowledged, or after so many hours", Affects::kSpeed},
    SettingInfo{"alarms.webhook_url", SEGUE_SETTING(alarms.webhook_url), 0, 0, "where alarms are sent as JSON (http:// or https://); empty: to the log only", Affects::kSpeed, "", CheckWebhook},
    SettingInfo{"alarms.webhook_secret", SEGUE_SETTING(alarms.webhook_secret), 0, 0, "key of the body's HMAC-SHA256 that goes along as X-Segue-Signature; empty: none goes along", Affects::kSpeed, "", nullptr, true},
    SettingInfo{"alarms.webhook_secret_file", SEGUE_SETTING(alarms.webhook_secret_file), 0, 0, "file that holds alarms.webhook_secret", Affects::kSpeed},
    SettingInfo{"alarms.webhook_timeout_s", SEGUE_SETTING(alarms.webhook_timeout_s), 1, 300, "a webhook that has not answered by then has failed, seconds", Affects::kSpeed},
    SettingInfo{"logs.requests", SEGUE_SETTING(logs.requests), 0, 0, "is a line kept of each request?", Affects::kSpeed, "on|off"},
    SettingInfo{"logs.max_mb", SEGUE_SETTING(logs.max_mb), 1, kHuge, "room for the log of requests, megabytes; the oldest goes first", Affects::kSpeed},
    SettingInfo{"logs.keep_days", SEGUE_SETTING(logs.keep_days), 1, 36'500, "requests older than this are not kept, days", Affects::kSpeed},
    SettingInfo{"serve.metrics", SEGUE_SETTING(metrics), 0, 0, "are requests counted for /metrics?", Affects::kSpeed, "on|off"},
};

#undef SEGUE_SETTING

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

const SettingInfo* Find(std::string_view name) {
  const auto it = std::find_if(kSettings.begin(), kSettings.end(),
                               [&](const SettingInfo& info) { return info.name == name; });
  return it == kSettings.end() ? nullptr : &*it;
}

Error Unknown(std::string_view name) {
  const auto nearest = std::min_element(
      kSettings.begin(), kSettings.end(), [&](const SettingInfo& a, const SettingInfo& b) {
        return EditDistance(a.name, name) < EditDistance(b.name, name);
      });
  return {ErrorCode::kInvalid, "unknown setting '" + std::string(name) + "'; the nearest is '" +
                                   std::string(nearest->name) +
                                   "'. `segue settings` lists them all"};
}

std::string Number(double value) {
  char buffer[40];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

Error OutOfRange(const SettingInfo& info, std::string_view text) {
  return {ErrorCode::kInvalid, "setting '" + std::string(info.name) + "' is " + std::string(text) +
                                   ", expected " + Number(info.least) + " to " +
                                   Number(info.most) + " (" + std::string(info.doc) + ")"};
}

bool AllowedChoice(std::string_view choices, std::string_view text) {
  if (choices.empty()) return true;
  const std::string padded = "|" + std::string(choices) + "|";
  return padded.find("|" + std::string(text) + "|") != std::string::npos;
}

template <typename T>
Status SetNumber(const SettingInfo& info, T& field, std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error{ErrorCode::kInvalid, "setting '" + std::string(info.name) + "' is '" + std::string(text) +
                                          "', expected a number (" + std::string(info.doc) + ")"};
  }
  const auto number = static_cast<double>(value);
  if (!(number >= info.least && number <= info.most)) return OutOfRange(info, text);
  field = value;
  return {};
}

std::string TomlText(const toml::node& node) {
  if (const auto* s = node.as_string()) return s->get();
  if (const auto* i = node.as_integer()) return std::to_string(i->get());
  if (const auto* f = node.as_floating_point()) return Number(f->get());
  if (const auto* b = node.as_boolean()) return b->get() ? "true" : "false";
  return {};
}

std::string At(std::string_view origin, const toml::source_region& where) {
  return std::string(origin) + " line " + std::to_string(where.begin.line);
}

Status ReadMapping(const toml::table& table, std::string_view origin, ColumnMapping& mapping) {
  for (const auto& [key, node] : table) {
    if (key == "name" || key == "table" || key == "kind") {
      const std::string text = TomlText(node);
      if (key == "name") mapping.name = text;
      if (key == "kind") mapping.kind = text;
      if (key == "table") mapping.table = text;
    } else if (key == "columns" && node.is_table()) {
      for (const auto& [ours, theirs] : *node.as_table()) {
        mapping.columns[std::string(ours.str())] = TomlText(theirs);
      }
    } else {
      return Error{ErrorCode::kInvalid, At(origin, node.source()) + ": unknown key '" +
                                            std::string(key.str()) +
                                            "' in [[ingest.mapping]]; known: name, table, kind, columns"};
    }
  }
  if (mapping.table != "listens" && mapping.table != "tracks") {
    return Error{ErrorCode::kInvalid, At(origin, table.source()) + ": mapping '" + mapping.name +
                                          "' has table '" + mapping.table +
                                          "', expected 'listens' or 'tracks'"};
  }
  if (mapping.columns.empty()) {
    return Error{ErrorCode::kInvalid,
                 At(origin, table.source()) + ": mapping '" + mapping.name + "' names no columns"};
  }
  return {};
}

/// Seconds of "90s", "30m", "12h", "7d" or a plain number.
std::optional<int64_t> Seconds(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  if (error != std::errc() || number < 0 || number > 1'000'000'000) return std::nullopt;
  if (unit.empty() || unit == "s") return number;
  if (unit == "m") return number * 60;
  if (unit == "h") return number * 3600;
  if (unit == "d") return number * 86'400;
  return std::nullopt;
}

Status ReadRule(const toml::table& table, std::string_view origin, AlarmRule& rule) {
  const auto wrong = [&](const toml::node& node, const std::string& what) {
    return Error{ErrorCode::kInvalid, At(origin, node.source()) + ": alarms.rule '" + rule.name + "': " + what};
  };
  if (const toml::node* name = table.get("name")) rule.name = TomlText(*name);
  bool has_threshold = false;
  for (const auto& [key, node] : table) {
    const std::string text = TomlText(node);
    if (key == "metric") {
      rule.metric = text;
    } else if (key == "comparison") {
      rule.comparison = text;
      if (!AllowedChoice(">|>=|<|<=", text)) return wrong(node, "comparison is '" + text + "', expected >, >=, < or <=");
    } else if (key == "threshold") {
      const std::optional<double> number = node.value<double>();
      if (!number || !std::isfinite(*number)) return wrong(node, "threshold is '" + text + "', expected a number");
      rule.threshold = *number;
      has_threshold = true;
    } else if (key == "for") {
      const auto seconds = Seconds(text);
      if (!seconds) return wrong(node, "for is '" + text + "', expected seconds, or a text such as \"30m\", \"12h\", \"7d\"");
      rule.for_seconds = *seconds;
    } else if (key == "severity") {
      rule.severity = text;
      if (!AllowedChoice("warning|critical", text)) return wrong(node, "severity is '" + text + "', expected warning or critical");
    } else if (key == "message") {
      rule.message = text;
    } else if (key != "name") {
      return wrong(node, "unknown key '" + std::string(key.str()) +
                             "'; known: name, metric, comparison, threshold, for, severity, message");
    }
  }
  if (rule.name.empty() || rule.metric.empty() || !has_threshold) {
    return wrong(table, std::string(rule.name.empty() ? "name" : rule.metric.empty() ? "metric" : "threshold") + " is missing");
  }
  return {};
}

Status ApplyTable(Settings& settings, const toml::table& table, const std::string& prefix,
                  std::string_view origin) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
    if (name == "ingest.mapping" && node.is_array()) {
      for (const auto& element : *node.as_array()) {
        ColumnMapping mapping;
        if (!element.is_table()) {
          return Error{ErrorCode::kInvalid, At(origin, element.source()) + ": [[ingest.mapping]] wants tables"};
        }
        SEGUE_RETURN_IF_ERROR(ReadMapping(*element.as_table(), origin, mapping));
        settings.mappings.push_back(mapping);
      }
      continue;
    }
    if (name == "alarms.rule" && node.is_array()) {
      for (const auto& element : *node.as_array()) {
        AlarmRule rule;
        if (!element.is_table()) {
          return Error{ErrorCode::kInvalid, At(origin, element.source()) + ": [[alarms.rule]] wants tables"};
        }
        SEGUE_RETURN_IF_ERROR(ReadRule(*element.as_table(), origin, rule));
        std::erase_if(settings.alarms.rules, [&](const AlarmRule& other) { return other.name == rule.name; });
        settings.alarms.rules.push_back(rule);
      }
      continue;
    }
    if (node.is_table()) {
      SEGUE_RETURN_IF_ERROR(ApplyTable(settings, *node.as_table(), name, origin));
      continue;
    }
    if (auto status = Set(settings, name, TomlText(node)); !status.ok()) {
      return status.error().In(At(origin, node.source()));
    }
  }
  return {};
}

}  // namespace

std::span<const SettingInfo> AllSettings() { return kSettings; }

Status Set(Settings& settings, std::string_view name, std::string_view text) {
  const SettingInfo* info = Find(name);
  if (info == nullptr) return Unknown(name);
  const Field field = info->field(settings);
  if (auto* const* integer = std::get_if<int64_t*>(&field)) return SetNumber(*info, **integer, text);
  if (auto* const* real = std::get_if<double*>(&field)) return SetNumber(*info, **real, text);
  if (!AllowedChoice(info->choices, text)) {
    return Error{ErrorCode::kInvalid, "setting '" + std::string(name) + "' is '" + std::string(text) +
                                          "', expected one of " + std::string(info->choices)};
  }
  if (info->check != nullptr) {
    if (auto status = info->check(text); !status.ok()) {
      return Error{ErrorCode::kInvalid, "setting '" + std::string(name) + "' is '" + std::string(text) + "': " + status.error().message};
    }
  }
  *std::get<std::string*>(field) = std::string(text);
  return {};
}

std::string Get(const Settings& settings, const SettingInfo& info) {
  // A row reaches a setting to write it too; here it is only read.
  const Field field = info.field(const_cast<Settings&>(settings));
  if (auto* const* integer = std::get_if<int64_t*>(&field)) return std::to_string(**integer);
  if (auto* const* real = std::get_if<double*>(&field)) return Number(**real);
  return *std::get<std::string*>(field);
}

Status ApplyToml(Settings& settings, std::string_view text, std::string_view origin) {
  try {
    return ApplyTable(settings, toml::parse(text, origin), "", origin);
  } catch (const toml::parse_error& error) {
    return Error{ErrorCode::kInvalid,
                 At(origin, error.source()) + ": " + std::string(error.description())};
  }
}

Status ApplyEnvironment(Settings& settings, const char* const* environment) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const size_t equals = entry.find('=');
    for (const SettingInfo& info : kSettings) {
      std::string variable = "SEGUE_";
      for (const char c : info.name) {
        variable += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      }
      if (entry.substr(0, equals) != variable) continue;
      if (auto status = Set(settings, info.name, entry.substr(equals + 1)); !status.ok()) {
        return status.error().In("environment variable " + variable);
      }
    }
  }
  return {};
}

std::string ResultFingerprint(const Settings& settings, std::string_view prefix) {
  std::string lines;
  for (const SettingInfo& info : kSettings) {
    if (info.affects != Affects::kResults || !info.name.starts_with(prefix)) continue;
    lines += std::string(info.name) + "=" + Get(settings, info) + "\n";
  }
  return lines;
}

}  // namespace segue
