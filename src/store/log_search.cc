#include "store/log_search.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "store/clock.h"

namespace segue::store {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
constexpr std::string_view kLineStart = "{\"at\":\"";
constexpr size_t kTimeLength = 24;  ///< "2026-03-01T12:00:00.250Z"
constexpr int64_t kRunsAPage = 200;

size_t LevelOf(std::string_view name) {
  return static_cast<size_t>(std::find(kLevels.begin(), kLevels.end(), name) - kLevels.begin());
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// "2026-03-01T12:30" and every shorter or longer form, in UTC: such texts sort as their times do.
Status CheckTime(const std::string& text, const char* name) {
  static constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  bool fits = text.size() >= 4 && text.size() <= kForm.size();
  for (size_t i = 0; fits && i < text.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    fits = kForm[i] == 'd' ? digit : text[i] == kForm[i] || (text[i] == 'Z' && i + 1 == text.size());
  }
  if (text.empty() || fits) return {};
  return Error{ErrorCode::kInvalid, std::string(name) + " is '" + text + "', expected a time in UTC such as 2026-03-01 or 2026-03-01T12:30:00Z"};
}

/// Where a page goes on: below `at`, and of those at `at` after the first `given`.
struct Cursor {
  std::string at;
  size_t given = 0;
};

Result<Cursor> ReadCursor(const std::string& text) {
  Cursor cursor;
  if (text.empty()) return cursor;
  const size_t bar = text.find('_');
  const char* const end = text.data() + text.size();
  if (bar != kTimeLength || !CheckTime(text.substr(0, bar), "cursor").ok() ||
      std::from_chars(text.data() + bar + 1, end, cursor.given).ptr != end) {
    return Error{ErrorCode::kInvalid, "cursor is '" + text + "', expected `next` of an earlier answer"};
  }
  cursor.at = text.substr(0, bar);
  return cursor;
}

/// A file of the log, and the times of its lines as texts.
struct Source {
  std::string begin, end;  ///< inclusive; end "" open
  std::string run_id;
  std::function<std::string()> read;
};

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Iso8601 has whole seconds; as an end it takes in all of the second.
std::string TimeText(int64_t unix_ms) { return Iso8601(unix_ms / 1000).substr(0, 19); }

Source RunSource(const ObjectStore& bucket, const DataFolder& folder, const RunRecord& run) {
  Source source{.begin = TimeText(run.started_ms), .end = run.finished_ms == 0 ? "" : TimeText(run.finished_ms) + "~", .run_id = run.run_id};
  source.read = [&bucket, file = folder.run_log(run.run_id), key = RunKey(run.run_id, "log.ndjson")] {
    // The bucket has it once the run is over.
    std::string text = ReadFile(file);
    if (!text.empty()) return text;
    const auto kept = bucket.Get(key);
    return kept.ok() ? *kept : std::string();
  };
  return source;
}

/// Newest first; each ends where the next newer one begins.
std::vector<Source> RequestSources(const DataFolder& folder) {
  std::map<int64_t, fs::path, std::greater<>> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder.logs(), error)) {
    const std::string name = entry.path().filename().string();
    int64_t began = INT64_MAX;
    if (name.starts_with("requests-") && name.ends_with(".ndjson")) {
      std::from_chars(name.data() + 9, name.data() + name.size(), began);
    } else if (name != kRequestLog) {
      continue;
    }
    files[began] = entry.path();
  }
  std::vector<Source> sources;
  std::string end;
  for (const auto& [began, path] : files) {
    Source source{.begin = began == INT64_MAX ? "" : TimeText(began), .end = end, .read = [path = path] { return ReadFile(path); }};
    end = source.begin.empty() ? "" : source.begin + "~";
    sources.push_back(std::move(source));
  }
  return sources;
}

class Search {
 public:
  Search(const LogQuery& query, Cursor cursor)
      : query_(query), cursor_(std::move(cursor)), text_(Lower(query.text)), level_(query.level.empty() ? 0 : LevelOf(query.level)),
        wanted_(static_cast<size_t>(query.limit) + 1 + cursor_.given) {}

  /// Can the source have lines that belong to the page?
  bool Wants(const Source& source) const {
    if (!source.end.empty() && !query_.since.empty() && source.end < query_.since) return false;
    if (Beyond(source.begin)) return false;
    return found_.size() < wanted_ || source.end.empty() || source.end >= found_.back().at;
  }

  void Read(const Source& source) {
    const std::string all = source.read();
    std::vector<LogEntry> entries;
    for (size_t start = 0; start < all.size();) {
      const size_t end = std::min(all.find('\n', start), all.size());
      const std::string_view line(all.data() + start, end - start);
      start = end + 1;
      if (Fits(line)) entries.push_back({std::string(line.substr(kLineStart.size(), kTimeLength)), source.run_id, std::string(line)});
    }
    // Later lines first, also of those with one time.
    std::reverse(entries.begin(), entries.end());
    found_.insert(found_.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
    std::stable_sort(found_.begin(), found_.end(), [](const LogEntry& a, const LogEntry& b) {
      return a.at > b.at || (a.at == b.at && a.run_id > b.run_id);
    });
    if (found_.size() > wanted_) found_.resize(wanted_);
  }

  LogPage Page() {
    LogPage page;
    size_t skipped = 0;
    while (skipped < cursor_.given && skipped < found_.size() && found_[skipped].at == cursor_.at) ++skipped;
    const size_t last = std::min(found_.size(), skipped + static_cast<size_t>(query_.limit));
    page.entries.assign(std::make_move_iterator(found_.begin() + static_cast<std::ptrdiff_t>(skipped)),
                        std::make_move_iterator(found_.begin() + static_cast<std::ptrdiff_t>(last)));
    if (found_.size() <= last || page.entries.empty()) return page;
    const std::string& at = page.entries.back().at;
    size_t given = at == cursor_.at ? skipped : 0;
    for (const LogEntry& entry : page.entries) given += entry.at == at ? 1 : 0;
    page.next = at + "_" + std::to_string(given);
    return page;
  }

 private:
  /// Is a time after all that is asked for?
  bool Beyond(std::string_view at) const {
    if (at.empty()) return false;
    if (!query_.until.empty() && at.substr(0, query_.until.size()) > query_.until) return true;
    return !cursor_.at.empty() && at > cursor_.at;
  }

  bool Fits(std::string_view line) const {
    if (!line.starts_with(kLineStart) || line.size() < kLineStart.size() + kTimeLength) return false;
    const std::string_view at = line.substr(kLineStart.size(), kTimeLength);
    if (Beyond(at) || (!query_.since.empty() && at < query_.since)) return false;
    if (!text_.empty() && Lower(line).find(text_) == std::string::npos) return false;
    const json entry = json::parse(line, nullptr, false);
    if (!entry.is_object() || LevelOf(entry.value("level", "")) < level_) return false;
    if (!query_.stage.empty() && entry.value("stage", "") != query_.stage) return false;
    return text_.empty() || Lower(entry.value("message", "") + " " + entry.value("fields", json()).dump()).find(text_) != std::string::npos;
  }

  const LogQuery& query_;
  const Cursor cursor_;
  const std::string text_;
  const size_t level_;
  const size_t wanted_;
  std::vector<LogEntry> found_;
};

}  // namespace

Result<LogPage> SearchLogs(const ObjectStore& bucket, const Catalog& catalog, const DataFolder& folder, const LogQuery& query) {
  SEGUE_RETURN_IF_ERROR(CheckTime(query.since, "since"));
  SEGUE_RETURN_IF_ERROR(CheckTime(query.until, "until"));
  if (!query.level.empty() && LevelOf(query.level) == kLevels.size()) {
    return Error{ErrorCode::kInvalid, "level is '" + query.level + "', expected debug, info, warning or error"};
  }
  SEGUE_TRY(Cursor cursor, ReadCursor(query.cursor));
  Search search(query, std::move(cursor));
  if (!query.run_id.empty()) {
    SEGUE_TRY(const auto run, catalog.FindRun(query.run_id));
    if (!run) return Error{ErrorCode::kNotFound, "there is no run '" + query.run_id + "'; `segue runs` lists them"};
    search.Read(RunSource(bucket, folder, *run));
    return search.Page();
  }
  if (query.stage.empty() || query.stage == "request") {
    for (const Source& source : RequestSources(folder)) {
      if (search.Wants(source)) search.Read(source);
    }
  }
  if (query.stage == "request") return search.Page();
  for (int64_t offset = 0;; offset += kRunsAPage) {
    SEGUE_TRY(const auto runs, catalog.Runs(offset, kRunsAPage));
    for (const RunRecord& run : runs) {
      const Source source = RunSource(bucket, folder, run);
      if (search.Wants(source)) search.Read(source);
    }
    if (runs.size() < static_cast<size_t>(kRunsAPage)) return search.Page();
  }
}

}  // namespace segue::store
