#include "train/user_knn.h"

#include <cmath>
#include <utility>

#include "models/user_knn.h"
#include "train/knn_matrix.h"

namespace segue::train {
namespace {

class UserKnnTrainer final : public Trainer {
 public:
  explicit UserKnnTrainer(bool friends) : friends_(friends) {}

  std::string_view algorithm() const override { return friends_ ? models::UserKnnModel::kFriends : models::UserKnnModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t, Instruments&) const override {
    KnnMatrix matrix = MakeKnnMatrix(data, settings, models::ParseKnnWeighting(settings.user_knn.weighting));
    if (matrix.listeners.size() == 0) {
      return Error{ErrorCode::kInvalid, std::string(algorithm()) + ": there are no plays, likes or ratings to train on"};
    }
    models::UserKnnModel::Parts parts;
    for (size_t u = 0; u < matrix.listeners.rows(); ++u) {
      double squares = 0;
      for (const float value : matrix.listeners.Values(u)) squares += static_cast<double>(value) * value;
      for (uint64_t k = matrix.listeners.begin[u]; k < matrix.listeners.begin[u + 1]; ++k) {
        matrix.listeners.value[k] = static_cast<float>(matrix.listeners.value[k] / std::sqrt(squares));
      }
      parts.length.push_back(static_cast<float>(std::sqrt(squares)));
    }
    parts.catalogue = models::Catalogue(data.tracks.id, std::move(matrix.popularity));
    parts.scale = matrix.scale;
    parts.neighbours = static_cast<uint32_t>(settings.user_knn.neighbours);
    parts.shrinkage = static_cast<float>(settings.user_knn.shrinkage);
    parts.locality = static_cast<float>(settings.user_knn.locality);
    parts.similarity = models::ParseKnnSimilarity(settings.user_knn.similarity);
    parts.scoring = models::ParseKnnScoring(settings.user_knn.scoring);
    parts.friends = friends_;
    parts.idf = std::move(matrix.idf);
    parts.listeners = data.listeners;
    parts.begin = std::move(matrix.listeners.begin);
    parts.track = std::move(matrix.listeners.column);
    parts.value = std::move(matrix.listeners.value);
    if (friends_) {
      parts.friend_begin = data.friends.begin;
      for (const UserIx user : data.friends.of) parts.friend_of.push_back(Raw(user));
    }
    return models::UserKnnModel::Make(std::move(parts));
  }

 private:
  const bool friends_;
};

}  // namespace

std::unique_ptr<Trainer> MakeUserKnnTrainer() { return std::make_unique<UserKnnTrainer>(false); }
std::unique_ptr<Trainer> MakeFriendsTrainer() { return std::make_unique<UserKnnTrainer>(true); }

}  // namespace segue::train
