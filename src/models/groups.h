#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/ials.h"
#include "models/sequence.h"

namespace segue::models {

/// One group of listeners or of tracks.
struct Group {
  uint32_t id = 0;                ///< stays when groups are made anew from these
  uint64_t size = 0;
  std::vector<TrackIx> typical;   ///< most typical first
  std::string tags;               ///< ", " between; "" none known
};

/// Groups of one kind, as rows.
struct Grouping {
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  std::vector<float> centres;      ///< [groups x stride], in the space of normalised factors
  std::vector<uint32_t> group_of;  ///< [listeners or tracks] row of the group, or kNone: no taste is known
  std::vector<Group> groups;       ///< ascending by id
};

/// Listeners and tracks in groups of like taste (train/groups.cc makes them),
/// and what is popular in each:
///
///   score(u, t) = Σ_g w_g · [ n_g(t) + μ·n(t)/n ] / [ n_g + μ ],
///   w_g ∝ exp(cos(x_u, centre_g) / τ) over the three nearest groups of listeners
///
/// with n_g listeners in g, n_g(t) those of them who want t, n and n(t) the
/// same of all. x_u is the listener's vector in the space of the ALS model that
/// is part of this one, so that strangers find their group by what they played.
/// Soft assignment: fuzzy membership as a softmax of similarity; τ, μ constant.
/// Every played track has a finite score; newcomers get popularity.
class GroupsModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "groups";
  static constexpr float kTemperature = 0.1f;  ///< τ
  static constexpr float kSmoothing = 5;       ///< μ, listeners

  struct Parts {
    std::unique_ptr<const IalsModel> space;
    std::vector<std::string> listeners;   ///< names, ascending
    Grouping of_listeners;
    Grouping of_tracks;
    std::vector<uint64_t> wanted_begin;   ///< [groups of listeners + 1]
    std::vector<uint32_t> wanted_track;   ///< ascending in each group
    std::vector<float> wanted_by;         ///< n_g(t)
  };
  static std::unique_ptr<GroupsModel> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  Profile FoldIn(const History& history) const override;
  void Score(const Profile& profile, std::span<float> scores) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override { return parts_.space->Similar(track, n); }
  Status Save(const std::filesystem::path& file) const override;

  const IalsModel& space() const { return *parts_.space; }
  std::span<const std::string> listeners() const { return parts_.listeners; }
  const Grouping& of_listeners() const { return parts_.of_listeners; }
  const Grouping& of_tracks() const { return parts_.of_tracks; }

  /// The listener's nearest group; nothing for newcomers.
  const Group* GroupOf(const Profile& profile) const;
  /// The track's; nothing for tracks that nobody plays.
  const Group* TrackGroup(TrackIx track) const;

 private:
  GroupsModel(Catalogue catalogue, Parts parts);

  struct Membership {
    uint32_t row = 0;
    float weight = 0;
  };
  /// The nearest groups of listeners, nearest first; weights sum to 1.
  std::vector<Membership> Memberships(const Profile& profile) const;

  Parts parts_;
  std::vector<float> share_;   // [tracks] n(t)/n
};

/// x / |x|; false, with x unchanged, where it is zero or not finite.
bool NormaliseVector(std::span<float> x);

}  // namespace segue::models
