#include "train/neighbours.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include <tbb/enumerable_thread_specific.h>

#include "math/parallel.h"

namespace segue::train {
namespace {

constexpr size_t kBlock = 64;  // columns that are looked at together
constexpr size_t kAhead = 4;   // rows that are fetched before they are needed

/// A neighbour as one number that is greater for the nearer: a likeness above 0
/// orders as its bits do, ties go to the lower row.
uint64_t Near(float likeness, uint32_t row) { return uint64_t{std::bit_cast<uint32_t>(likeness)} << 32 | ~row; }

/// The k nearest of candidates, in whatever order they come.
class Nearest {
 public:
  explicit Nearest(size_t k) : k_(k) {}

  /// What is less alike than this is not among them.
  float bar() const { return bar_; }
  void Take(uint64_t near) {
    kept_.push_back(near);
    if (kept_.size() >= 3 * k_ + 64) Cut();
  }
  /// Nearest first; empties itself.
  std::vector<Neighbour> Sorted() {
    if (kept_.size() > k_) Cut();
    std::sort(kept_.begin(), kept_.end(), std::greater<>());
    std::vector<Neighbour> sorted(kept_.begin(), kept_.end());  // no room to spare: all tracks' are kept
    kept_.clear();
    bar_ = std::numeric_limits<float>::min();
    return sorted;
  }

 private:
  void Cut() {
    std::nth_element(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1), kept_.end(), std::greater<>());
    kept_.resize(k_);
    bar_ = Neighbour{kept_.back()}.likeness();
  }

  const size_t k_;
  std::vector<uint64_t> kept_;
  float bar_ = std::numeric_limits<float>::min();  // a likeness of 0 is none
};

/// A listener's row with column and weight side by side: one stream to read.
struct Entry {
  uint32_t column;
  float value;
};

/// One thread's row of the product. All zero between uses; blocks that are
/// touched are marked, so that a row's cost follows what is in it.
struct Row {
  std::vector<float> dot;         ///< [tracks, up to whole blocks]
  std::vector<float> common;      ///< the same, where it counts
  std::vector<uint8_t> touched;   ///< [blocks]
  Nearest nearest;

  Row(size_t tracks, bool counts_common, size_t k)
      : dot((tracks + kBlock - 1) / kBlock * kBlock, 0.0f), common(counts_common ? dot.size() : 0, 0.0f), touched(dot.size() / kBlock, 0), nearest(k) {}
};

/// Rows of tracks, by how many listeners have them, most first.
std::vector<uint32_t> ByListeners(const Csr& listeners, size_t tracks) {
  std::vector<uint32_t> count(tracks, 0);
  for (const uint32_t column : listeners.column) ++count[column];
  std::vector<uint32_t> order(tracks);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return count[a] > count[b]; });
  return order;
}

void Multiply(std::span<const uint64_t> begin, std::span<const Entry> entries, const Csr& columns, size_t i, Row& row) {
  const auto who = columns.Columns(i);
  const auto weights = columns.Values(i);
  float* const dot = row.dot.data();
  uint8_t* const touched = row.touched.data();
  for (size_t k = 0; k < who.size(); ++k) {
    if (k + kAhead < who.size()) {  // where a row begins, the processor cannot guess
      const Entry* next = entries.data() + begin[who[k + kAhead]];
      for (size_t line = 0; line < 4; ++line) __builtin_prefetch(next + line * 64 / sizeof(Entry));
    }
    const auto tracks = entries.subspan(begin[who[k]], begin[who[k] + 1] - begin[who[k]]);
    const float weight = weights[k];
    for (const Entry& entry : tracks) {
      dot[entry.column] += weight * entry.value;
      touched[entry.column / kBlock] = 1;
    }
    if (!row.common.empty()) {
      for (const Entry& entry : tracks) row.common[entry.column] += 1;
    }
  }
}

std::vector<Neighbour> Pick(Row& row, const Likeness& likeness, size_t i, std::span<const uint32_t> order) {
  for (size_t block = 0; block < row.touched.size(); ++block) {
    if (row.touched[block] == 0) continue;
    row.touched[block] = 0;
    const size_t first = block * kBlock;
    const size_t count = std::min(kBlock, order.size() - first);
    float* found = row.dot.data() + first;
    float* common = row.common.empty() ? nullptr : row.common.data() + first;
    likeness.Replace(i, first, count, found, common);
    if (i / kBlock == block) found[i - first] = 0;
    int above = 0;  // most blocks have none
    const float bar = row.nearest.bar();
    for (size_t k = 0; k < kBlock; ++k) above += found[k] >= bar ? 1 : 0;
    for (size_t k = 0; above > 0; ++k) {
      if (found[k] < bar) continue;
      row.nearest.Take(Near(found[k], order[first + k]));
      --above;
    }
    std::fill_n(found, kBlock, 0.0f);
    if (common != nullptr) std::fill_n(common, kBlock, 0.0f);
  }
  return row.nearest.Sorted();
}

}  // namespace

std::vector<std::vector<Neighbour>> NearestTracks(Csr listeners, size_t tracks, const LikenessRule& rule, size_t k, Instruments& instruments) {
  const auto order = ByListeners(listeners, tracks);
  std::vector<uint32_t> number(tracks);
  for (uint32_t r = 0; r < tracks; ++r) number[order[r]] = r;
  for (uint32_t& column : listeners.column) column = number[column];
  const Csr columns = Transposed(listeners, tracks);
  const Likeness likeness(rule, columns, listeners.rows());
  std::vector<Entry> entries(listeners.size());
  for (size_t e = 0; e < entries.size(); ++e) entries[e] = {listeners.column[e], listeners.value[e]};
  std::vector<std::vector<Neighbour>> lists(tracks);
  tbb::enumerable_thread_specific<Row> rows([&] { return Row(tracks, likeness.CountsCommon(), k); });
  math::ParallelRanges(tracks, 16, [&](size_t first, size_t last) {
    if (instruments.Cancelled()) return;
    Row& row = rows.local();
    for (size_t i = first; i < last; ++i) {
      Multiply(listeners.begin, entries, columns, i, row);
      lists[order[i]] = Pick(row, likeness, i, order);
    }
  });
  return lists;
}

}  // namespace segue::train
