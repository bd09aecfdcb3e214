#include "tercel/api/app.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/manual_clock.h"
#include "support/memory_wire.h"
#include "tercel/http/h1_session.h"

namespace tercel::api {
namespace {

constexpr BodyPlan kJson{.kind = BodyKind::kJson, .bytes_max = 64};

// Takes nothing from the heap by itself.
class TextEndpoint final : public Endpoint {
 public:
  void call(Call& call) noexcept override { call.text(200, "ok"); }
};

template <typename Function>
class FunctionEndpointForTest final : public Endpoint {
 public:
  explicit FunctionEndpointForTest(Function function) : function_{std::move(function)} {}
  void call(Call& call) noexcept override { function_(call); }

 private:
  Function function_;
};

// An HTTP/1 session over memory, whose handler is an API.
class AppTest : public testing::Test {
 protected:
  AppTest() {
    app_.get("/things/{id}", {{.name = "id", .in = In::kPath, .type = Type::kInteger}},
             [](Call& call) {
               call.json(200, [&](json::Writer& out) {
                 out.begin_object();
                 out.key("id");
                 out.integer(call.arguments.value(0).int64());
                 out.end_object();
               });
             });
    app_.on(
        "POST", "/things", {{.name = "n", .type = Type::kInteger, .required = false}},
        [this](Call& call) { answer_with_body(call); }, kJson);
    app_.on("PUT", "/raw", {}, [](Call& call) { call.text(200, std::string{call.bytes}); },
            {.kind = BodyKind::kBytes, .bytes_max = 64});
    app_.on("PATCH", "/optional", {}, [this](Call& call) { answer_with_body(call); },
            {.kind = BodyKind::kJson, .required = false});
    app_.on(
        "POST", "/checked",
        {{.name = "page", .type = Type::kInteger, .required = false, .schema = R"({"minimum":1})"}},
        [this](Call& call) { answer_with_body(call); }, {.kind = BodyKind::kJson, .schema = R"({
               "type": "object",
               "required": ["name"],
               "properties": {"name": {"maxLength": 3}, "day": {"format": "date"},
                              "tags": {"items": {"type": "string"}}}})"});
    app_.get("/teapot", [](Call& call) { call.problem(418, "This is a teapot."); });
    app_.get("/fields/{id:int}/{name}/{part:float}", {{.name = "q", .required = false}},
             [](Call& call) { answer_with_arguments(call); });
    app_.post("/schema", R"({"properties": {"name": {"type": "string"}}})",
              [this](Call& call) { answer_with_body(call); });
    app_.post("/made", [](Call& call) {
      const auto name = call.body->get<std::string_view>("name");
      if (!name) return call.problem(422, "No name.", {{"x-why", "name"}});
      call.json(201, [](json::Writer& out) { out.null(); },
                {{"location", "/made/" + std::string{*name}}, {"x-more", "1"}});
    });
    app_.on("POST", "/packed", {}, [this](Call& call) { answer_with_body(call); },
            {.kind = BodyKind::kJson, .msgpack = true, .schema = R"({"maxProperties":1})"});
    Route guarded{.method = "POST",
                  .path = "/guarded",
                  .parameters = {{.name = "n", .type = Type::kInteger}},
                  .body = kJson,
                  .endpoint = std::make_unique<TextEndpoint>()};
    guarded.demands.push_back({.rule = &rule_});
    EXPECT_EQ(app_.add(std::move(guarded)), std::nullopt);
    add_asked();
    app_.on("POST", "/huge", {}, [this](Call& call) { answer_with_body(call); },
            {.kind = BodyKind::kJson, .schema = R"({"maximum":9})"});
    for (const bool strict : {false, true}) {
      Route chosen{.method = "POST",
                   .path = strict ? "/strict" : "/chosen",
                   .body = {.kind = BodyKind::kJson, .required = false},
                   .endpoint = std::make_unique<FunctionEndpointForTest<void (*)(Call&)>>(
                       [](Call& call) { call.text(200, call.media_type); })};
      chosen.negotiation = &negotiation_;
      chosen.strict = strict;
      EXPECT_EQ(app_.add(std::move(chosen)), std::nullopt);
    }
    app_.on("DELETE", "/made", {}, [](Call& call) { call.empty(204, {{"x-gone", "1"}}); });
    EXPECT_EQ(app_.freeze(), std::nullopt);
    context_.set_default_fields("", "", /*with_date=*/false);
    wire_.session = &session_;
  }

  // A route that asks who sends what it does not take: key 1 may know, key 2 is told later.
  void add_asked() {
    const auto endpoint = [](auto function) {
      return std::make_unique<FunctionEndpointForTest<decltype(function)>>(std::move(function));
    };
    const auto route = [&](std::string path, std::vector<Parameter> parameters, BodyPlan body) {
      Route made{.method = "POST",
                 .path = std::move(path),
                 .parameters = std::move(parameters),
                 .body = std::move(body),
                 .endpoint = endpoint([](Call& call) {
                   if (call.bytes != "{\"a\":0}") return call.text(200, "ok");
                   call.refuse(422, "Not this.", {{"x-why", "zero"}});
                 })};
      made.demands.push_back({.rule = &rule_});
      made.authenticator = {.parameters = {{.name = "x-key", .in = In::kHeader}},
                            .endpoint = endpoint([this](Call& call) {
                              ++calls_;
                              if (call.argument<std::string_view>("x-key") == "1")
                                return call.answer_refusal();
                              call.problem(403, "Not you.");
                            })};
      EXPECT_EQ(app_.add(std::move(made)), std::nullopt);
    };
    route("/asked", {{.name = "n", .type = Type::kInteger}},
          {.kind = BodyKind::kJson, .bytes_max = 64, .schema = R"({"type":"object"})"});
    route("/asked-form", {{.name = "f", .in = In::kForm}}, {});
  }

  static void answer_with_arguments(Call& call) {
    std::string text = std::to_string(call.argument<std::int64_t>("id").value_or(-1)) + ' ' +
                       std::string{call.argument<std::string_view>("name").value_or("-")} + ' ' +
                       std::to_string(call.argument<double>("part").value_or(-1)) + ' ' +
                       std::string{call.argument<std::string_view>("q").value_or("-")};
    if (call.argument<std::string_view>("id") || call.argument<bool>("none")) text += " wrong";
    call.text(200, text);
  }

  void answer_with_body(Call& call) {
    ++calls_;
    call.json(200, [&](json::Writer& out) {
      if (!call.body) return out.null();
      out.integer(static_cast<std::int64_t>(call.body->size()));
    });
  }

  std::string ask(std::string_view line, std::string_view fields = "", std::string_view body = "") {
    std::string request{line};
    request += " HTTP/1.1\r\nHost: a\r\n";
    request += fields;
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    request += "\r\n";
    request += body;
    wire_.receive(request);
    return wire_.take_sent();
  }

  static std::string ok(std::string_view body) {
    return "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " +
           std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
  }
  static std::string problem(std::string_view status_line, std::string_view document,
                             std::string_view fields = "") {
    return "HTTP/1.1 " + std::string{status_line} +
           "\r\ncontent-type: application/problem+json\r\ncontent-length: " +
           std::to_string(document.size()) + "\r\n" + std::string{fields} + "\r\n" +
           std::string{document};
  }

  CredentialRule rule_{
      {.any_of = {{.name = "x-key"}}, .detail = "No key.", .challenges = {"Key", "Other"}}};
  Negotiation negotiation_{{"application/json", "a/b"}};
  App app_;
  test::MemoryWire wire_;
  http::H1Context context_{app_, http::Limits{}};
  http::H1Session session_{wire_, context_};
  int calls_ = 0;
};

TEST_F(AppTest, CallsTheEndpointWithItsArguments) {
  EXPECT_EQ(ask("GET /things/7"), ok(R"({"id":7})"));
  EXPECT_EQ(ask("GET /things/-7?x=1"), ok(R"({"id":-7})"));
}

TEST_F(AppTest, FieldsOfThePathAreArguments) {
  const auto text = [](std::string_view answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  EXPECT_EQ(text(ask("GET /fields/7/a%20b/1.5?q=x")), "7 a b 1.500000 x");
  EXPECT_EQ(text(ask("GET /fields/-7/a/2")), "-7 a 2.000000 -");
  EXPECT_EQ(ask("GET /fields/seven/a/2").substr(0, 12), "HTTP/1.1 404");
}

TEST_F(AppTest, ABodyOfPostIsCheckedByItsSchema) {
  EXPECT_EQ(ask("POST /schema", "", R"({"name":"x"})"), ok("1"));
  EXPECT_EQ(ask("POST /schema", "", R"({"name":1})").substr(0, 12), "HTTP/1.1 422");
}

TEST_F(AppTest, AnswersWithMoreFields) {
  EXPECT_EQ(ask("POST /made", "", R"({"name":"x"})"),
            "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 4\r\n"
            "location: /made/x\r\nx-more: 1\r\n\r\nnull");
  EXPECT_EQ(ask("POST /made", "", R"({"name":1})"),
            problem("422 Unprocessable Content",
                    R"({"type":"about:blank","title":"Unprocessable Content","status":422,)"
                    R"("detail":"No name.","instance":"/made"})",
                    "x-why: name\r\n"));
  EXPECT_EQ(ask("DELETE /made"), "HTTP/1.1 204 No Content\r\nx-gone: 1\r\n\r\n");
}

TEST_F(AppTest, HeadIsAnsweredByGet) {
  EXPECT_EQ(ask("HEAD /things/7"),
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n");
}

TEST_F(AppTest, OptionsListsTheMethods) {
  EXPECT_EQ(ask("OPTIONS /things/7"),
            "HTTP/1.1 204 No Content\r\nallow: GET, HEAD, OPTIONS\r\n\r\n");
  EXPECT_EQ(ask("OPTIONS /things"), "HTTP/1.1 204 No Content\r\nallow: POST, OPTIONS\r\n\r\n");
}

TEST_F(AppTest, WhatNoRouteTakesIsAProblem) {
  EXPECT_EQ(ask("GET /nothing?x=1"),
            problem("404 Not Found", R"({"type":"about:blank","title":"Not Found","status":404,)"
                                     R"("instance":"/nothing"})"));
  EXPECT_EQ(ask("DELETE /things/7"),
            problem("405 Method Not Allowed",
                    R"({"type":"about:blank","title":"Method Not Allowed","status":405,)"
                    R"("instance":"/things/7"})",
                    "allow: GET, HEAD, OPTIONS\r\n"));
  EXPECT_EQ(ask("BREW /things/7"),
            problem("501 Not Implemented",
                    R"({"type":"about:blank","title":"Not Implemented","status":501,)"
                    R"("instance":"/things/7"})",
                    "allow: GET, HEAD, OPTIONS\r\n"));
  const std::string long_path = "/" + std::string(kPathBytesMax, 'a');
  EXPECT_EQ(ask("GET " + long_path).substr(0, 25), "HTTP/1.1 414 URI Too Long");
}

TEST_F(AppTest, WrongValuesAreListed) {
  EXPECT_EQ(ask("GET /things/seven"),
            problem("422 Unprocessable Content",
                    R"({"type":"about:blank","title":"Unprocessable Content","status":422,)"
                    R"("detail":"Values of the request are missing or not what they must be.",)"
                    R"("instance":"/things/seven","errors":[{"type":"int_parsing",)"
                    R"("msg":"This must be an integer in decimal digits.",)"
                    R"("loc":["path","id"],"input":"seven"}]})"));
}

TEST_F(AppTest, AProblemOfTheEndpoint) {
  EXPECT_EQ(ask("GET /teapot").substr(0, 12), "HTTP/1.1 418");
}

TEST_F(AppTest, ParsesABodyOfJson) {
  EXPECT_EQ(ask("POST /things", "", R"({"a":1,"b":2})"), ok("2"));
  EXPECT_EQ(ask("POST /things", "Content-Type: application/json\r\n", "[]"), ok("0"));
  EXPECT_EQ(ask("POST /things", "Content-Type: application/merge-patch+json\r\n", "[1]"), ok("1"));
  EXPECT_EQ(ask("POST /things", "Content-Type: application/json; charset=utf-8\r\n", "[1]"),
            ok("1"));
}

TEST_F(AppTest, WaitsForABodyThatComesInParts) {
  const std::string head =
      "POST /things?n=1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char c : head + "4\r\n[1,2\r\n3\r\n,3]\r\n0\r\n\r\n") wire_.receive({&c, 1});
  EXPECT_EQ(wire_.take_sent(), ok("3"));
  // Its memory is used again.
  for (const char c : head + "2\r\n[]\r\n0\r\n\r\n") wire_.receive({&c, 1});
  EXPECT_EQ(wire_.take_sent(), ok("0"));
}

TEST_F(AppTest, AClientThatLeavesInItsBodyIsForgotten) {
  wire_.receive("POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n[1");
  wire_.end_input();
  EXPECT_EQ(calls_, 0);
}

TEST_F(AppTest, ABodyOfAnotherTypeIs415) {
  for (const char* type : {"text/plain", "application/xml", "application/json; charset=latin1",
                           "application/json; charset", "json"}) {
    const std::string answer =
        ask("POST /things", "Content-Type: " + std::string{type} + "\r\n", "[]");
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 415") << type;
  }
  EXPECT_EQ(calls_, 0);
}

TEST_F(AppTest, ABodyThatIsTooLargeIs413) {
  const std::string large(65, ' ');
  EXPECT_EQ(ask("POST /things", "", large).substr(0, 12), "HTTP/1.1 413");
  wire_.forget();
  EXPECT_EQ(ask("PUT /raw", "", std::string(64, 'x')).substr(0, 12), "HTTP/1.1 200");
  wire_.receive("PUT /raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" +
                std::string(64, 'x'));
  EXPECT_EQ(wire_.take_sent(), "");
  wire_.receive("\r\n1\r\nx\r\n0\r\n\r\n");
  EXPECT_EQ(wire_.take_sent().substr(0, 12), "HTTP/1.1 413");
}

TEST_F(AppTest, MalformedJsonIs400WithItsPlace) {
  EXPECT_EQ(ask("POST /things", "", "{\"a\":1,\n  b}"),
            problem("400 Bad Request",
                    R"({"type":"about:blank","title":"Bad Request","status":400,)"
                    R"("detail":"The body is not JSON: a key in double quotes is expected here, )"
                    R"(in line 2, column 3.","instance":"/things"})"));
  EXPECT_EQ(ask("POST /things", "", std::string(60, '[')).substr(0, 12), "HTTP/1.1 400");
}

TEST_F(AppTest, ABodyMayComeAsMessagePackWhereTheRouteTakesIt) {
  constexpr std::string_view kPacked = "Content-Type: application/msgpack\r\n";
  EXPECT_EQ(ask("POST /packed", kPacked,
                "\x81\xa1"
                "a\x01"),
            ok("1"));
  EXPECT_EQ(ask("POST /packed", "Content-Type: application/x-msgpack\r\n", "\x80"), ok("0"));
  EXPECT_EQ(ask("POST /packed", "", R"({"a":1})"), ok("1"));
  EXPECT_EQ(ask("POST /packed", kPacked,
                "\x82\xa1"
                "a\x01\xa1"
                "b\x01")
                .substr(0, 12),
            "HTTP/1.1 422");
  EXPECT_EQ(
      ask("POST /packed", kPacked, "\x91\xc1"),
      problem("400 Bad Request", R"({"type":"about:blank","title":"Bad Request","status":400,)"
                                 R"("detail":"The body is not MessagePack that JSON could say: )"
                                 R"(a value is expected here, at byte 2.","instance":"/packed"})"));
  EXPECT_EQ(ask("POST /packed", "Content-Type: text/plain\r\n", "1").substr(0, 12), "HTTP/1.1 415");
  EXPECT_EQ(ask("POST /made", kPacked, "\x80").substr(0, 12), "HTTP/1.1 415");
}

TEST_F(AppTest, MissingCredentialsAre401BeforeAnythingElse) {
  const std::string refused =
      problem("401 Unauthorized",
              R"({"type":"about:blank","title":"Unauthorized","status":401,"detail":"No key.",)"
              R"("instance":"/guarded"})",
              "www-authenticate: Key\r\nwww-authenticate: Other\r\n");
  EXPECT_EQ(ask("POST /guarded?n=x", "", "{"), refused);
  EXPECT_EQ(ask("POST /guarded?n=1", "", "{}"), refused);
  EXPECT_EQ(ask("POST /guarded?n=x", "X-Key: 1\r\n", "{}").substr(0, 12), "HTTP/1.1 422");
  EXPECT_EQ(ask("POST /guarded?n=1", "X-Key: 1\r\n", "{}").substr(0, 12), "HTTP/1.1 200");
}

TEST_F(AppTest, WhoAsksIsFoundOutBeforeARequestIsToldWhatIsWrong) {
  const std::string denied =
      problem("403 Forbidden", R"({"type":"about:blank","title":"Forbidden","status":403,)"
                               R"("detail":"Not you.","instance":"/asked"})");
  struct Case {
    std::string_view query, fields, body, status;
  };
  const std::string long_body = "\"" + std::string(80, 'x') + "\"";
  const std::vector<Case> cases{{"?n=x", "", "{}", "422"},
                                {"", "", "{}", "422"},
                                {"?n=1", "", "[]", "422"},
                                {"?n=1", "", "", "422"},
                                {"?n=1", "", "{\"a\":0}", "422"},
                                {"?n=1", "", "{", "400"},
                                {"?n=1", "", long_body, "413"},
                                {"?n=1", "Content-Type: text/plain\r\n", "{}", "415"},
                                {"?n=1", "Content-Encoding: gzip\r\n", "{}", "415"}};
  for (const Case& one : cases) {
    const std::string line = "POST /asked" + std::string{one.query};
    const std::string known = "X-Key: 1\r\n" + std::string{one.fields};
    const std::string unknown = "X-Key: 2\r\n" + std::string{one.fields};
    EXPECT_EQ(ask(line, known, one.body).substr(9, 3), one.status) << line << one.body;
    EXPECT_EQ(ask(line, unknown, one.body), denied) << line << one.body;
  }
  EXPECT_EQ(calls_, 2 * static_cast<int>(cases.size()));
  EXPECT_EQ(ask("POST /asked?n=1", "X-Key: 2\r\n", "{}").substr(9, 3), "200");
  EXPECT_EQ(calls_, 2 * static_cast<int>(cases.size()));
}

TEST_F(AppTest, WhatIsLetThroughIsWhatTheEngineHad) {
  EXPECT_EQ(ask("POST /asked?n=x", "X-Key: 1\r\n", "[]"),
            problem("422 Unprocessable Content",
                    R"({"type":"about:blank","title":"Unprocessable Content","status":422,)"
                    R"("detail":"Values of the request are missing or not what they must be.",)"
                    R"("instance":"/asked","errors":[{"type":"int_parsing",)"
                    R"("msg":"This must be an integer in decimal digits.","loc":["query","n"],)"
                    R"("input":"x"},{"type":"dict_type","msg":"Must be of type object.",)"
                    R"("loc":["body"]}]})"));
  EXPECT_EQ(ask("POST /asked?n=1", "X-Key: 1\r\n", "{\"a\":0}"),
            problem("422 Unprocessable Content",
                    R"({"type":"about:blank","title":"Unprocessable Content","status":422,)"
                    R"("detail":"Not this.","instance":"/asked"})",
                    "x-why: zero\r\n"));
  const std::string encoded = ask("POST /asked?n=1", "X-Key: 1\r\nContent-Encoding: br\r\n", "{}");
  EXPECT_NE(encoded.find("\r\naccept-encoding: identity\r\n"), encoded.npos);
}

TEST_F(AppTest, CredentialsThatAreNoTextAreRefusedAsMissingOnes) {
  EXPECT_EQ(ask("POST /asked?n=x", "X-Key: \xff\r\n", "{}").substr(9, 3), "401");
}

TEST_F(AppTest, WhoSendsAFormIsAskedToo) {
  constexpr std::string_view kForm = "Content-Type: multipart/form-data; boundary=b\r\n";
  for (const std::string_view body : {"--b", "--b--\r\n", "nonsense"}) {
    EXPECT_EQ(ask("POST /asked-form", "X-Key: 2\r\n" + std::string{kForm}, body).substr(9, 3),
              "403")
        << body;
    EXPECT_NE(ask("POST /asked-form", "X-Key: 1\r\n" + std::string{kForm}, body).substr(9, 3),
              "403")
        << body;
  }
  EXPECT_EQ(ask("POST /asked-form", "X-Key: 2\r\nContent-Type: multipart/form-data\r\n", "x")
                .substr(9, 3),
            "403");
}

TEST_F(AppTest, ANumberThatIsNoDoubleIsNotRepeated) {
  const std::string answer = ask("POST /huge", "", "1e999");
  EXPECT_EQ(answer.substr(9, 3), "422");
  EXPECT_EQ(answer.find("1e999"), answer.npos);
}

TEST_F(AppTest, TheMediaTypeOfTheAnswerIsChosenBeforeTheBodyIsRead) {
  const auto text = [](std::string_view answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  EXPECT_EQ(text(ask("POST /chosen", "", "{}")), "application/json");
  EXPECT_EQ(text(ask("POST /chosen", "Accept: application/*;q=0.1, a/b\r\n", "{}")), "a/b");
  EXPECT_EQ(text(ask("POST /chosen", "Accept: text/html\r\n", "{}")), "application/json");
  EXPECT_EQ(text(ask("POST /strict", "Accept: a/b\r\n", "{}")), "a/b");
  const std::string refused =
      problem("406 Not Acceptable",
              R"({"type":"about:blank","title":"Not Acceptable","status":406,)"
              R"("detail":"The answer is application/json or a/b, and Accept takes none of them.",)"
              R"("instance":"/strict"})",
              "vary: Accept\r\n");
  EXPECT_EQ(ask("POST /strict", "Accept: text/html\r\n", "{}"), refused);
  EXPECT_EQ(ask("POST /strict", "Accept: text/html\r\nContent-Type: x\r\n", "{"), refused);
  EXPECT_EQ(text(ask("POST /strict", "Accept: a/b;q=0, */*\r\n", "{}")), "application/json");
  EXPECT_EQ(calls_, 0);
}

TEST_F(AppTest, AMissingBodyAndAWrongParameterAreToldTogether) {
  const std::string answer = ask("POST /things?n=x");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 422");
  EXPECT_NE(answer.find(R"("loc":["query","n"])"), answer.npos);
  EXPECT_NE(answer.find(R"({"type":"missing","msg":"This value is required.","loc":["body"]})"),
            answer.npos);
  EXPECT_EQ(ask("PATCH /optional"), ok("null"));
}

TEST_F(AppTest, SchemasAreAskedOfParametersAndBody) {
  EXPECT_EQ(ask("POST /checked?page=1", "", R"({"name":"abc","day":"2026-11-26"})"), ok("2"));
  const std::string answer =
      ask("POST /checked?page=0", "", R"({"name":"abcd","day":"26.11.2026","tags":["a",1,["b"]]})");
  const std::string_view errors = std::string_view{answer}.substr(answer.find("\"errors\""));
  EXPECT_EQ(errors, R"("errors":[{"type":"greater_than_equal","msg":"Must be at least 1.",)"
                    R"("loc":["query","page"],"input":0,"ctx":{"ge":1}},)"
                    R"({"type":"string_too_long","msg":"Must have at most 3 characters.",)"
                    R"("loc":["body","name"],"input":"abcd","ctx":{"max_length":3}},)"
                    R"({"type":"date_from_datetime_parsing","msg":"Must have the format date.",)"
                    R"("loc":["body","day"],"input":"26.11.2026"},)"
                    R"({"type":"string_type","msg":"Must be of type string.",)"
                    R"("loc":["body","tags",1],"input":1},)"
                    R"({"type":"string_type","msg":"Must be of type string.",)"
                    R"("loc":["body","tags",2]}]})");
  EXPECT_NE(ask("POST /checked", "", "{}").find(R"("loc":["body","name"])"), answer.npos);
  EXPECT_EQ(calls_, 1);
}

TEST_F(AppTest, ASteadyStateAllocatesNothing) {
  const auto round = [this] {
    EXPECT_EQ(ask("GET /things/7").size(), ok(R"({"id":7})").size());
    EXPECT_EQ(ask("POST /things?n=1", "", R"({"a":[1,2.5]})"), ok("1"));
  };
  round();
  const std::string get = "GET /things/7 HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string post =
      "POST /things?n=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n{\"a\":[1,2.5]}";
  wire_.reserve(4096);
  wire_.sent.reserve(4096);
  const test::AllocationCount allocations;
  wire_.receive(get);
  wire_.receive(post);
  EXPECT_EQ(allocations.so_far(), 0U);
}

// Memory may be exhausted at any moment: who asked is told so, or cut off, and who asks next is
// answered as ever.
TEST(AppMemory, EveryAllocationMayFail) {
  const std::string form =
      "--b\r\ncontent-disposition: form-data; name=\"text\"\r\n\r\n" + std::string(300, 'x') +
      "\r\n--b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n" +
      std::string(kFileMemoryBytesMax + 1, 'y') +
      "\r\n--b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"b\"\r\n\r\nz\r\n--b--";
  const auto post = [](std::string_view path, std::string_view type, std::string_view body) {
    return "POST " + std::string{path} +
           " HTTP/1.1\r\nHost: a\r\nContent-Type: " + std::string{type} +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
  };
  const std::string_view json = "application/json";
  const std::string_view pairs = "application/x-www-form-urlencoded";
  const std::vector<std::string> requests{
      "GET /all/7?q=1&q=2&s=a%20b HTTP/1.1\r\nHost: a\r\nCookie: c=1\r\nX-H: 1, 2\r\n\r\n",
      "GET /all/7?q=1&q=x HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /all/7?s=" + std::string(300, 'x') + "%zz HTTP/1.1\r\nHost: a\r\n\r\n",
      post("/checked", json, R"({"a":{"b":[{"c":"a text that is too long"}]},"d":1})"),
      post("/checked", json, "[1,"),
      post("/checked", json, "[" + std::string(5000, ' ') + "]"),
      post("/form", pairs, "text=" + std::string(300, 'x') + "&text=y&files=1"),
      post("/form", "multipart/form-data; boundary=b", form),
      post("/form", "multipart/form-data; boundary=b", form.substr(0, 400)),
  };
  int failures = 0;
  for (const std::string& request : requests) {
    std::string whole;  // The answer, with enough memory.
    for (std::uint64_t nth = 0;; ++nth) {
      App app;
      ASSERT_EQ(app.add({.method = "GET",
                         .path = "/all/{id}",
                         .parameters = {{.name = "id", .in = In::kPath, .type = Type::kInteger},
                                        {.name = "q", .type = Type::kInteger, .array = true},
                                        {.name = "s", .required = false},
                                        {.name = "x-h",
                                         .in = In::kHeader,
                                         .required = false,
                                         .array = true,
                                         .separator = ','},
                                        {.name = "c", .in = In::kCookie, .required = false}},
                         .endpoint = std::make_unique<TextEndpoint>()}),
                std::nullopt);
      ASSERT_EQ(app.add({.method = "POST",
                         .path = "/checked",
                         .body = {.kind = BodyKind::kJson, .schema = R"({
                           "type": "object",
                           "properties": {
                             "a": {"properties": {"b": {"items": {"properties": {
                                 "c": {"type": "string", "maxLength": 3}}}}}},
                             "d": {"type": ["string", "null"]}}})"},
                         .endpoint = std::make_unique<TextEndpoint>()}),
                std::nullopt);
      ASSERT_EQ(app.add({.method = "POST",
                         .path = "/form",
                         .parameters = {{.name = "text", .in = In::kForm, .array = true},
                                        {.name = "files",
                                         .in = In::kForm,
                                         .type = Type::kFile,
                                         .required = false,
                                         .array = true,
                                         .bytes_max = 1 << 20}},
                         .endpoint = std::make_unique<TextEndpoint>()}),
                std::nullopt);
      ASSERT_EQ(app.freeze(), std::nullopt);
      http::H1Context context{app, http::Limits{}};
      context.set_default_fields("", "", /*with_date=*/false);
      test::MemoryWire wire;
      wire.sent.reserve(1 << 16);
      wire.reserve(1 << 18);
      bool happened = false;
      {
        http::H1Session session{wire, context};
        wire.session = &session;
        const test::AllocationFailure failure{nth};
        wire.receive(request);
        happened = failure.happened();
      }
      test::MemoryWire next;
      http::H1Session session{next, context};
      next.session = &session;
      next.receive(requests[1]);
      ASSERT_TRUE(next.take_sent().starts_with("HTTP/1.1 422")) << nth << ' ' << request;
      const std::string sent = wire.take_sent();
      if (nth == 0) {
        whole = sent;
        continue;
      }
      if (!happened) break;
      ++failures;
      ASSERT_TRUE(sent.empty() || sent == whole || sent.starts_with("HTTP/1.1 503"))
          << nth << ' ' << request << sent;
    }
  }
  EXPECT_GT(failures, 60);
}

TEST(AppRegistration, MistakesNameTheRoute) {
  App app;
  const auto nothing = [](Call&) {};
  app.get("/a/{x}", nothing);
  app.get("/b", {{.name = "q"}, {.name = "q"}}, nothing);
  EXPECT_NE(app.add({.method = "GET", .path = "/a/{y}"}), std::nullopt);
  // The first one that nobody was told of is kept.
  app.get("/c/{x}", {{.name = "y", .in = In::kPath}}, nothing);
  EXPECT_EQ(app.freeze(), "The route GET /b has two query parameters 'q'.");
}

TEST(AppRegistration, AnAuthenticatorTakesNothingTwiceAndNothingOfAForm) {
  App app;
  const auto add = [&app](std::vector<Parameter> parameters) {
    Route route{.method = "GET", .path = "/a"};
    route.authenticator.parameters = std::move(parameters);
    return app.add(std::move(route));
  };
  EXPECT_EQ(add({{.name = "k"}, {.name = "k"}}), "The route GET /a has two query parameters 'k'.");
  EXPECT_EQ(add({{.name = "k", .in = In::kForm}}),
            "The route GET /a takes what its authenticator asks for from a form.");
}

TEST(AppRegistration, APathParameterIsAFieldOfThePath) {
  App app;
  app.get("/c/{x}", {{.name = "y", .in = In::kPath}}, [](Call&) {});
  EXPECT_EQ(app.freeze(), "The route GET /c/{x} has no field 'y' in its path.");
}

TEST(AppRegistration, AMistakeInAPathIsOfItsTemplate) {
  App app;
  app.get("/c/{x", [](Call&) {});
  const route::Problem mistake = app.freeze();
  ASSERT_NE(mistake, std::nullopt);
  EXPECT_NE(mistake->find("/c/{x"), mistake->npos) << *mistake;
}

TEST(AppRegistration, ASchemaThatIsNoneIsTold) {
  App app;
  app.get("/a", {{.name = "q", .schema = R"({"type":"text"})"}}, [](Call&) {});
  const route::Problem problem = app.freeze();
  ASSERT_NE(problem, std::nullopt);
  EXPECT_NE(problem->find("query parameter 'q'"), problem->npos) << *problem;
  EXPECT_NE(problem->find("GET /a"), problem->npos) << *problem;
}

TEST(AppRateTest, AboveTheRateOfARouteTheAnswerIs429BeforeTheBodyIsRead) {
  test::ManualClock clock;
  edge::RateRule rule{{.limit = {.requests = 2, .per = std::chrono::minutes{1}}}};
  App app;
  app.set_clock(clock);
  for (const char* method : {"GET", "POST"}) {
    ASSERT_EQ(app.add({.method = method,
                       .path = "/x",
                       .body = {.kind = BodyKind::kBytes, .required = false},
                       .endpoint = std::make_unique<TextEndpoint>(),
                       .rate = &rule}),
              std::nullopt);
  }
  ASSERT_EQ(app.freeze(), std::nullopt);
  test::MemoryWire wire;
  wire.ends.peer = {.ip = {192, 0, 2, 1}, .kind = AddressKind::kIpv4};
  http::H1Context context{app, http::Limits{}};
  context.set_default_fields("", "", /*with_date=*/false);
  http::H1Session session{wire, context};
  wire.session = &session;
  const auto ask = [&wire](std::string_view request) {
    wire.receive(request);
    return wire.take_sent();
  };
  constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
  constexpr std::string_view kPost =
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_TRUE(ask(kGet).starts_with("HTTP/1.1 200"));
  // Counts once, although its route is found again when the body is there.
  EXPECT_EQ(ask(kPost), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(ask("body").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(ask(kGet),
            "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/problem+json\r\n"
            "content-length: 148\r\nretry-after: 30\r\n\r\n"
            R"({"type":"about:blank","title":"Too Many Requests","status":429,"detail":)"
            R"("More requests came from this client than this path takes.","instance":"/x"})");
  clock.advance(std::chrono::seconds{30});
  EXPECT_TRUE(ask(kGet).starts_with("HTTP/1.1 200"));
  app.set_counting(App::Counting::kNo);
  EXPECT_TRUE(ask(kGet).starts_with("HTTP/1.1 200"));
  app.set_counting(App::Counting::kYes);
  EXPECT_TRUE(ask(kPost).starts_with("HTTP/1.1 429"));  // Without 100.
}

// A converter of an application's own that does not always say the same.
class Fickle final : public route::UserConverters {
 public:
  std::optional<std::uint32_t> bind(std::string_view, std::string_view, std::string&) override {
    return 0;
  }
  std::optional<route::UserValue> convert(std::uint32_t, std::string_view) noexcept override {
    return takes ? std::optional{route::UserValue{}} : std::nullopt;
  }
  bool takes = true;
};

// The plan of one route knows nothing of what was read for another one.
TEST(AppOfConvertersTest, ABodyIsForTheRouteThatItWasReadFor) {
  Fickle users;
  App app{&users};
  int calls = 0;
  const auto count = [&calls](Call& call) {
    ++calls;
    call.empty(204);
  };
  std::vector<Parameter> form;
  for (int i = 0; i < 50; ++i) form.push_back({.name = std::to_string(i), .in = In::kForm});
  for (Parameter& parameter : form) parameter.required = false;
  app.on("POST", "/{x:own}", form, count);
  app.on("PUT", "/{x:own}", {}, count, {.kind = BodyKind::kBytes});
  app.on("POST", "/{r:path}", {}, count, {.kind = BodyKind::kBytes});
  app.on("PUT", "/{r:path}", {}, count, {.kind = BodyKind::kBytes});
  ASSERT_EQ(app.freeze(), std::nullopt);
  test::MemoryWire wire;
  http::H1Context context{app, http::Limits{}};
  http::H1Session session{wire, context};
  wire.session = &session;
  constexpr std::string_view kForm =
      "--b\r\nContent-Disposition: form-data; name=\"49\"\r\n\r\nx\r\n--b--\r\n";
  for (const std::string_view method : {"POST", "PUT"}) {
    for (const bool takes : {true, false}) {
      users.takes = true;
      calls = 0;
      wire.receive(std::string{method} +
                   " /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kForm.size()) +
                   "\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n");
      users.takes = takes;
      wire.receive(kForm);
      EXPECT_TRUE(wire.take_sent().starts_with(takes ? "HTTP/1.1 204" : "HTTP/1.1 404"));
      EXPECT_EQ(calls, takes ? 1 : 0);
    }
  }
}

}  // namespace
}  // namespace tercel::api
