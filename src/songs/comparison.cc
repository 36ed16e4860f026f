#include <algorithm>
#include <cmath>
#include <numeric>

#include "math/parallel.h"
#include "songs/specification.h"

namespace segue::songs {
namespace {

/// One feature's values of some rows without the missing ones, with their labels.
struct Labelled {
  std::vector<double> values;
  std::vector<int32_t> labels;
};

Labelled ValuesOf(const SongTable& songs, const std::vector<uint32_t>& rows, size_t feature) {
  Labelled out;
  out.values.reserve(rows.size());
  out.labels.reserve(rows.size());
  for (const uint32_t row : rows) {
    const double value = songs.Row(row)[feature];
    if (songs.label[row] < 0 || std::isnan(value)) continue;
    out.values.push_back(value);
    out.labels.push_back(songs.label[row]);
  }
  return out;
}

Difference Differ(const Labelled& labelled) {
  std::array<std::vector<double>, 2> values;
  for (size_t i = 0; i < labelled.values.size(); ++i) values[labelled.labels[i] == 1 ? 1 : 0].push_back(labelled.values[i]);
  Difference difference{};
  difference.first = math::Describe(values[0]);
  difference.second = math::Describe(values[1]);
  difference.student = math::StudentT(difference.second, difference.first);
  difference.welch = math::WelchT(difference.second, difference.first);
  difference.d = math::CohenD(difference.second, difference.first);
  difference.ranks = math::MannWhitney(values[1], values[0]);
  return difference;
}

/// Adjusts the p values that `read` gives of all items, and hands each to `write`.
template <typename Item, typename Read, typename Write>
void Adjust(std::vector<Item>& items, const Read& read, const Write& write) {
  std::vector<math::PValue> p;
  for (const Item& item : items) p.push_back(read(item));
  const auto q = math::BenjaminiHochberg(p);
  for (size_t i = 0; i < items.size(); ++i) write(items[i], q[i]);
}

}  // namespace

Comparison Compare(const SongTable& songs, const std::vector<uint32_t>& rows) {
  Comparison result;
  result.class_rows.assign(songs.labels.size(), 0);
  for (const uint32_t row : rows) {
    if (songs.label[row] < 0) continue;
    ++result.class_rows[static_cast<size_t>(songs.label[row])];
    ++result.rows;
  }
  const size_t features = songs.features.size();
  const size_t labels = songs.labels.size();
  if (labels < 2) return result;
  (labels == 2 ? result.differences.resize(features) : result.spreads.resize(features));
  math::ParallelFor(features, [&](size_t f) {
    const Labelled labelled = ValuesOf(songs, rows, f);
    if (labels == 2) {
      result.differences[f] = Differ(labelled);
    } else {
      result.spreads[f].anova = math::OneWayAnova(labelled.values, labelled.labels, labels);
      result.spreads[f].kruskal = math::KruskalWallis(labelled.values, labelled.labels, labels);
    }
  });
  Adjust(result.differences, [](const Difference& d) { return d.student.p; }, [](Difference& d, math::PValue q) { d.student_q = q; });
  Adjust(result.differences, [](const Difference& d) { return d.ranks.p; }, [](Difference& d, math::PValue q) { d.rank_q = q; });
  Adjust(result.spreads, [](const Spread& s) { return s.anova.p; }, [](Spread& s, math::PValue q) { s.anova_q = q; });
  Adjust(result.spreads, [](const Spread& s) { return s.kruskal.p; }, [](Spread& s, math::PValue q) { s.kruskal_q = q; });
  return result;
}

std::vector<size_t> ByEffect(const Comparison& comparison) {
  const size_t features = std::max(comparison.differences.size(), comparison.spreads.size());
  std::vector<size_t> order(features);
  std::iota(order.begin(), order.end(), size_t{0});
  const auto size = [&](size_t f) {
    const double effect = comparison.spreads.empty() ? std::fabs(comparison.differences[f].d.value) : comparison.spreads[f].anova.eta_squared;
    return std::isnan(effect) ? -1 : effect;
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return size(a) > size(b); });
  return order;
}

}  // namespace segue::songs
