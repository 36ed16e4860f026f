#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// What the fuzzers share. A fuzzer calls a parser with any bytes: it must come
// back, and what it lets through must keep its header's word.

/// 2023-11-14, so that a finding can be repeated.
inline constexpr int64_t kFuzzNow = 1'700'000'000;

/// Ends the program where it does not hold; libFuzzer keeps the input.
inline void Expect(bool holds) {
  if (!holds) std::abort();
}

inline std::string_view TextOf(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }
