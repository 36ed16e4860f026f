#include "models/svd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "train/testing.h"

namespace segue::train {
namespace {

std::unique_ptr<models::Model> Fit(std::string_view algorithm, const Dataset& data, const Settings& settings) {
  NoInstruments instruments;
  auto model = (*MakeTrainer(algorithm))->Fit(data, settings, 1, instruments);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return *std::move(model);
}

/// Stars from a factor, a bias and some noise; each listener rates a third.
/// `plays`: and has played some tracks that he did not rate.
Dataset RatedData(size_t listeners, size_t tracks, uint64_t seed, bool plays = false) {
  Dataset data = Empty(listeners, tracks);
  for (size_t u = 0; u < listeners; ++u) {
    Random random(seed, u);
    const double x = Random(seed, 1000 + u).Normal();
    for (uint32_t i = 0; i < tracks; ++i) {
      const double chance = random.Uniform();
      const double y = Random(seed, 5000 + i).Normal();
      const double stars = 3 + 0.9 * x * y + 0.4 * y + 0.3 * random.Normal();
      const auto value = static_cast<float>(std::clamp(std::round(stars), 1.0, 5.0));
      if (chance < 0.33) data.events.push_back({TrackIx{i}, EventKind::kRating, value, -1, 5});
      if (plays && chance > 0.9) data.events.push_back({TrackIx{i}, EventKind::kPlay, 1, -1, 5});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

/// SVD++ as Koren wrote it: every y_j of N(u) is changed at every rating. In
/// double, one number at a time, over the same order and first factors as the
/// trainer's. Gives z of every listener and track.
std::vector<std::vector<double>> AsKorenWroteIt(const Dataset& data, const SvdSettings& settings, uint64_t seed) {
  const size_t m = data.listener_count();
  const size_t n = data.tracks.size();
  const auto d = static_cast<size_t>(settings.factors);
  const auto preferences = SumPreferences(data, {});
  const auto scale = *models::ScaleOf(preferences.items);
  using Matrix = std::vector<std::vector<double>>;
  Matrix p(m, std::vector<double>(d)), q(n, std::vector<double>(d)), y(n, std::vector<double>(d));
  std::vector<double> bu(m), bi(n), count_i(n);
  std::vector<std::vector<std::pair<uint32_t, double>>> ratings(m);
  std::vector<std::vector<uint32_t>> chosen(m);
  for (uint32_t u = 0; u < m; ++u) {
    for (const Preference& item : preferences.Of(UserIx{u})) {
      if (models::RatingScale::Chosen(item)) chosen[u].push_back(Raw(item.track));
      const auto z = scale.Target(item);
      if (!z) continue;
      ratings[u].push_back({Raw(item.track), *z});
      ++count_i[Raw(item.track)];
    }
  }
  const auto begin = [&](std::vector<double>& row, uint64_t stream) {
    Random random(seed, stream);
    for (double& value : row) value = 0.1 / std::sqrt(static_cast<double>(d)) * random.Normal();
  };
  for (size_t u = 0; u < m; ++u) {
    if (!ratings[u].empty()) begin(p[u], 2 * u);
  }
  for (size_t i = 0; i < n; ++i) {
    if (count_i[i] > 0) begin(q[i], 2 * i + 1);
  }
  const auto shuffle = [](std::vector<uint32_t>& values, Random& random) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.Below(i)]);
  };
  const auto sum = [&](size_t u) {
    std::vector<double> s(d);
    for (const uint32_t j : chosen[u]) {
      for (size_t f = 0; f < d; ++f) s[f] += y[j][f] / std::sqrt(static_cast<double>(chosen[u].size()));
    }
    return s;
  };
  const auto predict = [&](size_t u, size_t i, const std::vector<double>& s) {
    double z = bu[u] + bi[i];
    for (size_t f = 0; f < d; ++f) z += q[i][f] * (p[u][f] + s[f]);
    return z;
  };
  std::vector<uint32_t> order(m);
  std::iota(order.begin(), order.end(), 0u);
  for (int64_t epoch = 0; epoch < settings.epochs; ++epoch) {
    const double step = settings.learning_rate * std::pow(settings.decay, static_cast<double>(epoch));
    Random random(seed, Random::Mix(static_cast<uint64_t>(epoch)));
    shuffle(order, random);
    for (const uint32_t u : order) {
      if (ratings[u].empty()) continue;
      std::vector<uint32_t> visits(ratings[u].size());
      std::iota(visits.begin(), visits.end(), 0u);
      shuffle(visits, random);
      const double share_u = std::pow(static_cast<double>(ratings[u].size()), -settings.frequency_exponent);
      for (const uint32_t k : visits) {
        const auto [i, z] = ratings[u][k];
        const double share_i = std::pow(count_i[i], -settings.frequency_exponent);
        const auto s = sum(u);
        const double e = z - predict(u, i, s);
        bu[u] += step * (e - settings.bias_regularization * share_u * bu[u]);
        bi[i] += step * (e - settings.bias_regularization * share_i * bi[i]);
        for (size_t f = 0; f < d; ++f) {
          const double old_q = q[i][f];
          q[i][f] += step * (e * (p[u][f] + s[f]) - settings.regularization * share_i * old_q);
          p[u][f] += step * (e * old_q - settings.regularization * share_u * p[u][f]);
          for (const uint32_t j : chosen[u]) {
            y[j][f] += step * (e * old_q / std::sqrt(static_cast<double>(chosen[u].size())) -
                               settings.regularization * share_u * y[j][f]);
          }
        }
      }
    }
  }
  Matrix all(m, std::vector<double>(n));
  for (size_t u = 0; u < m; ++u) {
    const auto s = sum(u);
    for (size_t i = 0; i < n; ++i) all[u][i] = scale.mean + scale.deviation * predict(u, i, s);
  }
  return all;
}

TEST(SvdppTrainer, ComesToWhatChangingEveryYAtEveryRatingComesTo) {
  const Dataset data = RatedData(25, 18, 3, true);
  Settings settings = Small();
  settings.svdpp = {.factors = 5,
                    .epochs = 8,
                    .learning_rate = 0.05,
                    .decay = 0.9,
                    .regularization = 0.3,
                    .bias_regularization = 0.2,
                    .frequency_exponent = 0.5};
  const auto slow = AsKorenWroteIt(data, settings.svdpp, 1);
  const auto model = Fit("svdpp", data, settings);
  double spread = 0;
  for (uint32_t u = 0; u < 25; ++u) {
    const auto profile = ProfileIn(*model, data, u);
    std::vector<float> scores(18);
    model->Score(profile, scores);
    for (size_t i = 0; i < 18; ++i) {
      if (scores[i] == models::kNever) continue;  // nobody likes it
      EXPECT_NEAR(scores[i], slow[u][i], 1e-4) << u << " " << i;
      spread = std::max(spread, std::abs(slow[u][i] - slow[0][i]));
    }
  }
  EXPECT_GT(spread, 0.5) << "they have learnt something";
}

double RmseOf(const models::Model& model, const Dataset& data, bool by_name) {
  const models::RowMap rows(model, data.tracks.id);
  double squares = 0;
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto past = rows.PastOf(by_name ? data.listeners[u] : "", data.EventsOf(UserIx{u}), {});
    const auto profile = model.FoldIn(past.View());
    for (const Event& event : data.EventsOf(UserIx{u})) {
      squares += std::pow(*model.PredictRating(profile, event.track) - event.value, 2);
    }
  }
  return std::sqrt(squares / static_cast<double>(data.events.size()));
}

TEST(SvdTrainer, FoldInAgreesWithTraining) {
  const Dataset data = RatedData(120, 60, 4);
  for (const std::string_view algorithm : {"svd", "svdpp"}) {
    Settings settings = Small();
    settings.svd.epochs = settings.svdpp.epochs = 100;
    const auto model = Fit(algorithm, data, settings);
    const models::RowMap rows(*model, data.tracks.id);
    double squares = 0;
    double count = 0;
    for (uint32_t u = 0; u < data.listener_count(); ++u) {
      auto past = rows.PastOf(data.listeners[u], data.EventsOf(UserIx{u}), {});
      const auto known = model->FoldIn(past.View());
      past.listener = "somebody else";
      const auto stranger = model->FoldIn(past.View());
      for (uint32_t i = 0; i < data.tracks.size(); ++i) {
        squares += std::pow(*model->PredictRating(known, TrackIx{i}) - *model->PredictRating(stranger, TrackIx{i}), 2);
        ++count;
      }
    }
    EXPECT_LT(std::sqrt(squares / count), 0.2) << algorithm << ", on a scale of 1 to 5";
    EXPECT_NEAR(RmseOf(*model, data, true), RmseOf(*model, data, false), 0.05) << algorithm;
  }
}

TEST(SvdTrainer, LearnsWhatIsThereToLearn) {
  const Dataset data = RatedData(200, 60, 4);
  for (const std::string_view algorithm : {"svd", "svdpp"}) {
    EXPECT_LT(RmseOf(*Fit(algorithm, data, Settings()), data, true), 0.6) << algorithm << "; deviation is 1.1";
  }
}

/// Two tracks of one factor; the sums can be done by hand.
models::SvdModel::Parts ByHand() {
  const size_t stride = models::SvdModel::Stride(1);
  models::SvdModel::Parts parts;
  parts.algorithm = models::SvdModel::kSvdpp;
  parts.catalogue = models::Catalogue({"a", "b"}, {1, 1});
  parts.scale = {models::RatingScale::Kind::kRatings, 1, 5, 3, 1};
  parts.factors = 1;
  parts.tracks.assign(2 * stride, 0.0f);
  parts.tracks[0] = 2;  // q_a = 2, b_a = 0.5
  parts.tracks[1] = 1;
  parts.tracks[2] = 0.5f;
  parts.tracks[stride] = -1;  // q_b = -1, b_b = 0
  parts.tracks[stride + 1] = 1;
  parts.implicit.assign(2 * stride, 0.0f);
  parts.implicit[0] = 0.3f;  // y_a
  parts.names = {"anna"};
  parts.listeners.assign(stride, 0.0f);
  parts.listeners[0] = 0.4f;  // p, b_u
  parts.listeners[1] = -0.2f;
  parts.listeners[2] = 1;
  parts.weight = {1};
  parts.mean.assign(stride, 0.0f);
  parts.precision.assign(stride, 0.5f);
  parts.exponent = 1;
  return parts;
}

TEST(SvdModel, PredictsByKorensFormula) {
  const auto model = models::SvdModel::Make(ByHand());
  const std::vector<Preference> tracks = {{.track = TrackIx{0}, .strength = 3, .plays = 3},
                                          {.track = TrackIx{1}, .strength = 1, .plays = 1}};
  History history(tracks);
  history.listener = "anna";
  const auto profile = model->FoldIn(history);
  const double sum = 0.3 / std::sqrt(2.0);
  EXPECT_NEAR(*model->PredictRating(profile, TrackIx{0}), 3 + -0.2 + 0.5 + 2 * (0.4 + sum), 1e-5);
  EXPECT_NEAR(*model->PredictRating(profile, TrackIx{1}), 3 + -0.2 - (0.4 + sum), 1e-5);
  const auto stranger = model->FoldIn({});
  EXPECT_NEAR(*model->PredictRating(stranger, TrackIx{0}), 3.5, 1e-5) << "nothing known of him: the track's bias";
}

TEST(SvdModel, AStrangersParametersAreTheMinimumOfTheRegression) {
  const auto model = models::SvdModel::Make(ByHand());
  const std::vector<Preference> history = {{.track = TrackIx{0}, .strength = 5, .rating = 5},
                                           {.track = TrackIx{1}, .strength = 2, .rating = 2}};
  const auto state = model->FoldIn(history).state;
  const double s = 0.3 / std::sqrt(2.0);
  const auto loss = [&](double p, double b) {
    const double ea = 2 - (b + 0.5 + 2 * (p + s));
    const double eb = -1 - (b - (p + s));
    return ea * ea + eb * eb + 2 * 0.5 * (p * p + b * b);  // n = 2 ratings, precision 1/2
  };
  const double p = state[0] - s;
  const double b = state[1];
  const double h = 1e-3;
  EXPECT_NEAR((loss(p + h, b) - loss(p - h, b)) / (2 * h), 0, 1e-4);
  EXPECT_NEAR((loss(p, b + h) - loss(p, b - h)) / (2 * h), 0, 1e-4);
}

TEST(SvdppModel, APlayCountsAtOnceForAKnownListener) {
  const auto model = models::SvdModel::Make(ByHand());
  const std::vector<Preference> more = {{.track = TrackIx{0}, .strength = 1, .plays = 1}};
  History none;
  none.listener = "anna";
  History one(more);
  one.listener = "anna";
  EXPECT_LT(*model->PredictRating(model->FoldIn(none), TrackIx{0}),
            *model->PredictRating(model->FoldIn(one), TrackIx{0}));
}

TEST(SvdTrainer, SaysThatDescentWentAstray) {
  NoInstruments instruments;
  Settings settings = Small();
  settings.svd.learning_rate = 1;
  settings.svd.decay = 1;
  const auto model = (*MakeTrainer("svd"))->Fit(RatedData(60, 40, 2), settings, 1, instruments);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kInvalid);
  EXPECT_NE(model.error().message.find("learning_rate"), std::string::npos);
}

TEST(SvdTrainer, PlayCountsArePredictedAsPlays) {
  Dataset data = RandomData(60, 40, 3);
  const auto model = Fit("svdpp", data, Settings());
  const auto profile = ProfileIn(*model, data, 3);
  for (uint32_t i = 0; i < 40; ++i) {
    EXPECT_GE(*model->PredictRating(profile, TrackIx{i}), 0.99f);
    EXPECT_LE(*model->PredictRating(profile, TrackIx{i}), 9.01f);
  }
}

}  // namespace
}  // namespace segue::train
