#include "store/csv_files.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/check.h"
#include "store/csv_table.h"
#include "store/duck.h"

namespace segue::store {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr int64_t kMemoryLimitMb = 8192;

const CsvColumn kEventColumns[] = {{"user_id"}, {"item_id"}, {"value", CsvColumn::kNumber}, {"at", CsvColumn::kSeconds, false}};
const CsvColumn kTagColumns[] = {{"item_id"}, {"tag"}, {"count", CsvColumn::kNumberOrNothing, false}};
const CsvColumn kFriendColumns[] = {{"user_id"}, {"friend_id"}};

/// Numbers ids as they come, from 0.
class Ids {
 public:
  uint32_t Number(std::string_view id) {
    // Files are often grouped by listener.
    if (last_ != numbers_.end() && last_->first == id) return last_->second;
    last_ = numbers_.find(id);
    if (last_ == numbers_.end()) {
      SEGUE_CHECK(numbers_.size() < std::numeric_limits<uint32_t>::max());
      last_ = numbers_.emplace(id, static_cast<uint32_t>(numbers_.size())).first;
    }
    return last_->second;
  }

  struct Sorted {
    std::vector<std::string> names;  ///< ascending
    std::vector<uint32_t> row;       ///< [names] of the n-th that came
  };
  Sorted Sort() const {
    std::vector<const Map::value_type*> order;
    order.reserve(numbers_.size());
    for (const auto& entry : numbers_) order.push_back(&entry);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    Sorted sorted{{}, std::vector<uint32_t>(order.size())};
    sorted.names.reserve(order.size());
    for (const auto* entry : order) {
      sorted.row[entry->second] = static_cast<uint32_t>(sorted.names.size());
      sorted.names.push_back(entry->first);
    }
    return sorted;
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Map = std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>>;
  Map numbers_;
  Map::const_iterator last_ = numbers_.end();
};

/// Do values look like ratings? A scale of at most ten, whole or half steps,
/// and another step at least as common as the lowest, which leads with play counts.
class Scale {
 public:
  void Add(double value) {
    const double step = value * 2;
    if (!(step >= 0 && step <= 20) || step != std::floor(step)) {
      has_steps_ = false;
    } else {
      ++of_step_[static_cast<size_t>(step)];
    }
  }
  bool LooksLikeRatings() const {
    const auto lowest = std::find_if(of_step_.begin(), of_step_.end(), [](uint64_t n) { return n > 0; });
    return has_steps_ && lowest != of_step_.end() &&
           std::any_of(lowest + 1, of_step_.end(), [&](uint64_t n) { return n >= *lowest; });
  }

 private:
  bool has_steps_ = true;
  std::array<uint64_t, 21> of_step_{};
};

/// The rows of a file of events in its order. As text they would be several times as large.
struct Rows {
  struct Row {
    uint32_t user, item;  ///< as Ids numbers them
    float value;
  };
  std::vector<Row> rows;
  std::vector<int64_t> at;  ///< [rows] Unix seconds; empty: the file has none
  Scale scale;
};

Status ReadRows(Duck& duck, const std::filesystem::path& path, Ids& users, Ids& items, Rows& out) {
  SEGUE_TRY(const std::string select, SelectCsv(path, kEventColumns));
  std::string field = "CASE wrong";
  for (size_t c = 0; c < std::size(kEventColumns); ++c) field += " WHEN " + std::to_string(c) + " THEN \"" + kEventColumns[c].name + '"';
  int64_t row = 0;
  Status wrong;
  const Status read = duck.Stream(
      "SELECT user_id, item_id, try_cast(value AS DOUBLE), try_cast(\"at\" AS BIGINT), " + WrongCsvColumn(kEventColumns) + " AS wrong, " +
          field + " END FROM (" + select + ")",
      [&](const DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows() && wrong.ok(); ++r) {
          ++row;
          if (!chunk.IsNull(4, r)) {  // the rest is still read: a row that is no CSV comes first
            wrong = WrongCsvField(path, row, kEventColumns[static_cast<size_t>(chunk.Int(4, r))], CsvTextAt(chunk, 5, r));
            return;
          }
          out.rows.push_back({users.Number(chunk.Text(0, r)), items.Number(chunk.Text(1, r)), static_cast<float>(chunk.Real(2, r))});
          out.scale.Add(chunk.Real(2, r));
          if (chunk.IsNull(3, r) && out.at.empty()) continue;
          out.at.resize(out.rows.size(), 0);
          if (!chunk.IsNull(3, r)) out.at.back() = chunk.Int(3, r);
        }
      });
  SEGUE_RETURN_IF_ERROR(CsvReadingEnded(read, path));
  return wrong;
}

/// The rows as events of each listener by (at, track), those of the same in the order of the file.
void ToEvents(const Rows& from, const Ids::Sorted& users, const Ids::Sorted& items, EventKind kind, Dataset& data) {
  data.begin.assign(users.names.size() + 1, 0);
  for (const Rows::Row& row : from.rows) ++data.begin[users.row[row.user] + 1];
  for (size_t i = 1; i < data.begin.size(); ++i) data.begin[i] += data.begin[i - 1];
  data.events.resize(from.rows.size());
  std::vector<uint64_t> next(data.begin.begin(), data.begin.end() - 1);
  for (size_t r = 0; r < from.rows.size(); ++r) {
    const Rows::Row& row = from.rows[r];
    data.events[next[users.row[row.user]]++] = {TrackIx{items.row[row.item]}, kind, row.value, -1, from.at.empty() ? 0 : from.at[r]};
  }
  const auto sooner = [](const Event& a, const Event& b) { return std::tie(a.at, a.track) < std::tie(b.at, b.track); };
  for (size_t u = 0; u + 1 < data.begin.size(); ++u) {
    const auto own = std::span(data.events).subspan(data.begin[u], data.begin[u + 1] - data.begin[u]);
    if (!std::is_sorted(own.begin(), own.end(), sooner)) std::stable_sort(own.begin(), own.end(), sooner);
  }
}

Status ReadNames(Duck& duck, const std::string& table, std::vector<std::string>& names) {
  return duck.Query("SELECT id FROM " + table + " ORDER BY ix", [&](const DuckChunk& chunk) {
    for (uint64_t r = 0; r < chunk.rows(); ++r) names.push_back(CsvTextAt(chunk, 0, r));
  });
}

Status ReadTags(Duck& duck, const std::filesystem::path& path, Dataset& data) {
  SEGUE_RETURN_IF_ERROR(ReadCsv(duck, path, "tags", kTagColumns));
  SEGUE_RETURN_IF_ERROR(duck.Run(
      "CREATE TABLE known_tags AS SELECT items.ix AS item, tag, least(sum(coalesce(try_cast(\"count\" AS DOUBLE), 1)), 1e15) AS n FROM tags "
      "JOIN items ON items.id = item_id GROUP BY items.ix, tag HAVING n > 0"));
  SEGUE_RETURN_IF_ERROR(duck.Run(
      "CREATE TABLE tag_names AS SELECT tag AS id, row_number() OVER (ORDER BY tag) - 1 AS ix FROM (SELECT DISTINCT tag FROM known_tags)"));
  SEGUE_RETURN_IF_ERROR(ReadNames(duck, "tag_names", data.tags.names));
  data.tags.begin.assign(data.tracks.size() + 1, 0);
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT item, ix, n FROM known_tags JOIN tag_names ON id = tag ORDER BY item, ix", [&](const DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows(); ++r) {
          ++data.tags.begin[static_cast<size_t>(chunk.Int(0, r)) + 1];
          data.tags.tag.push_back(static_cast<uint32_t>(chunk.Int(1, r)));
          data.tags.weight.push_back(static_cast<float>(chunk.Real(2, r)));
        }
      }));
  for (size_t i = 0; i + 1 < data.tags.begin.size(); ++i) data.tags.begin[i + 1] += data.tags.begin[i];
  return {};
}

Status ReadFeatures(Duck& duck, const std::filesystem::path& path, Dataset& data) {
  std::vector<CsvColumn> columns = {{"item_id"}};
  for (const std::string& name : CsvHeader(path)) {
    if (name == "item_id" || name.empty()) continue;
    columns.push_back({name, CsvColumn::kNumberOrNothing});
    data.extra_features.names.push_back(name);
  }
  SEGUE_RETURN_IF_ERROR(ReadCsv(duck, path, "features", columns));
  const size_t width = data.extra_features.names.size();
  data.extra_features.values.assign(data.tracks.size() * width, kMissing);
  std::string chosen;
  for (size_t c = 1; c < columns.size(); ++c) chosen += ", try_cast(f.\"" + columns[c].name + "\" AS DOUBLE)";
  return duck.Query("SELECT items.ix" + chosen + " FROM features f JOIN items ON items.id = f.item_id ORDER BY f.row",
                    [&](const DuckChunk& chunk) {
                      for (uint64_t r = 0; r < chunk.rows(); ++r) {
                        float* row = data.extra_features.values.data() + static_cast<size_t>(chunk.Int(0, r)) * width;
                        for (size_t c = 0; c < width; ++c) {
                          const int column = static_cast<int>(c) + 1;
                          if (!chunk.IsNull(column, r)) row[c] = static_cast<float>(chunk.Real(column, r));
                        }
                      }
                    });
}

Status ReadFriends(Duck& duck, const std::filesystem::path& path, Dataset& data) {
  SEGUE_RETURN_IF_ERROR(ReadCsv(duck, path, "friends", kFriendColumns));
  data.friends.begin.assign(data.listeners.size() + 1, 0);
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT DISTINCT a, b FROM (SELECT u.ix AS a, v.ix AS b FROM friends JOIN users u ON u.id = user_id JOIN users v ON v.id = friend_id "
      "UNION ALL SELECT v.ix, u.ix FROM friends JOIN users u ON u.id = user_id JOIN users v ON v.id = friend_id) WHERE a <> b ORDER BY a, b",
      [&](const DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows(); ++r) {
          ++data.friends.begin[static_cast<size_t>(chunk.Int(0, r)) + 1];
          data.friends.of.push_back(UserIx{static_cast<uint32_t>(chunk.Int(1, r))});
        }
      }));
  for (size_t i = 0; i + 1 < data.friends.begin.size(); ++i) data.friends.begin[i + 1] += data.friends.begin[i];
  return {};
}

/// Listeners, track ids and events of `pair`.
Status ReadEvents(const CsvFiles& files, TrainTest& pair) {
  Rows train, test, fold_in;
  Ids::Sorted user_rows, item_rows;
  {
    Ids users, items;
    SEGUE_TRY(const auto duck, OpenDuck({.memory_limit_mb = kMemoryLimitMb}));
    SEGUE_RETURN_IF_ERROR(ReadRows(*duck, files.train, users, items, train));
    if (!files.test.empty()) SEGUE_RETURN_IF_ERROR(ReadRows(*duck, files.test, users, items, test));
    if (!files.fold_in.empty()) SEGUE_RETURN_IF_ERROR(ReadRows(*duck, files.fold_in, users, items, fold_in));
    user_rows = users.Sort();
    item_rows = items.Sort();
  }
  const EventKind kind = train.scale.LooksLikeRatings() ? EventKind::kRating : EventKind::kPlay;
  // Each file's rows go before the next one's become events.
  ToEvents(std::exchange(train, {}), user_rows, item_rows, kind, pair.train);
  ToEvents(std::exchange(test, {}), user_rows, item_rows, kind, pair.test);
  ToEvents(std::exchange(fold_in, {}), user_rows, item_rows, kind, pair.fold_in);
  pair.train.listeners = std::move(user_rows.names);
  pair.train.tracks.id = std::move(item_rows.names);
  return {};
}

/// `names`, which ascend, as a table (id, ix).
Status MakeIdTable(Duck& duck, const std::string& table, std::span<const std::string> names) {
  SEGUE_RETURN_IF_ERROR(duck.Run("CREATE TABLE " + table + "(id VARCHAR, ix BIGINT)"));
  SEGUE_TRY(const auto appender, duck.Append(table));
  for (size_t i = 0; i < names.size(); ++i) {
    appender->Text(names[i]);
    appender->Int(static_cast<int64_t>(i));
    SEGUE_RETURN_IF_ERROR(appender->EndRow());
  }
  return appender->Close();
}

/// Which tracks the files of items say something of.
void MarkListed(Dataset& data) {
  const size_t width = data.extra_features.names.size();
  data.tracks.listed.assign(data.tracks.size(), 0);
  for (size_t t = 0; t < data.tracks.size(); ++t) {
    bool says = !data.tags.empty() && data.tags.begin[t] < data.tags.begin[t + 1];
    for (size_t f = 0; f < width && !says; ++f) says = !std::isnan(data.extra_features.values[t * width + f]);
    data.tracks.listed[t] = says ? 1 : 0;
  }
}

}  // namespace

void AddEvents(Dataset& data, const Dataset& more) {
  SEGUE_CHECK(data.listeners == more.listeners);
  if (more.events.empty()) return;
  std::vector<Event> events;
  std::vector<uint64_t> begin = {0};
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    for (const Dataset* part : std::initializer_list<const Dataset*>{&data, &more}) {
      const auto own = part->EventsOf(UserIx{u});
      events.insert(events.end(), own.begin(), own.end());
    }
    const auto sooner = [](const Event& a, const Event& b) {
      return std::tie(a.at, a.track, a.kind) < std::tie(b.at, b.track, b.kind);
    };
    std::stable_sort(events.begin() + static_cast<std::ptrdiff_t>(begin.back()), events.end(), sooner);
    begin.push_back(events.size());
  }
  data.events = std::move(events);
  data.begin = std::move(begin);
}

Result<TrainTest> LoadCsvFiles(const CsvFiles& files) {
  TrainTest pair;
  SEGUE_RETURN_IF_ERROR(ReadEvents(files, pair));
  Tracks& tracks = pair.train.tracks;
  const size_t n = tracks.id.size();
  tracks.title = tracks.id;
  tracks.artist.resize(n);
  tracks.album.resize(n);
  tracks.tags.resize(n);
  tracks.year.resize(n);
  tracks.duration_ms.resize(n);
  tracks.hit.assign(n, -1);
  tracks.features.assign(n * kAudioFeatures.size(), kMissing);
  tracks.listed.assign(n, 0);
  pair.test.tracks = pair.train.tracks;
  pair.test.listeners = pair.train.listeners;
  pair.fold_in.listeners = pair.train.listeners;
  if (files.item_tags.empty() && files.item_features.empty() && files.friends.empty()) return pair;
  SEGUE_TRY(const auto duck, OpenDuck({.memory_limit_mb = kMemoryLimitMb}));
  SEGUE_RETURN_IF_ERROR(MakeIdTable(*duck, "users", pair.train.listeners));
  SEGUE_RETURN_IF_ERROR(MakeIdTable(*duck, "items", tracks.id));
  if (!files.item_tags.empty()) SEGUE_RETURN_IF_ERROR(ReadTags(*duck, files.item_tags, pair.train));
  if (!files.item_features.empty()) SEGUE_RETURN_IF_ERROR(ReadFeatures(*duck, files.item_features, pair.train));
  if (!files.friends.empty()) SEGUE_RETURN_IF_ERROR(ReadFriends(*duck, files.friends, pair.train));
  MarkListed(pair.train);
  pair.test.tracks.listed = tracks.listed;
  return pair;
}

}  // namespace segue::store
