#include "clean/rules.h"

#include <array>
#include <cmath>

#include "core/check.h"

namespace segue::clean {
namespace {

constexpr std::string_view kDuplicatePlay =
    "'the same event is already in ' || coalesce(other_name, 'another file')";

constexpr std::array kRules = {
    // First of all: no other rule may show what a forgotten listener's rows say.
    Rule{"forgotten_listener", "listens", "listener", Effect::kRemove, "forgotten", "'the listener was forgotten'",
         "rows of a listener who was forgotten; they are counted and kept nowhere"},
    Rule{"missing_listener", "listens", "listener", Effect::kReject, "listener IS NULL OR trim(listener) = ''",
         "'no listener'", "nobody is named as the listener"},
    Rule{"names_no_track", "listens", "name_key", Effect::kReject, "source_id IS NULL AND name_key IS NULL",
         "'neither an id nor artist and title name a track'",
         "neither an id nor artist and title: 'Unknown Artist' and 'Unknown Track' name nothing"},
    Rule{"unknown_kind", "listens", "kind", Effect::kReject,
         "kind IS NULL OR kind NOT IN ('play', 'skip', 'like', 'dislike', 'rating', 'review', 'neutral', 'taken_back')",
         "'kind is ' || coalesce('''' || kind || '''', 'missing') || "
         "', expected play, skip, like, dislike, rating, review or neutral'",
         "a kind of event that is not known"},
    Rule{"time_in_future", "listens", "at", Effect::kReject, R"("at" > latest)",
         R"('time is ' || "at" || ', more than a day after the file came in')",
         "more than a day later than the moment when the file came in"},
    Rule{"time_too_early", "listens", "at", Effect::kReject, R"("at" < 1009843200)",
         R"('time is ' || "at" || ', expected Unix seconds after 2002-01-01')",
         "before 2002: a clock that was not set, or another unit of time"},
    Rule{"missing_time", "listens", "at", Effect::kReject,
         "\"at\" IS NULL AND has_time AND value IS NULL AND kind IN ('play', 'skip')", "'no time'",
         "a single play without a time, in a file that tells the time of others"},
    Rule{"negative_play_time", "listens", "ms_played", Effect::kReject, "ms_played < 0",
         "'play time is ' || ms_played || ' ms'", "a play cannot last less than nothing"},
    Rule{"play_time_above_a_day", "listens", "ms_played", Effect::kReject, "ms_played > 86400000",
         "'play time is ' || ms_played || ' ms, more than 24 hours'", "no track plays longer than 24 hours"},
    Rule{"impossible_value", "listens", "value", Effect::kReject, "value < 0 OR value > 3.4e38",
         "'value is ' || value || ', expected a number from 0 to 3.4e38'", "a negative or infinite value, or one beyond what a float holds"},
    Rule{"file_left_out", "listens", "", Effect::kRemove, "", "'the whole file is left out: too many of its rows are bad'",
         "rows of a file that is left out because too many others of it were rejected"},
    Rule{"unknown_track", "listens", "source_id", Effect::kRemove, "",
         "'no source has a track with the id ' || coalesce(source_id, '')",
         "one of our own track ids whose source is no longer in the data"},
    Rule{"duplicate_event", "listens", "event_id", Effect::kDuplicate, "", "'event ' || event_id || ' is there already'",
         "the same event id"},
    Rule{"duplicate_within_file", "listens", "", Effect::kDuplicate, "", kDuplicatePlay,
         "same listener, track, time, play time and kind, in one file"},
    Rule{"duplicate_between_files", "listens", "", Effect::kDuplicate, "", kDuplicatePlay,
         "same listener, track, time, play time and kind, in two files: overlapping exports"},
    Rule{"taken_back", "listens", "", Effect::kRemove, "", "'the listener took this play back'",
         "a play that its listener deleted, and the word that deleted it"},
    Rule{"zero_play", "listens", "ms_played", Effect::kRemove, "", "'played for 0 ms'", "nothing was heard"},

    Rule{"names_no_track", "tracks", "name_key", Effect::kReject,
         "part IS DISTINCT FROM 'features' AND source_id IS NULL AND name_key IS NULL",
         "'neither an id nor artist and title name a track'", "neither an id nor artist and title"},
    Rule{"features_of_another_title", "tracks", "title", Effect::kReject, "part = 'features' AND has_names",
         "'row ' || row || ' is ' || coalesce('''' || title || '''', 'without a title') || "
         "', the file of names has another title there'",
         "a row of features whose row in the file of names has another title"},
    Rule{"features_without_names", "tracks", "", Effect::kRemove, "part = 'features'",
         "'the file with the names of these rows has not come in'", "features that wait for their file of names"},
    Rule{"file_left_out", "tracks", "", Effect::kRemove, "", "'the whole file is left out: too many of its rows are bad'",
         "rows of a file that is left out because too many others of it were rejected"},
    Rule{"duplicate_row", "tracks", "", Effect::kDuplicate, "", "'the whole row is there already'",
         "all columns are those of an earlier row"},
    Rule{"duplicate_source_id", "tracks", "source_id", Effect::kDuplicate, "",
         "'the id ' || source_id || ' is there already'",
         "an earlier row has the same id; this one's tags, label and otherwise missing values still count"},

    Rule{"forgotten_listener", "taggings", "listener", Effect::kRemove, "forgotten", "'the listener was forgotten'",
         "tags of a listener who was forgotten; they are counted and kept nowhere"},
    Rule{"tag_of_unknown_track", "taggings", "source_id", Effect::kRemove, "",
         "'no track ' || coalesce(source_id, '')", "a tag on a track that nobody played and no table has"},
    Rule{"unknown_tag", "taggings", "tag_id", Effect::kRemove, "", "'no tag ' || coalesce(tag_id, '')",
         "a tag whose name is in no table"},
};

constexpr double kAny = HUGE_VAL;
constexpr std::array kRanges = {
    Range{"impossible_tempo", "tempo", 1, 1000, "0 stands for a tempo that was not found"},
    Range{"impossible_time_signature", "time_signature", 1, 32, "0 stands for a metre that was not found"},
    Range{"impossible_loudness", "loudness", -80, 6, "far above full scale, or below -80 dB"},
    Range{"impossible_key", "key", 0, 11, "-1 stands for a key that was not found"},
    Range{"impossible_mode", "mode", 0, 1, "0 minor, 1 major"},
    Range{"impossible_danceability", "danceability", 0, 1, "a share"},
    Range{"impossible_energy", "energy", 0, 1, "a share"},
    Range{"impossible_speechiness", "speechiness", 0, 1, "a share"},
    Range{"impossible_acousticness", "acousticness", 0, 1, "a share"},
    Range{"impossible_instrumentalness", "instrumentalness", 0, 1, "a share"},
    Range{"impossible_liveness", "liveness", 0, 1, "a share"},
    Range{"impossible_valence", "valence", 0, 1, "a share"},
    Range{"impossible_chorus_hit", "chorus_hit", 0, kAny, "seconds from the start"},
    Range{"impossible_sections", "sections", 0, kAny, "a count"},
    Range{"impossible_duration", "duration_ms", 1, 86'400'000, "0 or less, or above 24 hours"},
    Range{"impossible_year", "year", 1850, 2100, "no recording is of that year"},
};

std::string TextSql(std::string_view rule, std::string_view Rule::*text) {
  std::string sql = "CASE " + std::string(rule);
  for (size_t i = 0; i < kRules.size(); ++i) {
    sql.append(" WHEN ").append(std::to_string(i)).append(" THEN '").append(kRules[i].*text).append("'");
  }
  return sql + " END";
}

}  // namespace

std::span<const Rule> Rules() { return kRules; }
std::span<const Range> Ranges() { return kRanges; }

int RuleNumber(std::string_view table, std::string_view name) {
  for (size_t i = 0; i < kRules.size(); ++i) {
    if (kRules[i].table == table && kRules[i].name == name) return static_cast<int>(i);
  }
  FailCheck("the rule exists", __FILE__, __LINE__, name);
}

std::string FirstRuleSql(std::string_view table) {
  std::string sql = "CASE";
  for (size_t i = 0; i < kRules.size(); ++i) {
    if (kRules[i].table != table || kRules[i].condition.empty()) continue;
    sql.append(" WHEN ").append(kRules[i].condition).append(" THEN ").append(std::to_string(i));
  }
  return sql + " END";
}

std::string NameSql(std::string_view rule) { return TextSql(rule, &Rule::name); }
std::string FieldSql(std::string_view rule) { return TextSql(rule, &Rule::field); }

std::string ReasonSql(std::string_view table, std::string_view rule) {
  std::string sql = "CASE " + std::string(rule);
  for (size_t i = 0; i < kRules.size(); ++i) {
    if (kRules[i].table != table) continue;
    sql.append(" WHEN ").append(std::to_string(i)).append(" THEN ").append(kRules[i].reason);
  }
  return sql + " END";
}

std::string ImpossibleSql(const Range& range) {
  const std::string field(range.field);
  std::string sql = "(" + field + " IS NOT NULL AND (NOT isfinite(" + field + "::DOUBLE) OR " + field + " < " +
                    std::to_string(range.least);
  if (std::isfinite(range.most)) sql += " OR " + field + " > " + std::to_string(range.most);
  return sql + "))";
}

}  // namespace segue::clean
