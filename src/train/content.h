#pragma once

#include <memory>
#include <vector>

#include "models/content.h"
#include "train/sparse.h"
#include "train/trainer.h"

namespace segue::train {

// Content models (models/content.h has the formulas): nothing is fitted but
// what the catalogue itself says, and what reviews say for or against.
// Settings "content.*": the weights of text, sound and popularity are set, not
// learned; popularity's was tuned on listening data (lastfm-2k: 0.5 of 0 to 1 was
// best, and anything from 0.3 to 0.8 close to it). O(words + events), one thread.

/// By tags, artist, title, album and reviews.
std::unique_ptr<Trainer> MakeContentTextTrainer();
/// By audio features, and whatever other numbers there are about tracks.
std::unique_ptr<Trainer> MakeContentAudioTrainer();
/// By both.
std::unique_ptr<Trainer> MakeContentTrainer();

/// What the catalogue tells apart tracks by: words, tags and names; numbers.
struct Described {
  bool text = false;
  bool audio = false;
};
Described DescriptionsIn(const Dataset& data);

/// [tracks] the texts of the reviews of each; borrowed.
std::vector<std::vector<std::string_view>> ReviewsByTrack(const Dataset& data);

/// The catalogue as text.
struct TextSpace {
  models::Vocabulary vocabulary;
  models::SparseRows rows;  ///< [tracks] of unit length, or empty
};
TextSpace TextSpaceOf(const Dataset& data);

/// The catalogue as numbers.
struct AudioSpace {
  models::FeatureScale scale;
  std::vector<float> z;      ///< [tracks x PaddedTo(scale.size())]
  std::vector<float> known;  ///< the same shape: 1, or 0 where missing
  std::vector<uint8_t> any;  ///< [tracks] 1 where something is known
};
AudioSpace AudioSpaceOf(const Dataset& data);

/// What each review says for (up to 1) or against (down to −1) its track:
/// its rating, or the rating that its words foretell, less the mean rating, over the
/// largest distance from it. NaN where there is no rating and too few (fewer
/// than kFewestRated) to learn words from, or they are all the same.
///
/// Learning: ridge regression from TF-IDF words to ratings over the rated
/// reviews (train/ridge.h; λ = 1 of unit-length rows), as in Pang, Lee, "Seeing stars", ACL 2005,
/// which found regression on words fit for rating scales.
/// O(entries · steps).
Result<std::vector<float>> ReviewVerdicts(const Dataset& data, Instruments& instruments);
inline constexpr size_t kFewestRated = 20;

/// What models::Reviewers keeps: words by `verdicts`, and the verdicts of
/// reviews without a rating.
models::Reviewers ReviewersOf(const Dataset& data, const models::Vocabulary& vocabulary,
                              std::span<const float> verdicts, float like_weight);

}  // namespace segue::train
