#include "core/settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

#include <toml++/toml.h>

namespace segue {
namespace {

constexpr double kHuge = 9e15;

const std::array kSettings = {
    SettingInfo{"serve.listen", &Settings::listen, 0, 0, "address:port to listen on", Affects::kSpeed},
    SettingInfo{"serve.token", &Settings::token, 0, 0, "bearer token that every request must carry; required when listening off loopback", Affects::kSpeed},
    SettingInfo{"serve.threads", &Settings::serve_threads, 1, 256, "threads that answer requests", Affects::kSpeed},
    SettingInfo{"serve.max_body_bytes", &Settings::max_body_bytes, 1024, 1 << 30, "largest JSON request body, bytes", Affects::kSpeed},
    SettingInfo{"serve.max_upload_bytes", &Settings::max_upload_bytes, 1024, kHuge, "largest upload to the inbox, bytes", Affects::kSpeed},
    SettingInfo{"serve.request_timeout_s", &Settings::request_timeout_s, 1, 3600, "a client slower than this is cut off, seconds", Affects::kSpeed},
    SettingInfo{"serve.max_per_artist", &Settings::max_per_artist, 1, 1000, "most tracks of one artist in a list", Affects::kSpeed},
    SettingInfo{"inbox.settle_ms", &Settings::inbox_settle_ms, 0, 600'000, "a file counts as complete when unchanged for so long, milliseconds", Affects::kSpeed},
    SettingInfo{"inbox.burst_ms", &Settings::inbox_burst_ms, 0, 3'600'000, "a run starts when the inbox has been quiet for so long, milliseconds", Affects::kSpeed},
    SettingInfo{"ingest.default_listener", &Settings::default_listener, 0, 0, "listener of a Spotify export that lies in no folder"},
    SettingInfo{"ingest.max_line_bytes", &Settings::max_line_bytes, 1024, kHuge, "longest line or record accepted, bytes"},
    SettingInfo{"ingest.max_expanded_bytes", &Settings::max_expanded_bytes, 1024, kHuge, "most that one archive may unpack to, bytes"},
    SettingInfo{"clean.max_rejected_share", &Settings::max_rejected_share, 0, 1, "a file with a larger share of rejected rows stops the run (duplicates, podcasts and zero-length plays are not counted)"},
    SettingInfo{"clean.skip_below_ms", &Settings::skip_below_ms, 0, 600'000, "a play shorter than this is a skip, milliseconds"},
    SettingInfo{"clean.memory_limit_mb", &Settings::memory_limit_mb, 64, kHuge, "memory for cleaning before it spills to disk, megabytes", Affects::kSpeed},
    SettingInfo{"train.algorithms", &Settings::algorithms, 0, 0, "algorithms that compete in a run, comma between"},
    SettingInfo{"train.factors", &Settings::factors, 1, 4096, "dimensions of the factor space"},
    SettingInfo{"train.epochs", &Settings::epochs, 1, 1000, "passes over the data"},
    SettingInfo{"train.alpha", &Settings::alpha, 0, 1e6, "ials: confidence is 1 + alpha * log(1 + strength)"},
    SettingInfo{"train.regularization", &Settings::regularization, 0, 1e9, "ials: weight of the penalty (lambda)"},
    SettingInfo{"train.frequency_exponent", &Settings::frequency_exponent, 0, 1, "ials: penalty grows with a row's interactions to this power"},
    SettingInfo{"train.threads", &Settings::threads, 0, 4096, "threads to train with; 0: all cores", Affects::kSpeed},
    SettingInfo{"train.seed", &Settings::seed, 0, kHuge, "random seed"},
    SettingInfo{"train.skip_weight", &Settings::skip_weight, 0, 1e6, "a skip takes this many plays away"},
    SettingInfo{"train.like_weight", &Settings::like_weight, 0, 1e6, "a like counts as this many plays"},
    SettingInfo{"evaluate.split", &Settings::split, 0, 0, "how the hold-out is cut", Affects::kResults, "listener_time|global_time"},
    SettingInfo{"evaluate.holdout_share", &Settings::holdout_share, 0.01, 0.9, "share of the newest listening that is held out"},
    SettingInfo{"evaluate.protocol", &Settings::protocol, 0, 0, "discovery: unheard tracks only; next: repeats allowed", Affects::kResults, "discovery|next"},
    SettingInfo{"evaluate.list_length", &Settings::list_length, 1, 10'000, "length of the ranked lists"},
    SettingInfo{"evaluate.bootstrap_samples", &Settings::bootstrap_samples, 10, 1'000'000, "resamples for intervals"},
    SettingInfo{"gate.min_mrr", &Settings::min_mrr, 0, 1, "least MRR to go live"},
    SettingInfo{"gate.min_hit_rate", &Settings::min_hit_rate, 0, 1, "least hit rate at 10 to go live"},
    SettingInfo{"gate.min_coverage", &Settings::min_coverage, 0, 1, "least share of the catalogue in anybody's top 10"},
    SettingInfo{"gate.max_drop", &Settings::max_drop, 0, 1, "largest mean loss of NDCG@100 against the live model that is let pass when it is not significant"},
    SettingInfo{"gate.confidence", &Settings::confidence, 0.5, 0.9999, "confidence of the paired bootstrap interval"},
    SettingInfo{"gate.max_artifact_mb", &Settings::max_artifact_mb, 1, kHuge, "largest model file, megabytes"},
    SettingInfo{"runs.feedback_trigger", &Settings::feedback_trigger, 0, kHuge, "so many new events start a run; 0: never", Affects::kSpeed},
};

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
Status SetNumber(Settings& settings, const SettingInfo& info, T Settings::*field, std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error{ErrorCode::kInvalid, "setting '" + std::string(info.name) + "' is '" + std::string(text) +
                                          "', expected a number (" + std::string(info.doc) + ")"};
  }
  const auto number = static_cast<double>(value);
  if (!(number >= info.least && number <= info.most)) return OutOfRange(info, text);
  settings.*field = value;
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
  if (const auto* field = std::get_if<int64_t Settings::*>(&info->field)) {
    return SetNumber(settings, *info, *field, text);
  }
  if (const auto* field = std::get_if<double Settings::*>(&info->field)) {
    return SetNumber(settings, *info, *field, text);
  }
  if (!AllowedChoice(info->choices, text)) {
    return Error{ErrorCode::kInvalid, "setting '" + std::string(name) + "' is '" + std::string(text) +
                                          "', expected one of " + std::string(info->choices)};
  }
  settings.*std::get<std::string Settings::*>(info->field) = std::string(text);
  return {};
}

std::string Get(const Settings& settings, const SettingInfo& info) {
  if (const auto* field = std::get_if<int64_t Settings::*>(&info.field)) {
    return std::to_string(settings.**field);
  }
  if (const auto* field = std::get_if<double Settings::*>(&info.field)) return Number(settings.**field);
  return settings.*std::get<std::string Settings::*>(info.field);
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
