#pragma once

#include <functional>
#include <string>

#include "store/catalog.h"

namespace segue::pipeline {

/// Told before each durable write: what is about to be written. A process that is
/// killed there leaves the folder as it is at this moment.
using BeforeWrite = std::function<void(const std::string& what)>;

class WatchedCatalog final : public store::Catalog {
 public:
  WatchedCatalog(store::Catalog& base, const BeforeWrite& before) : base_(base), before_(before) {}

  Result<store::AppendOutcome> AppendEvents(std::span<const store::FeedbackEvent> e) override { return Tell("events"), base_.AppendEvents(e); }
  Status PutObject(const store::ObjectRecord& o) override { return Tell("object"), base_.PutObject(o); }
  Status AddQuarantine(std::span<const store::QuarantineRow> r) override { return Tell("quarantine"), base_.AddQuarantine(r); }
  Status PutRun(const store::RunRecord& run) override { return Tell("run " + StageOf(run)), base_.PutRun(run); }
  Status PutModel(const store::ModelRecord& m) override { return Tell("model"), base_.PutModel(m); }
  Status PutAlias(const store::AliasRecord& a) override { return Tell("alias"), base_.PutAlias(a); }
  Status RemoveAlias(std::string_view n) override { return Tell("alias"), base_.RemoveAlias(n); }
  Status AppendImpressions(std::span<const store::Impression> i) override { return Tell("impressions"), base_.AppendImpressions(i); }
  Status PruneImpressions(int64_t t, int64_t b) override { return Tell("impressions"), base_.PruneImpressions(t, b); }
  Status Deploy(const store::DeploymentRecord& d) override { return Tell("deployment"), base_.Deploy(d); }
  Result<int64_t> AddCommand(const store::Command& c) override { return Tell("command"), base_.AddCommand(c); }
  Status FinishCommand(int64_t id, std::string_view s, std::string_view o) override { return Tell("command's end"), base_.FinishCommand(id, s, o); }
  Status AddAlarm(const store::AlarmRecord& a) override { return Tell("alarm"), base_.AddAlarm(a); }
  Status SetMeta(std::string_view n, std::string_view v) override { return Tell("meta " + std::string(n)), base_.SetMeta(n, v); }

  Result<std::optional<store::ObjectRecord>> FindObject(std::string_view s, std::string_view l) const override { return base_.FindObject(s, l); }
  Result<std::vector<store::ObjectRecord>> Objects(std::string_view status) const override { return base_.Objects(status); }
  Result<std::vector<store::QuarantineRow>> Quarantine(int64_t b, int64_t n) const override { return base_.Quarantine(b, n); }
  Result<int64_t> QuarantineCount() const override { return base_.QuarantineCount(); }
  Result<std::vector<store::FeedbackEvent>> EventsAfter(int64_t a, int64_t n) const override { return base_.EventsAfter(a, n); }
  Result<int64_t> LastEventSeq() const override { return base_.LastEventSeq(); }
  Result<std::optional<store::RunRecord>> FindRun(std::string_view id) const override { return base_.FindRun(id); }
  Result<std::vector<store::RunRecord>> Runs(int64_t o, int64_t n) const override { return base_.Runs(o, n); }
  Result<std::map<std::string, int64_t>> RunsByState() const override { return base_.RunsByState(); }
  Result<std::optional<store::ModelRecord>> FindModel(std::string_view id) const override { return base_.FindModel(id); }
  Result<std::vector<store::ModelRecord>> Models(int64_t o, int64_t n) const override { return base_.Models(o, n); }
  Result<std::optional<store::DeploymentRecord>> Live(ModelKind kind) const override { return base_.Live(kind); }
  Result<std::optional<store::DeploymentRecord>> Trial(ModelKind kind) const override { return base_.Trial(kind); }
  Result<std::vector<store::AliasRecord>> Aliases() const override { return base_.Aliases(); }
  Result<std::vector<store::Impression>> ImpressionsAfter(int64_t a, int64_t n) const override { return base_.ImpressionsAfter(a, n); }
  Result<int64_t> LastImpressionSeq() const override { return base_.LastImpressionSeq(); }
  Result<std::optional<store::Impression>> FindImpression(std::string_view l) const override { return base_.FindImpression(l); }
  Result<std::vector<store::DeploymentRecord>> Deployments(int64_t n) const override { return base_.Deployments(n); }
  Result<std::vector<store::Command>> PendingCommands() const override { return base_.PendingCommands(); }
  Result<std::optional<store::Command>> FindCommand(int64_t id) const override { return base_.FindCommand(id); }
  Result<std::vector<store::AlarmRecord>> Alarms(int64_t n) const override { return base_.Alarms(n); }
  store::AccessRecords& access() override { return base_.access(); }
  store::ListenerRecords& listeners() override { return base_.listeners(); }
  store::Documents& documents() override { return base_.documents(); }
  store::AlarmBook& alarm_book() const override { return base_.alarm_book(); }
  Result<std::string> Meta(std::string_view n) const override { return base_.Meta(n); }

 private:
  void Tell(const std::string& what) { before_(what); }
  static std::string StageOf(const store::RunRecord& run) {
    std::string at = run.state;
    for (const auto& stage : run.stages) {
      if (stage.state != "waiting") at = stage.name + " " + stage.state;
    }
    return at;
  }
  store::Catalog& base_;
  const BeforeWrite& before_;
};

}  // namespace segue::pipeline
