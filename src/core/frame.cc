#include "core/frame.h"

namespace segue {

Dataset FrameOf(const Dataset& data) {
  Dataset frame;
  frame.id = data.id;
  frame.tracks = data.tracks;
  frame.listeners = data.listeners;
  frame.tags = data.tags;
  frame.extra_features = data.extra_features;
  frame.friends = data.friends;
  frame.hit_chance = data.hit_chance;
  frame.begin.push_back(0);
  return frame;
}

}  // namespace segue
