#include "models/content.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "math/kernels/kernels.h"

namespace segue::models {
namespace {

constexpr uint32_t kMostFeatures = 1 << 16;

/// The numbers of an artifact, as written.
struct Header {
  uint64_t tracks;
  uint64_t reviewers;
  uint32_t features;
  float text;
  float audio;
  float popularity;
  float like_weight;
  uint32_t liked;
};
static_assert(sizeof(Header) == 40, "no padding: the bytes are the same everywhere");

Error Damaged(const ModelFile& file, const std::string& what) {
  return {ErrorCode::kCorrupt, "model file " + file.path().string() + " is damaged: " + what};
}

bool AllFinite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

float Dot(const float* a, const float* b, size_t stride) {
  float dot = 0;
  math::BestKernels().dots(a, 1, stride, b, &dot);
  return dot;
}

/// Brings `values` to unit length, and returns what that was; all zero stays so.
float Normalize(std::span<float> values) {
  double square = 0;
  for (const float value : values) square += static_cast<double>(value) * value;
  if (!(square > 0)) return 0;
  const double length = std::sqrt(square);
  for (float& value : values) value = static_cast<float>(value / length);
  return static_cast<float>(length);
}

}  // namespace

void SparseRows::Add(const SparseVector& row) {
  column.insert(column.end(), row.column.begin(), row.column.end());
  value.insert(value.end(), row.value.begin(), row.value.end());
  begin.push_back(column.size());
}

double ContentModel::RowsView::Dot(size_t row, std::span<const float> dense) const {
  double sum = 0;
  for (uint64_t k = begin[row]; k < begin[row + 1]; ++k) sum += static_cast<double>(value[k]) * dense[column[k]];
  return sum;
}

Result<ContentModel::RowsView> ContentModel::OpenRows(const ModelFile& file, const std::string& name, size_t rows,
                                                      size_t columns) {
  RowsView view;
  SEGUE_TRY(view.begin, file.Array<uint64_t>(name + "_begin", rows + 1));
  for (size_t r = 0; r < rows; ++r) {
    if (view.begin[r] > view.begin[r + 1]) return Damaged(file, "the rows of '" + name + "' are not in order");
  }
  if (view.begin[0] != 0) return Damaged(file, "the rows of '" + name + "' do not begin at 0");
  SEGUE_TRY(view.column, file.Array<uint32_t>(name + "_column", view.begin[rows]));
  SEGUE_TRY(view.value, file.Array<float>(name + "_value", view.begin[rows]));
  if (std::any_of(view.column.begin(), view.column.end(), [&](uint32_t c) { return c >= columns; }) || !AllFinite(view.value)) {
    return Damaged(file, "'" + name + "' has impossible numbers");
  }
  return view;
}

void ContentModel::AddRows(ModelFileWriter& writer, const std::string& name, const RowsView& rows) {
  writer.AddArray<uint64_t>(name + "_begin", rows.begin);
  writer.AddArray<uint32_t>(name + "_column", rows.column);
  writer.AddArray<float>(name + "_value", rows.value);
}

std::unique_ptr<Model> ContentModel::Make(Parts parts) {
  auto model = std::unique_ptr<ContentModel>(new ContentModel(std::move(parts.catalogue)));
  model->own_ = std::move(parts);
  const Parts& own = model->own_;
  model->algorithm_ = own.algorithm;
  model->weights_ = own.weights;
  model->vocabulary_ = std::move(model->own_.vocabulary);
  model->text_ = ViewOf(own.text);
  model->features_ = own.features;
  model->z_ = own.z;
  model->known_ = own.known;
  model->words_ = ViewOf(own.reviewers.words);
  model->verdicts_ = ViewOf(own.reviewers.verdicts);
  model->Prepare();
  SEGUE_CHECK(model->text_.rows() == model->track_count());
  SEGUE_CHECK(model->z_.size() == model->track_count() * model->stride_ && model->known_.size() == model->z_.size());
  return model;
}

Result<std::unique_ptr<Model>> ContentModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  auto model = std::unique_ptr<ContentModel>(new ContentModel(std::move(catalogue)));
  SEGUE_TRY(const std::string_view algorithm, file->Section("algorithm"));
  model->algorithm_ = std::string(algorithm);
  SEGUE_TRY(const auto header, file->Array<Header>("content", 1));
  const Header& h = header[0];
  model->weights_ = {h.text, h.audio, h.popularity, h.like_weight, static_cast<Liked>(h.liked)};
  if (h.tracks != model->track_count() || h.features > kMostFeatures || h.liked > 1 ||
      !AllFinite({{h.text, h.audio, h.popularity, h.like_weight}}) || h.like_weight < 0) {
    return Damaged(*file, "it says " + std::to_string(h.tracks) + " tracks and " + std::to_string(h.features) + " features");
  }
  SEGUE_TRY(model->vocabulary_, Vocabulary::Open(file));
  SEGUE_TRY(model->text_, OpenRows(*file, "text", h.tracks, model->vocabulary_.size()));
  model->features_ = h.features;
  const size_t cells = h.tracks * math::PaddedTo(h.features);
  SEGUE_TRY(model->z_, file->Array<float>("z", cells));
  SEGUE_TRY(model->known_, file->Array<float>("known", cells));
  if (!AllFinite(model->z_) || !AllFinite(model->known_)) return Damaged(*file, "its features are not finite");
  SEGUE_TRY(model->mapped_reviewers_, TrackIds::Open(*file, h.reviewers, "reviewer"));
  SEGUE_TRY(model->words_, OpenRows(*file, "words", h.reviewers, model->vocabulary_.size()));
  SEGUE_TRY(model->verdicts_, OpenRows(*file, "verdicts", h.reviewers, h.tracks));
  model->file_ = std::move(file);
  model->Prepare();
  return std::unique_ptr<Model>(std::move(model));
}

void ContentModel::Prepare() {
  stride_ = math::PaddedTo(features_);
  const size_t n = track_count();
  std::vector<uint8_t> used(features_, 0);
  norms_.assign(n, 1);
  for (size_t i = 0; i < n; ++i) {
    for (size_t f = 0; f < features_; ++f) used[f] |= known_[i * stride_ + f] != 0;
    const float square = stride_ == 0 ? 0 : Dot(z_.data() + i * stride_, z_.data() + i * stride_, stride_);
    if (square > 0) norms_[i] = std::sqrt(square);
  }
  for (uint32_t f = 0; f < features_; ++f) {
    if (used[f] != 0) used_features_.push_back(f);
  }
  if (!catalogue_.ranked().empty()) {
    highest_popularity_ = std::max(1e-6f, catalogue_.popularity()[catalogue_.ranked()[0]]);
  }
}

std::optional<uint32_t> ContentModel::FindReviewer(std::string_view name) const {
  if (name.empty()) return std::nullopt;
  size_t low = 0;
  size_t high = words_.rows();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (ReviewerName(middle) < name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == words_.rows() || ReviewerName(low) != name) return std::nullopt;
  return static_cast<uint32_t>(low);
}

float ContentModel::WeightOf(const Profile& profile, const Preference& item) const {
  if (item.strength < 0) return -kDislikeWeight;
  // What he wrote tells more than that he wrote; but not more than a rating.
  if (profile.listener != kStranger && std::isnan(item.rating)) {
    const auto tracks = verdicts_.Columns(profile.listener);
    const auto found = std::lower_bound(tracks.begin(), tracks.end(), Raw(item.track));
    if (found != tracks.end() && *found == Raw(item.track)) {
      return verdicts_.Values(profile.listener)[static_cast<size_t>(found - tracks.begin())] * std::log1p(weights_.like_weight);
    }
  }
  return std::log1p(item.strength);
}

/// state: q_u of unit length [terms]; a_u of unit length [stride]; for each
/// feature, the share of the profile's weight that has it, over the number of
/// used features [stride]; the lengths that q_u and a_u had [2].
Profile ContentModel::FoldIn(const History& history) const {
  Profile profile = ProfileOf(history);
  profile.history = ByLiking(history.tracks, weights_.liked);
  profile.listener = FindReviewer(history.listener).value_or(kStranger);
  std::vector<float> weights;
  bool wanted = false;
  float total = 0;
  for (const Preference& item : profile.history) {
    const float weight = catalogue_.Played(item.track) ? WeightOf(profile, item) : 0;
    weights.push_back(weight);
    wanted |= weight > 0;
    total += std::fabs(weight);
  }
  if (!wanted) return profile;
  profile.state.assign(vocabulary_.size() + 2 * stride_ + 2, 0.0f);
  const std::span<float> text = std::span(profile.state).first(vocabulary_.size());
  float* direction = profile.state.data() + vocabulary_.size();
  float* coverage = direction + stride_;
  const auto add_terms = [&](const RowsView& rows, size_t row, float weight) {
    for (uint64_t k = rows.begin[row]; k < rows.begin[row + 1]; ++k) text[rows.column[k]] += weight * rows.value[k];
  };
  for (size_t j = 0; j < weights.size(); ++j) {
    const size_t row = Raw(profile.history[j].track);
    add_terms(text_, row, weights[j]);
    for (const uint32_t f : used_features_) {
      direction[f] += weights[j] * z_[row * stride_ + f];
      coverage[f] += std::fabs(weights[j]) / total * known_[row * stride_ + f] / static_cast<float>(used_features_.size());
    }
  }
  if (profile.listener != kStranger) add_terms(words_, profile.listener, 1);
  float* lengths = coverage + stride_;
  lengths[0] = Normalize(text);
  lengths[1] = Normalize({direction, stride_});
  return profile;
}

void ContentModel::ScoreAudio(const float* direction, const float* coverage, std::span<float> scores) const {
  std::vector<float> share(scores.size());
  math::BestKernels().dots(z_.data(), scores.size(), stride_, direction, scores.data());
  math::BestKernels().dots(known_.data(), scores.size(), stride_, coverage, share.data());
  for (size_t i = 0; i < scores.size(); ++i) scores[i] *= share[i] / norms_[i];
}

void ContentModel::Score(const Profile& profile, std::span<float> scores) const {
  const auto popularity = catalogue_.popularity();
  if (profile.state.empty()) {
    std::copy(popularity.begin(), popularity.end(), scores.begin());
    return;
  }
  std::fill(scores.begin(), scores.end(), 0.0f);
  if (!used_features_.empty()) ScoreAudio(AudioOf(profile), AudioOf(profile) + stride_, scores);
  const auto text = TextOf(profile);
  for (size_t i = 0; i < scores.size(); ++i) {
    if (popularity[i] == kNever) {
      scores[i] = kNever;
      continue;
    }
    scores[i] = weights_.audio * scores[i] + weights_.text * static_cast<float>(text_.Dot(i, text)) +
                weights_.popularity * popularity[i] / highest_popularity_;
  }
}

std::string ContentModel::Shared(std::span<const float> text, TrackIx track) const {
  const auto columns = text_.Columns(Raw(track));
  const auto values = text_.Values(Raw(track));
  std::vector<std::pair<float, uint32_t>> tags;
  float all = 0;
  float artist = 0;
  for (size_t k = 0; k < columns.size(); ++k) {
    const float share = text[columns[k]] * values[k];
    if (share <= 0) continue;
    all += share;
    const char kind = vocabulary_.Name(columns[k])[0];
    if (kind == '@') artist += share;
    if (kind == '#') tags.emplace_back(share, columns[k]);
  }
  if (all <= 0) return "";
  if (artist > all / 2) return "by an artist that you play";
  if (tags.empty()) return "described in the words of what you play";
  std::sort(tags.begin(), tags.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  const auto name = [&](size_t k) { return std::string(vocabulary_.Name(tags[k].second).substr(1)); };
  if (tags.size() == 1) return "shares the tag " + name(0) + " with what you play";
  return "shares the tags " + name(0) + " and " + name(1) + " with what you play";
}

Explanation ContentModel::Explain(const Profile& profile, TrackIx track) const {
  if (profile.state.empty()) return {{}, "popular with other listeners"};
  const size_t target = Raw(track);
  std::vector<float> terms(vocabulary_.size(), 0.0f);
  for (uint64_t k = text_.begin[target]; k < text_.begin[target + 1]; ++k) terms[text_.column[k]] = text_.value[k];
  const float* coverage = AudioOf(profile) + stride_;
  const float* lengths = coverage + stride_;
  const float share = used_features_.empty() ? 0 : Dot(known_.data() + target * stride_, coverage, stride_);
  const float audio_scale = weights_.audio * share / norms_[target];
  Explanation result;
  for (const Preference& item : profile.history) {
    if (!catalogue_.Played(item.track)) continue;
    const size_t row = Raw(item.track);
    const float audio = used_features_.empty() ? 0 : Dot(z_.data() + row * stride_, z_.data() + target * stride_, stride_);
    // Divided first: where strengths are tiny, so are the lengths, and 1 / them is infinite.
    const float weight = WeightOf(profile, item);
    const float of_text = lengths[0] > 0 ? weight / lengths[0] * weights_.text : 0;
    const float of_audio = lengths[1] > 0 ? weight / lengths[1] * audio_scale : 0;
    const float part = of_text * static_cast<float>(text_.Dot(row, terms)) + of_audio * audio;
    if (part > 0) result.because.push_back({item.track, part});
  }
  std::sort(result.because.begin(), result.because.end(), Better);
  if (result.because.size() > 3) result.because.resize(3);
  result.general = Shared(TextOf(profile), track);
  if (result.general.empty()) result.general = result.because.empty() ? "popular with other listeners" : "sounds like what you play";
  return result;
}

std::vector<ScoredTrack> ContentModel::Similar(TrackIx track, size_t n) const {
  const size_t row = Raw(track);
  std::vector<float> scores(track_count(), 0.0f);
  if (!used_features_.empty()) {
    const auto z = z_.subspan(row * stride_, stride_);
    const auto known = known_.subspan(row * stride_, stride_);
    std::vector<float> direction(z.begin(), z.end());
    std::vector<float> coverage(known.begin(), known.end());
    for (float& c : coverage) c /= static_cast<float>(used_features_.size());
    Normalize(direction);
    ScoreAudio(direction.data(), coverage.data(), scores);
  }
  std::vector<float> own(vocabulary_.size(), 0.0f);
  for (uint64_t k = text_.begin[row]; k < text_.begin[row + 1]; ++k) own[text_.column[k]] = text_.value[k];
  for (size_t i = 0; i < scores.size(); ++i) {
    scores[i] = weights_.audio * scores[i] + weights_.text * static_cast<float>(text_.Dot(i, own));
    if (scores[i] <= 0) scores[i] = kNever;
  }
  scores[row] = kNever;
  return SelectTop(scores, n, {});
}

Status ContentModel::Save(const std::filesystem::path& file) const {
  const Header header{track_count(), words_.rows(), static_cast<uint32_t>(features_), weights_.text,
                      weights_.audio, weights_.popularity, weights_.like_weight, static_cast<uint32_t>(weights_.liked)};
  ModelFileWriter writer;
  writer.Add("algorithm", algorithm_);
  writer.AddArray<Header>("content", {&header, 1});
  catalogue_.AddTo(writer);
  vocabulary_.AddTo(writer);
  AddRows(writer, "text", text_);
  writer.AddArray<float>("z", z_);
  writer.AddArray<float>("known", known_);
  std::vector<std::string> reviewers;
  for (size_t r = 0; r < words_.rows(); ++r) reviewers.emplace_back(ReviewerName(r));
  TrackIds::Add(writer, reviewers, "reviewer");
  AddRows(writer, "words", words_);
  AddRows(writer, "verdicts", verdicts_);
  return writer.Write(file);
}

}  // namespace segue::models
