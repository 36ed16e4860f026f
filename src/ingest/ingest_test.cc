#include "ingest/ingest.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <archive.h>
#include <archive_entry.h>

#include <atomic>
#include <map>
#include <thread>

#include "core/hash.h"
#include "core/identity.h"
#include "ingest/test_support.h"
#include "store/duck.h"

namespace segue::ingest {
namespace {

namespace fs = std::filesystem;

std::string Gzip(std::string_view bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

using Members = std::vector<std::pair<std::string, std::string>>;

std::string Pack(const fs::path& file, const Members& members, bool zip) {
  archive* a = archive_write_new();
  zip ? archive_write_set_format_zip(a) : archive_write_set_format_pax_restricted(a);
  EXPECT_EQ(archive_write_open_filename(a, file.c_str()), ARCHIVE_OK);
  for (const auto& [name, bytes] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(a, entry);
    archive_write_data(a, bytes.data(), bytes.size());
    archive_entry_free(entry);
  }
  archive_write_close(a);
  archive_write_free(a);
  return ReadAll(file);
}

std::string History(int plays, const std::string& artist = "The Band") {
  std::string text = "[\n";
  for (int i = 0; i < plays; ++i) {
    text += std::string(i == 0 ? "" : ",\n") + "  {\n    \"endTime\" : \"2023-01-30 14:" + (i % 60 < 10 ? "0" : "") +
            std::to_string(i % 60) + "\",\n    \"artistName\" : \"" + artist + "\",\n    \"trackName\" : \"Song " +
            std::to_string(i) + "\",\n    \"msPlayed\" : 1000\n  }";
  }
  return text + "\n]";
}

/// A data folder of its own and the call under test.
class IngestTest : public testing::Test {
 protected:
  IngestTest() {
    auto bucket = store::OpenFolderStore(folder_.path() / "bucket");
    auto catalog = store::OpenSqliteCatalog(folder_.path() / "catalog.sqlite");
    EXPECT_TRUE(bucket.ok() && catalog.ok());
    bucket_ = *std::move(bucket);
    catalog_ = *std::move(catalog);
  }

  Result<Outcome> TryTake(const fs::path& file, const std::string& name, const std::string& listener = "") {
    return Ingest({*bucket_, *catalog_, clock_, settings_, instruments_},
                  {.path = file, .name = name, .listener = listener, .run_id = "r1"});
  }
  Outcome TakeFile(const fs::path& file, const std::string& name, const std::string& listener = "") {
    auto outcome = TryTake(file, name, listener);
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    return outcome.ok() ? *outcome : Outcome{};
  }
  Outcome Take(const std::string& name, std::string_view bytes, const std::string& listener = "") {
    return TakeFile(folder_.Write("inbox/" + name, bytes), name, listener);
  }

  std::vector<store::ObjectRecord> Objects() const { return *catalog_->Objects(""); }
  store::ObjectRecord Object() const {
    EXPECT_FALSE(Objects().empty());
    return Objects().empty() ? store::ObjectRecord{} : Objects().back();
  }
  std::vector<store::QuarantineRow> Quarantined() const { return *catalog_->Quarantine(0, 5000); }

  /// A query over an object's staged rows ("@" stands for the table), as text.
  std::string Ask(const store::ObjectRecord& object, std::string sql) {
    const auto path = bucket_->LocalPath(object.staged_key);
    EXPECT_TRUE(path.ok()) << object.staged_key;
    if (!path.ok()) return "";
    sql.replace(sql.find('@'), 1, "read_parquet(" + store::Quoted(path->string()) + ")");
    auto duck = store::OpenDuck({.threads = 1});
    std::string all;
    const Status asked = (*duck)->Query("SELECT COLUMNS(*)::VARCHAR FROM (" + sql + ")", [&](const store::DuckChunk& chunk) {
      for (uint64_t row = 0; row < chunk.rows(); ++row) all += (all.empty() ? "" : " ") + std::string(chunk.IsNull(0, row) ? "~" : chunk.Text(0, row));
    });
    EXPECT_TRUE(asked.ok()) << asked.error().message;
    return all;
  }

  TestFolder folder_;
  std::unique_ptr<store::ObjectStore> bucket_;
  std::unique_ptr<store::Catalog> catalog_;
  store::FakeClock clock_{1'700'000'000'000};
  Settings settings_;
  NoInstruments instruments_;
};

TEST_F(IngestTest, StagesASpotifyHistoryUnderTheFoldersListener) {
  const Outcome outcome = Take("anna/MyData/StreamingHistory0.json", History(3));
  EXPECT_EQ(outcome.accepted, 1);
  EXPECT_EQ(outcome.rows, 3);
  const auto object = Object();
  EXPECT_EQ(object.status, "accepted");
  EXPECT_EQ(object.format, "spotify_account");
  EXPECT_EQ(object.listener, "anna");
  EXPECT_EQ(object.rows, 3);
  EXPECT_EQ(object.run_id, "r1");
  EXPECT_EQ(Ask(object, "SELECT concat_ws('|', line, listener, \"at\", at_precision, kind, ms_played, artist, title) FROM @ LIMIT 1"),
            "2|anna|1675087200|60|play|1000|The Band|Song 0");
  EXPECT_EQ(Ask(object, "SELECT name_key FROM @ LIMIT 1"), NameKey("The Band", "Song 0"));
  EXPECT_EQ(*bucket_->Get("raw/" + object.sha256), History(3));
}

TEST_F(IngestTest, TakesTheSameBytesOfOneListenerOnce) {
  Take("anna/a.json", History(3));
  const Outcome again = Take("anna/b.json", History(3));
  EXPECT_EQ(again.accepted, 0);
  EXPECT_EQ(again.already_known, 1);
  EXPECT_EQ(Objects().size(), 1U);
  EXPECT_EQ(Take("berta/a.json", History(3)).accepted, 1);
  EXPECT_EQ(Objects().size(), 2U);
  EXPECT_NE(Objects()[0].staged_key, Objects()[1].staged_key);
}

TEST_F(IngestTest, APersonsWordOutweighsTheFolder) {
  Take("anna/a.json", History(1), "berta");
  EXPECT_EQ(Object().listener, "berta");
  Take("a.json", History(2));
  EXPECT_EQ(Object().listener, settings_.default_listener);
}

TEST_F(IngestTest, ReadsExtendedHistoriesAndSetsPodcastRowsAside) {
  const std::string text =
      R"([{"ts":"2021-09-21T19:38:59Z","username":"carla","ms_played":14450,"master_metadata_track_name":"Song","master_metadata_album_artist_name":"Artist","master_metadata_album_album_name":"Album","spotify_track_uri":"spotify:track:1","episode_name":null,"episode_show_name":null},)"
      R"({"ts":"2021-09-22T19:38:59Z","username":"carla","ms_played":1,"master_metadata_track_name":null,"master_metadata_album_artist_name":null,"master_metadata_album_album_name":null,"spotify_track_uri":null,"episode_name":"Talk","episode_show_name":"Show"},)"
      R"({"ts":"2021-09-23T19:38:59Z","username":"carla","ms_played":1,"master_metadata_track_name":null,"master_metadata_album_artist_name":null,"master_metadata_album_album_name":null,"spotify_track_uri":null,"episode_name":null,"episode_show_name":null}])";
  const Outcome outcome = Take("endsong_0.json", text);
  EXPECT_EQ(outcome.rows, 1);
  EXPECT_EQ(outcome.rejected_rows, 1);
  EXPECT_EQ(Object().listener, "carla");
  EXPECT_EQ(Object().reason, "1 podcast or audiobook rows set aside");
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', source_id, album, at_precision) FROM @"), "spotify:track:1|Album|1");
  ASSERT_EQ(Quarantined().size(), 1U);
  EXPECT_EQ(Quarantined()[0].reason, "names no track: neither artist and title nor an id");
}

TEST_F(IngestTest, SetsPodcastFilesAside) {
  const Outcome outcome =
      Take("anna/StreamingHistory_podcast_0.json", R"([{"endTime":"2023-01-30 14:41","podcastName":"P","episodeName":"E","msPlayed":1}])");
  EXPECT_EQ(outcome.set_aside, 1);
  EXPECT_EQ(Object().status, "set_aside");
  EXPECT_EQ(Take("anna/again.json", R"([{"endTime":"2023-01-30 14:41","podcastName":"P","episodeName":"E","msPlayed":1}])").already_known, 1);
}

TEST_F(IngestTest, SetsTheOtherFilesOfAnExportAside) {
  const Outcome outcome = Take("anna/MyData/Payments.json", R"({"payment_method": "card 1234"})");
  EXPECT_EQ(outcome.set_aside, 1);
  EXPECT_EQ(Object().format, "spotify_other");
  EXPECT_TRUE(bucket_->Exists("raw/" + Object().sha256));
  EXPECT_TRUE(bucket_->List("quarantine")->empty());
}

TEST_F(IngestTest, NamesLineFieldAndReasonOfARowItCannotRead) {
  const std::string text = "[\n{\"endTime\":\"2023-01-30 14:41\",\"artistName\":\"A\",\"trackName\":\"T\",\"msPlayed\":1},\n"
                           "{\"endTime\":\"soon\",\"artistName\":\"A\",\"trackName\":\"T\",\"msPlayed\":1},\n"
                           "{\"endTime\":\"2023-01-30 14:41\",\"artistName\":null,\"trackName\":\"T\",\"msPlayed\":1},\n"
                           "{\"endTime\":\"2023-01-30 14:41\",\"artistName\":\"A\",\"trackName\":\"T\",\"msPlayed\":\"long\"},\n"
                           "{\"endTime\":\"2023-01-30 14:41\",\"artistName\":\"A\\u0000\",\"trackName\":\"T\",\"msPlayed\":1}\n]";
  const Outcome outcome = Take("anna/h.json", text);
  EXPECT_EQ(outcome.rows, 1);
  EXPECT_EQ(outcome.rejected_rows, 4);
  std::map<int64_t, store::QuarantineRow> by_line;
  for (const auto& row : Quarantined()) by_line[row.line] = row;
  EXPECT_EQ(by_line[3].field, "endTime");
  EXPECT_TRUE(by_line[3].reason.starts_with("is 'soon', expected ")) << by_line[3].reason;
  EXPECT_EQ(by_line[4].field + " " + by_line[4].reason, "artistName is missing");
  EXPECT_EQ(by_line[5].reason, "is 'long', expected a whole number");
  EXPECT_EQ(by_line[6].reason, "holds a NUL byte");
  EXPECT_EQ(by_line[6].file, "anna/h.json");
  EXPECT_FALSE(by_line[6].sample.empty());
  const auto kept = bucket_->Get("quarantine/" + Object().sha256 + "/rows.ndjson");
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(std::count(kept->begin(), kept->end(), '\n'), 4);
}

TEST_F(IngestTest, CapsTheCatalogsRowsAndKeepsAllRejectedOnes) {
  std::string text = "user_id,item_id,rating\n1,2,3\n";
  for (int i = 0; i < 1500; ++i) text += "1," + std::to_string(i) + ",many\n";
  text.insert(text.find('\n') + 1, [] {
    std::string good;
    for (int i = 0; i < 1500; ++i) good += "2," + std::to_string(i) + ",4\n";
    return good;
  }());
  const Outcome outcome = Take("r.csv", text);
  EXPECT_EQ(outcome.rows, 1501);
  EXPECT_EQ(outcome.rejected_rows, 1500);
  EXPECT_EQ(Quarantined().size(), 1001U);
  EXPECT_TRUE(Quarantined()[0].reason.starts_with("500 more rows were rejected")) << Quarantined()[0].reason;
  const auto kept = bucket_->Get("quarantine/" + Object().sha256 + "/rows.ndjson");
  EXPECT_EQ(std::count(kept->begin(), kept->end(), '\n'), 1500);
}

TEST_F(IngestTest, ReadsTablesWithBomCutInsideTheLastRow) {
  const Outcome outcome = Take("dataset-of-60s.csv",
                               "\xef\xbb\xbftrack,artist,uri,danceability,energy,tempo,target\r\n"
                               "Song,Artist,spotify:track:1,0.5,6.0E-06,120,1\r\nOther,\"Artist, The\",spotify:track:2,0.5,0.1,,0\r\nCut,Art");
  EXPECT_EQ(outcome.rows, 2);
  EXPECT_EQ(outcome.rejected_rows, 1);
  EXPECT_EQ(Quarantined()[0].line, 4);
  EXPECT_EQ(Quarantined()[0].reason, "has 2 fields, expected 7: the file is cut inside this row");
  EXPECT_EQ(Object().table, "tracks");
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', row, part, source_id, artist, energy, hit, tags, coalesce(year, 0)) FROM @ LIMIT 1"),
            "0|whole|spotify:track:1|Artist|6e-06|1|decade:1960s|0");
  EXPECT_EQ(Ask(Object(), "SELECT count(*) FROM @ WHERE tempo IS NULL"), "1");
}

TEST_F(IngestTest, UnpacksByContentNotByName) {
  Take("anna/h.json", Gzip(History(4)));
  EXPECT_EQ(Object().rows, 4);
  EXPECT_EQ(Object().name, "anna/h.json");
  EXPECT_EQ(Object().sha256, Sha256Hex(History(4)));
  const Outcome twice = Take("anna/h.json.gz", Gzip(History(2)) + Gzip(""));
  EXPECT_EQ(twice.rows, 2);
}

TEST_F(IngestTest, UnpacksNestedArchivesAndNamesTheirMembers) {
  const std::string tar = Pack(folder_.path() / "t", {{"berta/MyData/h.json", History(2)}, {"berta/.DS_Store", "x"}}, false);
  const std::string zip = Pack(folder_.path() / "z", {{"MyData/h.json", History(3)}, {"more/b.tar.gz", Gzip(tar)}}, true);
  const Outcome outcome = Take("anna.zip", zip);
  EXPECT_EQ(outcome.accepted, 2);
  EXPECT_EQ(outcome.quarantined, 0);
  std::map<std::string, std::string> listeners;
  const auto objects = Objects();
  for (const auto& object : objects) listeners[object.name] = object.listener;
  EXPECT_EQ(listeners, (std::map<std::string, std::string>{{"anna.zip!MyData/h.json", "anna"},
                                                           {"anna.zip!more/b.tar.gz!berta/MyData/h.json", "berta"}}));
}

TEST_F(IngestTest, RefusesMembersThatPointOutOfTheArchive) {
  const std::string tar = Pack(folder_.path() / "t", {{"../evil.json", History(2)}, {"good.json", History(3)}}, false);
  const Outcome outcome = Take("anna/a.tar", tar);
  EXPECT_EQ(outcome.accepted, 1);
  EXPECT_EQ(outcome.quarantined, 1);
  EXPECT_NE(Quarantined()[0].reason.find("points out of the archive"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_.path() / "inbox/evil.json"));
}

TEST_F(IngestTest, KeepsWhatATruncatedGzipHoldsAndReportsTheLoss) {
  std::string lines;
  for (int i = 0; i < 5000; ++i) {
    lines += "{\"reviewerID\":\"U" + std::to_string(i * 7919 % 5000) + "\",\"asin\":\"B" + Sha256Hex(std::to_string(i)).substr(0, 9) +
             "\",\"overall\":4.0,\"reviewText\":\"fine\",\"unixReviewTime\":1072828800}\n";
  }
  const std::string whole = Gzip(lines);
  const Outcome outcome = Take("reviews.json.gz", std::string_view(whole).substr(0, whole.size() / 2));
  EXPECT_EQ(outcome.accepted, 1);
  EXPECT_GT(outcome.rows, 2000);
  EXPECT_EQ(outcome.rejected_rows, 1);
  EXPECT_NE(Object().reason.find("cut short after"), std::string::npos) << Object().reason;
  EXPECT_EQ(Quarantined()[0].line, outcome.rows + 1);
  EXPECT_EQ(*bucket_->Get("quarantine/" + Object().sha256 + "/archive"), whole.substr(0, whole.size() / 2));
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', source_id, kind, value, text) FROM @ LIMIT 1"), "amazon:B5feceb66f|review|4.0|fine");
}

TEST_F(IngestTest, KeepsWhatATruncatedZipHolds) {
  std::string noise;
  for (int i = 0; i < 3000; ++i) noise += Sha256Hex(std::to_string(i));
  const std::string zip = Pack(folder_.path() / "z", {{"a.json", History(50)}, {"b.txt", noise}}, true);
  const Outcome outcome = Take("anna/x.zip", std::string_view(zip).substr(0, zip.size() / 2));
  EXPECT_EQ(outcome.accepted, 1);
  EXPECT_EQ(outcome.rows, 50);
  EXPECT_EQ(outcome.quarantined, 1);
  const auto refused = *catalog_->Objects("quarantined");
  EXPECT_EQ(bucket_->Get("quarantine/" + refused.at(0).sha256 + "/archive")->size(), zip.size() / 2);
}

TEST_F(IngestTest, RefusesAnArchiveThatUnpacksToTooMuch) {
  settings_.max_expanded_bytes = 100'000;
  const Outcome outcome = Take("bomb.gz", Gzip(std::string(1'000'000, ' ')));
  EXPECT_EQ(outcome.quarantined, 1);
  EXPECT_NE(Object().reason.find("ingest.max_expanded_bytes"), std::string::npos);
  EXPECT_LT(Object().bytes, 100'000);
  const std::string zip = Pack(folder_.path() / "z", {{"a.json", History(5)}, {"inner.gz", Gzip(std::string(1'000'000, ' '))}}, true);
  EXPECT_EQ(Take("bomb.zip", zip).accepted, 0);
}

TEST_F(IngestTest, RefusesWhatIsNoTableAndSaysWhatItIs) {
  struct Case {
    const char* name;
    std::string bytes;
    const char* reason;
  };
  for (const Case& c : {Case{"a.csv", "", "the file is empty"}, Case{"b.csv", "\n", "nothing but blank lines"},
                        Case{"c.csv", "user_id,item_id,rating\n", "without any records"}, Case{"d.json", "[]", "without any records"},
                        Case{"e.json.gz", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "git-LFS pointer"},
                        Case{"f.tsv", "Review\tLiked\nGood\t1\nBad\t0\n", "columns: Review, Liked"},
                        Case{"g.txt", "Just some words.\nAnd, again, others.\n\nThe end.\n", "no known format"}}) {
    const Outcome outcome = Take(c.name, c.bytes);
    EXPECT_EQ(outcome.quarantined, 1) << c.name;
    EXPECT_NE(Object().reason.find(c.reason), std::string::npos) << c.name << ": " << Object().reason;
    EXPECT_EQ(Quarantined()[0].line, 0);
    EXPECT_TRUE(bucket_->Exists("quarantine/" + Object().sha256 + "/file")) << c.name;
  }
  EXPECT_NE(catalog_->FindObject(Sha256Hex("Review\tLiked\nGood\t1\nBad\t0\n"), "")->value().reason.find("[[ingest.mapping]]"),
            std::string::npos);
}

TEST_F(IngestTest, ARefusedFileIsRecordedOnce) {
  Take("a.csv", "");
  EXPECT_EQ(Take("a.csv", "").quarantined, 1);
  EXPECT_EQ(Quarantined().size(), 1U);
}

TEST_F(IngestTest, RefusesAnEndlessLineWithoutReadingItIntoMemory) {
  settings_.max_line_bytes = 1 << 20;
  EXPECT_EQ(Take("x.csv", std::string(8 << 20, 'x')).quarantined, 1);
  EXPECT_NE(Object().reason.find("ingest.max_line_bytes"), std::string::npos) << Object().reason;
}

TEST_F(IngestTest, AUsersMappingComesFirst) {
  const std::string table = "who,what,by,when_ms\nanna,Song,Artist,1632253124315\nanna,Other,Artist,2021-09-21T19:38:59Z\nanna,Third,Artist,soon\n";
  EXPECT_EQ(Take("t.csv", table).quarantined, 1);
  settings_.mappings.push_back(
      {.name = "mine", .columns = {{"listener", "who"}, {"title", "what"}, {"artist", "by"}, {"at", "when_ms"}}, .kind = "like"});
  const Outcome outcome = Take("t.csv", table);
  EXPECT_EQ(outcome.rows, 2);
  EXPECT_EQ(outcome.rejected_rows, 1);
  const auto object = (*catalog_->Objects("accepted")).back();
  EXPECT_EQ(object.format, "mapping:mine");
  EXPECT_EQ(Ask(object, "SELECT concat_ws('|', listener, title, \"at\", kind) FROM @"), "anna|Song|1632253124|like anna|Other|1632253139|like");
}

TEST_F(IngestTest, AMappingThatNamesAnUnknownColumnIsExplained) {
  settings_.mappings.push_back({.name = "mine", .columns = {{"colour", "c"}}});
  Take("t.csv", "c,d\nx,y\n");
  EXPECT_NE(Object().reason.find("'colour'"), std::string::npos) << Object().reason;
}

TEST_F(IngestTest, GivesIdsTheNamespaceOfTheirFolder) {
  Take("ml-100k/u.data", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n");
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', listener, source_id, \"at\", kind, value) FROM @ LIMIT 1"),
            "ml-100k:196|ml-100k:242|881250949|rating|3.0");
  Take("u.data", "196 242 30\n186 302 3\n");
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', listener, source_id, kind, value) FROM @ LIMIT 1"), "196|ratings:242|play|30.0");
  Take("ratings.csv", "userId,movieId,rating,timestamp\n1,2,4.5,881250949\n");
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', listener, source_id, kind, value) FROM @ LIMIT 1"), "1|ratings:2|rating|4.5");
}

TEST_F(IngestTest, ReadsLastFmTables) {
  Take("lastfm-2k/artists.dat", "id\tname\turl\tpictureURL\n51\t\"W\" Y\thttp://x\thttp://y\n");
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', source_id, artist, title IS NULL, name_key IS NULL) FROM @"),
            "lastfm-2k:artist:51|\"W\" Y|true|true");
  Take("lastfm-2k/user_artists.dat", "userID\tartistID\tweight\r\n2\t51\t13883\r\n");
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', listener, source_id, kind, value) FROM @"), "lastfm-2k:2|lastfm-2k:artist:51|play|13883.0");
  Take("lastfm-2k/tags.dat", "tagID\ttagValue\r\n1\tm\xfasica\r\n");
  EXPECT_EQ(Object().table, "tag_names");
  EXPECT_EQ(Object().reason, "1 values were not UTF-8 and were read as Windows-1252");
  EXPECT_EQ(Ask(Object(), "SELECT tag FROM @"), "m\xc3\xbasica");
  Take("lastfm-2k/user_taggedartists.dat", "userID\tartistID\ttagID\tday\tmonth\tyear\r\n2\t52\t13\t1\t4\t2009\r\n");
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', line, listener, source_id, tag_id) FROM @"), "2|lastfm-2k:2|lastfm-2k:artist:52|13");
  EXPECT_EQ(Take("lastfm-2k/user_friends.dat", "userID\tfriendID\r\n2\t275\r\n").set_aside, 1);
}

TEST_F(IngestTest, ReadsReviewsWithoutARatingAndRatingsWithoutText) {
  Take("r.json", "{\"user_id\":\"u\",\"asin\":\"B1\",\"text\":\"good\",\"rating\":null,\"timestamp\":1632253124315}\n"
                 "{\"user_id\":\"u\",\"asin\":\"B2\",\"text\":\"\",\"rating\":4,\"timestamp\":1632253124315}\n");
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', source_id, kind, coalesce(value, -1)) FROM @"), "amazon:B1|review|-1.0 amazon:B2|rating|4.0");
}

TEST_F(IngestTest, ReadsItsOwnParquet) {
  const fs::path file = folder_.path() / "x.parquet";
  {
    auto duck = store::OpenDuck({.threads = 1});
    ASSERT_TRUE((*duck)->Run("COPY (SELECT 'anna' AS listener, 't0123456789abcdef' AS track_id, 1632253124 AS at, 'like' AS kind, "
                             "1.0 AS value, NULL::BIGINT AS ms_played) TO '" + file.string() + "' (FORMAT parquet)").ok());
  }
  EXPECT_EQ(TakeFile(file, "x.parquet").rows, 1);
  EXPECT_EQ(Ask(Object(), "SELECT concat_ws('|', line, listener, source_id, \"at\", kind) FROM @"), "1|anna|t0123456789abcdef|1632253124|like");
}

TEST_F(IngestTest, KeepsNothingOfAFileThatGrowsWhileItIsRead) {
  // Whether the writer gets to write while a file is read is the scheduler's
  // to decide: files are taken until one did grow.
  Outcome outcome;
  size_t kept = 0;
  fs::path file;
  int rows = 1'000;
  for (; rows < 200'000; rows += rows / 4) {
    kept = Objects().size();
    file = folder_.Write("inbox/anna/h" + std::to_string(rows) + ".json", History(rows));
    std::atomic<int> written = 0;
    std::atomic<bool> enough = false;
    std::thread writer([&] {
      std::ofstream more(file, std::ios::binary | std::ios::app);
      while (!enough) {
        more << ' ' << std::flush;
        ++written;
      }
    });
    while (written == 0) std::this_thread::yield();
    outcome = TakeFile(file, "anna/h.json");
    enough = true;
    writer.join();
    EXPECT_TRUE(outcome.grew || outcome.rows == rows);
    if (outcome.grew) break;
  }
  EXPECT_TRUE(outcome.grew);
  EXPECT_EQ(Objects().size(), kept);
  EXPECT_EQ(bucket_->List("raw")->size(), kept);
  EXPECT_EQ(TakeFile(file, "anna/h.json").rows, rows);
}

TEST_F(IngestTest, AMissingFileIsAnErrorNotAnOutcome) {
  const auto outcome = TryTake(folder_.path() / "nowhere", "nowhere");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(TryTake(folder_.path(), "folder").ok());
}

TEST_F(IngestTest, LeavesNoScratchAndNoChangeToTheInput) {
  Take("anna/h.json", History(3));
  EXPECT_EQ(ReadAll(folder_.path() / "inbox/anna/h.json"), History(3));
  EXPECT_TRUE(fs::is_empty(bucket_->ScratchFolder()));
}

}  // namespace
}  // namespace segue::ingest
