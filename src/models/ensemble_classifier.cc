#include "models/ensemble_classifier.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "models/classifier_file.h"

namespace segue::models {
namespace {

constexpr size_t kMostMembers = 256;

std::string MemberSection(size_t member) { return "member_" + std::to_string(member); }

bool Possible(std::span<const float> weights) {
  float sum = 0;
  for (const float weight : weights) {
    if (!(weight >= 0 && weight <= 1)) return false;
    sum += weight;
  }
  return std::abs(sum - 1) < 1e-3f;
}

}  // namespace

std::unique_ptr<EnsembleClassifier> EnsembleClassifier::Make(Parts parts) {
  SEGUE_CHECK(!parts.members.empty() && parts.members.size() <= kMostMembers);
  SEGUE_CHECK(parts.weights.size() == parts.members.size() && Possible(parts.weights));
  for (const auto& member : parts.members) {
    SEGUE_CHECK(member->features() == parts.members.front()->features() && member->labels() == parts.members.front()->labels());
  }
  return std::unique_ptr<EnsembleClassifier>(new EnsembleClassifier(std::move(parts)));
}

Result<std::unique_ptr<Classifier>> EnsembleClassifier::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(const ClassifierNames names, ReadClassifierNames(*file));
  SEGUE_TRY(const std::string_view bytes, file->Section("weights"));
  const size_t count = bytes.size() / sizeof(float);
  SEGUE_TRY(const auto weights, file->Array<float>("weights", count));
  if (count == 0 || count > kMostMembers || !Possible(weights)) return DamagedClassifier(*file, "its weights cannot be");
  Parts parts;
  parts.weights.assign(weights.begin(), weights.end());
  for (size_t m = 0; m < count; ++m) {
    SEGUE_TRY(auto inside, ModelFile::Inside(file, MemberSection(m)));
    SEGUE_TRY(auto member, OpenClassifier(std::move(inside)));
    if (member->features() != names.features || member->labels() != names.labels) {
      return DamagedClassifier(*file, "its members know other features or labels");
    }
    parts.members.push_back(std::move(member));
  }
  return std::unique_ptr<Classifier>(Make(std::move(parts)));
}

void EnsembleClassifier::Predict(std::span<const float> rows, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0f);
  std::vector<float> one(out.size());
  for (size_t m = 0; m < parts_.members.size(); ++m) {
    if (parts_.weights[m] == 0) continue;
    parts_.members[m]->Predict(rows, one);
    for (size_t i = 0; i < out.size(); ++i) out[i] += parts_.weights[m] * one[i];
  }
}

Status EnsembleClassifier::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  AddClassifier(writer, *this);
  writer.AddArray<float>("weights", parts_.weights);
  for (size_t m = 0; m < parts_.members.size(); ++m) {
    SEGUE_RETURN_IF_ERROR(AddInside(writer, MemberSection(m), *parts_.members[m], file));
  }
  return writer.Write(file);
}

}  // namespace segue::models
