#include "ingest/ingest.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/identity.h"
#include "ingest/formats.h"
#include "ingest/mapped_file.h"
#include "ingest/naming.h"
#include "ingest/records.h"
#include "ingest/rejects.h"
#include "ingest/stage.h"
#include "ingest/unpack.h"
#include "store/duck.h"
#include "store/file_system.h"

namespace segue::ingest {
namespace {

namespace fs = std::filesystem;

/// A folder of this call's own, gone at its end.
class Scratch {
 public:
  static Result<Scratch> Make(const fs::path& below) {
    SEGUE_RETURN_IF_ERROR(store::RealFileSystem().CreateFolders(below));
    std::string pattern = (below / "ingest-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) return store::SystemError("making a folder", pattern, errno);
    return Scratch(pattern);
  }
  Scratch(Scratch&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  explicit Scratch(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

/// Collects the beginning of a file.
class SampleSink final : public RecordSink {
 public:
  explicit SampleSink(Sample& sample) : sample_(sample) {}

  bool OnRecord(const Record& record) override {
    auto& row = sample_.rows.emplace_back();
    for (const Field& field : record.fields) row.push_back(field ? std::optional(SampleOf(*field)) : std::nullopt);
    seen_ += record.raw.size();
    return seen_ < kMostBytes;
  }
  bool OnProblem(const RecordProblem& problem) override {
    if (first_problem_.empty()) first_problem_ = "line " + std::to_string(problem.line) + ": " + problem.reason;
    return true;
  }
  const std::string& first_problem() const { return first_problem_; }

 private:
  static constexpr size_t kMostBytes = 16 << 20;

  Sample& sample_;
  size_t seen_ = 0;
  std::string first_problem_;
};

/// The database that stages one file after another, started when the first is there.
class Stager {
 public:
  explicit Stager(const Context& context) : context_(context) {}

  Result<store::Duck*> Duck() {
    if (duck_ == nullptr) {
      SEGUE_TRY(Scratch made, Scratch::Make(context_.bucket.ScratchFolder()));
      scratch_.emplace(std::move(made));
      SEGUE_TRY(duck_, store::OpenDuck({.memory_limit_mb = context_.settings.memory_limit_mb, .spill_folder = scratch_->path() / "spill"}));
    }
    return duck_.get();
  }
  /// After a failure the next file begins with a fresh one.
  void Close() {
    duck_.reset();
    scratch_.reset();
  }

 private:
  const Context& context_;
  std::optional<Scratch> scratch_;  // outlives the database
  std::unique_ptr<store::Duck> duck_;
};

/// The files of one input.
class Taker {
 public:
  Taker(const Context& context, Stager& stager, const Input& input, const fs::path& scratch)
      : context_(context), stager_(stager), input_(input), scratch_(scratch) {}

  Status Take(const Unpacked& file) {
    if (!file.refusal.empty()) return Quarantine(file, "", "", file.refusal, nullptr);
    SEGUE_TRY(const MappedFile mapped, MappedFile::Open(file.path));
    auto opened = OpenRecords(file.path, mapped.bytes(), {.max_record_bytes = context_.settings.max_line_bytes,
                               .forget = [&mapped](std::string_view piece) { mapped.Forget(piece); }});
    if (!opened.ok()) {
      if (opened.error().code != ErrorCode::kInvalid) return opened.error();
      if (IsSpotifyAccountFile(file.name)) return SetAside(file, SpotifyOther());
      return Quarantine(file, "", "", WithLoss(opened.error().message, file), nullptr);
    }
    RecordReader& reader = **opened;
    Sample sample{.name = file.name, .listener = input_.listener, .has_header = reader.has_header(), .shape = reader.shape()};
    SampleSink sink(sample);
    if (const Status read = reader.Read(kSampleRecords, sink); !read.ok()) {
      return Quarantine(file, "", "", read.error().message, nullptr);
    }
    sample.columns = reader.columns();
    auto plan = Recognise(sample, context_.settings);
    if (!plan.ok() || sample.rows.empty()) {
      std::string reason = plan.ok() || sample.columns.empty() ? "" : plan.error().message;
      if (sample.rows.empty()) {
        reason = sink.first_problem().empty() ? reader.shape() + " without any records"
                                              : "no record can be read; the first is " + sink.first_problem();
      }
      if (IsSpotifyAccountFile(file.name)) return SetAside(file, SpotifyOther());
      return Quarantine(file, "", "", WithLoss(reason, file), nullptr);
    }
    if (!plan->set_aside.empty()) return SetAside(file, *plan);
    return TakeRecognised(file, mapped, reader, *plan);
  }

  const Outcome& outcome() const { return outcome_; }

 private:
  Status TakeRecognised(const Unpacked& file, const MappedFile& mapped, RecordReader& reader, Plan& plan) {
    SEGUE_TRY(const auto known, context_.catalog.FindObject(file.sha256, plan.listener));
    if (known && known->status == "accepted" && context_.bucket.Exists(known->staged_key)) {
      ++outcome_.already_known;
      return {};
    }
    SEGUE_TRY(store::Duck* const duck, stager_.Duck());
    const fs::path parquet = scratch_ / (file.sha256 + ".parquet");
    Rejects rejects(file.sha256, file.name, scratch_ / (file.sha256 + ".ndjson"));
    auto staged = Stage(reader, plan, *duck, rejects, context_.instruments, parquet);
    SEGUE_RETURN_IF_ERROR(rejects.Close());
    if (!staged.ok()) {
      // Of a file that breaks off while it is read, nothing was staged.
      stager_.Close();
      if (staged.error().code != ErrorCode::kCorrupt) return staged.error().In("ingest: " + file.name);
      return Quarantine(file, plan.format, plan.listener, staged.error().message, &rejects);
    }
    if (staged->rows == 0 && rejects.count() == 0) {
      plan.set_aside = "podcasts and audiobooks only, no music";
      return SetAside(file, plan);
    }
    if (staged->rows == 0) {
      const auto first = rejects.Rows(0).front();
      return Quarantine(file, plan.format, plan.listener,
                        "recognised as " + plan.format + ", but none of its " + WithCommas(staged->records) +
                            " records can be read; the first is line " + std::to_string(first.line) + ": " +
                            (first.field.empty() ? "" : "'" + first.field + "' ") + first.reason,
                        &rejects);
    }
    return Accept(file, mapped, plan, *staged, rejects, parquet);
  }

  /// Raw and staged bytes are durable before the catalog's row: killed
  /// anywhere between, the same call does it all again to the same end.
  Status Accept(const Unpacked& file, const MappedFile& mapped, const Plan& plan, const Staged& staged, Rejects& rejects,
                const fs::path& parquet) {
    store::ObjectRecord record = RecordOf(file, plan, "accepted");
    record.staged_key =
        "staged/" + (plan.listener.empty() ? file.sha256 : Sha256Hex(file.sha256 + "\n" + plan.listener)) + ".parquet";
    record.rows = staged.rows;
    record.rejected = rejects.count();
    record.reason = Warnings(file, staged);
    std::vector<store::QuarantineRow> rows = rejects.Rows(context_.clock.NowSeconds());
    if (!file.loss.empty()) {
      rows.push_back(FileRow(file, file.loss));
      rows.back().line = 1 + Sweep(mapped.bytes(), [&](std::string_view piece) { mapped.Forget(piece); }).Count('\n', 0, mapped.bytes().size());
    }
    SEGUE_RETURN_IF_ERROR(context_.bucket.PutFile(record.staged_key, parquet));
    SEGUE_RETURN_IF_ERROR(KeepBytes("raw/" + file.sha256, file.path));
    SEGUE_RETURN_IF_ERROR(KeepDamaged(file));
    SEGUE_RETURN_IF_ERROR(KeepRejects(file, rejects));
    SEGUE_RETURN_IF_ERROR(AddQuarantine(rows));
    SEGUE_RETURN_IF_ERROR(context_.catalog.PutObject(record));
    ++outcome_.accepted;
    outcome_.rows += record.rows;
    outcome_.rejected_rows += record.rejected;
    context_.instruments.Info("ingest", "accepted " + file.name,
                              {{"format", record.format},
                               {"listener", record.listener},
                               {"rows", record.rows},
                               {"rejected", record.rejected},
                               {"bytes", record.bytes},
                               {"warning", record.reason}});
    return {};
  }

  Status SetAside(const Unpacked& file, const Plan& plan) {
    SEGUE_TRY(const auto known, context_.catalog.FindObject(file.sha256, plan.listener));
    if (known && known->status == "set_aside") {
      ++outcome_.already_known;
      return {};
    }
    store::ObjectRecord record = RecordOf(file, plan, "set_aside");
    record.table.clear();
    record.reason = plan.set_aside;
    // Also what is of no use to us: the file leaves the inbox, and may be the only copy.
    SEGUE_RETURN_IF_ERROR(KeepBytes("raw/" + file.sha256, file.path));
    SEGUE_RETURN_IF_ERROR(context_.catalog.PutObject(record));
    ++outcome_.set_aside;
    context_.instruments.Info("ingest", "set aside " + file.name, {{"format", record.format}, {"reason", record.reason}});
    return {};
  }

  /// Refuses a whole file. `rejects`: its rows, where they were looked at.
  Status Quarantine(const Unpacked& file, const std::string& format, const std::string& listener, const std::string& why,
                    Rejects* rejects) {
    ++outcome_.quarantined;
    if (rejects != nullptr) outcome_.rejected_rows += rejects->count();
    SEGUE_TRY(const auto known, context_.catalog.FindObject(file.sha256, listener));
    if (known && known->status == "quarantined" && known->reason == why) return {};
    store::ObjectRecord record = RecordOf(file, {.format = format, .listener = listener}, "quarantined");
    record.reason = why;
    std::vector<store::QuarantineRow> rows;
    if (rejects != nullptr) {
      rows = rejects->Rows(context_.clock.NowSeconds());
      record.rejected = rejects->count();
      SEGUE_RETURN_IF_ERROR(KeepRejects(file, *rejects));
    }
    rows.push_back(FileRow(file, why));
    SEGUE_RETURN_IF_ERROR(KeepBytes("quarantine/" + file.sha256 + "/file", file.path));
    SEGUE_RETURN_IF_ERROR(KeepDamaged(file));
    SEGUE_RETURN_IF_ERROR(AddQuarantine(rows));
    SEGUE_RETURN_IF_ERROR(context_.catalog.PutObject(record));
    context_.instruments.Warn("ingest", "quarantined " + file.name, {{"reason", why}, {"sha256", file.sha256}});
    return {};
  }

  store::ObjectRecord RecordOf(const Unpacked& file, const Plan& plan, const std::string& status) const {
    return {.sha256 = file.sha256,
            .name = file.name,
            .listener = plan.listener,
            .format = plan.format,
            .table = plan.table,
            .status = status,
            .bytes = file.bytes,
            .added_at = context_.clock.NowSeconds(),
            .run_id = input_.run_id};
  }

  store::QuarantineRow FileRow(const Unpacked& file, const std::string& why) const {
    store::QuarantineRow row{.sha256 = file.sha256, .file = file.name, .reason = why, .at = context_.clock.NowSeconds()};
    if (const auto mapped = MappedFile::Open(file.path); mapped.ok()) row.sample = SampleOf(mapped->bytes());
    std::replace_if(row.sample.begin(), row.sample.end(), [](char c) { return c == '\0'; }, ' ');
    return row;
  }

  static std::string WithLoss(const std::string& reason, const Unpacked& file) {
    return file.loss.empty() ? reason : reason + "; " + file.loss;
  }

  static std::string Warnings(const Unpacked& file, const Staged& staged) {
    std::string all = file.loss;
    const auto add = [&](const std::string& text) { all += (all.empty() ? "" : "; ") + text; };
    if (staged.spoken_word > 0) add(WithCommas(staged.spoken_word) + " podcast or audiobook rows set aside");
    if (staged.not_utf8 > 0) add(WithCommas(staged.not_utf8) + " values were not UTF-8 and were read as Windows-1252");
    return all;
  }

  Status KeepBytes(const std::string& key, const fs::path& file) {
    return context_.bucket.Exists(key) ? Status() : context_.bucket.PutFile(key, file);
  }

  /// The damaged archive as it came: a better tool may get more out of it.
  Status KeepDamaged(const Unpacked& file) {
    if (file.loss.empty()) return {};
    const fs::path copy = scratch_ / (file.sha256 + ".damaged");
    std::error_code error;
    fs::copy_file(input_.path, copy, fs::copy_options::overwrite_existing, error);
    if (error) return store::SystemError("copying", input_.path, error.value());
    return context_.bucket.PutFile("quarantine/" + file.sha256 + "/archive", copy);
  }

  Status KeepRejects(const Unpacked& file, const Rejects& rejects) {
    if (rejects.count() == 0) return {};
    return context_.bucket.PutFile("quarantine/" + file.sha256 + "/rows.ndjson", rejects.path());
  }

  /// Adds the rows that an earlier, interrupted attempt has not added already.
  Status AddQuarantine(const std::vector<store::QuarantineRow>& rows) {
    if (rows.empty()) return {};
    const auto key = [](const store::QuarantineRow& row) {
      return std::tuple(row.sha256, row.file, row.line, row.field, row.reason);
    };
    constexpr int64_t kLookBack = 4000;
    if (!quarantined_) {
      SEGUE_TRY(const auto newest, context_.catalog.Quarantine(0, kLookBack));
      quarantined_.emplace();
      for (const auto& row : newest) quarantined_->insert(key(row));
    }
    std::vector<store::QuarantineRow> missing;
    for (const auto& row : rows) {
      if (!quarantined_->contains(key(row))) missing.push_back(row);
    }
    return missing.empty() ? Status() : context_.catalog.AddQuarantine(missing);
  }

  const Context& context_;
  Stager& stager_;
  const Input& input_;
  fs::path scratch_;
  /// (sha256, file, line, field, reason) of what the catalog had at the start.
  std::optional<std::set<std::tuple<std::string, std::string, int64_t, std::string, std::string>>> quarantined_;
  Outcome outcome_;
};

}  // namespace

struct Ingester::State {
  explicit State(const Context& with) : context(with), stager(context) {}
  Context context;
  Stager stager;
};

Ingester::Ingester(const Context& context) : state_(std::make_unique<State>(context)) {}
Ingester::~Ingester() = default;

Result<Outcome> Ingester::Take(const Input& input) {
  // Whatever ends this call early may have left something behind in the database.
  struct Closing {
    Stager& stager;
    bool whole = false;
    ~Closing() {
      if (!whole) stager.Close();
    }
  } closing{state_->stager};
  const Context& context = state_->context;
  SEGUE_TRY(const Scratch scratch, Scratch::Make(context.bucket.ScratchFolder()));
  auto unpacked = Unpack(input.path, input.name, scratch.path(), context.settings.max_expanded_bytes);
  if (!unpacked.ok()) return unpacked.error().In("ingest");
  if (unpacked->grew) {
    context.instruments.Info("ingest", input.name + " is still being written");
    return Outcome{.grew = true};
  }
  Taker taker(context, state_->stager, input, scratch.path());
  uint64_t done = 0;
  for (const Unpacked& file : unpacked->files) {
    if (context.instruments.Cancelled()) return Error{ErrorCode::kCancelled, "ingest: asked to stop"};
    SEGUE_RETURN_IF_ERROR(taker.Take(file));
    // Of a single file, the caller knows more.
    if (unpacked->files.size() > 1) context.instruments.Progress("ingest", ++done, unpacked->files.size(), "files");
  }
  closing.whole = true;
  return taker.outcome();
}

Result<Outcome> Ingest(const Context& context, const Input& input) { return Ingester(context).Take(input); }

}  // namespace segue::ingest
