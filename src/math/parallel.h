#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <tbb/blocked_range.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#ifdef SEGUE_SANITIZE_THREAD
#include <atomic>
#include <thread>
#include <vector>
#endif

namespace segue::math {

/// Loops on several cores, run by oneTBB. Under the thread sanitizer, which
/// cannot see how oneTBB's library hands work over (it would report each loop,
/// or, told not to, miss real races), they run on plain threads instead.
///
/// Calls that write must write to places of their own; sums over calls go by
/// fixed blocks, so that they do not depend on the number of threads.

/// Threads that loops here may run on.
inline size_t Concurrency() { return static_cast<size_t>(tbb::this_task_arena::max_concurrency()); }

/// body(first, last) over [0, n) in ranges of at most `grain`.
template <typename Body>
void ParallelRanges(size_t n, size_t grain, const Body& body) {
#ifdef SEGUE_SANITIZE_THREAD
  const size_t ranges = (n + grain - 1) / grain;
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t r = next.fetch_add(1); r < ranges; r = next.fetch_add(1)) body(r * grain, std::min(n, (r + 1) * grain));
  };
  std::vector<std::jthread> threads;
  const size_t most = std::min(Concurrency(), ranges);
  for (size_t t = 1; t < most; ++t) threads.emplace_back(work);
  work();
#else
  tbb::parallel_for(tbb::blocked_range<size_t>(0, n, grain), [&](const tbb::blocked_range<size_t>& range) { body(range.begin(), range.end()); },
                    tbb::simple_partitioner());
#endif
}

/// body(i) for each i of [0, n).
template <typename Body>
void ParallelFor(size_t n, const Body& body) {
#ifdef SEGUE_SANITIZE_THREAD
  ParallelRanges(n, std::max<size_t>(1, n / 64), [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) body(i);
  });
#else
  tbb::parallel_for(size_t{0}, n, body);
#endif
}

/// work() with loops on `threads` cores, 0: all of them; on no more than there
/// are, which would gain nothing. Gives what work gives.
template <typename Work>
decltype(auto) WithThreads(int64_t threads, Work&& work) {
  const int cores = tbb::info::default_concurrency();
  tbb::task_arena arena(threads <= 0 ? cores : static_cast<int>(std::min<int64_t>(threads, cores)));
  return arena.execute(std::forward<Work>(work));
}

}  // namespace segue::math
