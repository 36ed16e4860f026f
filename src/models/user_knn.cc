#include "models/user_knn.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"

namespace segue::models {
namespace {

constexpr float kFriendFloor = 0.2f;
constexpr float kRankOffset = 10;
/// Below this share of its squares a row's spread is rounding.
constexpr double kNoSpread = 1e-6;

struct Header {
  uint64_t listeners;
  uint64_t entries;
  uint64_t friendships;  ///< 0: not known
  uint32_t weighting;
  uint32_t liked;
  uint32_t neighbours;
  uint32_t friends;
  float mean_length;
  float shrinkage;
  float locality;
  uint32_t similarity;
  uint32_t scoring;
  uint32_t zero;
};
static_assert(sizeof(Header) == 64, "no padding: the bytes are the same everywhere");

bool IsCsr(std::span<const uint64_t> begin, std::span<const uint32_t> columns, uint64_t width) {
  return begin.front() == 0 && begin.back() == columns.size() && std::is_sorted(begin.begin(), begin.end()) &&
         std::all_of(columns.begin(), columns.end(), [&](uint32_t c) { return c < width; });
}

}  // namespace

std::unique_ptr<Model> UserKnnModel::Make(Parts parts) {
  auto model = std::unique_ptr<UserKnnModel>(new UserKnnModel(std::move(parts.catalogue)));
  model->own_ = std::move(parts);
  const Parts& own = model->own_;
  SEGUE_CHECK(own.begin.size() == own.listeners.size() + 1 && own.length.size() == own.listeners.size());
  model->scale_ = own.scale;
  model->neighbours_ = own.neighbours;
  model->shrinkage_ = own.shrinkage;
  model->locality_ = own.locality;
  model->friends_ = own.friends;
  model->similarity_ = own.similarity;
  model->scoring_ = own.scoring;
  model->idf_ = own.idf;
  model->begin_ = own.begin;
  model->track_ = own.track;
  model->value_ = own.value;
  model->length_ = own.length;
  model->friend_begin_ = own.friend_begin;
  model->friend_of_ = own.friend_of;
  model->Prepare();
  return model;
}

Result<std::unique_ptr<Model>> UserKnnModel::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(Catalogue catalogue, Catalogue::Open(file));
  auto model = std::unique_ptr<UserKnnModel>(new UserKnnModel(std::move(catalogue)));
  SEGUE_TRY(const auto header, file->Array<Header>("user_knn", 1));
  const Header& h = header[0];
  const auto damaged = [&] { return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is damaged: its listeners do not fit"}; };
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  if (h.listeners >= kMost || h.weighting > 4 || h.liked > 1 || !(h.mean_length > 0) || !(h.shrinkage >= 0) || !(h.locality > 0) ||
      h.similarity > 3 || h.scoring > 3) return damaged();
  SEGUE_TRY(model->idf_, file->Array<float>("idf", model->track_count()));
  SEGUE_TRY(model->mapped_listeners_, TrackIds::Open(*file, h.listeners, "listener"));
  SEGUE_TRY(model->begin_, file->Array<uint64_t>("begin", h.listeners + 1));
  SEGUE_TRY(model->track_, file->Array<uint32_t>("track", h.entries));
  SEGUE_TRY(model->value_, file->Array<float>("value", h.entries));
  SEGUE_TRY(model->length_, file->Array<float>("length", h.listeners));
  if (!IsCsr(model->begin_, model->track_, model->track_count())) return damaged();
  if (h.friendships > 0) {
    SEGUE_TRY(model->friend_begin_, file->Array<uint64_t>("friend_begin", h.listeners + 1));
    SEGUE_TRY(model->friend_of_, file->Array<uint32_t>("friend_of", h.friendships));
    if (!IsCsr(model->friend_begin_, model->friend_of_, h.listeners)) return damaged();
  }
  model->scale_ = {static_cast<KnnWeighting>(h.weighting), static_cast<Liked>(h.liked), h.mean_length};
  model->neighbours_ = h.neighbours;
  model->shrinkage_ = h.shrinkage;
  model->locality_ = h.locality;
  model->friends_ = h.friends != 0;
  model->similarity_ = static_cast<KnnSimilarity>(h.similarity);
  model->scoring_ = static_cast<KnnScoring>(h.scoring);
  model->file_ = std::move(file);
  model->Prepare();
  return std::unique_ptr<Model>(std::move(model));
}

void UserKnnModel::Prepare() {
  index_begin_.assign(track_count() + 1u, 0);
  for (const uint32_t t : track_) ++index_begin_[t + 1u];
  for (size_t i = 0; i < track_count(); ++i) index_begin_[i + 1] += index_begin_[i];
  index_row_.resize(track_.size());
  index_value_.resize(track_.size());
  std::vector<uint64_t> next(index_begin_.begin(), index_begin_.end() - 1);
  for (uint32_t v = 0; v + 1 < begin_.size(); ++v) {
    for (uint64_t k = begin_[v]; k < begin_[v + 1]; ++k) {
      const uint64_t at = next[track_[k]]++;
      index_row_[at] = v;
      index_value_[at] = value_[k];
    }
  }
  rows_.resize(begin_.size() - 1);
  for (size_t v = 0; v < rows_.size(); ++v) {
    double sum = 0;
    for (uint64_t k = begin_[v]; k < begin_[v + 1]; ++k) sum += value_[k];
    rows_[v] = {length_[v], static_cast<float>(begin_[v + 1] - begin_[v]), static_cast<float>(sum)};
  }
  if (scoring_ != KnnScoring::kRank) return;
  rank_.resize(track_.size());
  std::vector<uint64_t> order;
  for (size_t v = 0; v < rows_.size(); ++v) {
    order.resize(begin_[v + 1] - begin_[v]);
    std::iota(order.begin(), order.end(), begin_[v]);
    std::stable_sort(order.begin(), order.end(), [&](uint64_t a, uint64_t b) { return value_[a] > value_[b]; });
    for (uint32_t r = 0; r < order.size(); ++r) rank_[order[r]] = r;
  }
}

float UserKnnModel::LikenessOf(const Row& a, const Row& b, float dot, float common) const {
  double likeness = dot;
  switch (similarity_) {
    case KnnSimilarity::kCosine: break;
    case KnnSimilarity::kPearson: {
      const auto n = static_cast<double>(track_count());
      const double spread_a = 1 - a.sum * static_cast<double>(a.sum) / n;
      const double spread_b = 1 - b.sum * static_cast<double>(b.sum) / n;
      const bool varied = spread_a > kNoSpread && spread_b > kNoSpread;
      likeness = varied ? (dot - a.sum * static_cast<double>(b.sum) / n) / std::sqrt(spread_a * spread_b) : 0;
      break;
    }
    case KnnSimilarity::kEuclidean: {
      const double la = a.length, lb = b.length;
      likeness = 1 / (1 + std::sqrt(std::max(0.0, la * la + lb * lb - 2 * la * lb * dot)));
      break;
    }
    case KnnSimilarity::kJaccard: likeness = common / std::max(1.0f, a.size + b.size - common); break;
  }
  return static_cast<float>(std::max(0.0, likeness)) * common / (common + shrinkage_);
}

uint32_t UserKnnModel::RowOf(std::string_view listener) const {
  if (listener.empty()) return kStranger;
  if (file_ == nullptr) return FindSorted(own_.listeners, listener).value_or(kStranger);
  return mapped_listeners_.Find(listener).value_or(kStranger);
}

std::vector<UserKnnModel::Neighbour> UserKnnModel::Alike(std::span<const std::pair<TrackIx, float>> weights, const Row& row, uint32_t self) const {
  const size_t m = begin_.size() - 1;
  std::vector<float> dot(m, 0.0f), common(m, 0.0f);
  std::vector<uint32_t> touched;
  for (const auto& [track, weight] : weights) {
    for (uint64_t k = index_begin_[Raw(track)]; k < index_begin_[Raw(track) + 1u]; ++k) {
      const uint32_t v = index_row_[k];
      if (common[v] == 0) touched.push_back(v);
      common[v] += 1;
      dot[v] += weight * index_value_[k];
    }
  }
  std::vector<Neighbour> alike;
  for (const uint32_t v : touched) {
    if (v != self) alike.push_back({v, LikenessOf(row, rows_[v], dot[v], common[v]), common[v]});
  }
  return alike;
}

Profile UserKnnModel::FoldIn(const History& history) const {
  Profile profile = ProfileOf(history);
  profile.listener = RowOf(history.listener);
  auto weights = scale_.Weigh(history.tracks, idf_);
  double squares = 0;
  for (const auto& [track, weight] : weights) squares += static_cast<double>(weight) * weight;
  if (squares == 0) return profile;
  Row own{static_cast<float>(std::sqrt(squares)), static_cast<float>(weights.size()), 0};
  for (auto& [track, weight] : weights) {
    weight = static_cast<float>(weight / std::sqrt(squares));
    own.sum += weight;
  }
  auto alike = Alike(weights, own, profile.listener);
  const bool by_friends = friends_ && profile.listener != kStranger && !friend_begin_.empty() &&
                          friend_begin_[profile.listener] < friend_begin_[profile.listener + 1];
  if (by_friends) {
    std::sort(alike.begin(), alike.end(), [](const Neighbour& a, const Neighbour& b) { return a.row < b.row; });
    std::vector<Neighbour> friends;
    for (uint64_t k = friend_begin_[profile.listener]; k < friend_begin_[profile.listener + 1]; ++k) {
      const auto it = std::lower_bound(alike.begin(), alike.end(), friend_of_[k], [](const Neighbour& a, uint32_t row) { return a.row < row; });
      const bool found = it != alike.end() && it->row == friend_of_[k];
      friends.push_back({friend_of_[k], kFriendFloor + (found ? it->likeness : 0), found ? it->common : 0});
    }
    alike = std::move(friends);
  } else {
    const size_t kept = std::min<size_t>(alike.size(), neighbours_);
    std::partial_sort(alike.begin(), alike.begin() + static_cast<std::ptrdiff_t>(kept), alike.end(), [](const Neighbour& a, const Neighbour& b) {
      return a.likeness != b.likeness ? a.likeness > b.likeness : a.row < b.row;
    });
    alike.resize(kept);
  }
  for (const Neighbour& neighbour : alike) {
    // Rows below 2^24 are exact as floats; two halves for more.
    profile.state.push_back(static_cast<float>(neighbour.row >> 16));
    profile.state.push_back(static_cast<float>(neighbour.row & 0xffff));
    profile.state.push_back(std::pow(std::max(neighbour.likeness, 0.0f), locality_));
  }
  return profile;
}

void UserKnnModel::Score(const Profile& profile, std::span<float> scores) const {
  const auto popularity = catalogue_.popularity();
  if (profile.state.empty()) {
    std::copy(popularity.begin(), popularity.end(), scores.begin());
    return;
  }
  std::fill(scores.begin(), scores.end(), 0.0f);
  std::vector<float> voted(scoring_ == KnnScoring::kMean ? scores.size() : 0, 0.0f);
  for (size_t n = 0; n < profile.state.size(); n += 3) {
    const auto v = (static_cast<uint32_t>(profile.state[n]) << 16) | static_cast<uint32_t>(profile.state[n + 1]);
    const float likeness = profile.state[n + 2];
    for (uint64_t k = begin_[v]; k < begin_[v + 1]; ++k) {
      float& score = scores[track_[k]];
      const float vote = likeness * value_[k];
      switch (scoring_) {
        case KnnScoring::kSum: score += vote; break;
        case KnnScoring::kMax: score = std::max(score, vote); break;
        case KnnScoring::kRank: score += likeness / (kRankOffset + static_cast<float>(rank_[k])); break;
        case KnnScoring::kMean:
          score += vote;
          voted[track_[k]] += likeness;
          break;
      }
    }
  }
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!voted.empty() && voted[i] > 0) scores[i] /= voted[i];
    scores[i] = popularity[i] == kNever ? kNever : scores[i] + kPopularityHint * popularity[i];
  }
}

Explanation UserKnnModel::Explain(const Profile& profile, TrackIx track) const {
  size_t have = 0;
  for (size_t n = 0; n < profile.state.size(); n += 3) {
    const auto v = (static_cast<uint32_t>(profile.state[n]) << 16) | static_cast<uint32_t>(profile.state[n + 1]);
    for (uint64_t k = begin_[v]; k < begin_[v + 1]; ++k) have += track_[k] == Raw(track) ? 1 : 0;
  }
  if (have == 0) return {{}, "popular with other listeners"};
  const std::string who = friends_ ? "of your circle" : "with tastes like yours";
  return {{}, std::to_string(have) + (have == 1 ? " listener " : " listeners ") + who + (have == 1 ? " plays it" : " play it")};
}

Status UserKnnModel::Save(const std::filesystem::path& file) const {
  const Header header{begin_.size() - 1, track_.size(), friend_of_.size(), static_cast<uint32_t>(scale_.weighting),
                      static_cast<uint32_t>(scale_.liked), neighbours_, friends_ ? 1u : 0u, scale_.mean_length, shrinkage_, locality_,
                      static_cast<uint32_t>(similarity_), static_cast<uint32_t>(scoring_), 0};
  ModelFileWriter writer;
  writer.Add("algorithm", algorithm());
  writer.AddArray<Header>("user_knn", {&header, 1});
  catalogue_.AddTo(writer);
  std::vector<std::string> names = own_.listeners;
  if (file_ != nullptr) {
    for (size_t v = 0; v + 1 < begin_.size(); ++v) names.emplace_back(mapped_listeners_[v]);
  }
  TrackIds::Add(writer, names, "listener");
  writer.AddArray<float>("idf", idf_);
  writer.AddArray<uint64_t>("begin", begin_);
  writer.AddArray<uint32_t>("track", track_);
  writer.AddArray<float>("value", value_);
  writer.AddArray<float>("length", length_);
  if (!friend_of_.empty()) {
    writer.AddArray<uint64_t>("friend_begin", friend_begin_);
    writer.AddArray<uint32_t>("friend_of", friend_of_);
  }
  return writer.Write(file);
}

}  // namespace segue::models
