#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/model.h"
#include "models/model_file.h"

namespace segue::models {

/// The part that every artifact has: the tracks' ids, ascending, and their
/// popularity, which is what newcomers get. Owned where just fitted, else
/// mapped from a file that it keeps alive.
class Catalogue {
 public:
  Catalogue() = default;
  /// popularity [ids]: PopularityScore, kNever for tracks that nobody has.
  Catalogue(std::vector<std::string> ids, std::vector<float> popularity);
  /// Sections "popularity" and those of TrackIds.
  static Result<Catalogue> Open(std::shared_ptr<const ModelFile> file);
  void AddTo(ModelFileWriter& writer) const;

  uint32_t size() const { return static_cast<uint32_t>(popularity().size()); }
  std::string_view Id(TrackIx track) const {
    return file_ == nullptr ? std::string_view(ids_[Raw(track)]) : mapped_ids_[Raw(track)];
  }
  std::span<const float> popularity() const { return file_ == nullptr ? std::span<const float>(popularity_) : mapped_popularity_; }
  bool Played(TrackIx track) const { return popularity()[Raw(track)] != kNever; }
  /// Rows of played tracks, most popular first.
  std::span<const uint32_t> ranked() const { return ranked_; }
  /// What a newcomer gets.
  std::vector<ScoredTrack> Popular(size_t n, std::span<const uint8_t> exclude) const;

 private:
  std::vector<std::string> ids_;
  std::vector<float> popularity_;
  std::shared_ptr<const ModelFile> file_;
  TrackIds mapped_ids_;
  std::span<const float> mapped_popularity_;
  std::vector<uint32_t> ranked_;
};

/// A model with a Catalogue.
class CatalogueModel : public Model {
 public:
  uint32_t track_count() const override { return catalogue_.size(); }
  std::string_view TrackId(TrackIx track) const override { return catalogue_.Id(track); }
  const Catalogue& catalogue() const { return catalogue_; }

 protected:
  explicit CatalogueModel(Catalogue catalogue) : catalogue_(std::move(catalogue)) {}

  Catalogue catalogue_;
};

/// The listener's history as profiles keep it.
Profile ProfileOf(const History& history);

}  // namespace segue::models
