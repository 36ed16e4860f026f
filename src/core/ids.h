#pragma once

#include <cstdint>

namespace segue {

/// Row numbers are types, so that a listener cannot index tracks. They number
/// the rows of one Dataset or one Model and mean nothing outside it; across
/// them, a listener is his name and a track its id (a string).
enum class UserIx : uint32_t {};
enum class TrackIx : uint32_t {};

constexpr uint32_t Raw(UserIx ix) { return static_cast<uint32_t>(ix); }
constexpr uint32_t Raw(TrackIx ix) { return static_cast<uint32_t>(ix); }

}  // namespace segue
