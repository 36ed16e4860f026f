#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "core/text.h"
#include "math/parallel.h"
#include "songs/reports.h"
#include "store/file_system.h"
#include "store/song_files.h"

namespace segue::cli {
namespace {

/// What reading left out, in the order in which a reader asks.
void AddReading(const store::SongFiles& read, std::vector<std::string>& notes) {
  for (size_t f = 0; f < read.text_for_numbers.size(); ++f) {
    if (read.text_for_numbers[f] == 0) continue;
    notes.push_back("'" + read.songs.features[f] + "' has text in " + WithCommas(static_cast<int64_t>(read.text_for_numbers[f])) + " rows, which is taken for missing");
  }
  for (const std::string& name : read.text_columns) {
    if (!store::CanonicalFeature(name).empty()) notes.push_back("'" + name + "' holds text, so it is not among the features");
  }
  if (!read.set_aside.empty()) notes.push_back("not among the features: " + Joined(read.set_aside) + " (choose with --features)");
}

}  // namespace

int Stats(const Common& common, const StatsFlags& flags) {
  const auto settings = ReadSettings(common);
  if (!settings.ok()) return Fail(settings.error());
  std::vector<std::filesystem::path> files(flags.files.begin(), flags.files.end());
  const auto read = store::ReadSongFiles(files, {.label = flags.by, .features = flags.features, .without = flags.without, .text_is_missing = flags.text_is_missing});
  if (!read.ok()) return Fail(read.error());
  songs::Specification specification = math::WithThreads(settings->threads, [&] { return songs::Specify(read->songs, flags.by); });
  AddReading(*read, specification.notes);
  if (!flags.html.empty()) {
    if (const Status written = store::WriteFile(flags.html, page::Render(songs::ToPage(specification))); !written.ok()) return Fail(written.error());
    if (!common.quiet) std::fprintf(stderr, "segue: wrote %s\n", flags.html.c_str());
  }
  if (common.json) {
    // Names in files may be in another encoding than UTF-8.
    const std::string text = songs::ToJson(specification).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
  } else {
    const std::string text = songs::ToText(specification);
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  return kOk;
}

}  // namespace segue::cli
