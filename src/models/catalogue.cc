#include "models/catalogue.h"

#include "core/check.h"
#include "models/popularity.h"

namespace segue::models {

Catalogue::Catalogue(std::vector<std::string> ids, std::vector<float> popularity)
    : ids_(std::move(ids)), popularity_(std::move(popularity)), ranked_(RankedByScore(popularity_)) {
  SEGUE_CHECK(ids_.size() == popularity_.size());
}

Result<Catalogue> Catalogue::Open(std::shared_ptr<const ModelFile> file) {
  Catalogue catalogue;
  SEGUE_TRY(const std::string_view bytes, file->Section("popularity"));
  const size_t n = bytes.size() / sizeof(float);
  SEGUE_TRY(catalogue.mapped_popularity_, file->Array<float>("popularity", n));
  SEGUE_TRY(catalogue.mapped_ids_, TrackIds::Open(*file, n));
  catalogue.ranked_ = RankedByScore(catalogue.mapped_popularity_);
  catalogue.file_ = std::move(file);
  return catalogue;
}

void Catalogue::AddTo(ModelFileWriter& writer) const {
  std::vector<std::string> ids;
  ids.reserve(size());
  for (uint32_t i = 0; i < size(); ++i) ids.emplace_back(Id(TrackIx{i}));
  TrackIds::Add(writer, ids);
  writer.AddArray<float>("popularity", popularity());
}

std::vector<ScoredTrack> Catalogue::Popular(size_t n, std::span<const uint8_t> exclude) const {
  return TopOfRanked(ranked_, popularity(), n, exclude);
}

Profile ProfileOf(const History& history) {
  Profile profile;
  profile.history.assign(history.tracks.begin(), history.tracks.end());
  profile.recent.assign(history.recent.begin(), history.recent.end());
  return profile;
}

}  // namespace segue::models
