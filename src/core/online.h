#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/arm.h"
#include "core/dataset.h"

namespace segue {

/// One list that a listener was shown, or (Arm::kShadow) would have been.
struct Showing {
  std::string list_id;
  std::string listener;
  std::string model_id;
  Arm arm = Arm::kLive;
  int64_t at = 0;                    ///< Unix seconds
  int64_t made_us = 0;               ///< microseconds to make it; 0: it was kept from before
  bool failed = false;               ///< the model could not make it, and another's list was shown
  std::vector<std::string> tracks;   ///< in the order shown
};

/// Feedback, as far as it may answer a list.
struct OnlineAnswer {
  std::string listener;
  std::string track_id;
  std::string list_id;               ///< the list that it names; "" none
  EventKind kind = EventKind::kPlay;
  int64_t at = 0;                    ///< Unix seconds
};

/// What became of the lists of one model in one arm. Rates are shares of the
/// `judged` lists: those whose window is over, so that all had the same time.
struct ArmFigures {
  std::string model_id;
  Arm arm = Arm::kLive;
  int64_t lists = 0;
  int64_t failed = 0;                ///< of these
  int64_t listeners = 0;
  int64_t judged = 0;
  int64_t hit = 0;                   ///< a track of it was played or liked within the window
  int64_t liked = 0, disliked = 0, skipped = 0;
  int64_t shown = 0;                 ///< places in all lists
  int64_t distinct_tracks = 0;       ///< coverage, once divided by the catalogue's size
  int64_t distinct_pairs = 0;        ///< listener and track: 1 - pairs / shown is what was shown again
  double made_p50_ms = 0, made_p99_ms = 0;  ///< of the lists that were made anew

  double Rate(int64_t count) const { return judged == 0 ? 0 : static_cast<double>(count) / static_cast<double>(judged); }
};

/// What a listener counts with where arms are compared.
struct ListenerOutcome {
  Arm arm = Arm::kLive;              ///< kLive or kCanary
  int64_t lists = 0;                 ///< that the shares are of
  double hit = 0, liked = 0, disliked = 0;  ///< shares of them
};

/// Joins what was shown with what was answered. An answer is credited to one
/// list that was shown: the one that it names, else the newest one of the same
/// listener; and beside that to the newest list that a shadow would have shown
/// him. In each case only where that list has the track and the answer came
/// within `window_s` after it. Plays and likes are hits; ratings and reviews do
/// not count. A list counts once, however many answers it has.
class OnlineLedger {
 public:
  explicit OnlineLedger(int64_t window_s) : window_s_(window_s) {}

  /// Of one listener, in the order of time.
  void Show(const Showing& showing);
  /// After all lists that it may answer.
  void Answer(const OnlineAnswer& answer);

  /// By arm and model, in the order in which they first came.
  std::vector<ArmFigures> Figures(int64_t now) const;

  /// Each listener's first `lists` lists of the live model and the canary, as
  /// far as they were shown within `listener_s` of the first. He counts once
  /// they are that many and their windows are over, or that time and a window
  /// more are over, so that nobody is left out because he came back less often.
  /// Who saw both arms among them (the canary could not make his list, or its
  /// share was changed) counts for neither. In the order of the first list.
  std::vector<ListenerOutcome> Outcomes(int64_t now, int64_t lists, int64_t listener_s) const;

 private:
  struct List {
    uint32_t group = 0;          ///< in groups_
    int64_t at = 0;
    size_t first = 0, count = 0; ///< in tracks_
    bool failed = false, hit = false, liked = false, disliked = false, skipped = false;
  };
  struct Group {
    std::string model_id;
    Arm arm;
    std::vector<uint32_t> lists;
    std::vector<int64_t> made_us;
  };

  bool Has(const List& list, uint32_t track) const;
  bool Credit(List& list, uint32_t track, const OnlineAnswer& answer);
  void CreditNewest(uint32_t listener, uint32_t track, bool shadow, const OnlineAnswer& answer);

  int64_t window_s_;
  std::vector<List> lists_;
  std::vector<uint32_t> tracks_;  ///< of all lists, one after the other
  std::vector<Group> groups_;
  std::unordered_map<std::string, uint32_t> track_ix_, listener_ix_, list_ix_;
  std::vector<std::vector<uint32_t>> lists_of_;  ///< listener -> lists, by time
  std::vector<uint32_t> listener_of_;            ///< list -> listener
};

}  // namespace segue
