#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dataset.h"
#include "models/model_file.h"

namespace segue::models {

/// Something that is said of a track, and how often. The first character of the
/// name tells the kind: "#rock" a tag, "@muse" the artist (normalised),
/// "=showbiz" the album, all else is a word of the title or of reviews.
struct Term {
  std::string name;
  float count = 1;
};

/// Lower-case words of two bytes and more: runs of ASCII letters and digits and
/// of whatever is not ASCII. "Don't" is "dont".
std::vector<std::string> WordsOf(std::string_view text);

/// What the catalogue says of row `track`, ascending by name, each name once.
/// `reviews`: texts about the track, whose words are added.
std::vector<Term> TermsOf(const Tracks& tracks, const TrackTags& tags, size_t track,
                          std::span<const std::string_view> reviews = {});

/// Sorts by name and adds up the counts of the same name.
void Merge(std::vector<Term>& terms);

/// A sparse vector; columns ascend.
struct SparseVector {
  std::vector<uint32_t> column;
  std::vector<float> value;
};

/// Terms as numbers, with their weights:
///
///   tfidf(t, i) = kind(t) · (1 + ln count(t, i)) · ln((1 + N) / (1 + N_t))
///
/// N documents, N_t of them with the term; the vector is then brought to unit
/// length. Source: Salton, Buckley, "Term-weighting approaches in automatic
/// text retrieval", IPM 1988 (their "ltc", with add-one smoothing); sublinear counts: Manning, Raghavan,
/// Schütze, "Introduction to Information Retrieval", 2008, eq. 6.13.
/// Departures: words of titles and reviews count half of tags and names (kind).
/// A term that only one document has likens it to nothing and is left out.
class Vocabulary {
 public:
  /// The most terms that are kept: those of most documents.
  static constexpr size_t kMostTerms = 1 << 18;

  Vocabulary() = default;
  /// documents: each as Merge leaves it; empty ones do not count.
  static Vocabulary Of(std::span<const std::vector<Term>> documents);
  /// Sections "term_offsets", "term_ids", "idf".
  static Result<Vocabulary> Open(std::shared_ptr<const ModelFile> file);
  void AddTo(ModelFileWriter& writer) const;

  size_t size() const { return idf().size(); }
  std::string_view Name(size_t term) const { return file_ == nullptr ? std::string_view(names_[term]) : mapped_names_[term]; }
  std::span<const float> idf() const { return file_ == nullptr ? std::span<const float>(idf_) : mapped_idf_; }
  /// O(log terms).
  std::optional<uint32_t> Find(std::string_view name) const;
  /// Of unit length; empty where no term is known. `terms` as Merge leaves it.
  SparseVector Vector(std::span<const Term> terms) const;

 private:
  std::vector<std::string> names_;  // ascending
  std::vector<float> idf_;
  std::shared_ptr<const ModelFile> file_;
  TrackIds mapped_names_;
  std::span<const float> mapped_idf_;
};

/// Numbers about tracks, standardised: z = (value − mean) / deviation over the
/// catalogue's known values, cut at ±kMostDeviations. Missing (or not finite) is
/// the mean, 0, and marked. A feature that is the same everywhere says nothing.
class FeatureScale {
 public:
  static constexpr float kMostDeviations = 5;

  FeatureScale() = default;
  static FeatureScale Of(const Tracks& tracks, const ExtraFeatures& extra);
  /// Sections "feature_names", "feature_mean", "feature_scale".
  static Result<FeatureScale> Open(const ModelFile& file);
  void AddTo(ModelFileWriter& writer) const;

  size_t size() const { return mean_.size(); }
  /// z and known (1, or 0 where missing), [size()] each, of row `track`; features are
  /// found by name. True where anything is known.
  bool Row(const Tracks& tracks, const ExtraFeatures& extra, size_t track, float* z, float* known) const;

 private:
  std::vector<std::string> names_;  // kAudioFeatures, then the extra ones
  std::vector<float> mean_;
  std::vector<float> scale_;        // 1 / deviation; 0 where it says nothing
};

}  // namespace segue::models
