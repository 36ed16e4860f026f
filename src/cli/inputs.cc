#include "cli/inputs.h"

#include <algorithm>

#include "clean/cleaner.h"
#include "store/dataset_store.h"

namespace segue::cli {
namespace {

namespace fs = std::filesystem;

/// A folder that goes when this does.
class ScratchFolder {
 public:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {}
  ScratchFolder(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
};

Status TakeIn(Program& program, std::span<const std::string> histories, std::span<const std::string> tracks) {
  SEGUE_TRY(auto inputs, FindInputs(histories, ""));
  if (!tracks.empty()) {
    SEGUE_TRY(const auto tables, FindInputs(tracks, ""));
    inputs.insert(inputs.end(), tables.begin(), tables.end());
  }
  SEGUE_TRY(const auto total, IngestAll(program, inputs));
  if (Cancelled().load()) return Error{ErrorCode::kCancelled, "asked to stop"};
  if (total.quarantined > 0) {
    program.instruments->Warn("ingest", std::to_string(total.quarantined) + " of " + std::to_string(inputs.size()) +
                                            " files could not be read and are left out; `segue ingest` and `segue clean --report` tell why");
  }
  if (total.accepted == 0) return Error{ErrorCode::kInvalid, "no file was accepted: there is nothing to learn from"};
  return {};
}

}  // namespace

Result<std::vector<ingest::Input>> FindInputs(std::span<const std::string> paths, const std::string& listener) {
  std::vector<ingest::Input> inputs;
  for (const std::string& given : paths) {
    std::error_code error;
    const fs::path path = fs::canonical(given, error);
    if (error) return Error{ErrorCode::kNotFound, given + ": " + error.message()};
    const fs::path base = path.parent_path();
    if (fs::is_regular_file(path)) {
      const fs::path folder = base.filename();
      inputs.push_back({path, (folder / path.filename()).string(), listener, "cli"});
      continue;
    }
    for (auto it = fs::recursive_directory_iterator(path, error); it != fs::recursive_directory_iterator();
         it.increment(error)) {
      if (error) return Error{ErrorCode::kPermission, given + ": " + error.message()};
      if (it->is_regular_file()) {
        inputs.push_back({it->path(), it->path().lexically_relative(base).string(), listener, "cli"});
      }
    }
    if (error) return Error{ErrorCode::kPermission, given + ": " + error.message()};
  }
  std::sort(inputs.begin(), inputs.end(),
            [](const ingest::Input& a, const ingest::Input& b) { return a.name < b.name; });
  if (inputs.empty()) return Error{ErrorCode::kInvalid, "there are no files in what was named"};
  return inputs;
}

Result<ingest::Outcome> IngestAll(Program& program, std::span<const ingest::Input> inputs) {
  const ingest::Context context{*program.bucket, *program.catalog, program.clock, program.settings, *program.instruments};
  ingest::Outcome total;
  for (size_t i = 0; i < inputs.size() && !Cancelled().load(); ++i) {
    context.instruments.Progress("ingest", i, inputs.size(), "files");
    SEGUE_TRY(const auto outcome, ingest::Ingest(context, inputs[i]));
    total += outcome;
  }
  context.instruments.Progress("ingest", inputs.size(), inputs.size(), "files");
  return total;
}

Result<Dataset> LiveDataset(const Common& common) {
  SEGUE_TRY(const auto program, OpenProgram(common, Create::kNo, Voice::kConsole));
  SEGUE_TRY(const auto live, program->catalog->Live());
  if (!live) return Error{ErrorCode::kNotFound, "no model is live yet; drop data into the inbox and `segue run`"};
  SEGUE_TRY(const auto record, program->catalog->FindModel(live->to_model));
  if (!record) return Error{ErrorCode::kNotFound, "model " + live->to_model + " is not in the registry"};
  return store::LoadDataset(*program->bucket, record->dataset_id);
}

Result<Dataset> DatasetOfFiles(const Common& common, const Settings& settings, std::span<const std::string> histories,
                               std::span<const std::string> tracks, const fs::path& scratch) {
  const ScratchFolder folder(scratch);
  Common inside = common;
  inside.data = folder.path().string();
  inside.config.clear();  // `settings` has it all
  inside.set.clear();
  SEGUE_TRY(const auto program, OpenProgram(inside, Create::kYes, Voice::kConsole));
  program->settings = settings;
  SEGUE_RETURN_IF_ERROR(TakeIn(*program, histories, tracks));
  const clean::Context context{*program->bucket, *program->catalog, program->clock, program->settings, *program->instruments};
  SEGUE_TRY(const auto outcome, clean::Clean(context));
  if (outcome.stop) return Error{ErrorCode::kInvalid, outcome.stop_reason};
  return store::LoadDataset(*program->bucket, outcome.dataset_id);
}

}  // namespace segue::cli
