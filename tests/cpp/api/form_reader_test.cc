#include "tercel/api/form_reader.h"

#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/memory_wire.h"
#include "tercel/api/app.h"
#include "tercel/http/h1_session.h"

namespace tercel::api {
namespace {

// An HTTP/1 session over memory, whose handler is an API that takes a form.
class FormReaderTest : public testing::Test {
 protected:
  FormReaderTest() {
    const std::vector<Parameter> parameters{
        {.name = "n", .in = In::kQuery, .type = Type::kInteger, .required = false},
        {.name = "title", .in = In::kForm, .schema = R"({"maxLength":10})"},
        {.name = "size", .in = In::kForm, .type = Type::kInteger, .required = false},
        {.name = "tags", .in = In::kForm, .required = false, .array = true},
        {.name = "file",
         .in = In::kForm,
         .type = Type::kFile,
         .required = false,
         .bytes_max = 300'000},
        {.name = "files",
         .in = In::kForm,
         .type = Type::kFile,
         .required = false,
         .array = true,
         .schema = R"({"maxItems":2})"}};
    app_.on("POST", "/form", parameters, [this](Call& call) { answer(call); });
    app_.on("POST", "/small", parameters, [this](Call& call) { answer(call); },
            {.kind = BodyKind::kForm, .bytes_max = 300});
    EXPECT_EQ(app_.freeze(), std::nullopt);
    context_.set_default_fields("", "", /*with_date=*/false);
    wire_.session = &session_;
  }

  // What came, as text.
  void answer(Call& call) {
    ++calls_;
    std::string all;
    for (std::size_t i = 0; i < call.parameters.size(); ++i) {
      if (!call.arguments.has(i) || call.parameters[i].type == Type::kFile) continue;
      const json::Value value = call.arguments.value(i);
      all += call.parameters[i].name + "=";
      if (call.parameters[i].array) {
        for (const json::Value one : value.elements()) all += std::string{one.string()} + ",";
      } else if (call.parameters[i].type == Type::kInteger) {
        all += std::to_string(value.int64());
      } else {
        all += value.string();
      }
      all += ";";
    }
    for (const Upload& file : call.form != nullptr ? call.form->uploads() : std::span<Upload>{}) {
      std::string content(static_cast<std::size_t>(file.size()), '?');
      EXPECT_EQ(*call.form->read(file, 0, {content.data(), content.size()}), content.size());
      if (content.size() > 100) content = std::to_string(content.size()) + content.substr(0, 1);
      all += call.parameters[file.parameter()].name + "=" + std::string{file.filename()} + "(" +
             std::string{file.content_type()} + "):" + content + ";";
    }
    if (const Upload* file = call.upload("file")) {
      EXPECT_EQ(call.parameters[file->parameter()].name, "file");
    }
    call.text(200, all);
  }

  static std::string head(std::size_t size, std::string_view type = kMultipart,
                          std::string_view path = "/form") {
    return "POST " + std::string{path} +
           " HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string{type} +
           "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  }
  // The status, a space, and the body.
  std::string take() {
    const std::string sent = wire_.take_sent();
    const std::size_t end = sent.find("\r\n\r\n");
    if (end == sent.npos) return sent;
    return sent.substr(9, 3) + " " + sent.substr(end + 4);
  }
  std::string ask(std::string_view body, std::string_view type = kMultipart,
                  std::string_view path = "/form") {
    wire_.forget();
    wire_.receive(head(body.size(), type, path));
    wire_.receive(body);
    return take();
  }
  static std::string part(std::string_view disposition, std::string_view data,
                          std::string_view fields = "") {
    return "--b\r\nContent-Disposition: form-data; " + std::string{disposition} + "\r\n" +
           std::string{fields} + "\r\n" + std::string{data} + "\r\n";
  }
  static std::string status(const std::string& answer) { return answer.substr(0, 3); }

  static constexpr std::string_view kMultipart = "multipart/form-data; boundary=b";
  static constexpr std::string_view kUrlencoded = "application/x-www-form-urlencoded";

  App app_;
  test::MemoryWire wire_;
  http::H1Context context_{app_, http::Limits{}};
  http::H1Session session_{wire_, context_};
  int calls_ = 0;
};

TEST_F(FormReaderTest, AnUrlencodedForm) {
  EXPECT_EQ(ask("title=a+b%21&size=7&tags=x&unknown=1&tags=", kUrlencoded),
            "200 title=a b!;size=7;tags=x,,;");
  EXPECT_EQ(ask("title=first&title=last&size=", kUrlencoded), "200 title=last;");
  EXPECT_EQ(ask("title=a", "Application/X-WWW-form-URLencoded; charset=UTF-8"), "200 title=a;");
}

TEST_F(FormReaderTest, AnUrlencodedFormThatComesInParts) {
  const std::string body = "title=a+b&tags=%e2%82%ac";
  wire_.receive(head(body.size(), kUrlencoded));
  for (const char c : body) wire_.receive({&c, 1});
  EXPECT_EQ(take(), "200 title=a b;tags=\u20ac,;");
}

TEST_F(FormReaderTest, AMultipartFormHoweverItIsCut) {
  const std::string body =
      "preamble\r\n" + part("name=title", "a\r\n--c") + part("name=\"tags\"", "1") +
      part("name=\"file\"; filename=\"x \\\"y\\\".txt\"", "\r\n--\r\n",
           "Content-Type: text/x\r\n") +
      part("name=files; filename*=utf-8''%e2%82%ac%20rates", "-b") + part("name=none", "?") +
      part("name=files; filename=two", "2") + part("name=size", "-5") + "--b--\r\nepilogue";
  const std::string expected =
      "200 title=a\r\n--c;size=-5;tags=1,;file=x \"y\".txt(text/x):\r\n--\r\n;"
      "files=\u20ac rates():-b;files=two():2;";
  EXPECT_EQ(ask(body), expected);
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    wire_.forget();
    wire_.receive(head(body.size()) + body.substr(0, cut));
    wire_.receive(body.substr(cut));
    ASSERT_EQ(take(), expected) << cut;
  }
  wire_.forget();
  for (const char c : head(body.size()) + body) wire_.receive({&c, 1});
  EXPECT_EQ(take(), expected);
}

TEST_F(FormReaderTest, ALargeFileIsNotCollected) {
  const auto before = test::open_descriptors();
  const std::string body = part("name=title", "t") +
                           part("name=file; filename=l", std::string(300'000, 'z')) + "--b--\r\n";
  wire_.arrival_bytes = 10'000;
  EXPECT_EQ(ask(body), "200 title=t;file=l():300000z;");
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(FormReaderTest, AClientThatLeavesLeavesNothing) {
  const auto before = test::open_descriptors();
  const std::string body = part("name=title", "t") +
                           part("name=file; filename=l", std::string(300'000, 'z')) + "--b--\r\n";
  for (const std::size_t sent : {10U, 1'000U, 100'000U, 250'000U}) {
    App app;
    app.on("POST", "/form", {{.name = "file", .in = In::kForm, .type = Type::kFile}},
           [this](Call&) { ++calls_; });
    ASSERT_EQ(app.freeze(), std::nullopt);
    test::MemoryWire wire;
    http::H1Context context{app, http::Limits{}};
    http::H1Session session{wire, context};
    wire.session = &session;
    wire.receive(head(body.size()) + body.substr(0, sent));
    EXPECT_EQ(test::open_descriptors(), before + (sent > 90'000 ? 1 : 0)) << sent;
    wire.end_input();
    EXPECT_EQ(test::open_descriptors(), before) << sent;
  }
  EXPECT_EQ(calls_, 0);
}

TEST_F(FormReaderTest, AllThatIsWrongIsToldAtOnce) {
  const std::string body = part("name=title", "eleven char") + part("name=size", "many") +
                           part("name=file", "text") + part("name=tags; filename=f", "file") +
                           part("name=files; filename=1", "") + part("name=files; filename=2", "") +
                           part("name=files; filename=3", "") + "--b--";
  const std::string answer = ask(body);
  EXPECT_EQ(status(answer), "422");
  EXPECT_EQ(
      answer.substr(answer.find("\"errors\"")),
      R"("errors":[{"type":"file_type","msg":"This must be a file of a multipart form.",)"
      R"("loc":["body","file"]},{"type":"string_type",)"
      R"("msg":"This must be a text, and is a file.","loc":["body","tags"]},)"
      R"({"type":"int_parsing","msg":"This must be an integer in decimal digits.",)"
      R"("loc":["body","size"],"input":"many"},{"type":"string_too_long",)"
      R"("msg":"Must have at most 10 characters.","loc":["body","title"],"input":"eleven char",)"
      R"("ctx":{"max_length":10}},{"type":"too_long","msg":"Must have at most 2 elements.",)"
      R"("loc":["body","files"],"ctx":{"max_length":2}}]})");
}

TEST_F(FormReaderTest, WhatWasRefusedIsNotMissingToo) {
  const std::string answer = ask(part("name=title; filename=f", "file") + "--b--");
  EXPECT_NE(answer.find(R"("type":"string_type")"), answer.npos);
  EXPECT_EQ(answer.find(R"("type":"missing")"), answer.npos);
}

TEST_F(FormReaderTest, FailuresOfPathAndQueryAreAmongThem) {
  const std::string answer = ask("size=x", kUrlencoded, "/form?n=y");
  EXPECT_NE(answer.find(R"("loc":["query","n"])"), answer.npos);
  EXPECT_NE(
      answer.find(R"({"type":"missing","msg":"This value is required.","loc":["body","title"]})"),
      answer.npos);
  EXPECT_NE(answer.find(R"("loc":["body","size"],"input":"x")"), answer.npos);
  EXPECT_EQ(calls_, 0);
}

TEST_F(FormReaderTest, WithoutABodyAllIsMissing) {
  EXPECT_EQ(status(ask("")), "422");
  EXPECT_EQ(status(ask("", kUrlencoded)), "422");
  EXPECT_EQ(status(ask("", "text/plain")), "422");
  EXPECT_EQ(status(ask("--b--")), "422");
  wire_.forget();
  wire_.receive("POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string{kMultipart} +
                "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(status(take()), "422");
}

TEST_F(FormReaderTest, AnUrlencodedFormHasNoFiles) {
  const std::string answer = ask("title=a&file=name.txt&files=", kUrlencoded);
  EXPECT_NE(answer.find(R"("loc":["body","file"],"input":"name.txt")"), answer.npos);
  EXPECT_EQ(answer.find(R"("loc":["body","files"])"), answer.npos);
}

TEST_F(FormReaderTest, AnotherTypeIs415) {
  for (const char* type : {"text/plain", "application/json", "multipart/mixed; boundary=b",
                           "multipart/form-data; boundary=b; charset=latin1", "multipart"}) {
    EXPECT_EQ(status(ask("title=a", type)), "415") << type;
  }
  EXPECT_EQ(calls_, 0);
}

TEST_F(FormReaderTest, ABoundaryThatIsMissingOrMalformedIs400) {
  for (const std::string& type : std::initializer_list<std::string>{
           "multipart/form-data", "multipart/form-data; boundary=",
           "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=\"b \"",
           "multipart/form-data; boundary=" + std::string(71, 'b')}) {
    EXPECT_EQ(status(ask("--b--", type)), "400") << type;
  }
  const std::string answer = ask("--b--", "multipart/form-data");
  EXPECT_EQ(status(answer), "400");
  EXPECT_NE(answer.find("The boundary of the form is missing or malformed."), answer.npos);
}

TEST_F(FormReaderTest, AMalformedFormIs400) {
  const std::string title = part("name=title", "t");
  const std::pair<std::string, std::string_view> cases[] = {
      {title, "ended before its last boundary"},
      {title + "--b", "ended before its last boundary"},
      {"title=a", "ended before its last boundary"},
      {std::string(2'000, 'x') + "\r\n--b--", "boundaries of the form are malformed"},
      {title + "--b--\r\n" + std::string(2'000, 'x'), "boundaries of the form are malformed"},
      {"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--",
       "head of a part of the form is malformed"},
      {part("filename=x", "x") + "--b--", "head of a part of the form is malformed"},
      {part("name=a; name=b", "x") + "--b--", "head of a part of the form is malformed"},
      {part("name=title", "x", "Content-Transfer-Encoding: base64\r\n") + "--b--",
       "head of a part of the form is malformed"},
  };
  for (const auto& [body, why] : cases) {
    const std::string answer = ask(body);
    EXPECT_EQ(status(answer), "400") << body;
    EXPECT_NE(answer.find(why), answer.npos) << answer;
  }
  EXPECT_EQ(calls_, 0);
}

TEST_F(FormReaderTest, WhatIsTooMuchIs413) {
  std::string parts;
  for (std::size_t i = 0; i < 10'000; ++i) parts += part("name=tags", "x");
  std::string files;
  for (std::size_t i = 0; i < kFormFilesMax + 1; ++i) files += part("name=files; filename=f", "x");
  std::string fields;
  for (int i = 0; i < 17; ++i) fields += "x: y\r\n";
  std::string heads;
  for (int i = 0; i < 70; ++i)
    heads += part("name=tags", "x", "x: " + std::string(4'000, 'y') + "\r\n");
  const std::pair<std::string, std::string_view> cases[] = {
      {parts, "more parts than the limit"},
      {files, "more parts than the limit"},
      {part("name=title", "x", fields), "The head of a part"},
      {part("name=file; filename=\"" + std::string(9'000, 'f') + "\"", "x"), "The head of a part"},
      {heads, "The heads of all parts"},
      {part("name=title", std::string(kFormTextBytesMax + 1, 't')), "The form exceeds the limit"},
      {part("name=file; filename=f", std::string(300'001, 'f')), "A file of the form exceeds"},
  };
  for (const auto& [body, why] : cases) {
    const std::string answer = ask(body + "--b--");
    EXPECT_EQ(status(answer), "413") << why;
    EXPECT_NE(answer.find(why), answer.npos) << answer;
  }
  EXPECT_EQ(status(ask(std::string(kFormTextBytesMax + 1, 'x'), kUrlencoded)), "413");
  std::string pairs;
  for (std::size_t i = 0; i < 10'000; ++i) pairs += "tags=x&";
  EXPECT_EQ(status(ask(pairs, kUrlencoded)), "400");
  // At the byte that is too much, which ends the connection.
  wire_.forget();
  wire_.receive("POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string{kUrlencoded} +
                "\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" +
                std::string(kFormTextBytesMax + 1, 'x'));
  EXPECT_EQ(status(take()), "413");
  EXPECT_EQ(calls_, 0);
}

TEST_F(FormReaderTest, TheLimitOfTheRouteIsThatOfTheBody) {
  const std::string right = part("name=title", "t") + "--b--";
  EXPECT_EQ(status(ask(right, kMultipart, "/small")), "200");
  const std::string large = part("name=nobody", std::string(300, 'x')) + right;
  EXPECT_EQ(status(ask(large, kMultipart, "/small")), "413");
  EXPECT_EQ(status(ask("title=t&x=" + std::string(300, 'x'), kUrlencoded, "/small")), "413");
  // Without its length said.
  wire_.forget();
  wire_.receive("POST /small HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string{kMultipart} +
                "\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" + large.substr(0, 301));
  EXPECT_EQ(status(take()), "413");
}

TEST_F(FormReaderTest, ADiskThatFailsIs500) {
  app_.set_spool_directory("/nowhere");
  const std::string body = part("name=file; filename=l", std::string(70'000, 'z')) + "--b--\r\n";
  EXPECT_EQ(status(ask(body)), "500");
  EXPECT_EQ(status(ask(part("name=title", "t") + "--b--\r\n")), "200");
}

TEST_F(FormReaderTest, ANameThatIsNoUtf8IsRefused) {
  EXPECT_EQ(
      status(ask(part("name=title", "t") + part("name=file; filename=\"\xff\"", "x") + "--b--")),
      "422");
  EXPECT_EQ(status(ask(part("name=title", "\xff") + "--b--")), "422");
  EXPECT_EQ(status(ask("title=%ff", kUrlencoded)), "422");
}

TEST(FormRegistration, AFormIsTheOnlyBody) {
  App app;
  EXPECT_EQ(app.add({.method = "POST",
                     .path = "/a",
                     .parameters = {{.name = "x", .in = In::kForm}},
                     .body = {.kind = BodyKind::kJson}}),
            "The route POST /a takes a form, and another body besides.");
  EXPECT_EQ(app.add({.method = "POST",
                     .path = "/a",
                     .parameters = {{.name = "x", .in = In::kQuery, .type = Type::kFile}}}),
            "The route POST /a takes the file 'x' from no form.");
  EXPECT_EQ(
      app.add({.method = "POST",
               .path = "/a",
               .parameters = {{.name = "x", .in = In::kForm}, {.name = "x", .in = In::kForm}}}),
      "The route POST /a has two form parameters 'x'.");
}

}  // namespace
}  // namespace tercel::api
