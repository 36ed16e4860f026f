#include "models/content_map.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "math/kernels/kernels.h"

namespace segue::models {
namespace {

/// The numbers of an artifact, as written.
struct Header {
  uint64_t columns;
  uint32_t factors;
  float amount_mean;
  float amount_scale;
  uint32_t unused;
};
static_assert(sizeof(Header) == 24, "no padding: the bytes are the same everywhere");

}  // namespace

float ContentMap::Amount(std::span<const Term> terms) {
  double sum = 0;
  for (const Term& term : terms) sum += term.count;
  return static_cast<float>(std::log1p(sum));
}

SparseVector ContentMap::Input(const Parts& parts, const Tracks& tracks, const TrackTags& tags,
                               const ExtraFeatures& extra, size_t track, std::span<const std::string_view> reviews) {
  const std::vector<Term> terms = TermsOf(tracks, tags, track, reviews);
  SparseVector input = parts.vocabulary.Vector(terms);
  std::vector<float> z(parts.scale.size());
  std::vector<float> known(parts.scale.size());
  const bool heard = parts.scale.Row(tracks, extra, track, z.data(), known.data());
  if (input.column.empty() && !heard) return {};
  const auto add = [&](size_t column, float value) {
    if (value == 0) return;
    input.column.push_back(static_cast<uint32_t>(column));
    input.value.push_back(value);
  };
  const size_t v = parts.vocabulary.size();
  for (size_t f = 0; f < z.size(); ++f) add(v + f, z[f]);
  add(v + z.size(), (Amount(terms) - parts.amount_mean) * parts.amount_scale);
  add(v + z.size() + 1, 1);
  return input;
}

std::vector<float> ContentMap::Place(const Tracks& tracks, const TrackTags& tags, const ExtraFeatures& extra,
                                     size_t track) const {
  const SparseVector input = Input(parts_, tracks, tags, extra, track);
  if (input.column.empty()) return {};
  std::vector<float> place(math::PaddedTo(parts_.factors), 0.0f);
  math::BestKernels().add_rows(place.data(), place.size(), parts_.w.data(), input.column.data(), input.value.data(),
                               input.column.size());
  return place;
}

Result<ContentMap> ContentMap::Open(std::shared_ptr<const ModelFile> file) {
  Parts parts;
  SEGUE_TRY(const auto header, file->Array<Header>("content_map", 1));
  SEGUE_TRY(parts.vocabulary, Vocabulary::Open(file));
  SEGUE_TRY(parts.scale, FeatureScale::Open(*file));
  parts.factors = header[0].factors;
  parts.amount_mean = header[0].amount_mean;
  parts.amount_scale = header[0].amount_scale;
  SEGUE_TRY(const auto w, file->Array<float>("content_factors", Columns(parts) * math::PaddedTo(parts.factors)));
  const auto finite = [](float value) { return std::isfinite(value); };
  if (header[0].columns != Columns(parts) || !finite(parts.amount_mean) || !finite(parts.amount_scale) ||
      !std::all_of(w.begin(), w.end(), finite)) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its map from content has impossible numbers"};
  }
  parts.w.assign(w.begin(), w.end());
  return ContentMap(std::move(parts));
}

void ContentMap::AddTo(ModelFileWriter& writer) const {
  const Header header{Columns(parts_), parts_.factors, parts_.amount_mean, parts_.amount_scale, 0};
  writer.AddArray<Header>("content_map", {&header, 1});
  parts_.vocabulary.AddTo(writer);
  parts_.scale.AddTo(writer);
  writer.AddArray<float>("content_factors", parts_.w);
}

std::unique_ptr<Model> IalsContentModel::Make(std::unique_ptr<IalsModel> ials, ContentMap map) {
  return std::unique_ptr<Model>(new IalsContentModel(std::move(ials), std::move(map)));
}

Result<std::unique_ptr<Model>> IalsContentModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(auto model, IalsModel::Open(file));
  SEGUE_TRY(auto map, ContentMap::Open(file));
  auto* ials = dynamic_cast<IalsModel*>(model.get());
  SEGUE_CHECK(ials != nullptr);
  if (map.factors() != ials->factor_count()) {
    return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its map leads to " +
                                          std::to_string(map.factors()) + " factors, its tracks have " +
                                          std::to_string(ials->factor_count())};
  }
  model.release();
  return Make(std::unique_ptr<IalsModel>(ials), std::move(map));
}

Explanation IalsContentModel::Explain(const Profile& profile, TrackIx track) const {
  Explanation why = ials_->Explain(profile, track);
  if (why.because.empty() && !profile.state.empty() && ials_->catalogue().popularity()[Raw(track)] == 0) {
    why.general = "new, and described like what listeners with tastes like yours play";
  }
  return why;
}

Status IalsContentModel::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  ials_->AddTo(writer);
  map_.AddTo(writer);
  return writer.Write(file);
}

std::unique_ptr<Model> IalsContentModel::WithTracks(const Tracks& tracks, const TrackTags& tags, const ExtraFeatures& extra) const {
  struct Row {
    std::string id;
    bool known;
    size_t from;  // row here, or of `tracks`
  };
  std::vector<Row> rows;
  for (uint32_t i = 0; i < track_count(); ++i) rows.push_back({std::string(TrackId(TrackIx{i})), true, i});
  for (size_t i = 0; i < tracks.size(); ++i) {
    if (!Find(tracks.id[i])) rows.push_back({tracks.id[i], false, i});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.id < b.id; });
  std::vector<std::string> ids;
  std::vector<float> popularity;
  std::vector<float> y;
  const size_t stride = math::PaddedTo(map_.factors());
  for (const Row& row : rows) {
    ids.push_back(row.id);
    std::vector<float> place;
    if (row.known) {
      const auto own = ials_->factors().subspan(row.from * stride, stride);
      place.assign(own.begin(), own.end());
      popularity.push_back(ials_->catalogue().popularity()[row.from]);
    } else {
      place = map_.Place(tracks, tags, extra, row.from);
      popularity.push_back(place.empty() ? kNever : 0);
      place.resize(stride, 0.0f);
    }
    y.insert(y.end(), place.begin(), place.end());
  }
  return Make(ials_->WithFactors(Catalogue(std::move(ids), std::move(popularity)), std::move(y)), map_);
}

}  // namespace segue::models
