#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/model.h"
#include "serve/groups.h"
#include "serve/snapshot.h"
#include "serve/wish.h"

namespace segue::serve {

/// What one of those whom a list is for did, and how he is told of it.
struct Taste {
  ListenerNow now;
  std::string did = "you played";      ///< in "because you played A by B"
  std::string name = "this listener";  ///< in "nothing is known of this listener yet"
};

/// Whom a list is for, as its maker has to know them.
struct Audience {
  std::vector<Taste> tastes;           ///< at least one
  Strategy strategy = Strategy::kAverage;
  std::vector<std::string> blocked;    ///< artists of whom nothing is shown: Facets::ArtistKey
  std::vector<std::string> not_again;  ///< ids of tracks that are not shown either
};

/// The order in which tracks are best for an audience, of those that may be shown:
/// what somebody dislikes or has blocked may not, in discovery nothing that anybody
/// has met, and nothing that the filter does not let through, so that a narrow
/// filter finds all that there is. One listener's order is the model's; several
/// want together what serve/groups.h says. The seeds of a wish are one listener
/// more, who likes them and has just played them, and are not shown.
/// Needs a live model. Borrows the snapshot.
class Ranking {
 public:
  Ranking(const Snapshot& snapshot, const Audience& audience, const Wish& wish);

  /// The n best, best first, ties by row.
  std::vector<models::ScoredTrack> Top(size_t n) const;
  /// How many tracks may be shown.
  size_t allowed() const { return allowed_; }
  /// "because you played A by B and C by D": of several, for whom it is most.
  std::string Reason(TrackIx track) const;
  /// "" where the list is made of what all of them like; else of whom not, and why.
  const std::string& fallback() const { return fallback_; }

 private:
  void AddTaste(const Taste& taste);
  void AddSeeds(const Wish& wish, bool strangers);

  const Snapshot& snapshot_;
  std::vector<models::Profile> profiles_;
  std::vector<std::string> did_;          // [profiles]
  std::vector<uint8_t> exclude_;          // [tracks of the model]
  size_t allowed_ = 0;
  std::vector<std::vector<float>> wanted_;  // [profiles][tracks of the model] on one scale, where there are several
  std::vector<float> together_;
  std::string fallback_;
};

/// 1 for the model's rows that may not be shown.
std::vector<uint8_t> Forbidden(const Snapshot& snapshot, const Audience& audience, const Wish& wish);

/// "A by B".
std::string TrackName(const Snapshot& snapshot, uint32_t row);

}  // namespace segue::serve
