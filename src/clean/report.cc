#include <array>
#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "clean/cleaner.h"

namespace segue::clean {
namespace {

using nlohmann::json;

/// 90,211
std::string Grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3 + (number < 0 ? 1U : 0U); i -= 3) digits.insert(i - 3, ",");
  return digits;
}

int64_t Whole(const json& object, const char* name) {
  return object.is_object() ? object.value(name, int64_t{0}) : 0;
}

std::string Share(int64_t part, int64_t whole) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f %%",
                whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0);
  return text.data();
}

std::string Real(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

/// `text` brought to `width` columns of code points.
std::string Padded(std::string text, size_t width) {
  size_t points = 0;
  for (const char c : text) points += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  if (points < width) text.append(width - points, ' ');
  return text;
}

std::string PaddedLeft(const std::string& text, size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

void AddRows(const json& quality, std::string& out) {
  const json rows = quality.value("rows", json::object());
  const int64_t in = Whole(rows, "in");
  out += "Rows\n";
  for (const auto& [name, what] : {std::pair{"in", "came in"}, std::pair{"kept", "kept"},
                                   std::pair{"rejected", "rejected (faulty)"}, std::pair{"duplicates", "duplicates"},
                                   std::pair{"removed", "removed (not faulty)"},
                                   std::pair{"left_out", "in files left out"}}) {
    out += "  " + Padded(what, 24) + PaddedLeft(Grouped(Whole(rows, name)), 14) + "  " +
           PaddedLeft(Share(Whole(rows, name), in), 9) + "\n";
  }
}

void AddRules(const json& quality, std::string& out) {
  out += "\nRules\n";
  for (const json& rule : quality.value("rules", json::array())) {
    const int64_t removed = Whole(rule, "removed");
    out += "  " + Padded(rule.value("table", ""), 9) + " " + Padded(rule.value("rule", ""), 28) +
           PaddedLeft(Grouped(removed > 0 ? removed : Whole(rule, "changed")), 14) +
           (removed > 0 ? " removed  " : " changed  ") + rule.value("why", "") +
           (rule.value("counts_as_rejected", false) ? " (counts as rejected)" : "") + "\n";
  }
}

void AddDuplicates(const json& quality, std::string& out) {
  const json duplicates = quality.value("duplicates", json::object());
  out += "\nDuplicate events: " + Grouped(Whole(duplicates, "within_file")) + " within one file, " +
         Grouped(Whole(duplicates, "between_files")) + " between files (overlapping exports), " +
         Grouped(Whole(duplicates, "same_event_id")) + " with the same event id\n";
  const json by_listener = duplicates.value("by_listener", json::object());
  for (const auto& [listener, counts] : by_listener.items()) {
    out += "  " + Padded(listener, 24) + PaddedLeft(Grouped(Whole(counts, "within_file")), 14) + " within, " +
           Grouped(Whole(counts, "between_files")) + " between\n";
  }
}

void AddIdentity(const json& quality, std::string& out) {
  const json identity = quality.value("identity", json::object());
  out += "\nTracks: " + Grouped(Whole(identity, "tracks")) + " from " + Grouped(Whole(identity, "names")) +
         " names and " + Grouped(Whole(identity, "source_ids")) + " ids; " + Grouped(Whole(identity, "merged")) +
         " were merged (" + Grouped(Whole(identity, "tracks_with_several_names")) + " tracks by a shared id, " +
         Grouped(Whole(identity, "tracks_with_several_ids")) + " by a shared name)\n";
  const json tables = quality.value("track_tables", json::object());
  out += "Files of features and names: " + Grouped(Whole(tables, "pairs_matched")) + " rows matched, " +
         Grouped(Whole(tables, "pairs_mismatched")) + " did not. Both hit and flop: " +
         Grouped(Whole(tables, "ids_both_hit_and_flop")) + " ids, " +
         Grouped(Whole(tables, "tracks_both_hit_and_flop")) + " tracks\n";
  const json features = quality.value("audio_features", json::object());
  out += "Plays whose track has audio features: " + Grouped(Whole(features, "found")) + " of " +
         Grouped(Whole(features, "plays")) + " (" + Share(Whole(features, "found"), Whole(features, "plays")) +
         "), " + Grouped(Whole(features, "by_id")) + " by a shared id, " + Grouped(Whole(features, "by_name")) +
         " by name\n";
}

void AddInputs(const json& quality, std::string& out) {
  out += "\nInputs                                        rows          kept      rejected\n";
  for (const json& input : quality.value("inputs", json::array())) {
    out += "  " + Padded(input.value("name", ""), 40) + PaddedLeft(Grouped(Whole(input, "rows")), 12) + "  " +
           PaddedLeft(Grouped(Whole(input, "kept")), 12) + "  " + PaddedLeft(Grouped(Whole(input, "rejected")), 12) +
           "  " + input.value("format", "") + (Whole(input, "left_out") > 0 ? "  LEFT OUT" : "") + "\n";
  }
}

std::string Brief(const json& value) {
  if (value.is_string()) return value.get<std::string>().substr(0, 24);
  if (value.is_number()) return Real(value.get<double>());
  return "-";
}

void AddProfile(const json& quality, std::string& out) {
  const json tables = quality.value("profile", json::object());
  for (const auto& [table, profile] : tables.items()) {
    out += "\nColumns of " + table + " (" + Grouped(Whole(profile, "rows")) + " rows)\n";
    const json columns = profile.value("columns", json::object());
    for (const auto& [name, column] : columns.items()) {
      const json quantiles = column.value("quantiles", json::object());
      out += "  " + Padded(name, 18) + Padded(column.value("type", ""), 9) + "nulls " +
             PaddedLeft(Grouped(Whole(column, "nulls")), 12) + "  distinct ~" +
             PaddedLeft(Grouped(Whole(column, "distinct")), 12);
      if (!quantiles.empty()) {
        out += "  least " + Brief(column.value("min", json())) + "  quartiles " +
               Brief(quantiles.value("0.25", json())) + " " + Brief(quantiles.value("0.5", json())) + " " +
               Brief(quantiles.value("0.75", json())) + "  most " + Brief(column.value("max", json()));
      } else if (column.contains("top") && !column["top"].empty() && Whole(column["top"][0], "rows") > 1) {
        out += "  most often " + column["top"][0].value("value", "") + " (" + Grouped(Whole(column["top"][0], "rows")) +
               ")";
      }
      out += "\n";
    }
  }
}

}  // namespace

std::string ReadableReport(const json& quality) {
  std::string out = "Dataset " + quality.value("dataset_id", "") + "\n\n";
  AddRows(quality, out);
  AddRules(quality, out);
  AddDuplicates(quality, out);
  AddIdentity(quality, out);
  AddInputs(quality, out);
  AddProfile(quality, out);
  return out;
}

}  // namespace segue::clean
