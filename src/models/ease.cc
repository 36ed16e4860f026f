#include "models/ease.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"

namespace segue::models {
namespace {

constexpr uint32_t kNowhere = std::numeric_limits<uint32_t>::max();

struct Header {
  uint64_t played;
  uint64_t listeners;  ///< 0: not narrow
  uint64_t entries;
  uint32_t weighting;
  uint32_t liked;
  float mean_length;
  uint32_t zero;
};
static_assert(sizeof(Header) == 40, "no padding: the bytes are the same everywhere");

/// The header's section of the sparse form, by another name: who knows only the
/// two others must refuse it.
constexpr std::string_view kSparse = "ease_sparse";

}  // namespace

std::unique_ptr<Model> EaseModel::Make(Parts parts) {
  auto model = std::unique_ptr<EaseModel>(new EaseModel(std::move(parts.catalogue)));
  model->own_ = std::move(parts);
  const Parts& own = model->own_;
  const size_t p = own.played.size();
  SEGUE_CHECK(own.form == Form::kDense ? own.dense.size() == p * p : own.begin.size() == p + 1);
  SEGUE_CHECK(own.form != Form::kNarrow || (own.says.size() == p && own.heeds.size() == p));
  model->scale_ = own.scale;
  model->form_ = own.form;
  model->idf_ = own.idf;
  model->played_ = own.played;
  model->dense_ = own.dense;
  model->inner_ = own.inner;
  model->begin_ = own.begin;
  model->column_ = own.column;
  model->value_ = own.value;
  model->says_ = own.says;
  model->heeds_ = own.heeds;
  model->listeners_ = static_cast<size_t>(std::llround(std::sqrt(static_cast<double>(own.inner.size()))));
  model->Prepare();
  return model;
}

Result<std::unique_ptr<Model>> EaseModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  auto model = std::unique_ptr<EaseModel>(new EaseModel(std::move(catalogue)));
  const bool sparse = file->Section(kSparse).ok();
  SEGUE_TRY(const auto header, file->Array<Header>(sparse ? kSparse : "ease", 1));
  const Header& h = header[0];
  const size_t n = model->track_count();
  const auto damaged = [&] { return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its parts do not fit"}; };
  constexpr uint64_t kMost = uint64_t{1} << 31;
  if (h.played > n || h.listeners > kMost || h.weighting > 4 || h.liked > 1 || !(h.mean_length > 0)) return damaged();
  SEGUE_TRY(model->idf_, file->Array<float>("idf", n));
  SEGUE_TRY(model->played_, file->Array<uint32_t>("played", h.played));
  for (size_t i = 0; i < h.played; ++i) {
    if (model->played_[i] >= n || (i > 0 && model->played_[i] <= model->played_[i - 1])) return damaged();
  }
  model->form_ = sparse ? Form::kSparse : h.listeners == 0 ? Form::kDense : Form::kNarrow;
  if (model->form_ == Form::kDense) {
    SEGUE_TRY(model->dense_, file->Array<float>("dense", h.played * h.played));
  } else {
    SEGUE_TRY(model->begin_, file->Array<uint64_t>("begin", h.played + 1));
    SEGUE_TRY(model->column_, file->Array<uint32_t>(sparse ? "column" : "listener", h.entries));
    SEGUE_TRY(model->value_, file->Array<float>("value", h.entries));
    if (model->begin_[0] != 0 || model->begin_[h.played] != h.entries || !std::is_sorted(model->begin_.begin(), model->begin_.end())) return damaged();
    const uint64_t columns = sparse ? h.played : h.listeners;
    if (std::any_of(model->column_.begin(), model->column_.end(), [&](uint32_t c) { return c >= columns; })) return damaged();
  }
  if (model->form_ == Form::kNarrow) {
    SEGUE_TRY(model->inner_, file->Array<float>("inner", h.listeners * h.listeners));
    SEGUE_TRY(model->says_, file->Array<float>("says", h.played));
    SEGUE_TRY(model->heeds_, file->Array<float>("heeds", h.played));
  }
  model->listeners_ = h.listeners;
  model->scale_ = {static_cast<KnnWeighting>(h.weighting), static_cast<Liked>(h.liked), h.mean_length};
  model->file_ = std::move(file);
  model->Prepare();
  return std::unique_ptr<Model>(std::move(model));
}

void EaseModel::Prepare() {
  place_.assign(track_count(), kNowhere);
  for (uint32_t p = 0; p < played_.size(); ++p) place_[played_[p]] = p;
}

Profile EaseModel::FoldIn(const History& history) const {
  Profile profile = ProfileOf(history);
  const auto weights = scale_.Weigh(history.tracks, idf_);
  size_t at = 0;
  for (const auto& [track, weight] : weights) {  // both ascend
    while (profile.history[at].track != track) ++at;
    if (place_[Raw(track)] == kNowhere) continue;
    profile.state.resize(profile.history.size(), 0.0f);
    profile.state[at] = weight;
  }
  return profile;
}

void EaseModel::Product(std::span<const std::pair<uint32_t, float>> x, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0f);
  if (form_ == Form::kSparse) {
    for (const auto& [j, weight] : x) {
      for (uint64_t k = begin_[j]; k < begin_[j + 1]; ++k) out[column_[k]] += weight * value_[k];
    }
    return;
  }
  if (form_ == Form::kDense) {
    for (const auto& [j, weight] : x) {
      const float* row = dense_.data() + static_cast<size_t>(j) * played_.size();
      for (size_t i = 0; i < out.size(); ++i) out[i] += weight * row[i];
    }
    return;
  }
  std::vector<float> a(listeners_, 0.0f), b(listeners_, 0.0f);
  for (const auto& [j, weight] : x) {
    for (uint64_t k = begin_[j]; k < begin_[j + 1]; ++k) a[column_[k]] += weight * says_[j] * value_[k];
  }
  for (size_t u = 0; u < listeners_; ++u) {
    if (a[u] == 0) continue;
    const float* row = inner_.data() + u * listeners_;  // symmetric
    for (size_t v = 0; v < listeners_; ++v) b[v] += a[u] * row[v];
  }
  for (size_t i = 0; i < out.size(); ++i) {
    float sum = 0;
    for (uint64_t k = begin_[i]; k < begin_[i + 1]; ++k) sum += b[column_[k]] * value_[k];
    out[i] = sum * heeds_[i];
  }
  // A track's own part, (YᵀKY)_jj / (1 − (YᵀKY)_jj), is not in B: its diagonal is 0.
  for (const auto& [j, weight] : x) out[j] -= weight * (says_[j] * heeds_[j] - 1);
}

void EaseModel::Score(const Profile& profile, std::span<float> scores) const {
  const auto popularity = catalogue_.popularity();
  if (profile.state.empty()) {
    std::copy(popularity.begin(), popularity.end(), scores.begin());
    return;
  }
  std::vector<std::pair<uint32_t, float>> x;
  for (size_t h = 0; h < profile.state.size(); ++h) {
    if (profile.state[h] > 0) x.emplace_back(place_[Raw(profile.history[h].track)], profile.state[h]);
  }
  std::vector<float> product(played_.size());
  Product(x, product);
  std::fill(scores.begin(), scores.end(), kNever);
  for (size_t p = 0; p < product.size(); ++p) {
    if (popularity[played_[p]] == kNever) continue;
    scores[played_[p]] = product[p] + (form_ == Form::kSparse ? kPopularityHint * popularity[played_[p]] : 0);
  }
}

float EaseModel::At(uint32_t j, uint32_t i) const {
  if (form_ == Form::kDense) return dense_[static_cast<size_t>(j) * played_.size() + i];
  const auto row = column_.subspan(begin_[j], begin_[j + 1] - begin_[j]);
  const auto at = std::lower_bound(row.begin(), row.end(), i);
  return at == row.end() || *at != i ? 0 : value_[begin_[j] + static_cast<uint64_t>(at - row.begin())];
}

void EaseModel::RowOfB(uint32_t j, std::span<float> out) const {
  const std::pair<uint32_t, float> one{j, 1.0f};
  Product({&one, 1}, out);
  out[j] = 0;
}

Explanation EaseModel::Explain(const Profile& profile, TrackIx track) const {
  Explanation result;
  const uint32_t i = place_[Raw(track)];
  if (profile.state.empty() || i == kNowhere) return {{}, "popular with other listeners"};
  // YᵀKY is symmetric: what j says of i is what i says of j, on the other's scale.
  std::vector<float> of_i(played_.size());
  const bool narrow = form_ == Form::kNarrow;
  if (narrow) RowOfB(i, of_i);
  for (size_t h = 0; h < profile.state.size(); ++h) {
    if (profile.state[h] <= 0) continue;
    const uint32_t j = place_[Raw(profile.history[h].track)];
    if (j == i) continue;
    const float b = narrow ? of_i[j] * (says_[j] * heeds_[i]) / (says_[i] * heeds_[j]) : At(j, i);
    if (b > 0) result.because.push_back({profile.history[h].track, profile.state[h] * b});
  }
  const size_t kept = std::min<size_t>(3, result.because.size());
  std::partial_sort(result.because.begin(), result.because.begin() + static_cast<std::ptrdiff_t>(kept), result.because.end(), Better);
  result.because.resize(kept);
  if (result.because.empty()) result.general = "listeners with tastes like yours play it";
  return result;
}

std::vector<ScoredTrack> EaseModel::Similar(TrackIx track, size_t n) const {
  const uint32_t j = place_[Raw(track)];
  if (j == kNowhere) return {};
  std::vector<float> row(played_.size());
  RowOfB(j, row);
  if (form_ == Form::kSparse) {  // few may have kept what a rare track says of them
    for (uint32_t i = 0; i < row.size(); ++i) row[i] = std::max(row[i], At(i, j));
  }
  std::vector<float> scores(track_count(), kNever);
  for (size_t p = 0; p < row.size(); ++p) {
    if (row[p] > 0) scores[played_[p]] = row[p];
  }
  return SelectTop(scores, n, {});
}

Status EaseModel::Save(const std::filesystem::path& file) const {
  const Header header{played_.size(), form_ == Form::kNarrow ? listeners_ : 0, value_.size(), static_cast<uint32_t>(scale_.weighting),
                      static_cast<uint32_t>(scale_.liked), scale_.mean_length, 0};
  const bool sparse = form_ == Form::kSparse;
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  writer.AddArray<Header>(sparse ? kSparse : "ease", {&header, 1});
  catalogue_.AddTo(writer);
  writer.AddArray<float>("idf", idf_);
  writer.AddArray<uint32_t>("played", played_);
  if (form_ == Form::kNarrow) writer.AddArray<float>("inner", inner_);
  if (form_ == Form::kDense) {
    writer.AddArray<float>("dense", dense_);
  } else {
    writer.AddArray<uint64_t>("begin", begin_);
    writer.AddArray<uint32_t>(sparse ? "column" : "listener", column_);
    writer.AddArray<float>("value", value_);
  }
  if (form_ == Form::kNarrow) {
    writer.AddArray<float>("says", says_);
    writer.AddArray<float>("heeds", heeds_);
  }
  return writer.Write(file);
}

}  // namespace segue::models
