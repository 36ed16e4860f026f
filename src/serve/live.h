#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/arm.h"
#include "serve/snapshot.h"

namespace segue::serve {

/// The models that serve at one moment, all on one ground.
struct ServedModels {
  std::shared_ptr<Snapshot> live;        ///< never null
  std::shared_ptr<Snapshot> challenger;  ///< null where none is tried, or it cannot be loaded
  bool shown = false;                    ///< the challenger is a canary; else a shadow
  double share = 0;                      ///< canary: of listeners, shadow: of lists
  int64_t trial_seq = 0;                 ///< number of the deployment that started it

  /// kCanary where the challenger makes this listener's lists, else kLive.
  Arm ArmOf(const std::string& listener) const {
    return challenger != nullptr && shown && CanaryPlace(challenger->model_id(), listener) < share ? Arm::kCanary : Arm::kLive;
  }
};

/// Keeps the newest models: follows the live pointers, the trial and the newest
/// dataset in the catalog, loads beside what serves, and swaps. A model that was
/// live before stays mapped, so that a rollback only moves a pointer. A model of
/// hits is swapped by itself; where it cannot be loaded, the one before goes on as
/// long as the dataset is the same, and recommendations do not suffer. A
/// challenger that cannot be loaded is a critical alarm that names it, and the live
/// model serves everybody. Thread-safe.
class Live {
 public:
  explicit Live(const Context& context);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  /// The live model. Never null; hold it for the length of one request.
  std::shared_ptr<Snapshot> Now() const { return Models()->live; }
  /// Never null.
  std::shared_ptr<const ServedModels> Models() const;

  /// Makes events that were just appended count on every later request.
  Status CatchUp();
  /// Has the catalog looked at now, not at the next turn. Does not wait for it.
  void Wake();

 private:
  /// What the catalog says should serve.
  struct Wanted {
    std::string model_id, dataset_id, challenger_id;
    int64_t since = 0;
    std::optional<store::DeploymentRecord> trial;
    std::string previous_id;  ///< where a rollback leads, as far as the newest step tells
  };

  void Follow();
  void LookOnce();
  Result<Wanted> Look() const;
  /// On this ground, from what is mapped already where it can be.
  Result<std::shared_ptr<Snapshot>> Get(const std::shared_ptr<Ground>& ground, const std::string& model_id, int64_t since) const;
  std::shared_ptr<Snapshot> Challenger(const Wanted& wanted, const std::shared_ptr<Ground>& ground);
  void Swap(std::shared_ptr<const ServedModels> next, bool new_ground);
  void KeepPrevious(const Wanted& wanted);
  void FollowHits(Ground& ground);

  Context context_;
  mutable std::mutex mutex_;  // held while a new one catches up and is swapped in, so that no event falls between
  std::shared_ptr<const ServedModels> current_;
  std::shared_ptr<Snapshot> previous_;  // only for the thread below
  std::string failed_, failed_hits_, failed_challenger_, failed_previous_;  // what could not be loaded, so that it is said once

  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool woken_ = false, stop_ = false;
  std::thread thread_;
};

}  // namespace segue::serve
