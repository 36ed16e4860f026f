#include "monitor/request_window.h"

#include <cmath>
#include <cstdlib>

namespace segue::monitor {
namespace {

constexpr int64_t kWindowMs = 300'000;
constexpr double kLeastUs = 10;
constexpr double kStep = 1.25;
constexpr uint64_t kTooFew = 100;

}  // namespace

void RequestWindow::Note(uint64_t microseconds) {
  const double steps = std::ceil(std::log(std::max(1.0, static_cast<double>(microseconds) / kLeastUs)) / std::log(kStep));
  const size_t step = std::min(kSteps - 1, static_cast<size_t>(steps));
  windows_[static_cast<size_t>(present_.load(std::memory_order_relaxed))][step].fetch_add(1, std::memory_order_relaxed);
}

std::optional<double> RequestWindow::P99(int64_t now_ms) {
  if (began_ms_ == 0) began_ms_ = now_ms;
  if (std::llabs(now_ms - began_ms_) >= kWindowMs) {
    const int next = 1 - present_.load();
    for (auto& count : windows_[static_cast<size_t>(next)]) count.store(0, std::memory_order_relaxed);
    present_ = next;
    began_ms_ = now_ms;
  }
  std::array<uint64_t, kSteps> counts{};
  uint64_t all = 0;
  for (size_t i = 0; i < kSteps; ++i) {
    counts[i] = windows_[0][i].load(std::memory_order_relaxed) + windows_[1][i].load(std::memory_order_relaxed);
    all += counts[i];
  }
  if (all < kTooFew) return std::nullopt;
  uint64_t below = 0;
  for (size_t i = 0; i < kSteps; ++i) {
    below += counts[i];
    if (below * 100 >= all * 99) return kLeastUs * std::pow(kStep, static_cast<double>(i)) / 1e6;
  }
  return std::nullopt;
}

}  // namespace segue::monitor
