#include <nlohmann/json.hpp>

#include "pipeline/judged.h"
#include "pipeline/testing.h"
#include "pipeline/triggers.h"
#include "store/duck.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

constexpr const char* kHim = "listener-001";

class Forgetful : public SmallPipeline {
 protected:
  void SetUp() override {
    SmallPipeline::SetUp();
    settings_.algorithms = "svd";  // it keeps each listener it was trained on, by name
    DropListeners(1);
  }
  int64_t RowsOf(const std::string& dataset_id, const std::string& listener) {
    const auto path = *bucket_->LocalPath(store::DatasetKey(dataset_id, "interactions.parquet"));
    const auto duck = *store::OpenDuck({.threads = 1});
    return *duck->Count("SELECT count(*) FROM read_parquet(" + store::Quoted(path.string()) + ") WHERE listener = " + store::Quoted(listener));
  }
  bool ModelNames(const std::string& model_id, const std::string& listener) {
    return bucket_->Get(store::ModelKey(model_id, "model.segue"))->find(listener) != std::string::npos;
  }
  std::string Due() {
    auto triggers = Triggers::Make(Now());
    EXPECT_TRUE(triggers.ok());
    const auto due = triggers->Due(clock_.NowMs());
    EXPECT_TRUE(due.ok());
    return *due ? (*due)->kind : "";
  }
};

TEST_F(Forgetful, TheNextDatasetAndItsModelsAreWithoutHim) {
  settings_.config_trigger = "off";
  const auto first = Run("inbox");
  ASSERT_FALSE(first.dataset_id.empty()) << first.error;
  ASSERT_GT(RowsOf(first.dataset_id, kHim), 0);
  ASSERT_TRUE(ModelNames(first.model_id, kHim));
  EXPECT_EQ(Due(), "");

  ASSERT_TRUE(catalog_->listeners().Forget(kHim, clock_.NowSeconds()).ok());
  EXPECT_EQ(Due(), "forgotten");
  const auto second = Run("forgotten");
  EXPECT_TRUE(second.state == "approved" || second.state == "refused") << second.state << " " << second.error;
  EXPECT_EQ(NewsOf(second)["forgotten"], 1);
  EXPECT_EQ(RowsOf(second.dataset_id, kHim), 0);
  EXPECT_GT(RowsOf(second.dataset_id, "listener-002"), 0);
  ASSERT_NE(second.model_id, first.model_id);
  EXPECT_FALSE(ModelNames(second.model_id, kHim));
  EXPECT_TRUE(ModelNames(second.model_id, "listener-002"));
  EXPECT_EQ(Due(), "") << "it is no news any more";
  EXPECT_EQ(Run("schedule").state, "nothing_new");
}

TEST_F(Forgetful, WhoWasNeverThereChangesNothing) {
  const auto first = Run("inbox");
  ASSERT_FALSE(first.dataset_id.empty()) << first.error;
  ASSERT_TRUE(catalog_->listeners().Forget("nobody", clock_.NowSeconds()).ok());
  const auto second = Run("forgotten");
  EXPECT_EQ(second.state, "nothing_new");
  EXPECT_NE(second.dataset_id, first.dataset_id);
  EXPECT_EQ(Due(), "");
}

TEST_F(Forgetful, TheOnlyListenerMayGo) {
  for (int i = 2; i <= 6; ++i) ASSERT_TRUE(catalog_->listeners().Forget("listener-00" + std::to_string(i), clock_.NowSeconds() + 5).ok());
  const auto first = Run("inbox");
  ASSERT_TRUE(catalog_->listeners().Forget(kHim, clock_.NowSeconds() + 5).ok());
  const auto second = Run("forgotten");
  EXPECT_EQ(second.state, "nothing_new") << second.error;
  EXPECT_EQ(RowsOf(second.dataset_id, kHim), 0);
  EXPECT_EQ(Due(), "") << "a run that ends with nobody left has done its work";
}

}  // namespace
}  // namespace segue::pipeline
