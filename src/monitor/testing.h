#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "monitor/distribution.h"
#include "store/catalog.h"
#include "store/clock.h"

// What tests of this folder share: profiles by their definition, a catalog of its own.
namespace segue::monitor {

inline constexpr std::array<const char*, 9> kProfileShares = {"0.01", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99"};

/// As clean/profile.h says, of values that are all there.
inline NumberColumn ProfileOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const std::set<double> distinct(values.begin(), values.end());
  NumberColumn column{.values = static_cast<int64_t>(values.size()), .distinct = static_cast<int64_t>(distinct.size()), .min = values.front(), .max = values.back(), .low = values.front(),
                      .width = (values.back() - values.front()) / 20, .counts = std::vector<int64_t>(20, 0)};
  for (const char* share : kProfileShares) {
    const auto rank = static_cast<size_t>(std::max(1.0, std::ceil(std::stod(share) * n - 1e-9)));
    column.quantiles.emplace_back(std::stod(share), values[rank - 1]);
  }
  for (const double value : values) {
    const double bin = column.width > 0 ? std::floor((value - column.low) / column.width) : 0;
    ++column.counts[static_cast<size_t>(std::clamp(bin, 0.0, 19.0))];
  }
  return column;
}

/// The same as JSON; NaN stands for a missing value.
inline nlohmann::json ProfileJson(const std::vector<double>& values) {
  std::vector<double> there;
  for (const double value : values) {
    if (!std::isnan(value)) there.push_back(value);
  }
  nlohmann::json json = {{"type", "DOUBLE"}, {"nulls", values.size() - there.size()}};
  if (there.empty()) return json;
  const NumberColumn column = ProfileOf(there);
  json["distinct"] = column.distinct;
  json["min"] = column.min;
  json["max"] = column.max;
  for (size_t i = 0; i < kProfileShares.size(); ++i) json["quantiles"][kProfileShares[i]] = column.quantiles[i].second;
  json["histogram"] = {{"low", column.low}, {"width", column.width}, {"counts", column.counts}};
  return json;
}

class WithCatalog : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("segue-monitor-" + std::to_string(::getpid()) + "-" + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    Open();
  }
  void TearDown() override {
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    auto catalog = store::OpenSqliteCatalog(folder_ / "catalog.sqlite");
    ASSERT_TRUE(catalog.ok()) << catalog.error().message;
    catalog_ = *std::move(catalog);
  }
  store::AlarmBook& book() { return catalog_->alarm_book(); }

  /// Waits for a condition, not for a time; false after 20 seconds.
  static bool Eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  std::filesystem::path folder_;
  std::unique_ptr<store::Catalog> catalog_;
};

}  // namespace segue::monitor
