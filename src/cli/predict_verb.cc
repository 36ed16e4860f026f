#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/offline.h"
#include "evaluate/metrics.h"
#include "models/past.h"
#include "train/trainer.h"

namespace segue::cli {
namespace {

/// kInvalid where the algorithm predicts no ratings, with those that do.
Status CheckPredicts(const std::string& algorithm) {
  SEGUE_TRY(const auto wanted, train::MakeTrainer(algorithm));
  if (wanted->PredictsRatings()) return {};
  std::string known;
  for (const std::string_view name : train::KnownAlgorithms()) {
    SEGUE_TRY(const auto trainer, train::MakeTrainer(name));
    if (trainer->PredictsRatings()) known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return Error{ErrorCode::kInvalid, algorithm + " ranks tracks but predicts no ratings; these do: " + known};
}

/// What was predicted for the rows of the test file.
struct Predictions {
  std::vector<double> values;
  std::vector<double> predicted;
};

Predictions PredictAll(const Fitted& fitted, std::ostream& out) {
  const models::Model& model = *fitted.model;
  const Dataset& train = fitted.files.train;
  const Dataset& test = fitted.files.test;
  const models::RowMap rows(model, train.tracks.id);
  Predictions result;
  out << "user_id,item_id,value,prediction\n";
  for (uint32_t u = 0; u < test.listener_count() && !Cancelled().load(); ++u) {
    if (u % 256 == 0) fitted.instruments->Progress("predict", u, test.listener_count(), "listeners");
    const auto events = test.EventsOf(UserIx{u});
    if (events.empty()) continue;
    const auto past = rows.PastOf(train.listeners[u], train.EventsOf(UserIx{u}), RuleOf(fitted.settings));
    const auto profile = model.FoldIn(past.View());
    for (const Event& event : events) {
      const auto row = rows[event.track];
      const float prediction = model.PredictRating(profile, TrackIx{row}).value();
      out << CsvField(test.listeners[u]) << ',' << CsvField(model.TrackId(TrackIx{row})) << ',' << event.value << ','
          << prediction << '\n';
      result.values.push_back(event.value);
      result.predicted.push_back(prediction);
    }
  }
  fitted.instruments->Progress("predict", test.listener_count(), test.listener_count(), "listeners");
  return result;
}

}  // namespace

int PredictFiles(const Common& common, const OfflineFlags& flags) {
  CatchSignals();
  if (const Status status = CheckPredicts(flags.algorithm); !status.ok()) return Fail(status.error());
  const auto fitted = FitFiles(common, flags);
  if (!fitted.ok()) return Fail(fitted.error());
  std::ofstream out(flags.output);
  if (!out) return Fail({ErrorCode::kIo, "cannot write " + flags.output});
  out.precision(7);
  const auto start = Clock::now();
  const Predictions all = PredictAll(*fitted, out);
  out.flush();
  if (!out) return Fail({ErrorCode::kNoSpace, "writing " + flags.output + " failed: is the disk full?"});
  const double rmse = evaluate::Rmse(all.predicted, all.values);
  const double mae = evaluate::Mae(all.predicted, all.values);
  const double seconds = SecondsSince(start);
  if (common.json) {
    const nlohmann::json result = {
        {"algorithm", flags.algorithm},   {"rows", all.values.size()},  {"rmse", rmse},          {"mae", mae},
        {"fit_seconds", fitted->seconds}, {"predict_seconds", seconds}, {"output", flags.output}};
    std::printf("%s\n", result.dump(2).c_str());
    return kOk;
  }
  std::printf("%s: %zu ratings predicted; RMSE %.4f, MAE %.4f; fitted in %.2f s, predicted in %.2f s\n",
              flags.algorithm.c_str(), all.values.size(), rmse, mae, fitted->seconds, seconds);
  return kOk;
}

}  // namespace segue::cli
