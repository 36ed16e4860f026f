#include "serve/groups.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "models/model.h"

namespace segue::serve {
namespace {

constexpr std::array<std::pair<std::string_view, Strategy>, 3> kNames = {
    {{"average", Strategy::kAverage}, {"least_misery", Strategy::kLeastMisery}, {"most_pleasure", Strategy::kMostPleasure}}};

}  // namespace

std::string_view Name(Strategy strategy) { return kNames.at(static_cast<size_t>(strategy)).first; }

std::optional<Strategy> ParseStrategy(std::string_view name) {
  for (const auto& [known, strategy] : kNames) {
    if (known == name) return strategy;
  }
  return std::nullopt;
}

void BringToOneScale(std::span<std::vector<float>> scores, std::span<const uint8_t> exclude) {
  for (size_t t = 0; t < exclude.size(); ++t) {
    const bool never = std::any_of(scores.begin(), scores.end(), [&](const auto& of) { return of[t] == models::kNever; });
    if (exclude[t] == 0 && !never) continue;
    for (auto& of : scores) of[t] = models::kNever;
  }
  for (auto& own : scores) {
    float least = std::numeric_limits<float>::infinity(), most = -least;
    for (const float score : own) {
      if (score == models::kNever) continue;
      least = std::min(least, score);
      most = std::max(most, score);
    }
    for (float& score : own) {
      if (score != models::kNever) score = most > least ? (score - least) / (most - least) : 0;
    }
  }
}

std::vector<float> Together(std::span<const std::vector<float>> wanted, Strategy strategy) {
  std::vector<float> together(wanted[0]);
  for (const auto& own : wanted.subspan(1)) {
    for (size_t t = 0; t < own.size(); ++t) {
      switch (strategy) {
        case Strategy::kAverage: together[t] += own[t]; break;  // kNever stays what it is
        case Strategy::kLeastMisery: together[t] = std::min(together[t], own[t]); break;
        case Strategy::kMostPleasure: together[t] = std::max(together[t], own[t]); break;
      }
    }
  }
  if (strategy == Strategy::kAverage) {
    for (float& all : together) all /= static_cast<float>(wanted.size());
  }
  return together;
}

}  // namespace segue::serve
