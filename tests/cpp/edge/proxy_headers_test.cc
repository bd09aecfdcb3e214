#include "tercel/edge/proxy_headers.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace tercel::edge {
namespace {

using Fields = std::vector<http::Field>;

ForwardedFields names(std::string_view text) {
  std::string problem;
  const std::string one{text};
  const auto parsed = ForwardedFields::parse({&one, 1}, problem);
  EXPECT_TRUE(parsed) << problem;
  return *parsed;
}

PeerSet peers(std::string_view text) {
  PeerSet set;
  EXPECT_TRUE(set.add(text)) << text;
  return set;
}

constexpr std::string_view kUsual = "x-forwarded-for,x-forwarded-proto";
constexpr std::string_view kList =
    "x-forwarded-for,x-forwarded-proto,x-forwarded-host,x-forwarded-prefix";

class ProxyHeadersTest : public testing::Test {
 protected:
  // What a request with `fields`, from `peer`, is seen as: "client:port scheme host prefix".
  std::string seen(Fields fields) {
    const ProxyHeaders headers{{.trusted = peers(trusted_), .fields = names(believed_)}};
    fields.insert(fields.begin(), {"host", "inner"});
    const http::Endpoints ends{.peer = peer_, .local = {}};
    http::Request request;
    request.authority = "inner";
    request.fields = fields;
    request.client = &ends.peer;
    request.secure = secure_;
    Address client;
    headers.amend(request, fields, ends, client);
    EXPECT_EQ(fields.front().value, request.authority);
    std::array<char, Address::kHostBytesMax> text;
    std::string out{request.client->host(text)};
    if (request.client->kind == AddressKind::kNone) out = "nobody";
    if (request.client->kind == AddressKind::kUnix) out = "unix";
    if (request.client->port != 0) out += ' ' + std::to_string(request.client->port);
    EXPECT_EQ(request.named_in == http::NamedIn::kNothing, request.client == &ends.peer);
    field_ = request.named_in;
    out += request.secure ? " https " : " http ";
    return out + std::string{request.authority} + std::string{request.root_path};
  }
  // With X-Forwarded-For only.
  std::string client_of(std::string_view list) { return seen({{"x-forwarded-for", list}}); }
  std::string client_by(std::string_view forwarded) { return seen({{"forwarded", forwarded}}); }

  std::string_view trusted_ = "127.0.0.1,::1,10.0.0.0/8,unix";
  std::string_view believed_ = kList;
  Address peer_{.ip = {127, 0, 0, 1}, .port = 5000, .kind = AddressKind::kIpv4};
  bool secure_ = false;
  http::NamedIn field_{};  // In which the client was named, once seen() was called.
};

TEST_F(ProxyHeadersTest, TheFieldThatNamedTheClientIsKnown) {
  (void)client_of("203.0.113.9");
  EXPECT_EQ(field_, http::NamedIn::kXForwardedFor);
  (void)client_of("bad bad");
  EXPECT_EQ(field_, http::NamedIn::kNothing);
  believed_ = "forwarded";
  (void)client_by("for=203.0.113.9");
  EXPECT_EQ(field_, http::NamedIn::kForwarded);
  (void)client_of("203.0.113.9");
  EXPECT_EQ(field_, http::NamedIn::kNothing);
  believed_ = "x-real-ip";
  (void)seen({{"x-real-ip", "203.0.113.9"}});
  EXPECT_EQ(field_, http::NamedIn::kXRealIp);
  peer_.ip = {192, 0, 2, 1};
  (void)seen({{"x-real-ip", "203.0.113.9"}});
  EXPECT_EQ(field_, http::NamedIn::kNothing);
}

TEST_F(ProxyHeadersTest, WithoutFieldsNothingChanges) {
  EXPECT_EQ(seen({}), "127.0.0.1 5000 http inner");
  EXPECT_EQ(seen({{"accept-encoding", "gzip"}, {"x", "y"}}), "127.0.0.1 5000 http inner");
}

TEST_F(ProxyHeadersTest, TheClientIsTheOneThatTheProxySaw) {
  EXPECT_EQ(client_of("192.0.2.1"), "192.0.2.1 http inner");
  EXPECT_EQ(client_of("192.0.2.1:4711"), "192.0.2.1 4711 http inner");
  EXPECT_EQ(client_of("[2001:db8::1]:4711"), "2001:db8::1 4711 http inner");
}

TEST_F(ProxyHeadersTest, APeerThatIsNotTrustedIsNotBelieved) {
  peer_ = *parse_ip("192.0.2.9", 5000);
  EXPECT_EQ(seen({{"x-forwarded-for", "192.0.2.1"},
                  {"x-forwarded-proto", "https"},
                  {"x-forwarded-host", "outer"},
                  {"x-forwarded-prefix", "/api"}}),
            "192.0.2.9 5000 http inner");
  believed_ = "forwarded";
  EXPECT_EQ(client_by("for=192.0.2.1;proto=https;host=outer"), "192.0.2.9 5000 http inner");
  believed_ = "x-real-ip";
  EXPECT_EQ(seen({{"x-real-ip", "192.0.2.1"}}), "192.0.2.9 5000 http inner");
  trusted_ = "";
  peer_ = *parse_ip("127.0.0.1", 5000);
  EXPECT_EQ(seen({{"x-real-ip", "192.0.2.1"}}), "127.0.0.1 5000 http inner");
}

TEST_F(ProxyHeadersTest, PeersOnUnixSocketsAreTrustedByTheirWord) {
  peer_ = {.kind = AddressKind::kUnix};
  EXPECT_EQ(client_of("192.0.2.1"), "192.0.2.1 http inner");
  trusted_ = "127.0.0.1,::1";
  EXPECT_EQ(client_of("192.0.2.1"), "unix http inner");
}

// The last hop that is not trusted: whatever it wrote before itself is not looked at.
TEST_F(ProxyHeadersTest, TheWalkEndsAtTheFirstHopThatIsNotTrusted) {
  EXPECT_EQ(client_of("6.6.6.6, 192.0.2.1"), "192.0.2.1 http inner");
  EXPECT_EQ(client_of("6.6.6.6, 192.0.2.1, 10.0.0.7, 10.0.0.8"), "192.0.2.1 http inner");
  EXPECT_EQ(client_of("127.0.0.1, 192.0.2.1"), "192.0.2.1 http inner");
  EXPECT_EQ(client_of("10.0.0.1, ::ffff:10.0.0.7"), "10.0.0.1 http inner");
}

TEST_F(ProxyHeadersTest, WhenAllAreTrustedTheFirstIsTheClient) {
  EXPECT_EQ(client_of("10.0.0.1, 10.0.0.2"), "10.0.0.1 http inner");
  trusted_ = "*";
  EXPECT_EQ(client_of("6.6.6.6, 192.0.2.1, 10.0.0.7"), "6.6.6.6 http inner");
}

TEST_F(ProxyHeadersTest, AMalformedElementEndsTheWalkAtTheHopThatReportedIt) {
  EXPECT_EQ(client_of("6.6.6.6, nonsense, 10.0.0.7"), "10.0.0.7 http inner");
  EXPECT_EQ(client_of("6.6.6.6, 10.0.0.7 10.0.0.8"), "127.0.0.1 5000 http inner");
  EXPECT_EQ(client_of("\"192.0.2.1\""), "127.0.0.1 5000 http inner");
  EXPECT_EQ(client_of(""), "127.0.0.1 5000 http inner");
  EXPECT_EQ(client_of("6.6.6.6;10.0.0.7"), "127.0.0.1 5000 http inner");
}

// Not the address of the proxy: there are applications that trust it.
TEST_F(ProxyHeadersTest, WhoIsNotToldIsNobody) {
  EXPECT_EQ(client_of("unknown"), "nobody http inner");
  EXPECT_EQ(client_of("6.6.6.6, _hidden, 10.0.0.7"), "nobody http inner");
  EXPECT_EQ(client_of("unknown, 192.0.2.1"), "192.0.2.1 http inner");
  trusted_ = "*";
  EXPECT_EQ(client_of("6.6.6.6, unknown"), "nobody http inner");
}

TEST_F(ProxyHeadersTest, FieldsThatComeTwiceAreOneList) {
  EXPECT_EQ(seen({{"x-forwarded-for", "6.6.6.6"}, {"x-forwarded-for", "192.0.2.1, 10.0.0.7"}}),
            "192.0.2.1 http inner");
  EXPECT_EQ(seen({{"x-forwarded-for", "192.0.2.1"}, {"x-forwarded-for", "10.0.0.7"}}),
            "192.0.2.1 http inner");
}

TEST_F(ProxyHeadersTest, OtherSpellingsOfANameAreOtherFields) {
  for (const char* name : {"x_forwarded_for", "x-forwarded_for", "x-forwarded-fox",
                           "x-forwarded-for-", "forwarded-for", "x-forwarded"}) {
    EXPECT_EQ(seen({{name, "192.0.2.1"}}), "127.0.0.1 5000 http inner") << name;
  }
  EXPECT_EQ(seen({{"x_forwarded_proto", "https"}, {"x_real_ip", "192.0.2.1"}}),
            "127.0.0.1 5000 http inner");
}

TEST_F(ProxyHeadersTest, SchemesAreFourAndTheRestChangesNothing) {
  for (const char* scheme : {"https", "HTTPS", "wss", "Wss"}) {
    EXPECT_EQ(seen({{"x-forwarded-proto", scheme}}), "127.0.0.1 5000 https inner") << scheme;
  }
  for (const char* scheme : {"http", "ws", "ftp", "", "\"https\"", "https;", "javascript",
                             "https://", "httpss", "https http"}) {
    EXPECT_EQ(seen({{"x-forwarded-proto", scheme}}), "127.0.0.1 5000 http inner") << scheme;
  }
  secure_ = true;
  EXPECT_EQ(seen({{"x-forwarded-proto", "http"}}), "127.0.0.1 5000 http inner");
  EXPECT_EQ(seen({{"x-forwarded-proto", "ws"}}), "127.0.0.1 5000 http inner");
  EXPECT_EQ(seen({{"x-forwarded-proto", "nonsense"}}), "127.0.0.1 5000 https inner");
}

TEST_F(ProxyHeadersTest, AHostIsWhatTheHostFieldMayBe) {
  for (const char* host : {"outer", "example.com:8443", "[2001:db8::1]:80"}) {
    EXPECT_EQ(seen({{"x-forwarded-host", host}}), "127.0.0.1 5000 http " + std::string{host});
  }
  for (const char* host :
       {"", "a b", "a/b", "user@host", "a:b", "a:99999", "[::1", "a\"b", "a?b"}) {
    EXPECT_EQ(seen({{"x-forwarded-host", host}}), "127.0.0.1 5000 http inner") << host;
  }
}

TEST_F(ProxyHeadersTest, APrefixIsAPath) {
  EXPECT_EQ(seen({{"x-forwarded-prefix", "/api/"}}), "127.0.0.1 5000 http inner/api");
  for (const char* prefix : {"", "/", "api", "//example.com", "/../x", "/a?b", "/%2e%2e"}) {
    EXPECT_EQ(seen({{"x-forwarded-prefix", prefix}}), "127.0.0.1 5000 http inner") << prefix;
  }
}

// Each proxy appends, so what stands at the place of the client is of the proxy that saw it.
TEST_F(ProxyHeadersTest, ListsAreReadAtThePlaceOfTheClient) {
  const http::Field hops{"x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.7"};
  EXPECT_EQ(seen({hops, {"x-forwarded-proto", "http, https, http"}}), "192.0.2.1 https inner");
  EXPECT_EQ(seen({hops, {"x-forwarded-proto", "https, http, https"}}), "192.0.2.1 http inner");
  EXPECT_EQ(seen({hops, {"x-forwarded-proto", "https, http"}}), "192.0.2.1 https inner");
  EXPECT_EQ(seen({hops, {"x-forwarded-proto", "https"}}), "192.0.2.1 https inner");
  EXPECT_EQ(seen({hops, {"x-forwarded-host", "evil, outer, middle"}}), "192.0.2.1 http outer");
  EXPECT_EQ(seen({hops, {"x-forwarded-host", "evil"}, {"x-forwarded-host", "outer, middle"}}),
            "192.0.2.1 http outer");
  EXPECT_EQ(seen({hops, {"x-forwarded-prefix", "/evil, /outer, /middle"}}),
            "192.0.2.1 http inner/outer");
  EXPECT_EQ(seen({{"x-forwarded-for", "192.0.2.1"}, {"x-forwarded-proto", "http, https"}}),
            "192.0.2.1 https inner");
  // Without a client: at the end.
  EXPECT_EQ(seen({{"x-forwarded-proto", "http, https"}}), "127.0.0.1 5000 https inner");
  EXPECT_EQ(seen({{"x-forwarded-for", "nonsense"}, {"x-forwarded-proto", "http, https"}}),
            "127.0.0.1 5000 https inner");
}

TEST_F(ProxyHeadersTest, ForwardedTellsAllOfAHopInOneElement) {
  believed_ = "forwarded,x-forwarded-prefix";
  EXPECT_EQ(client_by("for=192.0.2.1;proto=https;host=\"outer:8443\""),
            "192.0.2.1 https outer:8443");
  EXPECT_EQ(client_by("for=\"[2001:db8::1]:4711\";proto=http"), "2001:db8::1 4711 http inner");
  EXPECT_EQ(client_by("for=6.6.6.6;proto=http;host=evil, for=192.0.2.1;proto=https;host=outer, "
                      "for=10.0.0.7;proto=http;host=middle"),
            "192.0.2.1 https outer");
  EXPECT_EQ(client_by("for=192.0.2.1;proto=nonsense;host=\"a b\""), "192.0.2.1 http inner");
  EXPECT_EQ(seen({{"forwarded", "for=192.0.2.1"}, {"x-forwarded-prefix", "/api"}}),
            "192.0.2.1 http inner/api");
}

TEST_F(ProxyHeadersTest, ForwardedEndsWhereAHopSaysNothingOrNonsense) {
  believed_ = "forwarded";
  EXPECT_EQ(client_by("for=192.0.2.1, proto=https;host=outer"), "127.0.0.1 5000 https outer");
  EXPECT_EQ(client_by("for=6.6.6.6, proto=https, for=10.0.0.7"), "10.0.0.7 https inner");
  EXPECT_EQ(client_by("for=6.6.6.6, nonsense, for=10.0.0.7"), "10.0.0.7 http inner");
  EXPECT_EQ(client_by("for=6.6.6.6, for=x;proto=https, for=10.0.0.7"), "10.0.0.7 http inner");
  EXPECT_EQ(client_by("for=unknown"), "nobody http inner");
  EXPECT_EQ(client_by("for=6.6.6.6, for=\"_hidden\";proto=https, for=10.0.0.7"),
            "nobody https inner");
}

// What a client writes before a proxy appends to it.
TEST_F(ProxyHeadersTest, AClientCannotHideBehindBrokenQuotes) {
  believed_ = "forwarded";
  for (const char* start :
       {"for=\"6.6.6.6", "for=6.6.6.6;x=\"", "\"", "for=6.6.6.6\\", "a=\"b\\\"",
        "for=\"127.0.0.1\";by=\"", ";", ",", "\\\"", "for=6.6.6.6;host=\"a, b"}) {
    EXPECT_EQ(client_by(std::string{start} + ", for=192.0.2.1"), "192.0.2.1 http inner") << start;
    EXPECT_EQ(client_by(std::string{start} + ", for=\"[2001:db8::1]:80\";proto=https"),
              "2001:db8::1 80 https inner")
        << start;
  }
}

TEST_F(ProxyHeadersTest, RealIpIsOneAddress) {
  believed_ = "x-real-ip,x-forwarded-proto";
  EXPECT_EQ(seen({{"x-real-ip", "192.0.2.1"}, {"x-forwarded-proto", "https"}}),
            "192.0.2.1 https inner");
  EXPECT_EQ(seen({{"x-real-ip", "10.0.0.7"}}), "10.0.0.7 http inner");
  EXPECT_EQ(seen({{"x-real-ip", "6.6.6.6"}, {"x-real-ip", "192.0.2.1"}}), "192.0.2.1 http inner");
  for (const char* text : {"6.6.6.6, 192.0.2.1", "", "nonsense", "192.0.2.1,"}) {
    EXPECT_EQ(seen({{"x-real-ip", text}}), "127.0.0.1 5000 http inner") << text;
  }
}

// A proxy passes on the fields that it does not know. The client writes them.
TEST_F(ProxyHeadersTest, AFieldThatIsNotNamedIsTheClients) {
  const Fields smuggled{{"forwarded", "for=6.6.6.6;proto=https;host=evil"},
                        {"x-real-ip", "6.6.6.6"},
                        {"x-forwarded-host", "evil"},
                        {"x-forwarded-prefix", "/evil"},
                        {"x-forwarded-for", "192.0.2.1"},
                        {"x-forwarded-proto", "http"}};
  believed_ = kUsual;
  EXPECT_EQ(seen(smuggled), "192.0.2.1 http inner");
  believed_ = "x-forwarded-proto";
  EXPECT_EQ(seen(smuggled), "127.0.0.1 5000 http inner");
  believed_ = "";
  EXPECT_EQ(seen(smuggled), "127.0.0.1 5000 http inner");
  believed_ = "forwarded";
  EXPECT_EQ(seen({{"forwarded", "for=192.0.2.1"},
                  {"x-forwarded-for", "6.6.6.6"},
                  {"x-forwarded-proto", "https"},
                  {"x-forwarded-host", "evil"}}),
            "192.0.2.1 http inner");
}

TEST(ForwardedFieldsTest, TwoThatTellTheSameAreRefused) {
  const auto problem_of = [](const std::vector<std::string>& texts) {
    std::string problem;
    const auto parsed = ForwardedFields::parse(texts, problem);
    EXPECT_NE(parsed.has_value(), !problem.empty());
    return problem;
  };
  for (const auto& texts :
       std::vector<std::vector<std::string>>{{},
                                             {""},
                                             {"x-forwarded-for", "x-forwarded-for"},
                                             {std::string{kList}},
                                             {" X-Real-IP "},
                                             {"forwarded, x-forwarded-prefix"},
                                             {"x-real-ip,x-forwarded-host", "x-forwarded-proto"}}) {
    EXPECT_EQ(problem_of(texts), "") << testing::PrintToString(texts);
  }
  for (const auto& texts :
       std::vector<std::vector<std::string>>{{"forwarded", "x-forwarded-for"},
                                             {"x-real-ip,x-forwarded-for"},
                                             {"x-real-ip", "forwarded"},
                                             {"forwarded,x-forwarded-proto"},
                                             {"forwarded", "x-forwarded-host"}}) {
    EXPECT_TRUE(problem_of(texts).starts_with("names two fields that say the same thing: "))
        << texts[0];
  }
  for (const char* text : {"x_forwarded_for", "x-forwarded-port", "via", "x-forwarded-for;x"}) {
    EXPECT_TRUE(problem_of({text}).starts_with("has a name that is not one of")) << text;
  }
}

TEST_F(ProxyHeadersTest, LongValuesAreReadAsFarAsTheyMatter) {
  std::string list;
  for (int i = 0; i < 6000; ++i) list += "10.0.0.1, ";
  EXPECT_EQ(client_of(list + "192.0.2.1"), "192.0.2.1 http inner");
  EXPECT_EQ(client_of("192.0.2.1, " + list), "10.0.0.1 http inner");
  EXPECT_EQ(client_of(std::string(65536, ',')), "127.0.0.1 5000 http inner");
  EXPECT_EQ(client_of(std::string(65536, '1')), "127.0.0.1 5000 http inner");
  EXPECT_EQ(seen({{"x-forwarded-for", list}, {"x-forwarded-proto", std::string(65536, 'h')}}),
            "10.0.0.1 http inner");
  believed_ = "forwarded";
  EXPECT_EQ(client_by(std::string(65536, '"') + ", for=192.0.2.1"), "192.0.2.1 http inner");
  EXPECT_EQ(client_by(std::string(65536, ';')), "127.0.0.1 5000 http inner");
}

TEST_F(ProxyHeadersTest, TheWalkHasALimit) {
  const auto hops = [](std::size_t count) {
    std::string list = "192.0.2.1";
    for (std::size_t i = 1; i < count; ++i) list += ",10.0.0.1";
    return list;
  };
  EXPECT_EQ(client_of(hops(ProxyHeaders::kHopsMax)), "192.0.2.1 http inner");
  EXPECT_EQ(client_of(hops(ProxyHeaders::kHopsMax + 1)), "10.0.0.1 http inner");
}

TEST_F(ProxyHeadersTest, NothingIsAllocated) {
  const ProxyHeaders headers{{.trusted = peers(trusted_), .fields = names(kList)}};
  Fields fields{{"host", "inner"},
                {"x-forwarded-for", "192.0.2.1, 10.0.0.1"},
                {"x-forwarded-proto", "https"},
                {"x-forwarded-host", "outer"},
                {"x-forwarded-prefix", "/api"}};
  const http::Endpoints ends{.peer = peer_, .local = {}};
  http::Request request;
  request.fields = fields;
  request.client = &ends.peer;
  Address client;
  const test::AllocationCount count;
  headers.amend(request, fields, ends, client);
  EXPECT_EQ(count.so_far(), 0U);
  EXPECT_EQ(request.client, &client);
}

// The last address is always the one that the trusted peer wrote: no start of a list, however it is
// made, moves the client past it.
TEST_F(ProxyHeadersTest, NothingThatAClientWritesMovesItsAddress) {
  std::mt19937 random{7239};
  constexpr std::string_view kBytes = "0123456789.:[],;=\"\\_ forunkw";
  for (int i = 0; i < 20'000; ++i) {
    std::string start(random() % 24, ' ');
    for (char& c : start) c = kBytes[random() % kBytes.size()];
    believed_ = kUsual;
    ASSERT_EQ(client_of(start + ", 192.0.2.1"), "192.0.2.1 http inner") << start;
    believed_ = "forwarded";
    ASSERT_EQ(client_by(start + ", for=192.0.2.1"), "192.0.2.1 http inner") << start;
  }
}

}  // namespace
}  // namespace tercel::edge
