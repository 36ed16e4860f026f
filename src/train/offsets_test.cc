#include <cstdint>
#include <type_traits>

#include <gtest/gtest.h>

#include "core/preferences.h"
#include "models/ease.h"
#include "models/item_knn.h"
#include "models/session_knn.h"
#include "models/user_knn.h"
#include "train/sessions.h"
#include "train/sparse.h"

// Data of 2^31 interactions and more, without the memory: offsets are made by
// Offsets and Triangle, and kept in 64 bits wherever they are kept.

namespace segue::train {
namespace {

constexpr uint64_t kBoundary = uint64_t{1} << 31;

template <typename Begin>
constexpr bool k64Bits = std::is_same_v<std::remove_cvref_t<decltype(std::declval<Begin>()[0])>, uint64_t>;

static_assert(sizeof(size_t) == 8);
static_assert(k64Bits<decltype(Csr::begin)>);
static_assert(k64Bits<decltype(Dataset::begin)>);
static_assert(k64Bits<decltype(Preferences::begin)>);
static_assert(k64Bits<decltype(TrackTags::begin)>);
static_assert(k64Bits<decltype(Friends::begin)>);
static_assert(k64Bits<decltype(Sessions::begin)>);
static_assert(k64Bits<decltype(models::EaseModel::Parts::begin)>);
static_assert(k64Bits<decltype(models::ItemKnnModel::Parts::begin)>);
static_assert(k64Bits<decltype(models::UserKnnModel::Parts::begin)>);
static_assert(k64Bits<decltype(models::SessionKnnModel::Parts::session_begin)>);

TEST(Offsets, DoNotWrapAt31Or32Bits) {
  for (const uint64_t count : {kBoundary - 1, kBoundary, 2 * kBoundary - 1, 2 * kBoundary, 5 * kBoundary}) {
    const auto begin = Offsets({count, 0, 3, count});
    EXPECT_EQ(begin, (std::vector<uint64_t>{0, count, count, count + 3, 2 * count + 3}));
  }
  EXPECT_EQ(Offsets({}), std::vector<uint64_t>{0});
}

TEST(Offsets, TrianglesOfMoreThan32BitsOfEntriesAreRowAfterRow) {
  for (const size_t n : {1ul, 5ul, 46'341ul, 65'536ul, 92'682ul, 100'000ul, 1'000'000ul}) {
    EXPECT_EQ(Triangle(0, n), 0u);
    for (const size_t row : {size_t{0}, n / 2, n - 1}) EXPECT_EQ(Triangle(row + 1, n) - Triangle(row, n), n - row) << n;
    EXPECT_EQ(Triangle(n, n), n * (n + 1) / 2);
  }
}

}  // namespace
}  // namespace segue::train
