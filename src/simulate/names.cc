#include "simulate/names.h"

#include <array>
#include <string_view>

namespace segue::simulate {
namespace {

constexpr std::array<std::string_view, 24> kStarts = {"Bra", "Cal", "Del", "Esk", "Fal", "Gri", "Hol", "Ist",
                                                      "Jun", "Kel", "Lor", "Mav", "Nor", "Ost", "Pel", "Quin",
                                                      "Ril", "Sov", "Tal", "Ulm", "Ves", "Wil", "Yar", "Zel"};
constexpr std::array<std::string_view, 16> kMiddles = {"a", "en", "i", "or", "u", "al", "e", "is",
                                                       "o", "ar", "in", "ou", "ya", "el", "ir", "om"};
constexpr std::array<std::string_view, 16> kEnds = {"don", "va", "ric", "mond", "ta", "lis", "ker", "ne",
                                                    "ston", "dra", "mir", "lo", "wen", "sk", "ra", "th"};
constexpr std::array<std::string_view, 24> kFirst = {"Slow", "Paper", "Northern", "Broken", "Silver", "Hidden",
                                                     "Electric", "Quiet", "Golden", "Midnight", "Little", "Distant",
                                                     "Open", "Burning", "Hollow", "Second", "Winter", "Blue",
                                                     "Empty", "Rising", "Crooked", "Velvet", "Summer", "Last"};
constexpr std::array<std::string_view, 24> kSecond = {"River", "Lantern", "Harbour", "Signal", "Garden", "Mirror",
                                                      "Engine", "Letter", "Window", "Orchard", "Planet", "Staircase",
                                                      "Weather", "Feather", "Machine", "Island", "Avenue", "Shadow",
                                                      "Compass", "Morning", "Tide", "Satellite", "Bridge", "Fire"};

template <size_t N>
std::string Pick(const std::array<std::string_view, N>& words, Random& random) {
  return std::string(words[random.Below(N)]);
}

std::string Word(Random& random) {
  std::string word = Pick(kStarts, random) + Pick(kMiddles, random);
  if (random.Uniform() < 0.6) word += Pick(kEnds, random);
  return word;
}

}  // namespace

std::string ArtistName(uint64_t seed, int64_t artist) {
  Random random(seed ^ 0xA1, static_cast<uint64_t>(artist));
  std::string name = random.Uniform() < 0.25 ? "The " : "";
  name += Word(random);
  if (random.Uniform() < 0.6) name += " " + Word(random);
  return name + (artist < 100 ? "" : " " + std::to_string(artist));
}

std::string TrackTitle(uint64_t seed, int64_t track) {
  Random random(seed ^ 0xB2, static_cast<uint64_t>(track));
  std::string title = Pick(kFirst, random) + " " + Pick(kSecond, random);
  const double kind = random.Uniform();
  if (kind < 0.04) title += " (Live)";
  if (kind > 0.97) title += " - Remastered 2011";
  return title + (track < 500 ? "" : " No. " + std::to_string(track));
}

std::string SpotifyId(uint64_t seed, int64_t track) {
  static constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  Random random(seed ^ 0xC3, static_cast<uint64_t>(track));
  std::string id;
  for (int i = 0; i < 22; ++i) id += kDigits[random.Below(kDigits.size())];
  return id;
}

}  // namespace segue::simulate
