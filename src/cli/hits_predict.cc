#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

#include "cli/hits.h"
#include "cli/offline.h"
#include "models/classifier_file.h"
#include "monitor/run_log.h"
#include "store/song_files.h"

namespace segue::cli {
namespace {

struct Predicted {
  SongTable songs;
  std::vector<float> p;
  std::vector<std::string> warnings;
};

Result<Predicted> PredictAll(const models::Classifier& model, const HitsFlags& flags) {
  const std::vector<std::filesystem::path> files(flags.csv.begin(), flags.csv.end());
  Predicted result;
  SEGUE_TRY(result.songs, store::ReadSongs(files, {.label = ""}));
  SongTable& songs = result.songs;
  const auto has = [](const std::vector<std::string>& names, const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (has(model.features(), "decade") && !has(songs.features, "decade")) songs = WithFeature(songs, "decade", DecadesOf(songs));
  auto rows = models::ArrangeFeatures(songs.features, songs.values, model);
  if (!rows.ok()) return rows.error().In(flags.csv.front());
  const auto unknown = models::UnknownFeatures(songs.features, model);
  for (const std::string& name : unknown) result.warnings.push_back("column '" + name + "' is not looked at: the model was not trained on it");
  if (const auto* kept = dynamic_cast<const models::CalibratedClassifier*>(&model)) {
    std::vector<std::string> where;
    for (size_t r = 0; r < songs.size(); ++r) where.push_back(songs.files[songs.file[r]] + " line " + std::to_string(songs.line[r]));
    for (std::string& text : models::RangeWarnings(*rows, kept->ranges(), model.features(), where)) result.warnings.push_back(std::move(text));
  }
  result.p.resize(songs.size() * model.labels().size());
  model.Predict(*rows, result.p);
  return result;
}

Status Write(const Predicted& predicted, const models::Classifier& model, const std::string& file) {
  std::ofstream out(file);
  if (!out) return Error{ErrorCode::kIo, "cannot write " + file};
  out << "id,title,artist,prediction";
  for (const std::string& label : model.labels()) out << ',' << CsvField("p_" + label);
  out << '\n';
  out.precision(6);
  const size_t classes = model.labels().size();
  const auto taken = evaluate::PredictedClasses(predicted.p, classes);
  const SongTable& songs = predicted.songs;
  for (size_t r = 0; r < songs.size(); ++r) {
    out << CsvField(songs.id[r]) << ',' << CsvField(songs.title[r]) << ',' << CsvField(songs.artist[r]) << ','
        << CsvField(model.labels()[static_cast<size_t>(taken[r])]);
    for (size_t c = 0; c < classes; ++c) out << ',' << predicted.p[r * classes + c];
    out << '\n';
  }
  out.flush();
  if (!out) return Error{ErrorCode::kNoSpace, "writing " + file + " failed: is the disk full?"};
  return {};
}

}  // namespace

int PredictHits(const Common& common, const HitsFlags& flags) {
  const auto instruments = monitor::ConsoleInstruments(common.quiet, [] { return Cancelled().load(); });
  if (flags.output.empty()) return Fail({ErrorCode::kInvalid, "--predict writes a CSV file: name it with --output"});
  const auto model = models::LoadClassifier(flags.predict);
  if (!model.ok()) return Fail(model.error());
  const auto predicted = PredictAll(**model, flags);
  if (!predicted.ok()) return Fail(predicted.error());
  for (const std::string& warning : predicted->warnings) instruments->Warn("hits", warning);
  if (const Status written = Write(*predicted, **model, flags.output); !written.ok()) return Fail(written.error());
  const size_t classes = (*model)->labels().size();
  std::vector<uint64_t> counts(classes, 0);
  for (const int32_t c : evaluate::PredictedClasses(predicted->p, classes)) ++counts[static_cast<size_t>(c)];
  if (common.json) {
    nlohmann::json result = {{"songs", predicted->songs.size()}, {"output", flags.output}, {"warnings", predicted->warnings}};
    for (size_t c = 0; c < classes; ++c) result["predicted"][(*model)->labels()[c]] = counts[c];
    std::printf("%s\n", result.dump(2).c_str());
    return kOk;
  }
  std::printf("%zu songs predicted into %s\n", predicted->songs.size(), flags.output.c_str());
  for (size_t c = 0; c < classes; ++c) std::printf("%16s %8llu\n", (*model)->labels()[c].c_str(), static_cast<unsigned long long>(counts[c]));
  return kOk;
}

}  // namespace segue::cli
