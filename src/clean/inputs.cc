#include "clean/inputs.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <tuple>

#include "core/hash.h"
#include "core/identity.h"

namespace segue::clean {
namespace {

constexpr int64_t kDaySeconds = 86'400;

Result<std::string> FileSha256(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  Sha256 hash;
  std::array<char, 1 << 16> buffer{};
  while (in) {
    in.read(buffer.data(), buffer.size());
    hash.Update({buffer.data(), static_cast<size_t>(in.gcount())});
  }
  if (!in.eof()) return Error{ErrorCode::kIo, "clean: reading " + path.string() + " failed"};
  return hash.HexDigest();
}

Result<std::vector<Input>> StagedObjects(const Context& context) {
  SEGUE_TRY(const auto objects, context.catalog.Objects("accepted"));
  std::vector<Input> inputs;
  for (const auto& object : objects) {
    if (object.staged_key.empty()) continue;
    const auto path = context.bucket.LocalPath(object.staged_key);
    if (!path.ok()) return path.error().In("clean: staged rows of " + object.name);
    // Judged by the day when the file came in, so that the same objects come
    // out the same on whatever day they are cleaned.
    const int64_t came_in = object.added_at > 0 ? object.added_at : context.clock.NowSeconds();
    inputs.push_back({.name = ToUtf8(object.name), .sha256 = object.sha256, .listener = object.listener,
                      .format = object.format, .table = object.table, .path = path->string(),
                      .unreadable = object.rejected, .latest = came_in + kDaySeconds, .came_in = came_in});
  }
  return inputs;
}

Result<std::vector<Input>> FlushedEvents(const Context& context) {
  SEGUE_TRY(const auto keys, context.bucket.List("events"));
  std::vector<Input> inputs;
  for (const auto& key : keys) {
    if (!key.ends_with(".parquet")) continue;
    SEGUE_TRY(const auto path, context.bucket.LocalPath(key));
    SEGUE_TRY(const std::string sha256, FileSha256(path));
    inputs.push_back({.name = key, .sha256 = sha256, .format = "feedback", .table = "events", .path = path.string()});
  }
  return inputs;
}

void Rank(std::vector<Input>& inputs) {
  std::sort(inputs.begin(), inputs.end(), [](const Input& a, const Input& b) {
    return std::tie(a.sha256, a.listener) < std::tie(b.sha256, b.listener);
  });
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i].content_rank = static_cast<int64_t>(i);
  std::sort(inputs.begin(), inputs.end(), [](const Input& a, const Input& b) {
    const bool a_event = a.table == "events";
    const bool b_event = b.table == "events";
    return std::tie(a_event, a.name, a.sha256, a.listener) < std::tie(b_event, b.name, b.sha256, b.listener);
  });
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i].file = static_cast<int64_t>(i);
}

/// Files of nobody but a forgotten listener: their names are often his.
void HideForgotten(std::vector<Input>& inputs, const std::vector<store::ForgottenListener>& forgotten) {
  for (Input& input : inputs) {
    if (input.listener.empty()) continue;
    input.forgotten = std::any_of(forgotten.begin(), forgotten.end(), [&](const store::ForgottenListener& one) {
      return one.listener == input.listener && input.came_in <= one.at;
    });
    if (input.forgotten) input.name = "(a forgotten listener's file)";
  }
}

std::string DatasetId(const std::vector<Input>& inputs, const std::vector<store::ForgottenListener>& forgotten, const Settings& settings) {
  std::vector<std::string> lines;
  lines.reserve(inputs.size() + forgotten.size());
  for (const auto& one : forgotten) {
    lines.push_back("forgotten\t" + one.listener + "\t" + std::to_string(one.at) + "\t" + std::to_string(one.through_seq) + "\n");
  }
  for (const Input& input : inputs) {
    const bool event = input.table == "events";
    lines.push_back(input.sha256 + "\t" + (event ? input.name : input.listener) + "\n");
  }
  std::sort(lines.begin(), lines.end());
  Sha256 hash;
  hash.Update("clean " + std::string(kCleanVersion) + "\n" + ResultFingerprint(settings, "clean."));
  for (const auto& line : lines) hash.Update(line);
  return "d" + hash.HexDigest().substr(0, 16);
}

}  // namespace

Result<Inputs> GatherInputs(const Context& context) {
  SEGUE_TRY(std::vector<Input> inputs, StagedObjects(context));
  SEGUE_TRY(const auto events, FlushedEvents(context));
  inputs.insert(inputs.end(), events.begin(), events.end());
  if (inputs.empty()) {
    return Error{ErrorCode::kNotFound, "clean: there is nothing to clean; put listening data into the inbox first"};
  }
  Inputs gathered;
  SEGUE_TRY(gathered.forgotten, context.catalog.listeners().ForgottenAfter(0));
  HideForgotten(inputs, gathered.forgotten);
  Rank(inputs);
  gathered.dataset_id = DatasetId(inputs, gathered.forgotten, context.settings);
  gathered.list = std::move(inputs);
  return gathered;
}

}  // namespace segue::clean
