#pragma once

#include <cstddef>
#include <string_view>

namespace segue::bench {

/// What this machine can do, measured, not looked up: the floors that kernels
/// are held against. Each is the best of several short runs by the thread's own
/// processor time, so that other work on the machine does not count.

/// Fused multiply-adds a second of one core, times two: registers only, twelve
/// chains. 0 where the processor does not run the set ("avx2", "avx512").
double PeakFlops(std::string_view set);

/// Bytes a second that one core reads from memory, from an array far larger
/// than the caches. Here the clock counts, and other work does too.
double ReadBandwidth();

/// Bytes a second that `threads` cores read together.
double ReadBandwidth(size_t threads);

/// Seconds of processor time that this thread has had.
double ThreadSeconds();
/// Of all threads.
double ProcessSeconds();
/// Seconds on the wall.
double WallSeconds();
/// Most memory that this process has had at a time, in bytes.
double PeakMemory();

}  // namespace segue::bench
