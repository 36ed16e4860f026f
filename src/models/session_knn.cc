#include "models/session_knn.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace segue::models {
namespace {

/// The share of a score that popularity has: enough to order what no neighbour
/// has, too little to change what they say.
constexpr float kFloor = 1e-4f;

/// The numbers of an artifact, as written.
struct Header {
  uint64_t sessions;
  uint32_t neighbours;
  uint32_t unused;
};
static_assert(sizeof(Header) == 16, "no padding: the bytes are the same everywhere");

}  // namespace

std::unique_ptr<Model> SessionKnnModel::Make(Parts parts) {
  auto model = std::unique_ptr<SessionKnnModel>(new SessionKnnModel(std::move(parts.catalogue), parts.rule));
  model->own_ = std::move(parts);
  const Parts& own = model->own_;
  model->neighbours_ = own.neighbours;
  model->sessions_ = {own.session_begin, own.session_track, {}};
  model->index_ = {own.index_begin, own.index_session, {}};
  model->freshness_ = own.freshness;
  model->idf_ = own.idf;
  SEGUE_CHECK(model->index_.rows() == model->track_count() && model->idf_.size() == model->track_count() &&
              model->sessions_.rows() == model->freshness_.size());
  return model;
}

Result<std::unique_ptr<Model>> SessionKnnModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  SEGUE_TRY(const auto rule, file->Array<SequenceRule>("sequence", 1));
  SEGUE_TRY(const auto header, file->Array<Header>("session_knn", 1));
  const Error damaged{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its settings cannot be"};
  if (!Valid(rule[0]) || header[0].neighbours == 0 || header[0].sessions > UINT32_MAX) return damaged;
  auto model = std::unique_ptr<SessionKnnModel>(new SessionKnnModel(std::move(catalogue), rule[0]));
  const size_t n = model->track_count();
  const size_t sessions = header[0].sessions;
  model->neighbours_ = header[0].neighbours;
  constexpr auto kColumnsOnly = MappedRows::With::kColumnsOnly;
  SEGUE_TRY(model->sessions_, MappedRows::Open(*file, "sessions", sessions, n, kColumnsOnly));
  SEGUE_TRY(model->index_, MappedRows::Open(*file, "index", n, sessions, kColumnsOnly));
  SEGUE_TRY(model->freshness_, file->Array<float>("freshness", sessions));
  SEGUE_TRY(model->idf_, file->Array<float>("idf", n));
  const auto possible = [](float v) { return std::isfinite(v) && v >= 0; };
  if (!std::all_of(model->freshness_.begin(), model->freshness_.end(), possible) ||
      !std::all_of(model->idf_.begin(), model->idf_.end(), possible)) {
    return damaged;
  }
  model->file_ = std::move(file);
  return std::unique_ptr<Model>(std::move(model));
}

std::vector<SessionKnnModel::Neighbour> SessionKnnModel::Neighbours(std::span<const WeightedTrack> context) const {
  std::vector<float> overlap(sessions_.rows(), 0.0f);
  std::vector<uint32_t> touched;
  for (const WeightedTrack& item : context) {
    const float gain = item.weight * idf_[Raw(item.track)];
    if (!(gain > 0)) continue;
    for (const uint32_t session : index_.Columns(Raw(item.track))) {
      if (overlap[session] == 0) touched.push_back(session);
      overlap[session] += gain;
    }
  }
  std::vector<Neighbour> all;
  all.reserve(touched.size());
  for (const uint32_t session : touched) {
    const auto length = static_cast<float>(sessions_.Columns(session).size());
    all.push_back({session, overlap[session] * freshness_[session] / std::sqrt(length)});
  }
  const size_t kept = std::min<size_t>(neighbours_, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                    [](const Neighbour& a, const Neighbour& b) {
                      return a.similarity != b.similarity ? a.similarity > b.similarity : a.session < b.session;
                    });
  all.resize(kept);
  return all;
}

float SessionKnnModel::AddNext(std::span<const WeightedTrack> context, float share, std::span<float> scores) const {
  const auto neighbours = Neighbours(context);
  double votes = 0;
  for (const Neighbour& n : neighbours) votes += static_cast<double>(n.similarity) * static_cast<double>(sessions_.Columns(n.session).size());
  if (!(votes > 0)) return std::max(share, kFloor);
  for (const Neighbour& n : neighbours) {
    const auto vote = static_cast<float>(share * n.similarity / votes);
    for (const uint32_t track : sessions_.Columns(n.session)) scores[track] += vote;
  }
  return kFloor;
}

std::vector<ScoredTrack> SessionKnnModel::Reasons(std::span<const WeightedTrack> context, TrackIx track) const {
  std::vector<ScoredTrack> reasons;
  for (const WeightedTrack& item : context) reasons.push_back({item.track, 0});
  for (const Neighbour& n : Neighbours(context)) {
    const auto tracks = sessions_.Columns(n.session);
    if (!std::binary_search(tracks.begin(), tracks.end(), Raw(track))) continue;
    const float factor = freshness_[n.session] / std::sqrt(static_cast<float>(tracks.size()));
    for (size_t i = 0; i < context.size(); ++i) {
      if (!std::binary_search(tracks.begin(), tracks.end(), Raw(context[i].track))) continue;
      reasons[i].score += factor * context[i].weight * idf_[Raw(context[i].track)];
    }
  }
  return reasons;
}

/// Cosine of two tracks over sessions that the index has of `track`, each by
/// its freshness.
std::vector<ScoredTrack> SessionKnnModel::Similar(TrackIx track, size_t n) const {
  std::vector<float> scores(track_count(), 0.0f);
  for (const uint32_t session : index_.Columns(Raw(track))) {
    for (const uint32_t other : sessions_.Columns(session)) scores[other] += freshness_[session];
  }
  for (size_t i = 0; i < scores.size(); ++i) {
    // Sessions with a track are all of them times 1 / (e^idf − 1).
    scores[i] = scores[i] > 0 && i != Raw(track) ? scores[i] * std::sqrt(std::expm1(idf_[i])) : kNever;
  }
  return SelectTop(scores, n, {});
}

Status SessionKnnModel::Save(const std::filesystem::path& file) const {
  const Header header{sessions_.rows(), neighbours_, 0};
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  catalogue_.AddTo(writer);
  writer.AddArray<SequenceRule>("sequence", {&rule_, 1});
  writer.AddArray<Header>("session_knn", {&header, 1});
  sessions_.AddTo(writer, "sessions");
  index_.AddTo(writer, "index");
  writer.AddArray<float>("freshness", freshness_);
  writer.AddArray<float>("idf", idf_);
  return writer.Write(file);
}

}  // namespace segue::models
