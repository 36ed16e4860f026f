#include "train/song_folds.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/random.h"
#include "train/labelled_rows.h"

namespace segue::train {
std::vector<uint32_t> SongFolds(const SongTable& songs, std::span<const uint32_t> rows, size_t folds, FoldsBy by, uint64_t seed) {
  std::vector<uint32_t> fold_of(rows.size());
  Random random(seed, 0x666f6c6473);
  if (by == FoldsBy::kSong) {
    std::vector<uint32_t> order(rows.size());
    std::iota(order.begin(), order.end(), 0u);
    Shuffle(std::span(order), random);
    std::map<int32_t, uint32_t> next;
    for (const uint32_t i : order) fold_of[i] = next[songs.label[rows[i]]]++ % static_cast<uint32_t>(folds);
    return fold_of;
  }
  std::map<std::string, std::vector<uint32_t>> of_artist;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    const std::string& artist = songs.artist[rows[i]];
    of_artist[artist.empty() ? std::string(1, '\0') + std::to_string(i) : artist].push_back(i);
  }
  std::vector<const std::vector<uint32_t>*> artists;
  for (const auto& [artist, its] : of_artist) artists.push_back(&its);
  Shuffle(std::span(artists), random);
  std::vector<size_t> size(folds, 0);
  for (const auto* its : artists) {
    const auto least = static_cast<size_t>(std::min_element(size.begin(), size.end()) - size.begin());
    for (const uint32_t i : *its) fold_of[i] = static_cast<uint32_t>(least);
    size[least] += its->size();
  }
  return fold_of;
}

Result<std::vector<float>> OutOfFold(const ClassifierTrainer& trainer, const SongTable& songs, std::span<const uint32_t> rows,
                                     std::span<const uint32_t> fold_of, size_t folds, const Settings& settings, uint64_t seed,
                                     Instruments& instruments) {
  const size_t labels = songs.labels.size();
  std::vector<float> all(rows.size() * labels);
  for (uint32_t fold = 0; fold < folds; ++fold) {
    std::vector<uint32_t> rest, held, at;
    for (uint32_t i = 0; i < rows.size(); ++i) {
      (fold_of[i] == fold ? held : rest).push_back(rows[i]);
      if (fold_of[i] == fold) at.push_back(i);
    }
    if (held.empty()) continue;
    SEGUE_TRY(const auto model, trainer.Fit(songs, rest, settings, seed, instruments));
    std::vector<float> p(held.size() * labels);
    model->Predict(GatherFeatures(songs, held), p);
    for (size_t i = 0; i < at.size(); ++i) std::copy_n(p.begin() + static_cast<std::ptrdiff_t>(i * labels), labels, all.begin() + static_cast<std::ptrdiff_t>(at[i] * labels));
  }
  return all;
}

std::vector<int32_t> LabelsOf(const SongTable& songs, std::span<const uint32_t> rows) {
  std::vector<int32_t> label;
  for (const uint32_t row : rows) label.push_back(songs.label[row]);
  return label;
}

double MeanLogLoss(std::span<const float> p, std::span<const int32_t> label, size_t labels) {
  double loss = 0;
  for (size_t i = 0; i < label.size(); ++i) loss -= std::log(std::max(p[i * labels + static_cast<size_t>(label[i])], 1e-15f));
  return loss / static_cast<double>(label.size());
}

}  // namespace segue::train
