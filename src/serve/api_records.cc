#include <algorithm>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "serve/api.h"
#include "serve/paging.h"
#include "serve/record_json.h"
#include "store/aliases.h"
#include "store/dataset_store.h"
#include "store/duck.h"

// What the API tells of what was done: runs, models, deployments, data quality.
namespace segue::serve {

using nlohmann::json;

Response Api::Runs(const Request& request) const {
  const auto page = PageOf(request, "runs", 50, 1000);
  const auto older = page.ok() ? NumberAfter(*page, -1) : Result<int64_t>(-1);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX);
  const auto states = context_.catalog.RunsByState();
  if (!page.ok() || !older.ok() || !offset.ok()) return ProblemOf(!page.ok() ? page.error() : !older.ok() ? older.error() : offset.error());
  if (!states.ok()) return ProblemOf(states.error());
  int64_t total = 0;
  for (const auto& [state, n] : *states) total += n;
  // The cursor counts the runs that are older, so that new ones do not move it.
  const int64_t first = *older < 0 ? *offset : std::max<int64_t>(total - *older, 0);
  const auto runs = context_.catalog.Runs(first, page->limit);
  if (!runs.ok()) return ProblemOf(runs.error());
  json items = json::array();
  for (const auto& run : *runs) items.push_back(RunJson(run));
  const bool more = runs->size() == static_cast<size_t>(page->limit);
  const int64_t next = first + page->limit;
  return Json({{"items", items}, {"next", more ? json(next) : json()},
               {"next_cursor", NextCursor("runs", std::to_string(std::max<int64_t>(total - next, 0)), more)}});
}

Response Api::OneRun(const Request& request) const {
  const auto run = context_.catalog.FindRun(request.path[2]);
  if (!run.ok()) return ProblemOf(run.error());
  if (!*run) return Problem(404, "Not found", "there is no run '" + request.path[2] + "'");
  return Json(RunJson(**run));
}

Response Api::RunLog(const Request& request) const {
  const auto run = context_.catalog.FindRun(request.path[2]);
  if (!run.ok()) return ProblemOf(run.error());
  if (!*run) return Problem(404, "Not found", "there is no run '" + request.path[2] + "'");
  const std::string type = "application/x-ndjson";
  const auto kept = context_.bucket.Get(store::RunKey((*run)->run_id, "log.ndjson"));
  if (kept.ok() && (*run)->state != "running") return {.body = *kept, .type = type};
  std::ostringstream text;
  if (std::ifstream file(context_.folder.run_log((*run)->run_id)); file) text << file.rdbuf();
  return {.body = text.str(), .type = type};
}

Response Api::Models(const Request& request) const {
  const auto n = QueryNumber(request, "n", 50, 1, 1000);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX);
  if (!n.ok() || !offset.ok()) return ProblemOf(n.ok() ? offset.error() : n.error());
  const auto models = context_.catalog.Models(*offset, *n);
  const auto aliases = store::AllAliases(context_.catalog);
  if (!models.ok() || !aliases.ok()) return ProblemOf(models.ok() ? aliases.error() : models.error());
  json items = json::array();
  for (const auto& model : *models) {
    items.push_back(ModelJson(model, *aliases));
  }
  return Json({{"items", items}, {"next", models->size() == static_cast<size_t>(*n) ? json(*offset + *n) : json()}});
}

Response Api::OneModel(const Request& request) const {
  const auto model_id = store::ResolveModel(context_.catalog, request.path[2]);
  if (!model_id.ok()) return ProblemOf(model_id.error());
  const auto model = context_.catalog.FindModel(*model_id);
  const auto aliases = store::AllAliases(context_.catalog);
  if (!model.ok() || !aliases.ok()) return ProblemOf(model.ok() ? aliases.error() : model.error());
  if (!*model) return Problem(404, "Not found", "there is no model '" + request.path[2] + "'");
  return Json(ModelJson(**model, *aliases));
}

Response Api::Deployments() const {
  const auto deployments = context_.catalog.Deployments(1000);
  if (!deployments.ok()) return ProblemOf(deployments.error());
  json items = json::array();
  for (const auto& deployment : *deployments) items.push_back(DeploymentJson(deployment));
  return Json({{"items", items}});
}

Response Api::Quality(const Request& request) const {
  const std::string key = store::DatasetKey(request.path[2], "quality.json");
  const auto text = context_.bucket.Get(key);
  if (!text.ok()) return Problem(404, "Not found", "there is no dataset '" + request.path[2] + "'");
  return {.body = *text};
}

Response Api::Rejected(const Request& request) const {
  const auto n = QueryNumber(request, "n", 100, 1, 10'000);
  const auto offset = QueryNumber(request, "offset", 0, 0, INT64_MAX / 2);
  if (!n.ok() || !offset.ok()) return ProblemOf(n.ok() ? offset.error() : n.error());
  const auto path = context_.bucket.LocalPath(store::DatasetKey(request.path[2], "rejected.parquet"));
  if (!path.ok()) return Problem(404, "Not found", "there is no dataset '" + request.path[2] + "'");
  const auto duck = store::OpenDuck({.threads = 1, .memory_limit_mb = 256});
  if (!duck.ok()) return ProblemOf(duck.error());
  json items = json::array();
  const segue::Status read = (*duck)->Query(
      "SELECT coalesce(file,''), coalesce(line,0)::BIGINT, coalesce(rule,''), coalesce(field,''), coalesce(reason,''), "
      "coalesce(sample,'') FROM read_parquet(" + store::Quoted(path->string()) + ") LIMIT " + std::to_string(*n) +
          " OFFSET " + std::to_string(*offset),
      [&](const store::DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows(); ++r) {
          items.push_back({{"file", chunk.Text(0, r)}, {"line", chunk.Int(1, r)}, {"rule", chunk.Text(2, r)},
                           {"field", chunk.Text(3, r)}, {"reason", chunk.Text(4, r)}, {"sample", chunk.Text(5, r)}});
        }
      });
  if (!read.ok()) return ProblemOf(read.error());
  const bool more = items.size() == static_cast<size_t>(*n);
  return Json({{"items", items}, {"next", more ? json(*offset + *n) : json()}});
}

Response Api::Quarantine(const Request& request) const {
  const auto n = QueryNumber(request, "n", 100, 1, 10'000);
  const auto before = QueryNumber(request, "before", 0, 0, INT64_MAX);
  if (!n.ok() || !before.ok()) return ProblemOf(n.ok() ? before.error() : n.error());
  const auto rows = context_.catalog.Quarantine(*before, *n);
  const auto total = context_.catalog.QuarantineCount();
  if (!rows.ok() || !total.ok()) return ProblemOf(rows.ok() ? total.error() : rows.error());
  json items = json::array();
  for (const auto& row : *rows) {
    items.push_back({{"id", row.id}, {"file", row.file}, {"line", row.line == 0 ? json() : json(row.line)},
                     {"field", OrNull(row.field)}, {"reason", row.reason}, {"sample", row.sample},
                     {"sha256", row.sha256}, {"at", store::Iso8601(row.at)}});
  }
  return Json({{"items", items}, {"total", *total},
               {"next", rows->size() == static_cast<size_t>(*n) ? json(rows->back().id) : json()}});
}

}  // namespace segue::serve
