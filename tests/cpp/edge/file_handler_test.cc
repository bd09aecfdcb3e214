#include "tercel/edge/file_handler.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "edge/file_fixture.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"

namespace tercel::edge {
namespace {

using test::body_of;
using test::Call;
using test::field_of;
using test::status_of;

constexpr std::string_view kNothing =
    "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain; charset=utf-8\r\n"
    "x-content-type-options: nosniff\r\ncontent-length: 30\r\n\r\n"
    "nothing is found at this path\n";

class Inner final : public http::Handler {
 public:
  void handle(const http::Request&, http::Exchange& exchange) noexcept override {
    ASSERT_TRUE(exchange.start({}));
    ASSERT_TRUE(exchange.write(http::Payload::borrow("inner"), http::Final::kYes));
  }
};

class FileHandlerTest : public testing::Test {
 protected:
  FileHandlerTest() {
    std::filesystem::create_directories(folder_.file("dist/docs"));
    std::filesystem::create_directories(folder_.file("dist/empty"));
    std::filesystem::create_directories(folder_.file("other"));
    write("dist/index.html", "<root>");
    write("dist/docs/index.html", "<docs>");
    write("dist/app.js", "let app;");
    write("other/x.txt", "other x");
    write("other/index.html", "<other>");
    write("secret.txt", "secret");
    descriptors_ = test::open_descriptors();
  }
  ~FileHandlerTest() override { EXPECT_EQ(test::open_descriptors(), descriptors_); }

  void write(const std::string& name, std::string_view text, int seconds = 1'700'000'000) {
    std::ofstream{folder_.file(name)} << text;
    const timespec time{.tv_sec = seconds, .tv_nsec = 0};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, folder_.file(name).c_str(), times, 0), 0);
  }
  [[nodiscard]] std::string status(std::string_view path) { return status_of(server_.get(path)); }
  [[nodiscard]] std::string body(std::string_view path) { return body_of(server_.get(path)); }

  test::TemporaryDirectory folder_;
  test::FailingSyscalls syscalls_;
  Inner inner_;
  FileHandler files_{inner_,
                     syscalls_,
                     {{.prefix = "/assets",
                       .folder = folder_.file("dist"),
                       .fields = {{"cache-control", "max-age=60"}}},
                      {.prefix = "/assets/other", .folder = folder_.file("other"), .index = false},
                      {.prefix = "/missing", .folder = folder_.file("missing")}}};
  test::FileServer server_{files_};
  std::ptrdiff_t descriptors_ = 0;
};

TEST_F(FileHandlerTest, AnswersWithFilesBelowThePrefixAndLeavesTheRest) {
  EXPECT_EQ(server_.get("/assets/app.js?v=1"),
            "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\nvary: accept-encoding\r\n"
            "content-type: text/javascript; charset=utf-8\r\netag: \"17979cfe362a0000-8\"\r\n"
            "last-modified: Tue, 14 Nov 2023 22:13:20 GMT\r\naccept-ranges: bytes\r\n"
            "content-length: 8\r\n\r\nlet app;");
  EXPECT_EQ(body("/"), "inner");
  EXPECT_EQ(body("/assetsx/app.js"), "inner");
  EXPECT_EQ(body_of(server_.ask("POST", "/other")), "inner");
  EXPECT_EQ(body_of(server_.get("/assets/app.js", "Range: bytes=4-6\r\n")), "app");
  EXPECT_EQ(status_of(server_.ask("HEAD", "/assets/app.js")), "200");
}

TEST_F(FileHandlerTest, OfSeveralPrefixesTheLongestCounts) {
  EXPECT_EQ(body("/assets/other/x.txt"), "other x");
  EXPECT_EQ(status("/assets/other/app.js"), "404");
}

TEST_F(FileHandlerTest, WhatIsMissingMayBePassedOn) {
  FileHandler all{
      inner_,
      syscalls_,
      {{.prefix = "/assets", .folder = folder_.file("dist"), .missing = Missing::kPassedOn}}};
  test::FileServer server{all};
  EXPECT_EQ(body_of(server.get("/assets/app.js")), "let app;");
  for (const std::string_view path :
       {"/assets/nothing", "/assets/../secret.txt", "/assets/.env", "/assets/empty/"}) {
    EXPECT_EQ(body_of(server.get(path)), "inner") << path;
  }
  EXPECT_EQ(body_of(server.ask("POST", "/assets/nothing")), "inner");
  EXPECT_EQ(status_of(server.ask("POST", "/assets/app.js")), "405");
}

TEST_F(FileHandlerTest, APrefixMayBeEverything) {
  FileHandler all{inner_, syscalls_, {{.prefix = "", .folder = folder_.file("dist")}}};
  test::FileServer server{all};
  EXPECT_EQ(body_of(server.get("/")), "<root>");
  EXPECT_EQ(body_of(server.get("/app.js")), "let app;");
  EXPECT_EQ(status_of(server.get("//app.js")), "404");
  EXPECT_EQ(status_of(server.get("//example.com/..")), "404");
}

TEST_F(FileHandlerTest, AFolderIsItsIndex) {
  EXPECT_EQ(body("/assets/"), "<root>");
  const std::string docs = server_.get("/assets/docs/");
  EXPECT_EQ(body_of(docs), "<docs>");
  EXPECT_EQ(field_of(docs, "content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(status("/assets/empty/"), "404");
  EXPECT_EQ(status("/assets/app.js/"), "404");
  EXPECT_EQ(status("/assets/other/"), "404");
  EXPECT_EQ(status("/assets/other"), "404");
}

TEST_F(FileHandlerTest, AFolderWithoutItsSlashIsRedirected) {
  EXPECT_EQ(server_.get("/assets/docs?a=b"),
            "HTTP/1.1 301 Moved Permanently\r\nlocation: ./docs/?a=b\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(field_of(server_.get("/assets"), "location"), "./assets/");
  EXPECT_EQ(field_of(server_.get("/assets/%64ocs"), "location"), "./%64ocs/");
  std::filesystem::create_directories(folder_.file("dist/http:"));
  EXPECT_EQ(field_of(server_.get("/assets/http:"), "location"), "./http:/");
}

TEST_F(FileHandlerTest, ReadsOnly) {
  EXPECT_EQ(server_.ask("POST", "/assets/app.js"),
            "HTTP/1.1 405 Method Not Allowed\r\ncontent-type: text/plain; charset=utf-8\r\n"
            "x-content-type-options: nosniff\r\nallow: GET, HEAD\r\ncontent-length: 39\r\n\r\n"
            "the method is not allowed at this path\n");
  EXPECT_EQ(status_of(server_.ask("DELETE", "/assets/docs")), "405");
  EXPECT_EQ(server_.ask("DELETE", "/assets/nothing"), kNothing);
  EXPECT_EQ(server_.ask("OPTIONS", "/assets/nothing"), kNothing);
  EXPECT_EQ(server_.ask("OPTIONS", "/assets/app.js"),
            "HTTP/1.1 204 No Content\r\nallow: GET, HEAD\r\n\r\n");
}

TEST_F(FileHandlerTest, NoPathLeadsOutOfTheFolder) {
  write("dist/.env", "key");
  std::filesystem::create_directories(folder_.file("dist/.git"));
  write("dist/.git/config", "config");
  std::filesystem::create_symlink("../secret.txt", folder_.file("dist/link.txt"));
  std::filesystem::create_symlink("..", folder_.file("dist/up"));
  for (const std::string_view path : {"/assets/../secret.txt",
                                      "/assets/%2e%2e/secret.txt",
                                      "/assets/..%2fsecret.txt",
                                      "/assets/docs/../../secret.txt",
                                      "/assets/%2e%2e%2fsecret.txt",
                                      "/assets//etc/passwd",
                                      "/assets/%2Fetc/passwd",
                                      "/assets/..%5csecret.txt",
                                      "/assets/..%00/secret.txt",
                                      "/assets/app.js%00.png",
                                      "/assets/.env",
                                      "/assets/%2eenv",
                                      "/assets/.git/config",
                                      "/assets/link.txt",
                                      "/assets/up/secret.txt",
                                      "/assets/up",
                                      "/assets/app.js%2f",
                                      "/assets/nothing",
                                      "/assets/app.js/x",
                                      "/missing/x",
                                      "/missing/"}) {
    EXPECT_EQ(server_.get(path), kNothing) << path;
  }
  EXPECT_EQ(status("/assets/" + std::string(300, 'x')), "404");
  EXPECT_EQ(status("/assets/" + std::string(9000, 'x')), "404");
  std::string deep = "/assets";
  for (int i = 0; i < 3000; ++i) deep += "/x";
  EXPECT_EQ(status(deep), "404");
}

TEST_F(FileHandlerTest, WhatIsNoRegularFileIsNothing) {
  ASSERT_EQ(::mkfifo(folder_.file("dist/fifo").c_str(), 0600), 0);
  EXPECT_EQ(server_.get("/assets/fifo"), kNothing);
  std::filesystem::remove(folder_.file("dist/docs/index.html"));
  std::filesystem::create_directories(folder_.file("dist/docs/index.html"));
  EXPECT_EQ(status("/assets/docs/"), "404");
  EXPECT_EQ(status("/assets/docs/index.html"), "301");
}

TEST_F(FileHandlerTest, AFolderThatIsReplacedIsSeenAtOnce) {
  std::filesystem::rename(folder_.file("dist"), folder_.file("before"));
  EXPECT_EQ(status("/assets/app.js"), "404");
  std::filesystem::create_directories(folder_.file("release"));
  write("release/app.js", "let next;");
  std::filesystem::create_symlink("release", folder_.file("dist"));
  EXPECT_EQ(body("/assets/app.js"), "let next;");
}

// --- compressed copies

class CopiesTest : public FileHandlerTest {
 protected:
  CopiesTest() {
    write("dist/app.js.br", "as br");
    write("dist/app.js.gz", "as gzip");
    write("dist/app.js.zst", "as zstd");
  }
  [[nodiscard]] std::string sent(std::string_view accepted) {
    const std::string answer =
        server_.get("/assets/app.js", "Accept-Encoding: " + std::string{accepted} + "\r\n");
    EXPECT_EQ(field_of(answer, "content-type"), "text/javascript; charset=utf-8");
    EXPECT_EQ(field_of(answer, "vary"), "accept-encoding");
    return field_of(answer, "content-encoding") + " " + body_of(answer);
  }
};

TEST_F(CopiesTest, AreSentToWhoTakesThem) {
  EXPECT_EQ(sent("gzip, deflate, br, zstd"), "br as br");
  EXPECT_EQ(sent("gzip, deflate, zstd"), "zstd as zstd");
  EXPECT_EQ(sent("gzip, deflate"), "gzip as gzip");
  EXPECT_EQ(sent("deflate"), "- let app;");
  EXPECT_EQ(sent(""), "- let app;");
  EXPECT_EQ(sent("*"), "br as br");
}

TEST_F(CopiesTest, FollowTheWeightsOfTheClient) {
  EXPECT_EQ(sent("br;q=0.1, gzip;q=0.9"), "gzip as gzip");
  EXPECT_EQ(sent("br;q=0, *;q=0.5"), "zstd as zstd");
  EXPECT_EQ(sent("br;q=0, gzip;q=0, zstd;q=0"), "- let app;");
  EXPECT_EQ(sent("gzip;q=0.5, identity"), "- let app;");
  EXPECT_EQ(sent("gzip, identity;q=0.5"), "gzip as gzip");
}

TEST_F(CopiesTest, AreAnotherRepresentationWithConditionsAndRangesOfItsOwn) {
  const std::string plain = field_of(server_.get("/assets/app.js"), "etag");
  const std::string br = "Accept-Encoding: br\r\n";
  const std::string copy = field_of(server_.get("/assets/app.js", br), "etag");
  EXPECT_EQ(copy, "\"17979cfe362a0000-5-br\"");
  EXPECT_EQ(status_of(server_.get("/assets/app.js", br + "If-None-Match: " + copy + "\r\n")),
            "304");
  EXPECT_EQ(status_of(server_.get("/assets/app.js", br + "If-None-Match: " + plain + "\r\n")),
            "200");
  EXPECT_EQ(body_of(server_.get("/assets/app.js", br + "Range: bytes=3-\r\n")), "br");
}

TEST_F(CopiesTest, ThatAreOlderOrNoFilesAreNotSent) {
  write("dist/app.js", "let newer;", 1'700'000'001);
  EXPECT_EQ(sent("br"), "- let newer;");
  write("dist/app.js.br", "newer br", 1'700'000'001);
  EXPECT_EQ(sent("br"), "br newer br");
  std::filesystem::remove(folder_.file("dist/app.js.br"));
  EXPECT_EQ(sent("br, gzip;q=0.1"), "- let newer;");
  std::filesystem::create_directories(folder_.file("dist/app.js.br"));
  EXPECT_EQ(sent("br"), "- let newer;");
  std::filesystem::remove(folder_.file("dist/app.js.zst"));
  std::filesystem::create_symlink("../secret.txt", folder_.file("dist/app.js.zst"));
  EXPECT_EQ(sent("zstd"), "- let newer;");
}

TEST_F(CopiesTest, AreFilesOfTheirOwnAsWell) {
  const std::string answer = server_.get("/assets/app.js.gz", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(field_of(answer, "content-type"), "application/gzip");
  EXPECT_EQ(field_of(answer, "content-encoding"), "-");
  EXPECT_EQ(field_of(answer, "vary"), "-");
}

// --- failures

TEST_F(FileHandlerTest, WithoutDescriptorsTheAnswerIs503) {
  for (const Call call : {Call::kOpenat, Call::kOpenat2}) {
    syscalls_.fail(call, EMFILE);
    const std::string answer = server_.get("/assets/app.js");
    EXPECT_EQ(status_of(answer), "503");
    EXPECT_EQ(field_of(answer, "retry-after"), "1");
  }
  EXPECT_EQ(status("/assets/app.js"), "200");
}

TEST_F(FileHandlerTest, TheNthFailureIsAnAnswerAndLeavesNothingOpen) {
  write("dist/app.js.gz", "as gzip");
  for (int nth = 1; nth <= 12; ++nth) {
    for (std::size_t choice = 0; choice < 10; ++choice) {
      syscalls_.fail_any(nth, choice);
      const std::string answer =
          status_of(server_.get("/assets/app.js", "Accept-Encoding: gzip\r\n"));
      EXPECT_TRUE(answer == "200" || answer == "404" || answer == "500" || answer == "503");
      EXPECT_EQ(test::open_descriptors(), descriptors_) << nth << ' ' << choice;
    }
  }
  syscalls_.fail_any(0);
}

}  // namespace
}  // namespace tercel::edge
