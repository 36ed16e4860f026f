#include "synthetic.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"

namespace segue::bench {
namespace {

constexpr double kTopicShape = 0.15;
constexpr double kTrackShape = 0.25;
constexpr double kDecay = 0.9;
constexpr double kRankOffset = 10;
constexpr double kActivitySpread = 0.9;
constexpr uint32_t kFirstDraws = 6;
constexpr double kPlaysStop = 0.4;
constexpr double kTestShare = 0.2;
constexpr size_t kFewestToSplit = 5;

/// What draws are made of is numbered: each has a stream of its own.
enum Stream : uint64_t { kShuffle = 1, kThin, kTopic, kListener = 1'000'000, kMore = 1'000'000'000 };

/// Gamma(shape, 1). Marsaglia, Tsang, "A Simple Method for Generating Gamma
/// Variables", 2000, with their section 6 for shape < 1.
double Gamma(double shape, Random& random) {
  const double d = shape + 1 - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.Normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    const double u = 1 - random.Uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return d * v * std::pow(1 - random.Uniform(), 1 / shape);
    }
  }
}

/// Sums so far, for drawing.
class Cumulative {
 public:
  explicit Cumulative(std::vector<double> weights) : sums_(std::move(weights)) {
    std::partial_sum(sums_.begin(), sums_.end(), sums_.begin());
  }
  uint32_t Draw(Random& random) const {
    const double at = random.Uniform() * sums_.back();
    const auto place = std::upper_bound(sums_.begin(), sums_.end(), at) - sums_.begin();
    return static_cast<uint32_t>(std::min<std::ptrdiff_t>(place, static_cast<std::ptrdiff_t>(sums_.size()) - 1));
  }

 private:
  std::vector<double> sums_;
};

std::vector<Cumulative> Topics(uint32_t tracks, uint64_t seed) {
  std::vector<double> popularity(tracks);
  for (uint32_t i = 0; i < tracks; ++i) popularity[i] = std::pow(i + kRankOffset, -kDecay);
  Random shuffle(seed, kShuffle);
  for (size_t i = tracks; i > 1; --i) std::swap(popularity[i - 1], popularity[shuffle.Below(i)]);
  std::vector<Cumulative> topics;
  for (uint32_t k = 0; k < kTopics; ++k) {
    Random random(seed, kTopic + k);
    std::vector<double> weights(tracks);
    for (uint32_t i = 0; i < tracks; ++i) weights[i] = popularity[i] * Gamma(kTrackShape, random);
    topics.emplace_back(std::move(weights));
  }
  return topics;
}

struct Listener {
  double activity = 0;
  double owed = 0;                ///< draws, with what is not yet whole
  std::vector<uint32_t> drawn;    ///< tracks, ascending after Draw
  std::vector<double> taste;
};

class World {
 public:
  World(const SyntheticShape& shape, uint64_t seed) : topics_(Topics(shape.tracks, seed)), listeners_(shape.listeners) {
    double all = 0;
    for (uint32_t u = 0; u < shape.listeners; ++u) {
      Random random(seed, kListener + u);
      Listener& listener = listeners_[u];
      listener.activity = std::exp(kActivitySpread * random.Normal());
      all += listener.activity;
      for (uint32_t k = 0; k < kTopics; ++k) listener.taste.push_back(Gamma(kTopicShape, random));
    }
    for (Listener& listener : listeners_) listener.activity /= all;
    uint64_t pairs = 0;
    double draws = 0;
    for (uint64_t round = 0; pairs < shape.pairs; ++round) {
      pairs = 0;
      for (uint32_t u = 0; u < shape.listeners; ++u) {
        Listener& listener = listeners_[u];
        listener.owed += round == 0 ? kFirstDraws : draws * listener.activity;
        Random random(seed, kMore * (round + 1) + u);
        pairs += Draw(listener, random);
      }
      draws = 1.4 * static_cast<double>(shape.pairs - std::min(pairs, shape.pairs)) + 0.01 * static_cast<double>(shape.pairs);
    }
    pairs_ = pairs;
  }

  uint64_t pairs() const { return pairs_; }
  std::span<const Listener> listeners() const { return listeners_; }

 private:
  /// How many tracks the listener then has.
  size_t Draw(Listener& listener, Random& random) const {
    const Cumulative taste(listener.taste);
    const double carried = listener.owed - std::floor(listener.owed);
    const auto whole = static_cast<uint64_t>(listener.owed) + (random.Uniform() < carried ? 1 : 0);
    listener.owed = 0;
    for (uint64_t n = 0; n < whole; ++n) listener.drawn.push_back(topics_[taste.Draw(random)].Draw(random));
    std::sort(listener.drawn.begin(), listener.drawn.end());
    size_t different = 0;
    for (size_t k = 0; k < listener.drawn.size(); ++k) different += k == 0 || listener.drawn[k] != listener.drawn[k - 1] ? 1 : 0;
    return different;
  }

  const std::vector<Cumulative> topics_;
  std::vector<Listener> listeners_;
  uint64_t pairs_ = 0;
};

struct Pair {
  uint32_t track;
  uint32_t plays;
};

void Append(std::string& text, uint64_t number, char end) {
  char digits[24];
  const auto done = std::to_chars(digits, digits + sizeof digits, number);
  text.append(digits, done.ptr);
  text += end;
}

void Write(std::ofstream& out, uint32_t user, const Pair& pair, std::string& line) {
  line.clear();
  Append(line, user, ',');
  Append(line, pair.track, ',');
  Append(line, pair.plays, '\n');
  out.write(line.data(), static_cast<std::streamsize>(line.size()));
}

}  // namespace

Status WriteSynthetic(const SyntheticShape& shape, uint64_t seed, const std::filesystem::path& folder) {
  const World world(shape, seed);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::ofstream train(folder / "train.csv"), test(folder / "test.csv");
  train << "user_id,item_id,value\n";
  test << "user_id,item_id,value\n";
  // Of a number of things so many are chosen: each in turn with the share that is still to be chosen.
  uint64_t left = world.pairs();
  uint64_t surplus = left - shape.pairs;
  Random random(seed, kThin);
  std::vector<Pair> own;
  std::string line;
  for (uint32_t u = 0; u < shape.listeners; ++u) {
    own.clear();
    const auto& drawn = world.listeners()[u].drawn;
    for (size_t k = 0; k < drawn.size();) {
      uint32_t count = 0;
      const uint32_t track = drawn[k];
      for (; k < drawn.size() && drawn[k] == track; ++k) ++count;
      if (random.Below(left--) < surplus) {
        --surplus;
        continue;
      }
      const double more = std::log(1 - random.Uniform()) / std::log(1 - kPlaysStop);
      own.push_back({track, count + static_cast<uint32_t>(more)});
    }
    size_t tested = 0;
    if (own.size() >= kFewestToSplit) tested = std::max<size_t>(1, static_cast<size_t>(kTestShare * static_cast<double>(own.size()) + 1e-9));
    for (size_t k = 0; k < own.size(); ++k) {
      const bool is_test = random.Below(own.size() - k) < tested;
      tested -= is_test ? 1 : 0;
      Write(is_test ? test : train, u, own[k], line);
    }
  }
  train.flush();
  test.flush();
  if (!train || !test) return Error{ErrorCode::kIo, "cannot write train.csv and test.csv into " + folder.string()};
  return {};
}

}  // namespace segue::bench
