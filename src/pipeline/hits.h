#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/hit_report.h"
#include "core/songs.h"
#include "core/verdict.h"
#include "models/classifier.h"
#include "pipeline/pipeline.h"
#include "train/classifier_trainer.h"

namespace segue::pipeline {

/// A dataset's tracks parted for models of hits. An artist is held out where
/// SHA-256 of its normal name, as a number in [0, 1), is below
/// hits.holdout_share (a track of unknown artist: by its own id). So the same
/// artists are held out in every run, and no model that went live ever learned
/// from them. Where the setting is raised, older models know some of the
/// held-out artists: two models are compared on those that neither knows.
struct HitCourt {
  std::string dataset_id;
  std::string content;          ///< hash of all labelled tracks, and of how they are parted
  SongTable songs;
  std::vector<uint32_t> train;  ///< labelled rows, ascending
  std::vector<uint32_t> test;
  std::string unfit;            ///< why no model of hits can be trained; "" it can

  /// The same with only those held out that are also held out by this share.
  HitCourt HeldOutBy(double share) const;
};
Result<HitCourt> OpenHitCourt(const Context& context, std::string_view dataset_id);

/// Is the artist of a track held out?
bool HeldOut(std::string_view artist, std::string_view track_id, double share);

/// Judges one model on the court's held-out songs. kInvalid where the model
/// knows features that tracks do not have.
Result<HitReport> JudgeHits(const HitCourt& court, const models::Classifier& model, std::string_view model_id);

/// Trains one model on the court's training part. Deterministic in all but the instruments.
Result<std::unique_ptr<models::Classifier>> FitHitModel(const train::ClassifierTrainer& trainer, const HitCourt& court, const Settings& settings,
                                                        uint64_t seed, Instruments& instruments);

Result<std::unique_ptr<models::Classifier>> LoadHitModel(const Context& context, std::string_view model_id);

/// Asks the gate about a model of the registry against the live model of hits,
/// both on this court. Keeps the verdict in the registry.
Result<Verdict> AskHitGate(const Context& context, const HitCourt& court, const HitReport& report, bool smoke_test_passed);

/// Judges a model of the registry on the newest court, asks the gate, and
/// promotes it: what a person's wish does. kConflict where the gate refuses.
Result<store::DeploymentRecord> PromoteHitsByHand(const Context& context, const store::ModelRecord& model, const std::string& actor,
                                                  const std::string& reason);

/// The live model of hits, "" where there is none.
Result<std::string> LiveHitModel(const Context& context);

/// Fills Dataset::hit_chance with what a model of hits says.
Status FillHitChance(const Context& context, std::string_view model_id, Dataset& data);

struct HitOutcome {
  bool judged = false;        ///< false: there was nothing (new) to learn from, `why` says why
  std::string why;
  bool approved = false;
  std::string model_id;       ///< the best of the candidates
};

/// Trains, judges, gates and deploys models of hits where the dataset has
/// hits.min_songs labelled tracks of both classes on either side of the split,
/// and these are not the ones that were judged last with the same settings
/// (catalog, "judged_hits"). A dry run deploys and remembers nothing.
/// Models whose manifest is in the bucket are taken from there, which is how an
/// interrupted run goes on. `detail` receives what was done, also when it fails.
Result<HitOutcome> RunHits(const Context& context, std::string_view dataset_id, std::string_view run_id, bool dry_run, Instruments& log,
                           nlohmann::json& detail);

}  // namespace segue::pipeline
