#include "train/ease_sparse.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include <tbb/enumerable_thread_specific.h>

#include "math/kernels/kernels.h"
#include "math/parallel.h"
#include "train/neighbours.h"

namespace segue::train {
namespace {

/// Tracks by rank: those with the most listeners first.
struct Ranks {
  std::vector<uint32_t> track;  ///< [tracks] by rank
  std::vector<uint32_t> of;     ///< [tracks] the rank

  explicit Ranks(const Csr& tracks) : track(tracks.rows()), of(tracks.rows()) {
    std::iota(track.begin(), track.end(), 0u);
    std::stable_sort(track.begin(), track.end(), [&](uint32_t a, uint32_t b) { return tracks.Columns(a).size() > tracks.Columns(b).size(); });
    for (uint32_t r = 0; r < track.size(); ++r) of[track[r]] = r;
  }
};

/// XᵀX of the first tracks by rank, its upper triangle.
class Head {
 public:
  Head(const Csr& tracks, size_t listeners, const Ranks& ranks, size_t size) : size_(size), products_(Triangle(size, size), 0.0f) {
    Csr columns;
    for (size_t a = 0; a < size; ++a) {
      const auto who = tracks.Columns(ranks.track[a]);
      const auto values = tracks.Values(ranks.track[a]);
      columns.column.insert(columns.column.end(), who.begin(), who.end());
      columns.value.insert(columns.value.end(), values.begin(), values.end());
      columns.EndRow();
    }
    const Csr rows = Transposed(columns, listeners);
    math::ParallelRanges(size, 16, [&](size_t first, size_t last) {
      for (size_t a = first; a < last; ++a) {
        float* out = Row(a);
        for (size_t k = 0; k < columns.Columns(a).size(); ++k) {
          const uint32_t u = columns.Columns(a)[k];
          const float value = columns.Values(a)[k];
          const auto others = rows.Columns(u);
          const auto values = rows.Values(u);
          for (size_t o = others.size(); o-- > 0 && others[o] >= a;) out[others[o]] += value * values[o];
        }
      }
    });
  }

  size_t size() const { return size_; }
  /// Row(a)[b] for b >= a alone.
  const float* Row(size_t a) const { return products_.data() + Triangle(a, size_) - a; }

 private:
  float* Row(size_t a) { return products_.data() + Triangle(a, size_) - a; }

  size_t size_;
  std::vector<float> products_;
};

/// The block of one column: its neighbours, and what was found of their products.
struct Block {
  uint32_t track;
  std::vector<uint32_t> members;  ///< the neighbours, by rank
  size_t in_head;                 ///< of them, the first
  std::vector<float> products;    ///< of each other member with those up to itself, then with the track
  std::vector<float> own;         ///< [members] of the track, where it is not in the head

  /// Of row r >= in_head in `products`: r + 1 members and the track.
  size_t Offset(size_t r) const { return (r * (r + 3) - in_head * (in_head + 3)) / 2; }
  float* Row(size_t r) { return products.data() + Offset(r); }
};

/// Where a track's products are wanted: member `place` of a block, or, where
/// that is the number of its members, its track.
struct Wanted {
  uint32_t block;
  uint32_t place;
};

/// Products of one track with all tracks, on one thread.
class Products {
 public:
  Products(const Csr& listeners, const Csr& tracks) : listeners_(listeners), tracks_(tracks), row_(tracks.rows(), 0.0f) {}

  /// Hands those of `track` to the blocks.
  void Give(uint32_t track, std::span<const Wanted> wanted, std::vector<Block>& blocks);

 private:
  const Csr& listeners_;
  const Csr& tracks_;
  std::vector<float> row_;  // zeros between tracks
};

void Products::Give(uint32_t track, std::span<const Wanted> wanted, std::vector<Block>& blocks) {
  const auto who = tracks_.Columns(track);
  const auto weights = tracks_.Values(track);
  size_t met = 0;
  for (size_t k = 0; k < who.size(); ++k) {
    const auto columns = listeners_.Columns(who[k]);
    const auto values = listeners_.Values(who[k]);
    for (size_t c = 0; c < columns.size(); ++c) row_[columns[c]] += weights[k] * values[c];
    met += columns.size();
  }
  for (const auto& [number, place] : wanted) {
    Block& block = blocks[number];
    const size_t d = block.members.size();
    float* out = place == d ? block.own.data() : block.Row(place);
    const size_t last = place == d ? d : place + 1u;
    for (size_t r = 0; r < last; ++r) out[r] = row_[block.members[r]];
    if (place < d) out[last] = row_[block.track];
  }
  if (met > row_.size() / 4) {
    std::fill(row_.begin(), row_.end(), 0.0f);
    return;
  }
  for (const uint32_t u : who) {
    for (const uint32_t c : listeners_.Columns(u)) row_[c] = 0;
  }
}

/// One thread's room for a block's matrix.
struct Room {
  std::vector<float> matrix;  ///< [members x members], rows padded
  std::vector<float> solution;
};

/// B's column, for block.members in order. False where a pivot is not positive.
bool Solve(Block& block, const Head& head, const Ranks& ranks, std::span<const float> penalty, Room& room, float* values) {
  const size_t d = block.members.size();
  const size_t stride = math::PaddedTo(d);
  room.matrix.assign(stride * stride, 0.0f);
  room.solution.assign(stride, 0.0f);
  const uint32_t own = ranks.of[block.track];
  std::vector<uint32_t> rank(d);
  for (size_t k = 0; k < d; ++k) rank[k] = ranks.of[block.members[k]];
  for (size_t r = 0; r < block.in_head; ++r) {
    const float* from = head.Row(rank[r]);
    float* to = room.matrix.data() + r * stride;
    for (size_t c = r; c < block.in_head; ++c) to[c] = from[rank[c]];
    room.solution[r] = own < head.size() ? head.Row(std::min(rank[r], own))[std::max(rank[r], own)] : block.own[r];
  }
  for (size_t c = block.in_head; c < d; ++c) {
    const float* row = block.Row(c);
    for (size_t r = 0; r <= c; ++r) room.matrix[r * stride + c] = row[r];
    room.solution[c] = row[c + 1];
  }
  for (size_t k = 0; k < d; ++k) room.matrix[k * stride + k] += penalty[block.members[k]];
  const math::Kernels& kernels = math::BestKernels();
  if (!kernels.cholesky(room.matrix.data(), stride, d)) return false;
  kernels.solve(room.matrix.data(), stride, d, room.solution.data());
  std::copy_n(room.solution.begin(), d, values);
  return true;
}

/// For every track that is not in the head, where its products are wanted.
struct Orders {
  std::vector<uint32_t> track;
  std::vector<uint64_t> begin;  ///< [tracks + 1]
  std::vector<Wanted> wanted;
};

Orders OrdersOf(const std::vector<Block>& blocks, const Head& head, const Ranks& ranks) {
  std::vector<uint64_t> begin(ranks.of.size() + 1, 0);
  const auto each = [&](const auto& call) {
    for (uint32_t b = 0; b < blocks.size(); ++b) {
      const auto d = static_cast<uint32_t>(blocks[b].members.size());
      for (auto k = static_cast<uint32_t>(blocks[b].in_head); k < d; ++k) call(blocks[b].members[k], Wanted{b, k});
      if (ranks.of[blocks[b].track] >= head.size()) call(blocks[b].track, Wanted{b, d});
    }
  };
  each([&](uint32_t track, Wanted) { ++begin[track + 1]; });
  Orders orders;
  for (uint32_t i = 0; i < ranks.of.size(); ++i) {
    if (begin[i + 1] > 0) {
      orders.track.push_back(i);
      orders.begin.push_back(begin[i]);
    }
    begin[i + 1] += begin[i];
  }
  orders.begin.push_back(begin.back());
  orders.wanted.resize(begin.back());
  each([&](uint32_t track, Wanted wanted) { orders.wanted[begin[track]++] = wanted; });
  return orders;
}

Block BlockOf(uint32_t track, const std::vector<Neighbour>& near, const Head& head, const Ranks& ranks) {
  Block block{track, {}, 0, {}, {}};
  for (const Neighbour n : near) block.members.push_back(n.row());
  std::sort(block.members.begin(), block.members.end(), [&](uint32_t a, uint32_t b) { return ranks.of[a] < ranks.of[b]; });
  const size_t d = block.members.size();
  while (block.in_head < d && ranks.of[block.members[block.in_head]] < head.size()) ++block.in_head;
  block.products.resize(block.Offset(d));
  if (ranks.of[track] >= head.size()) block.own.resize(d);
  return block;
}

}  // namespace

std::optional<Csr> SparseEase(const Csr& listeners, const Csr& tracks, std::span<const float> penalty,
                              const SparseEaseSettings& settings, Instruments& instruments) {
  const size_t p = tracks.rows();
  auto near = NearestTracks(listeners, p, {}, settings.neighbours, instruments);
  if (instruments.Cancelled()) return std::nullopt;
  Csr columns;  // of B: what speaks for each track
  for (const auto& list : near) columns.begin.push_back(columns.begin.back() + list.size());
  columns.column.resize(columns.begin.back());
  columns.value.resize(columns.begin.back());
  const Ranks ranks(tracks);
  const Head head(tracks, listeners.rows(), ranks, std::min(p, settings.head));
  std::atomic<bool> solved = true;
  tbb::enumerable_thread_specific<Products> products([&] { return Products(listeners, tracks); });
  tbb::enumerable_thread_specific<Room> rooms;
  std::vector<Block> blocks;
  for (size_t next = 0; next < p;) {
    blocks.clear();
    for (size_t room = settings.room; next < p && (blocks.empty() || room > 0); ++next) {
      const uint32_t track = ranks.track[next];
      const Block& block = blocks.emplace_back(BlockOf(track, near[track], head, ranks));
      near[track] = {};
      room -= std::min(room, block.products.size() + block.own.size());
    }
    const Orders orders = OrdersOf(blocks, head, ranks);
    math::ParallelRanges(orders.track.size(), 8, [&](size_t first, size_t last) {
      for (size_t o = first; o < last && !instruments.Cancelled(); ++o) {
        const auto wanted = std::span(orders.wanted).subspan(orders.begin[o], orders.begin[o + 1] - orders.begin[o]);
        products.local().Give(orders.track[o], wanted, blocks);
      }
    });
    math::ParallelRanges(blocks.size(), 8, [&](size_t first, size_t last) {
      for (size_t b = first; b < last && solved && !instruments.Cancelled(); ++b) {
        const uint64_t at = columns.begin[blocks[b].track];
        std::copy(blocks[b].members.begin(), blocks[b].members.end(), columns.column.begin() + static_cast<std::ptrdiff_t>(at));
        if (!Solve(blocks[b], head, ranks, penalty, rooms.local(), columns.value.data() + at)) solved = false;
      }
    });
    if (!solved || instruments.Cancelled()) return std::nullopt;
  }
  return Transposed(columns, p);  // each row ascends, in whatever order the columns are
}

}  // namespace segue::train
