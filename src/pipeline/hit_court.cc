#include <array>

#include "core/hash.h"
#include "core/identity.h"
#include "evaluate/classification.h"
#include "models/feature_ranges.h"
#include "pipeline/hits.h"
#include "store/dataset_store.h"
#include "train/song_folds.h"

namespace segue::pipeline {
namespace {

/// Labelled tracks as they are learned from and parted, and how.
std::string ContentOf(const SongTable& songs, const std::vector<uint32_t>& labelled, const HitsSettings& settings) {
  Sha256 hash;
  for (const std::string& name : songs.features) hash.Update(name + "\n");
  for (const uint32_t row : labelled) {
    const auto values = songs.Row(row);
    hash.Update(songs.id[row] + "\n" + songs.artist[row] + "\n" + std::to_string(songs.label[row]) + "\n");
    hash.Update({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  hash.Update("hits.holdout_share=" + std::to_string(settings.holdout_share));
  return hash.HexDigest();
}

/// Why models of hits cannot be trained and judged; "" where they can.
std::string UnfitBecause(const HitCourt& court, size_t labelled, int64_t wanted) {
  if (labelled < static_cast<size_t>(wanted)) {
    return std::to_string(labelled) + " tracks are labelled, hits.min_songs asks for " + std::to_string(wanted);
  }
  for (const auto* rows : {&court.train, &court.test}) {
    std::array<size_t, 2> of_class{};
    for (const uint32_t row : *rows) ++of_class[static_cast<size_t>(court.songs.label[row])];
    if (of_class[0] > 0 && of_class[1] > 0) continue;
    return std::string(rows == &court.train ? "those to learn from" : "those held out") + " have " + std::to_string(of_class[1]) + " hits and " +
           std::to_string(of_class[0]) + " others: both are needed";
  }
  return "";
}

}  // namespace

bool HeldOut(std::string_view artist, std::string_view track_id, double share) {
  const std::string name = NormalizeArtist(artist);
  const std::string digest = Sha256Hex("hits " + (name.empty() ? "track " + std::string(track_id) : "artist " + name));
  const double place = static_cast<double>(std::stoull(digest.substr(0, 13), nullptr, 16)) / static_cast<double>(uint64_t{1} << 52);
  return place < share;
}

Result<HitCourt> OpenHitCourt(const Context& context, std::string_view dataset_id) {
  SEGUE_TRY(const Tracks tracks, store::LoadTracks(context.bucket, dataset_id));
  HitCourt court;
  court.dataset_id = std::string(dataset_id);
  court.songs = SongsOf(tracks);
  std::vector<uint32_t> labelled;
  for (uint32_t row = 0; row < court.songs.size(); ++row) {
    if (court.songs.label[row] < 0) continue;
    labelled.push_back(row);
    const bool held_out = HeldOut(court.songs.artist[row], court.songs.id[row], context.settings.hits.holdout_share);
    (held_out ? court.test : court.train).push_back(row);
  }
  court.unfit = UnfitBecause(court, labelled.size(), context.settings.hits.min_songs);
  if (court.unfit.empty()) court.content = ContentOf(court.songs, labelled, context.settings.hits);
  return court;
}

HitCourt HitCourt::HeldOutBy(double share) const {
  HitCourt court = *this;
  std::erase_if(court.test, [&](uint32_t row) { return !HeldOut(songs.artist[row], songs.id[row], share); });
  return court;
}

Result<HitReport> JudgeHits(const HitCourt& court, const models::Classifier& model, std::string_view model_id) {
  const size_t features = court.songs.features.size(), classes = model.labels().size();
  std::vector<double> values;
  values.reserve(court.test.size() * features);
  for (const uint32_t row : court.test) {
    const auto own = court.songs.Row(row);
    values.insert(values.end(), own.begin(), own.end());
  }
  SEGUE_TRY(const auto rows, models::ArrangeFeatures(court.songs.features, values, model));
  if (model.labels() != court.songs.labels) return Error{ErrorCode::kInvalid, "model " + std::string(model_id) + " is no model of hits: its classes are others"};
  std::vector<float> p(court.test.size() * classes);
  model.Predict(rows, p);
  const std::vector<int32_t> label = train::LabelsOf(court.songs, court.test);
  const auto confusion = evaluate::Confusion(label, evaluate::PredictedClasses(p, classes), classes);
  const auto figures = evaluate::Report(confusion);
  HitReport report;
  report.model_id = std::string(model_id);
  report.algorithm = std::string(model.algorithm());
  report.dataset_id = court.dataset_id;
  report.trained = court.train.size();
  report.songs = court.test.size();
  report.labels = court.songs.labels;
  report.accuracy = figures.accuracy;
  report.auc = evaluate::RocAuc(label, p, classes);
  report.log_loss = evaluate::LogLoss(label, p, classes);
  for (const auto& one : figures.of_class) report.of_class.push_back({one.precision, one.recall, one.f1, one.support});
  report.confusion = confusion.counts;
  for (size_t i = 0; i < label.size(); ++i) {
    report.hit.push_back(label[i] == 1 ? 1 : 0);
    report.probability.push_back(p[i * classes + 1]);
  }
  return report;
}

}  // namespace segue::pipeline
