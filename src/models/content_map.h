#pragma once

#include <memory>
#include <vector>

#include "models/content_space.h"
#include "models/ials.h"

namespace segue::models {

/// A linear map from what is known of a track to its place among the factors:
///
///   y(i) = s · Wᵀ φ_i,   φ_i = [t_i, z_i, e_i, 1]
///
/// t: TF-IDF of unit length; z: standardised features, 0 where missing; e: how
/// much is said of the track, ln(1 + Σ counts), standardised as well; s: the
/// shrinkage found in training (train/content_map.h). Each term has its own place.
class ContentMap {
 public:
  struct Parts {
    Vocabulary vocabulary;
    FeatureScale scale;
    float amount_mean = 0;     ///< of ln(1 + Σ counts)
    float amount_scale = 0;    ///< 1 / its deviation, or 0
    uint32_t factors = 0;
    std::vector<float> w;      ///< [columns() x PaddedTo(factors)], s included
  };

  explicit ContentMap(Parts parts) : parts_(std::move(parts)) {}
  static Result<ContentMap> Open(std::shared_ptr<const ModelFile> file);
  void AddTo(ModelFileWriter& writer) const;

  /// φ of row `track`; empty where nothing is known of it.
  static SparseVector Input(const Parts& parts, const Tracks& tracks, const TrackTags& tags, const ExtraFeatures& extra,
                            size_t track, std::span<const std::string_view> reviews = {});
  static size_t Columns(const Parts& parts) { return parts.vocabulary.size() + parts.scale.size() + 2; }
  /// ln(1 + Σ counts) of terms.
  static float Amount(std::span<const Term> terms);

  /// y(i) [PaddedTo(factors)] of row `track`; empty where nothing is known of it.
  std::vector<float> Place(const Tracks& tracks, const TrackTags& tags, const ExtraFeatures& extra, size_t track) const;
  uint32_t factors() const { return parts_.factors; }

 private:
  Parts parts_;
};

/// Implicit ALS in which content speaks where plays are few or none: played
/// tracks have ALS's factors drawn to the place that the map gives them,
///
///   y_i = (n_i · y_i^ALS + κ · y(i)) / (n_i + κ),   n_i listeners
///
/// and tracks that nobody played the map's alone, so that both are ranked
/// together. Listeners are folded in as by IalsModel.
///
/// Source: Gantner, Drumond, Freudenthaler, Rendle, Schmidt-Thieme, "Learning
/// Attribute-to-Feature Mappings for Cold-Start Recommendations", ICDM 2010,
/// section IV-B (linear maps), by least squares on the factors as in van den Oord, Dieleman, Schrauwen,
/// "Deep content-based music recommendation", NIPS 2013, eq. 6. Departure: the
/// blend, after the prior of Wang, Blei, "Collaborative Topic Modeling", KDD
/// 2011, eq. 7, in closed form.
///
/// A newcomer gets the order of popularity, tracks that nobody played behind; a
/// track without plays and content is never recommended.
class IalsContentModel final : public Model {
 public:
  static constexpr std::string_view kAlgorithm = "ials_content";

  /// `ials` has the factors of all tracks, content's included; in its catalogue,
  /// tracks with content that nobody played have popularity 0.
  static std::unique_ptr<Model> Make(std::unique_ptr<IalsModel> ials, ContentMap map);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  uint32_t track_count() const override { return ials_->track_count(); }
  std::string_view TrackId(TrackIx track) const override { return ials_->TrackId(track); }
  Profile FoldIn(const History& history) const override { return ials_->FoldIn(history); }
  void Score(const Profile& profile, std::span<float> scores) const override { ials_->Score(profile, scores); }
  std::vector<ScoredTrack> Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const override {
    return ials_->Top(profile, n, exclude);
  }
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override { return ials_->Similar(track, n); }
  std::optional<float> Likeness(TrackIx a, TrackIx b) const override { return ials_->Likeness(a, b); }
  Status Save(const std::filesystem::path& file) const override;

  /// This model with those of `tracks` that it does not know yet placed by
  /// their content, without training: rows move, ids ascend as ever. Tracks of which
  /// nothing is known are there, but never recommended.
  std::unique_ptr<Model> WithTracks(const Tracks& tracks, const TrackTags& tags, const ExtraFeatures& extra) const;

 private:
  IalsContentModel(std::unique_ptr<IalsModel> ials, ContentMap map) : ials_(std::move(ials)), map_(std::move(map)) {}

  std::unique_ptr<IalsModel> ials_;
  ContentMap map_;
};

}  // namespace segue::models
