#include "core/identity.h"

#include <gtest/gtest.h>

namespace segue {
namespace {

struct Case {
  const char* given;
  const char* normal;
};

TEST(Identity, BringsArtistsToOneForm) {
  for (const Case& c : {
           Case{"The Beatles", "beatles"},
           Case{"  the   BEATLES ", "beatles"},
           Case{"The The", "the"},
           Case{"The", "the"},
           Case{"Simon & Garfunkel", "simon and garfunkel"},
           Case{"Simon and Garfunkel", "simon and garfunkel"},
           Case{"Earth, Wind & Fire", "earth wind and fire"},
           Case{"Tyler, The Creator", "tyler the creator"},
           Case{"Beyonc\xC3\xA9", "beyonce"},
           Case{"Beyonce\xCC\x81", "beyonce"},
           Case{"Bj\xC3\xB6rk", "bjork"},
           Case{"Sigur R\xC3\xB3s", "sigur ros"},
           Case{"Mot\xC3\xB6rhead", "motorhead"},
           Case{"\xEF\xBC\xAD\xEF\xBC\xA1\xEF\xBC\xAC\xEF\xBC\xA9\xEF\xBC\xA3\xEF\xBC\xA5", "malice"},
           Case{"Green Day;Somebody Else", "green day"},
           Case{"Rihanna feat. Drake", "rihanna"},
           Case{"Rihanna Featuring Drake", "rihanna"},
           Case{"Rihanna ft. Drake", "rihanna"},
           Case{"Rihanna (feat. Drake)", "rihanna"},
           Case{"Little Feat", "little feat"},
           Case{"Featherweight", "featherweight"},
           Case{"R.E.M.", "r e m"},
           Case{"AC/DC", "ac dc"},
           Case{"Guns N' Roses", "guns n roses"},
           Case{"Guns N\xE2\x80\x99 Roses", "guns n roses"},
           Case{"A$AP Rocky", "a$ap rocky"},
           Case{"!!!", "!!!"},
           Case{"&", "&"},
           Case{"...", "..."},
           Case{"blink-182", "blink 182"},
           Case{"\xD0\x9A\xD0\xB8\xD0\xBD\xD0\xBE", "\xD0\xBA\xD0\xB8\xD0\xBD\xD0\xBE"},
           Case{"And One", "and one"},
           Case{"", ""},
           Case{"   ", ""},
           Case{"Bj\xF6rk", "bjork"},  // Windows-1252
       }) {
    EXPECT_EQ(NormalizeArtist(c.given), c.normal) << c.given;
  }
}

TEST(Identity, BringsTitlesToOneForm) {
  for (const Case& c : {
           Case{"Here Comes The Sun - Remastered 2009", "here comes the sun"},
           Case{"Here Comes The Sun (2009 Remaster)", "here comes the sun"},
           Case{"Here Comes The Sun - 2009 - Remaster", "here comes the sun"},
           Case{"Here Comes The Sun - 2009 Digital Remaster", "here comes the sun"},
           Case{"Here Comes The Sun [Remastered]", "here comes the sun"},
           Case{"Here Comes The Sun - 2019 Mix", "here comes the sun 2019 mix"},
           Case{"Here Comes The Sun \xE2\x80\x93 Remastered 2009", "here comes the sun"},
           Case{"Sun - Live / 2011 Remaster", "sun live"},
           Case{"Sun (Live; Remastered 2011)", "sun live"},
           Case{"Ghost - Acoustic", "ghost acoustic"},
           Case{"Ghost (Acoustic)", "ghost acoustic"},
           Case{"Ghost", "ghost"},
           Case{"Hello (Live)", "hello live"},
           Case{"Hello - Club Remix", "hello club remix"},
           Case{"Umbrella (feat. JAY-Z)", "umbrella"},
           Case{"Umbrella ft. JAY-Z", "umbrella"},
           Case{"Umbrella [with JAY-Z]", "umbrella"},
           Case{"Umbrella (with The Weeknd)", "umbrella"},
           Case{"Umbrella feat. JAY-Z - Remix", "umbrella remix"},
           Case{"Umbrella (feat. JAY-Z) - Remastered 2011", "umbrella"},
           Case{"Umbrella (feat. JAY-Z) [Live]", "umbrella live"},
           Case{"Stuck (With You)", "stuck with you"},
           Case{"(I Can't Get No) Satisfaction", "i can t get no satisfaction"},
           Case{"6 Ft. Under", "6 ft under"},
           Case{"The Scientist", "scientist"},
           Case{"1979 - Remastered 2012", "1979"},
           Case{"Rock & Roll", "rock and roll"},
           Case{"(Remastered)", "remastered"},
           Case{"Remaster", "remaster"},
           Case{"\xC3\xB7", "\xC3\xB7"},
           Case{"???", "???"},
           Case{"A;B", "a b"},
           Case{"Unclosed (feat. X", "unclosed"},
           Case{"", ""},
       }) {
    EXPECT_EQ(NormalizeTitle(c.given), c.normal) << c.given;
  }
}

TEST(Identity, NormalisingTwiceChangesNothing) {
  for (const char* text : {"The Sun (feat. X) - 2011 Remaster", "!!!", "Beyonc\xC3\xA9 & Co", "AC/DC"}) {
    EXPECT_EQ(NormalizeTitle(NormalizeTitle(text)), NormalizeTitle(text)) << text;
    EXPECT_EQ(NormalizeArtist(NormalizeArtist(text)), NormalizeArtist(text)) << text;
  }
}

TEST(Identity, KeepsMarksThatTellWordsApartInOtherScripts) {
  EXPECT_NE(NormalizeTitle("\xE0\xA4\x95\xE0\xA5\x80"), NormalizeTitle("\xE0\xA4\x95\xE0\xA4\xBE"));
  EXPECT_NE(NormalizeTitle("\xE3\x81\x8B"), NormalizeTitle("\xE3\x81\x8C"));
}

TEST(Identity, NameKeyJoinsSourcesThatSpellDifferently) {
  const std::string key = NameKey("The Beatles", "Here Comes The Sun - Remastered 2009");
  EXPECT_EQ(key, "beatles\x1fhere comes the sun");
  EXPECT_EQ(NameKey("BEATLES", "Here comes the sun (2009 remaster)"), key);
  EXPECT_NE(NameKey("The Beatles", "Here Comes The Sun (Live)"), key);
}

TEST(Identity, NameKeyIsEmptyWhereANameIsMissing) {
  EXPECT_EQ(NameKey("", "Title"), "");
  EXPECT_EQ(NameKey("Artist", " "), "");
  EXPECT_NE(NameKey("!!!", "???"), "");
}

TEST(Identity, TrackIdsAreStable) {
  // SHA-256("abc") begins ba7816bf 8f01cfea.
  EXPECT_EQ(TrackIdOf("abc"), "tba7816bf8f01cfea");
  EXPECT_NE(TrackIdOf("abd"), TrackIdOf("abc"));
}

TEST(Identity, LeavesUtf8AloneAndReadsTheRestAsWindows1252) {
  bool changed = true;
  EXPECT_EQ(ToUtf8("Sigur R\xC3\xB3s", &changed), "Sigur R\xC3\xB3s");
  EXPECT_FALSE(changed);
  EXPECT_EQ(ToUtf8("Sigur R\xF3s", &changed), "Sigur R\xC3\xB3s");
  EXPECT_TRUE(changed);
  EXPECT_EQ(ToUtf8("\x80\x93\x81"), "\xE2\x82\xAC\xE2\x80\x9C\xC2\x81");
  ToUtf8("\xC0\xAF", &changed);  // overlong
  EXPECT_TRUE(changed);
  ToUtf8("\xED\xA0\x80", &changed);  // a surrogate
  EXPECT_TRUE(changed);
  ToUtf8("cut \xE2\x82", &changed);
  EXPECT_TRUE(changed);
  EXPECT_EQ(ToUtf8(""), "");
}

}  // namespace
}  // namespace segue
