#include "train/content.h"

#include <algorithm>
#include <cmath>

#include "math/kernels/kernels.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

class ContentTrainer final : public Trainer {
 public:
  ContentTrainer(std::string_view algorithm, bool text, bool audio) : algorithm_(algorithm), text_(text), audio_(audio) {}
  std::string_view algorithm() const override { return algorithm_; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t,
                                             Instruments& instruments) const override {
    auto preferences = SumPreferences(data, {settings.skip_weight, settings.like_weight});
    const models::Liked liked = models::LikedRule(settings.liked, preferences);
    models::ApplyLiking(preferences, liked);
    std::vector<float> popularity = PopularityOf(preferences, data.tracks.size());
    if (std::all_of(popularity.begin(), popularity.end(), [](float p) { return p == models::kNever; })) {
      return Error{ErrorCode::kInvalid, std::string(algorithm_) + ": there are no plays, likes or ratings to train on"};
    }
    models::ContentModel::Parts parts;
    parts.algorithm = algorithm_;
    const bool both = text_ && audio_;
    parts.weights = {both ? static_cast<float>(settings.content.text_weight) : 1,
                     both ? static_cast<float>(settings.content.audio_weight) : 1,
                     static_cast<float>(settings.content.popularity_weight), static_cast<float>(settings.like_weight), liked};
    std::vector<uint8_t> described(data.tracks.size(), 0);
    if (text_) {
      TextSpace text = TextSpaceOf(data);
      for (size_t i = 0; i < described.size(); ++i) described[i] |= text.rows.begin[i] < text.rows.begin[i + 1];
      SEGUE_TRY(const auto verdicts, ReviewVerdicts(data, instruments));
      parts.reviewers = ReviewersOf(data, text.vocabulary, verdicts, static_cast<float>(settings.like_weight));
      parts.vocabulary = std::move(text.vocabulary);
      parts.text = std::move(text.rows);
    } else {
      parts.text.begin.assign(data.tracks.size() + 1, 0);
    }
    if (audio_) {
      AudioSpace audio = AudioSpaceOf(data);
      for (size_t i = 0; i < described.size(); ++i) described[i] |= audio.any[i];
      parts.features = static_cast<uint32_t>(audio.scale.size());
      parts.z = std::move(audio.z);
      parts.known = std::move(audio.known);
    }
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, std::string(algorithm_) + ": asked to stop"};
    if (std::find(described.begin(), described.end(), 1) == described.end()) {
      instruments.Warn("train", std::string(algorithm_) + ": nothing is known of any track; this is the order of popularity");
    }
    for (size_t i = 0; i < popularity.size(); ++i) {
      if (popularity[i] == models::kNever && described[i] != 0) popularity[i] = 0;
    }
    parts.catalogue = models::Catalogue(data.tracks.id, std::move(popularity));
    return models::ContentModel::Make(std::move(parts));
  }

 private:
  const std::string_view algorithm_;
  const bool text_;
  const bool audio_;
};

}  // namespace

std::unique_ptr<Trainer> MakeContentTextTrainer() {
  return std::make_unique<ContentTrainer>(models::ContentModel::kText, true, false);
}
std::unique_ptr<Trainer> MakeContentAudioTrainer() {
  return std::make_unique<ContentTrainer>(models::ContentModel::kAudio, false, true);
}
std::unique_ptr<Trainer> MakeContentTrainer() {
  return std::make_unique<ContentTrainer>(models::ContentModel::kBoth, true, true);
}

Described DescriptionsIn(const Dataset& data) {
  const auto any = [](const std::vector<std::string>& texts) {
    return std::any_of(texts.begin(), texts.end(), [](const std::string& text) { return !text.empty(); });
  };
  const auto number = [](float value) { return !std::isnan(value); };
  const Tracks& tracks = data.tracks;
  return {.text = !data.tags.empty() || !data.reviews.empty() || any(tracks.title) || any(tracks.artist) || any(tracks.album) || any(tracks.tags),
          .audio = std::any_of(tracks.features.begin(), tracks.features.end(), number) ||
                   std::any_of(data.extra_features.values.begin(), data.extra_features.values.end(), number)};
}

std::vector<std::vector<std::string_view>> ReviewsByTrack(const Dataset& data) {
  std::vector<std::vector<std::string_view>> reviews(data.tracks.size());
  for (const Review& review : data.reviews) reviews[Raw(review.track)].push_back(review.text);
  return reviews;
}

TextSpace TextSpaceOf(const Dataset& data) {
  const auto reviews = ReviewsByTrack(data);
  std::vector<std::vector<models::Term>> documents(data.tracks.size());
  for (size_t i = 0; i < documents.size(); ++i) documents[i] = models::TermsOf(data.tracks, data.tags, i, reviews[i]);
  TextSpace space;
  space.vocabulary = models::Vocabulary::Of(documents);
  for (const auto& document : documents) space.rows.Add(space.vocabulary.Vector(document));
  return space;
}

AudioSpace AudioSpaceOf(const Dataset& data) {
  AudioSpace space;
  space.scale = models::FeatureScale::Of(data.tracks, data.extra_features);
  const size_t stride = math::PaddedTo(space.scale.size());
  space.z.assign(data.tracks.size() * stride, 0.0f);
  space.known.assign(data.tracks.size() * stride, 0.0f);
  for (size_t i = 0; i < data.tracks.size(); ++i) {
    space.any.push_back(space.scale.Row(data.tracks, data.extra_features, i, space.z.data() + i * stride,
                                        space.known.data() + i * stride));
  }
  return space;
}

}  // namespace segue::train
