#include "models/content_space.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "core/identity.h"

namespace segue::models {
namespace {

constexpr float kWordWeight = 0.5f;
constexpr size_t kLongestWord = 40;  ///< bytes; longer is no word but noise

bool IsName(std::string_view term) { return term[0] == '#' || term[0] == '@' || term[0] == '='; }

void AddWords(std::string_view text, std::vector<Term>& terms) {
  for (std::string& word : WordsOf(text)) terms.push_back({std::move(word), 1});
}

/// The value of feature `f` of `names`, NaN where it is not there.
float ValueOf(const Tracks& tracks, const ExtraFeatures& extra, std::span<const size_t> extra_column, size_t track, size_t f) {
  if (f < kAudioFeatures.size()) return tracks.features[track * kAudioFeatures.size() + f];
  const size_t column = extra_column[f - kAudioFeatures.size()];
  return column == extra.names.size() ? std::nanf("") : extra.values[track * extra.names.size() + column];
}

}  // namespace

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end = [&] {
    if (word.size() >= 2 && word.size() <= kLongestWord) words.push_back(word);
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word += c;
    } else if (c >= 'A' && c <= 'Z') {
      word += static_cast<char>(c - 'A' + 'a');
    } else if (c != '\'') {
      end();
    }
  }
  end();
  return words;
}

void Merge(std::vector<Term>& terms) {
  std::stable_sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) { return a.name < b.name; });
  size_t kept = 0;
  for (size_t i = 0; i < terms.size(); ++i) {
    if (kept > 0 && terms[kept - 1].name == terms[i].name) {
      terms[kept - 1].count += terms[i].count;
    } else {
      if (kept != i) terms[kept] = std::move(terms[i]);
      ++kept;
    }
  }
  terms.resize(kept);
}

std::vector<Term> TermsOf(const Tracks& tracks, const TrackTags& tags, size_t track,
                          std::span<const std::string_view> reviews) {
  std::vector<Term> terms;
  if (!tags.empty()) {
    for (uint64_t k = tags.begin[track]; k < tags.begin[track + 1]; ++k) {
      if (std::isfinite(tags.weight[k]) && tags.weight[k] > 0) terms.push_back({"#" + tags.names[tags.tag[k]], tags.weight[k]});
    }
  }
  if (const std::string artist = NormalizeArtist(tracks.artist[track]); !artist.empty()) terms.push_back({"@" + artist, 1});
  if (const std::string album = NormalizeTitle(tracks.album[track]); !album.empty()) terms.push_back({"=" + album, 1});
  AddWords(tracks.title[track], terms);
  for (const std::string_view review : reviews) AddWords(review, terms);
  Merge(terms);
  return terms;
}

Vocabulary Vocabulary::Of(std::span<const std::vector<Term>> documents) {
  std::unordered_map<std::string_view, uint32_t> found_in;
  size_t count = 0;
  for (const auto& document : documents) {
    count += !document.empty();
    for (const Term& term : document) ++found_in[term.name];
  }
  std::vector<std::pair<std::string_view, uint32_t>> kept;
  for (const auto& entry : found_in) {
    if (entry.second >= 2) kept.push_back(entry);
  }
  if (kept.size() > kMostTerms) {
    std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
    kept.resize(kMostTerms);
  }
  std::sort(kept.begin(), kept.end());
  Vocabulary vocabulary;
  for (const auto& [name, n] : kept) {
    vocabulary.names_.emplace_back(name);
    vocabulary.idf_.push_back(static_cast<float>(std::log((1.0 + static_cast<double>(count)) / (1.0 + n))));
  }
  return vocabulary;
}

Result<Vocabulary> Vocabulary::Open(std::shared_ptr<const ModelFile> file) {
  Vocabulary vocabulary;
  SEGUE_TRY(const std::string_view bytes, file->Section("idf"));
  const size_t n = bytes.size() / sizeof(float);
  SEGUE_TRY(vocabulary.mapped_idf_, file->Array<float>("idf", n));
  SEGUE_TRY(vocabulary.mapped_names_, TrackIds::Open(*file, n, "term"));
  vocabulary.file_ = std::move(file);
  return vocabulary;
}

void Vocabulary::AddTo(ModelFileWriter& writer) const {
  std::vector<std::string> names;
  names.reserve(size());
  for (size_t t = 0; t < size(); ++t) names.emplace_back(Name(t));
  TrackIds::Add(writer, names, "term");
  writer.AddArray<float>("idf", idf());
}

std::optional<uint32_t> Vocabulary::Find(std::string_view name) const {
  size_t low = 0;
  size_t high = size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (Name(middle) < name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == size() || Name(low) != name) return std::nullopt;
  return static_cast<uint32_t>(low);
}

SparseVector Vocabulary::Vector(std::span<const Term> terms) const {
  SparseVector vector;
  double square = 0;
  for (const Term& term : terms) {
    const auto row = Find(term.name);
    if (!row) continue;
    const float kind = IsName(term.name) ? 1 : kWordWeight;
    const float value = kind * (1 + std::log(std::max(1.0f, term.count))) * idf()[*row];
    if (!(value > 0)) continue;
    vector.column.push_back(*row);
    vector.value.push_back(value);
    square += static_cast<double>(value) * value;
  }
  for (float& value : vector.value) value = static_cast<float>(value / std::sqrt(square));
  return vector;
}

FeatureScale FeatureScale::Of(const Tracks& tracks, const ExtraFeatures& extra) {
  FeatureScale scale;
  scale.names_.assign(kAudioFeatures.begin(), kAudioFeatures.end());
  scale.names_.insert(scale.names_.end(), extra.names.begin(), extra.names.end());
  std::vector<size_t> column(extra.names.size());
  for (size_t c = 0; c < column.size(); ++c) column[c] = c;
  for (size_t f = 0; f < scale.names_.size(); ++f) {
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < tracks.size(); ++i) {
      const float value = ValueOf(tracks, extra, column, i, f);
      if (!std::isfinite(value)) continue;
      sum += value;
      ++n;
    }
    const double mean = n > 0 ? sum / static_cast<double>(n) : 0;
    double square = 0;
    for (size_t i = 0; i < tracks.size(); ++i) {
      const float value = ValueOf(tracks, extra, column, i, f);
      if (std::isfinite(value)) square += (value - mean) * (value - mean);
    }
    const auto one_over = static_cast<float>(square > 0 ? 1 / std::sqrt(square / static_cast<double>(n)) : 0);
    scale.mean_.push_back(static_cast<float>(mean));
    scale.scale_.push_back(std::isfinite(one_over) ? one_over : 0);
  }
  return scale;
}

Result<FeatureScale> FeatureScale::Open(const ModelFile& file) {
  FeatureScale scale;
  SEGUE_TRY(const std::string_view names, file.Section("feature_names"));
  for (size_t from = 0; from < names.size();) {
    const size_t end = std::min(names.find('\0', from), names.size());
    scale.names_.emplace_back(names.substr(from, end - from));
    from = end + 1;
  }
  SEGUE_TRY(const auto mean, file.Array<float>("feature_mean", scale.names_.size()));
  SEGUE_TRY(const auto one_over, file.Array<float>("feature_scale", scale.names_.size()));
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(mean.begin(), mean.end(), finite) || !std::all_of(one_over.begin(), one_over.end(), finite)) {
    return Error{ErrorCode::kCorrupt, "model file " + file.path().string() + " is damaged: its features' scale is not finite"};
  }
  scale.mean_.assign(mean.begin(), mean.end());
  scale.scale_.assign(one_over.begin(), one_over.end());
  return scale;
}

void FeatureScale::AddTo(ModelFileWriter& writer) const {
  std::string names;
  for (const std::string& name : names_) names.append(name).push_back('\0');
  writer.Add("feature_names", names);
  writer.AddArray<float>("feature_mean", mean_);
  writer.AddArray<float>("feature_scale", scale_);
}

bool FeatureScale::Row(const Tracks& tracks, const ExtraFeatures& extra, size_t track, float* z, float* known) const {
  std::vector<size_t> column;
  for (size_t f = kAudioFeatures.size(); f < size(); ++f) {
    column.push_back(static_cast<size_t>(std::find(extra.names.begin(), extra.names.end(), names_[f]) - extra.names.begin()));
  }
  bool any = false;
  for (size_t f = 0; f < size(); ++f) {
    const float value = ValueOf(tracks, extra, column, track, f);
    const bool here = scale_[f] > 0 && std::isfinite(value);
    known[f] = here ? 1 : 0;
    z[f] = here ? std::clamp((value - mean_[f]) * scale_[f], -kMostDeviations, kMostDeviations) : 0;
    any |= here;
  }
  return any;
}

}  // namespace segue::models
