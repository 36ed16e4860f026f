#include "ingest/unpack.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include "core/hash.h"
#include "ingest/test_support.h"

namespace segue::ingest {
namespace {

// gzip of "hello\n", as gzip -n writes it.
constexpr std::string_view kHello("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00", 26);

UnpackResult UnpackBytes(const TestFolder& folder, std::string_view bytes, int64_t limit = 1 << 20) {
  const auto file = folder.Write("in/x", bytes);
  std::filesystem::create_directories(folder.path() / "scratch");
  auto result = Unpack(file, "x", folder.path() / "scratch", limit);
  EXPECT_TRUE(result.ok());
  return result.ok() ? *result : UnpackResult{};
}

TEST(Unpack, CopiesAndHashesAPlainFile) {
  const TestFolder folder;
  const auto result = UnpackBytes(folder, "just text");
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_FALSE(result.grew);
  EXPECT_EQ(result.files[0].sha256, Sha256Hex("just text"));
  EXPECT_EQ(result.files[0].bytes, 9);
  EXPECT_EQ(ReadAll(result.files[0].path), "just text");
}

TEST(Unpack, UnpacksGzipAndSeveralStreamsBehindOneAnother) {
  const TestFolder folder;
  EXPECT_EQ(ReadAll(UnpackBytes(folder, kHello).files.at(0).path), "hello\n");
  const auto twice = UnpackBytes(folder, std::string(kHello) + std::string(kHello));
  EXPECT_EQ(ReadAll(twice.files.at(0).path), "hello\nhello\n");
  EXPECT_EQ(twice.files[0].loss, "");
}

TEST(Unpack, TellsWhatATruncatedOrDamagedGzipLost) {
  const TestFolder folder;
  const auto cut = UnpackBytes(folder, kHello.substr(0, 20));
  EXPECT_EQ(cut.files.at(0).loss, "the gzip stream is cut short after 6 unpacked bytes; the rest is lost");
  EXPECT_EQ(ReadAll(cut.files[0].path), "hello\n");
  std::string damaged(kHello);
  damaged[19] = '\x55';  // in the checksum
  EXPECT_NE(UnpackBytes(folder, damaged).files.at(0).loss.find("damaged"), std::string::npos);
}

TEST(Unpack, IgnoresPaddingBehindAGzipStream) {
  const TestFolder folder;
  const auto padded = UnpackBytes(folder, std::string(kHello) + std::string(600, '\0'));
  EXPECT_EQ(padded.files.at(0).loss, "");
  EXPECT_EQ(ReadAll(padded.files[0].path), "hello\n");
}

TEST(Unpack, RefusesWhatUnpacksToTooMuch) {
  const TestFolder folder;
  const auto result = UnpackBytes(folder, kHello, 5);
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_NE(result.files[0].refusal.find("more than 5 bytes"), std::string::npos);
  EXPECT_EQ(ReadAll(result.files[0].path), kHello);
}

TEST(Unpack, AnArchiveThatIsNoneIsRefusedNotAnError) {
  const TestFolder folder;
  for (const std::string& junk : {std::string("PK\x03\x04 and then nothing"), std::string("BZh9 and then nothing")}) {
    const auto result = UnpackBytes(folder, junk);
    ASSERT_EQ(result.files.size(), 1U);
    EXPECT_FALSE(result.files[0].refusal.empty() && result.files[0].loss.empty()) << junk;
  }
}

TEST(Unpack, TakesRegularFilesOnly) {
  const TestFolder folder;
  EXPECT_EQ(Unpack(folder.path(), "x", folder.path(), 100).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Unpack(folder.path() / "none", "x", folder.path(), 100).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace segue::ingest
