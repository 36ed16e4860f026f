#include "serve/radio.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "serve/ranking.h"

namespace segue::serve {
namespace {

constexpr size_t kLeg = 5;
constexpr size_t kOfSeed = 50;      ///< tracks of an artist or a tag that a leg may start from
constexpr double kHalfPlaces = 10;  ///< so many places down a track is half as likely
constexpr size_t kDry = 8;          ///< legs in which nothing was found before the most played goes on

class Walk {
 public:
  Walk(const Snapshot& snapshot, Neighbourhood& neighbourhood, const RadioSeeds& seeds, std::span<const uint8_t> exclude, uint64_t seed)
      : snapshot_(snapshot), neighbourhood_(neighbourhood), facets_(snapshot.ground()->facets()), seed_(seed), free_(snapshot.data().tracks.size(), 0) {
    for (uint32_t row = 0; row < free_.size(); ++row) {
      const auto m = snapshot.ModelRowOf(row);
      free_[row] = m && exclude[Raw(*m)] == 0;
    }
    for (const uint32_t row : seeds.tracks) {
      free_[row] = 0;
      sources_.push_back({{row}, ""});
    }
    for (const uint32_t artist : seeds.artists) AddSource(facets_.TracksOf(artist), "by " + facets_.ArtistName(artist));
    for (const uint32_t tag : seeds.tags) AddSource(facets_.Tagged(tag), "tagged " + facets_.TagName(tag));
  }

  std::vector<RadioStep> First(size_t n) {
    for (size_t leg = 0, dry = 0; steps_.size() < n; ++leg) {
      Random random(seed_, leg);
      const size_t before = steps_.size();
      Leg(leg, random, n);
      dry = steps_.size() == before ? dry + 1 : 0;
      const size_t patience = sources_.size() + kDry;
      if (dry < patience) continue;
      if (!PlayMostPlayed()) break;
      dry = patience - 1;  // where little is left, little is looked for
    }
    return std::move(steps_);
  }

 private:
  struct Source {
    std::vector<uint32_t> rows;
    std::string reason;  ///< of its own tracks; "" where they are not played
  };
  struct Candidate {
    uint32_t row;
    const std::string* reason;
  };

  void AddSource(std::span<const uint32_t> rows, std::string reason) {
    rows = rows.first(std::min(rows.size(), kOfSeed));
    sources_.push_back({{rows.begin(), rows.end()}, std::move(reason)});
  }

  bool SameArtistAsLast(uint32_t row) const {
    return !steps_.empty() && facets_.ArtistOf(row) != Facets::kNone && facets_.ArtistOf(row) == facets_.ArtistOf(steps_.back().row);
  }

  void Play(uint32_t row, std::string reason) {
    free_[row] = 0;
    steps_.push_back({row, std::move(reason)});
  }

  void Leg(size_t leg, Random& random, size_t n) {
    const bool home = leg < sources_.size() || steps_.empty() || random.Uniform() < 0.5;
    const Source* source = !home ? nullptr : &sources_[leg < sources_.size() ? leg : random.Below(sources_.size())];
    if (source != nullptr && source->rows.empty()) return;
    const size_t last = std::min(kLeg, steps_.size());
    const uint32_t anchor = source != nullptr ? source->rows[random.Below(source->rows.size())] : steps_[steps_.size() - 1 - random.Below(last)].row;
    const std::string near = "like " + TrackName(snapshot_, anchor);
    std::vector<Candidate> candidates;
    if (source != nullptr && !source->reason.empty()) {
      for (const uint32_t row : source->rows) candidates.push_back({row, &source->reason});
    }
    const auto nearest = neighbourhood_.Of(snapshot_, anchor);
    for (const auto& [row, score] : *nearest) candidates.push_back({row, &near});
    for (size_t k = 0; k < kLeg && steps_.size() < n; ++k) {
      std::erase_if(candidates, [&](const Candidate& c) { return free_[c.row] == 0; });
      const Candidate* chosen = Choose(candidates, random);
      if (chosen == nullptr) return;
      Play(chosen->row, *chosen->reason);
    }
  }

  /// Null where none is of another artist than the last track's.
  const Candidate* Choose(const std::vector<Candidate>& candidates, Random& random) const {
    std::vector<std::pair<double, const Candidate*>> up_to;  // sums of what their places count
    double sum = 0;
    for (const Candidate& candidate : candidates) {
      if (SameArtistAsLast(candidate.row)) continue;
      sum += std::exp2(-static_cast<double>(up_to.size()) / kHalfPlaces);
      up_to.emplace_back(sum, &candidate);
    }
    if (up_to.empty()) return nullptr;
    const double at = random.Uniform() * sum;
    const auto it = std::upper_bound(up_to.begin(), up_to.end(), at, [](double value, const auto& one) { return value < one.first; });
    return (it == up_to.end() ? up_to.back() : *it).second;
  }

  bool PlayMostPlayed() {
    uint32_t same = Facets::kNone;
    for (const uint32_t row : facets_.ByPlays()) {
      if (free_[row] == 0) continue;
      if (!SameArtistAsLast(row)) {
        Play(row, "nothing like the others is left: this is what is popular");
        return true;
      }
      if (same == Facets::kNone) same = row;
    }
    if (same == Facets::kNone) return false;
    Play(same, "nothing by anybody else is left");
    return true;
  }

  const Snapshot& snapshot_;
  Neighbourhood& neighbourhood_;
  const Facets& facets_;
  uint64_t seed_;
  std::vector<uint8_t> free_;  // [tracks] may still be played
  std::vector<Source> sources_;
  std::vector<RadioStep> steps_;
};

}  // namespace

std::vector<RadioStep> Radio(const Snapshot& snapshot, Neighbourhood& neighbourhood, const RadioSeeds& seeds, std::span<const uint8_t> exclude,
                             uint64_t seed, size_t n) {
  return Walk(snapshot, neighbourhood, seeds, exclude, seed).First(n);
}

}  // namespace segue::serve
