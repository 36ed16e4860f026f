#pragma once

#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "deploy/deploy.h"

namespace segue {

/// Stands in for the gate, which alone can make an Approval and is another
/// stage: this test program does not link it.
namespace gate {
struct Question {
  std::string model_id;
};
inline Verdict Decide(const Question& question) {
  return Approval(question.model_id, {Check{"min_mrr", true, 0.25, 0.1, "MRR is above the floor"}});
}
struct HitQuestion {
  std::string model_id;
};
inline Verdict Decide(const HitQuestion& question) {
  return Approval(question.model_id, {Check{"hits.min_auc", true, 0.75, 0.6, "AUC is above the floor"}}, ModelKind::kHits);
}
}  // namespace gate

namespace deploy {

class Deploy : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("segue-deploy-" + std::to_string(reinterpret_cast<uintptr_t>(this)) + "-" +
               std::to_string(testing::UnitTest::GetInstance()->random_seed()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto catalog = store::OpenSqliteCatalog(folder_ / "catalog.db");
    ASSERT_TRUE(catalog.ok()) << catalog.error().message;
    catalog_ = std::move(*catalog);
    for (const char* id : {"a", "b", "c"}) Register(id);
  }
  void TearDown() override {
    catalog_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Register(const std::string& id, ModelKind kind = ModelKind::kRecommender) {
    store::ModelRecord model;
    model.kind = kind;
    model.model_id = id;
    model.algorithm = "popularity";
    model.approved = true;
    ASSERT_TRUE(catalog_->PutModel(model).ok());
  }

  static Approval Approved(const std::string& id) { return std::get<Approval>(gate::Decide(gate::Question{id})); }
  Result<store::DeploymentRecord> Promote(const std::string& id) {
    clock_.Advance(1000);
    return deploy::Promote(Approved(id), *catalog_, clock_, "pipeline", "better");
  }
  Result<store::DeploymentRecord> Rollback() {
    clock_.Advance(1000);
    return deploy::Rollback(*catalog_, clock_, "cli", "complaints");
  }
  std::string Live() {
    const auto live = catalog_->Live();
    return *live ? (*live)->to_model : "";
  }
  size_t Deployments() { return catalog_->Deployments(1000)->size(); }

  std::filesystem::path folder_;
  std::unique_ptr<store::Catalog> catalog_;
  store::FakeClock clock_{1'700'000'000'000};
};

}  // namespace deploy
}  // namespace segue
