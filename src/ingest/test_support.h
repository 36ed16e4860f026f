#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/records.h"

// For tests only.
namespace segue::ingest {

/// A folder of a test's own, gone at its end.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "segue-ingest-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TestFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Writes a file, its folders too.
  std::filesystem::path Write(const std::string& name, std::string_view bytes) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }

 private:
  std::filesystem::path path_;
};

inline std::string ReadAll(const std::filesystem::path& file) {
  std::ostringstream all;
  all << std::ifstream(file, std::ios::binary).rdbuf();
  return all.str();
}

/// What a reader found, kept: fields with '|' between, null as "~".
class Collected final : public RecordSink {
 public:
  bool OnRecord(const Record& record) override {
    std::string text = std::to_string(record.line) + ":";
    for (size_t i = 0; i < record.fields.size(); ++i) {
      text += (i == 0 ? "" : "|") + std::string(record.fields[i].value_or("~"));
    }
    records.push_back(text);
    return true;
  }
  bool OnProblem(const RecordProblem& problem) override {
    problems.push_back(std::to_string(problem.line) + ": " + problem.reason);
    return true;
  }

  std::vector<std::string> records;
  std::vector<std::string> problems;
};

}  // namespace segue::ingest
