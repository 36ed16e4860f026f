#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/preferences.h"
#include "models/model.h"

namespace segue::models {

/// A listener's past in a model's rows; owns what a History borrows.
struct Past {
  std::string listener;
  std::vector<Preference> tracks;  ///< ascending
  std::vector<Played> recent;

  History View() const {
    History history(tracks);
    history.listener = listener;
    history.recent = recent;
    return history;
  }
};

/// Turns the rows of a dataset into those of a model; tracks that the model
/// does not know are left out. Thread-safe.
class RowMap {
 public:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  RowMap(const Model& model, std::span<const std::string> track_ids);

  /// Row of the model, or kNone.
  uint32_t operator[](TrackIx track) const { return rows_[Raw(track)]; }
  /// Events in any order.
  Past PastOf(std::string_view listener, std::span<const Event> events, const StrengthRule& rule) const;

 private:
  std::vector<uint32_t> rows_;  // [tracks of the dataset]
};

}  // namespace segue::models
