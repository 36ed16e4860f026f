#include "train/hit_chance.h"

#include <algorithm>
#include <cmath>

#include "models/hit_chance.h"

namespace segue::train {
namespace {

class HitChanceTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::HitChanceModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings&, uint64_t, Instruments&) const override {
    if (std::all_of(data.hit_chance.begin(), data.hit_chance.end(), [](float p) { return std::isnan(p); })) {
      return Error{ErrorCode::kInvalid, "hit_chance: no model of hits has judged these tracks. One is trained by the pipeline "
                                        "where hits.min_songs labelled tracks came in"};
    }
    return models::HitChanceModel::Make(data.tracks.id, data.hit_chance);
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeHitChanceTrainer() { return std::make_unique<HitChanceTrainer>(); }

}  // namespace segue::train
