#include "models/groups.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "math/kernels/kernels.h"

namespace segue::models {
namespace {

constexpr size_t kNearest = 3;

/// The numbers of an artifact, as written.
struct Header {
  uint64_t listeners;
  uint32_t listener_groups;
  uint32_t track_groups;
};
static_assert(sizeof(Header) == 16, "no padding: the bytes are the same everywhere");

Error Damaged(const ModelFile& file, std::string_view what) {
  return {ErrorCode::kCorrupt, "model file " + file.path().string() + " is damaged: " + std::string(what)};
}

void AddTexts(ModelFileWriter& writer, const std::string& name, const std::vector<std::string>& texts) {
  std::vector<uint64_t> ends = {0};
  std::string all;
  for (const std::string& text : texts) {
    all += text;
    ends.push_back(all.size());
  }
  writer.AddArray<uint64_t>(name + "_ends", ends);
  writer.Add(name, all);
}

Result<std::vector<std::string>> ReadTexts(const ModelFile& file, const std::string& name, size_t count) {
  SEGUE_TRY(const auto ends, file.Array<uint64_t>(name + "_ends", count + 1));
  SEGUE_TRY(const std::string_view all, file.Section(name));
  if (ends.front() != 0 || ends.back() != all.size() || !std::is_sorted(ends.begin(), ends.end())) {
    return Damaged(file, "its texts '" + name + "' are not in order");
  }
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) texts.emplace_back(all.substr(ends[i], ends[i + 1] - ends[i]));
  return texts;
}

void AddGrouping(ModelFileWriter& writer, const std::string& name, const Grouping& grouping) {
  std::vector<uint32_t> ids;
  std::vector<uint64_t> sizes;
  std::vector<uint64_t> begin = {0};
  std::vector<uint32_t> typical;
  std::vector<std::string> tags;
  for (const Group& group : grouping.groups) {
    ids.push_back(group.id);
    sizes.push_back(group.size);
    for (const TrackIx track : group.typical) typical.push_back(Raw(track));
    begin.push_back(typical.size());
    tags.push_back(group.tags);
  }
  writer.AddArray<float>(name + "_centres", grouping.centres);
  writer.AddArray<uint32_t>(name + "_group_of", grouping.group_of);
  writer.AddArray<uint32_t>(name + "_ids", ids);
  writer.AddArray<uint64_t>(name + "_sizes", sizes);
  writer.AddArray<uint64_t>(name + "_begin", begin);
  writer.AddArray<uint32_t>(name + "_typical", typical);
  AddTexts(writer, name + "_tags", tags);
}

Result<Grouping> ReadGrouping(const ModelFile& file, const std::string& name, size_t groups, size_t members,
                              size_t stride, size_t tracks) {
  Grouping grouping;
  SEGUE_TRY(const auto centres, file.Array<float>(name + "_centres", groups * stride));
  SEGUE_TRY(const auto group_of, file.Array<uint32_t>(name + "_group_of", members));
  SEGUE_TRY(const auto ids, file.Array<uint32_t>(name + "_ids", groups));
  SEGUE_TRY(const auto sizes, file.Array<uint64_t>(name + "_sizes", groups));
  SEGUE_TRY(const auto begin, file.Array<uint64_t>(name + "_begin", groups + 1));
  SEGUE_TRY(const std::string_view typical_bytes, file.Section(name + "_typical"));
  SEGUE_TRY(const auto typical, file.Array<uint32_t>(name + "_typical", typical_bytes.size() / sizeof(uint32_t)));
  SEGUE_TRY(auto tags, ReadTexts(file, name + "_tags", groups));
  const bool possible =
      begin.front() == 0 && begin.back() == typical.size() && std::is_sorted(begin.begin(), begin.end()) &&
      std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end() && ids.back() != Grouping::kNone &&
      std::all_of(centres.begin(), centres.end(), [](float v) { return std::isfinite(v); }) &&
      std::all_of(group_of.begin(), group_of.end(), [&](uint32_t g) { return g < groups || g == Grouping::kNone; }) &&
      std::all_of(typical.begin(), typical.end(), [&](uint32_t t) { return t < tracks; });
  if (!possible) return Damaged(file, "its groups '" + name + "' cannot be");
  grouping.centres.assign(centres.begin(), centres.end());
  grouping.group_of.assign(group_of.begin(), group_of.end());
  for (size_t g = 0; g < groups; ++g) {
    Group group{ids[g], sizes[g], {}, std::move(tags[g])};
    for (uint64_t k = begin[g]; k < begin[g + 1]; ++k) group.typical.push_back(TrackIx{typical[k]});
    grouping.groups.push_back(std::move(group));
  }
  return grouping;
}

}  // namespace

bool NormaliseVector(std::span<float> x) {
  double square = 0;
  for (const float v : x) square += static_cast<double>(v) * v;
  if (!(square > 0) || !std::isfinite(square)) return false;
  for (float& v : x) v = static_cast<float>(v / std::sqrt(square));
  return true;
}

GroupsModel::GroupsModel(Catalogue catalogue, Parts parts)
    : CatalogueModel(std::move(catalogue)), parts_(std::move(parts)), share_(track_count(), 0.0f) {
  const auto n = static_cast<float>(std::max<size_t>(1, parts_.listeners.size()));
  for (const uint32_t row : catalogue_.ranked()) share_[row] = std::expm1(catalogue_.popularity()[row]) / n;
}

std::unique_ptr<GroupsModel> GroupsModel::Make(Parts parts) {
  SEGUE_CHECK(parts.wanted_begin.size() == parts.of_listeners.groups.size() + 1);
  Catalogue catalogue = parts.space->catalogue();
  return std::unique_ptr<GroupsModel>(new GroupsModel(std::move(catalogue), std::move(parts)));
}

Result<std::unique_ptr<Model>> GroupsModel::Open(std::shared_ptr<const ModelFile> file) {
  Parts parts;
  SEGUE_TRY(auto space, IalsModel::Open(file));
  parts.space.reset(static_cast<const IalsModel*>(space.release()));
  SEGUE_TRY(const auto header, file->Array<Header>("groups", 1));
  const Header& h = header[0];
  const size_t n = parts.space->track_count();
  const size_t stride = parts.space->stride();
  if (h.listeners > UINT32_MAX || h.listener_groups == 0 || h.track_groups == 0) {
    return Damaged(*file, "it has no groups");
  }
  SEGUE_TRY(parts.listeners, ReadTexts(*file, "listeners", h.listeners));
  SEGUE_TRY(parts.of_listeners, ReadGrouping(*file, "of_listeners", h.listener_groups, h.listeners, stride, n));
  SEGUE_TRY(parts.of_tracks, ReadGrouping(*file, "of_tracks", h.track_groups, n, stride, n));
  SEGUE_TRY(const auto wanted, MappedRows::Open(*file, "wanted", h.listener_groups, n, MappedRows::With::kValues));
  parts.wanted_begin.assign(wanted.begin.begin(), wanted.begin.end());
  parts.wanted_track.assign(wanted.column.begin(), wanted.column.end());
  parts.wanted_by.assign(wanted.value.begin(), wanted.value.end());
  return std::unique_ptr<Model>(Make(std::move(parts)));
}

/// state: the listener's direction [stride].
Profile GroupsModel::FoldIn(const History& history) const {
  Profile profile = parts_.space->FoldIn(history);
  profile.state.resize(std::min(profile.state.size(), parts_.space->stride()));
  if (!NormaliseVector(profile.state)) profile.state.clear();
  return profile;
}

std::vector<GroupsModel::Membership> GroupsModel::Memberships(const Profile& profile) const {
  const Grouping& grouping = parts_.of_listeners;
  const size_t stride = parts_.space->stride();
  const size_t k = grouping.groups.size();
  std::vector<float> dots(k);
  math::BestKernels().dots(grouping.centres.data(), k, stride, profile.state.data(), dots.data());
  std::vector<Membership> nearest;
  for (uint32_t g = 0; g < k; ++g) {
    // Nearest as k-means has it: by distance.
    float square = 0;
    math::BestKernels().dots(grouping.centres.data() + g * stride, 1, stride, grouping.centres.data() + g * stride, &square);
    nearest.push_back({g, dots[g] - square / 2});
  }
  std::stable_sort(nearest.begin(), nearest.end(), [](const Membership& a, const Membership& b) { return a.weight > b.weight; });
  nearest.resize(std::min(kNearest, nearest.size()));
  const float best = nearest.front().weight;
  float sum = 0;
  for (Membership& m : nearest) sum += m.weight = std::exp((m.weight - best) / kTemperature);
  for (Membership& m : nearest) m.weight /= sum;
  return nearest;
}

void GroupsModel::Score(const Profile& profile, std::span<float> scores) const {
  if (profile.state.empty()) {
    std::copy(catalogue_.popularity().begin(), catalogue_.popularity().end(), scores.begin());
    return;
  }
  std::fill(scores.begin(), scores.end(), 0.0f);
  float left = 0;
  for (const Membership& m : Memberships(profile)) {
    const float gain = m.weight / (static_cast<float>(parts_.of_listeners.groups[m.row].size) + kSmoothing);
    left += gain * kSmoothing;
    for (uint64_t k = parts_.wanted_begin[m.row]; k < parts_.wanted_begin[m.row + 1]; ++k) {
      scores[parts_.wanted_track[k]] += gain * parts_.wanted_by[k];
    }
  }
  for (size_t i = 0; i < scores.size(); ++i) {
    scores[i] = catalogue_.popularity()[i] == kNever ? kNever : scores[i] + left * share_[i];
  }
}

const Group* GroupsModel::GroupOf(const Profile& profile) const {
  return profile.state.empty() ? nullptr : &parts_.of_listeners.groups[Memberships(profile).front().row];
}

const Group* GroupsModel::TrackGroup(TrackIx track) const {
  const uint32_t row = parts_.of_tracks.group_of[Raw(track)];
  return row == Grouping::kNone ? nullptr : &parts_.of_tracks.groups[row];
}

Explanation GroupsModel::Explain(const Profile& profile, TrackIx) const {
  const Group* group = GroupOf(profile);
  if (group == nullptr) return {{}, "popular with other listeners"};
  return {{}, "popular with listeners like you (group " + std::to_string(group->id) +
                  (group->tags.empty() ? "" : ": " + group->tags) + ")"};
}

Status GroupsModel::Save(const std::filesystem::path& file) const {
  const Header header{parts_.listeners.size(), static_cast<uint32_t>(parts_.of_listeners.groups.size()),
                      static_cast<uint32_t>(parts_.of_tracks.groups.size())};
  ModelFileWriter writer;
  writer.Add("algorithm", kAlgorithm);
  parts_.space->AddTo(writer);
  writer.AddArray<Header>("groups", {&header, 1});
  AddTexts(writer, "listeners", parts_.listeners);
  AddGrouping(writer, "of_listeners", parts_.of_listeners);
  AddGrouping(writer, "of_tracks", parts_.of_tracks);
  MappedRows{parts_.wanted_begin, parts_.wanted_track, parts_.wanted_by}.AddTo(writer, "wanted");
  return writer.Write(file);
}

}  // namespace segue::models
