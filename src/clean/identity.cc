#include "clean/identity.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/identity.h"

namespace segue::clean {
namespace {

/// A key with what it is: a source's id and a name key are never mistaken for
/// each other. Ascending by kind (names first), then by text.
struct Key {
  bool is_source_id = false;
  std::string text;

  bool operator<(const Key& other) const {
    return std::tie(is_source_id, text) < std::tie(other.is_source_id, other.text);
  }
  bool operator==(const Key& other) const {
    return is_source_id == other.is_source_id && text == other.text;
  }
};

std::vector<Key> DistinctKeys(const std::vector<Naming>& namings) {
  std::vector<Key> keys;
  keys.reserve(namings.size() * 2);
  for (const Naming& naming : namings) {
    if (!naming.name_key.empty()) keys.push_back({false, naming.name_key});
    if (!naming.source_id.empty()) keys.push_back({true, naming.source_id});
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

size_t IndexOf(const std::vector<Key>& keys, bool is_source_id, const std::string& text) {
  return static_cast<size_t>(std::lower_bound(keys.begin(), keys.end(), Key{is_source_id, text}) - keys.begin());
}

/// Disjoint sets whose root is always the smallest member, so that the root is
/// the label: keys are sorted with names before ids.
class DisjointSets {
 public:
  explicit DisjointSets(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), size_t{0}); }

  size_t Root(size_t i) {
    while (parent_[i] != i) {
      parent_[i] = parent_[parent_[i]];
      i = parent_[i];
    }
    return i;
  }

  void Unite(size_t a, size_t b) {
    a = Root(a);
    b = Root(b);
    if (a < b) parent_[b] = a;
    if (b < a) parent_[a] = b;
  }

 private:
  std::vector<size_t> parent_;
};

bool IsOwn(const Key& key) { return key.is_source_id && IsTrackId(key.text); }

/// An id of ours stands for the key that it was made of. Own ids that stand
/// for nothing keep their own root.
void LinkOwnIds(const std::vector<Key>& keys, const std::vector<std::string>& ids, DisjointSets& sets) {
  std::unordered_map<std::string_view, size_t> made_of;
  made_of.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!IsOwn(keys[i])) made_of.emplace(ids[i], i);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!IsOwn(keys[i])) continue;
    if (const auto it = made_of.find(keys[i].text); it != made_of.end()) sets.Unite(i, it->second);
  }
}

struct Component {
  int64_t names = 0;
  int64_t foreign_ids = 0;
};

}  // namespace

bool IsTrackId(std::string_view id) {
  return id.size() == 17 && id.front() == 't' &&
         std::all_of(id.begin() + 1, id.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Identity ResolveIdentity(std::vector<Naming> namings) {
  const std::vector<Key> keys = DistinctKeys(namings);
  std::vector<std::string> ids(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    ids[i] = IsOwn(keys[i]) ? keys[i].text : TrackIdOf(keys[i].text);
  }
  DisjointSets sets(keys.size());
  for (const Naming& naming : namings) {
    if (naming.source_id.empty() || naming.name_key.empty()) continue;
    sets.Unite(IndexOf(keys, true, naming.source_id), IndexOf(keys, false, naming.name_key));
  }
  namings = {};
  LinkOwnIds(keys, ids, sets);

  Identity identity;
  std::unordered_map<size_t, Component> components;
  for (size_t i = 0; i < keys.size(); ++i) {
    Component& component = components[sets.Root(i)];
    component.names += keys[i].is_source_id ? 0 : 1;
    component.foreign_ids += keys[i].is_source_id && !IsOwn(keys[i]) ? 1 : 0;
    identity.name_keys += keys[i].is_source_id ? 0 : 1;
    identity.source_ids += keys[i].is_source_id && !IsOwn(keys[i]) ? 1 : 0;
  }
  for (const auto& [root, component] : components) {
    if (component.names + component.foreign_ids == 0) {
      ++identity.unknown_own_ids;
      continue;
    }
    identity.track_ids.push_back(ids[root]);
    identity.tracks_with_several_names += component.names > 1 ? 1 : 0;
    identity.tracks_with_several_ids += component.foreign_ids > 1 ? 1 : 0;
    identity.merged += std::max(component.names, component.foreign_ids) - 1;
  }
  std::sort(identity.track_ids.begin(), identity.track_ids.end());
  identity.track_ids.erase(std::unique(identity.track_ids.begin(), identity.track_ids.end()),
                           identity.track_ids.end());

  for (size_t i = 0; i < keys.size(); ++i) {
    const size_t root = sets.Root(i);
    const Component& component = components[root];
    if (component.names + component.foreign_ids == 0) continue;
    const auto track = static_cast<uint32_t>(
        std::lower_bound(identity.track_ids.begin(), identity.track_ids.end(), ids[root]) -
        identity.track_ids.begin());
    identity.members.push_back({keys[i].text, track});
    identity.aliases.push_back({ids[i], track});
    if (keys[i].is_source_id && !IsOwn(keys[i])) identity.aliases.push_back({keys[i].text, track});
  }
  // One row a key: the joins that follow must not multiply rows.
  const auto tidy = [](std::vector<Identity::Member>& list) {
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
      return std::tie(a.key, a.track) < std::tie(b.key, b.track);
    });
    list.erase(std::unique(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.key == b.key; }),
               list.end());
  };
  tidy(identity.members);
  tidy(identity.aliases);
  return identity;
}

}  // namespace segue::clean
