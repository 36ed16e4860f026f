#include <array>

#include "train/ials.h"
#include "train/popularity.h"
#include "train/trainer.h"

namespace segue::train {

std::vector<std::string_view> KnownAlgorithms() { return {"popularity", "ials"}; }

Result<std::unique_ptr<Trainer>> MakeTrainer(std::string_view algorithm) {
  if (algorithm == "popularity") return MakePopularityTrainer();
  if (algorithm == "ials") return MakeIalsTrainer();
  std::string known;
  for (const std::string_view name : KnownAlgorithms()) known += (known.empty() ? "" : ", ") + std::string(name);
  return Error{ErrorCode::kInvalid, "unknown algorithm '" + std::string(algorithm) + "'; known: " + known};
}

}  // namespace segue::train
