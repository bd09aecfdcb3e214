#include "tercel/config/assign.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::config {
namespace {

Problem assign_one(Settings& settings, std::string_view name, std::string_view text) {
  return assign(settings, *find(name), {&text, 1}, "--" + std::string{name});
}

// For each row a value that is accepted and not the default, and one that is refused. The tests
// walk the table: a new row without a case here fails them.
struct Case {
  std::string_view name;
  std::string_view good;
  std::string_view bad;  // Empty for a text that may be anything.
};

constexpr Case kCases[] = {
    {"app", "main:app", ""},
    {"factory", "true", "maybe"},
    {"app-dir", "/srv", ""},
    {"env-file", ".env", ""},
    {"root-path", "/api/v1", "api"},
    {"root-path-strip", "true", "strip"},
    {"interface", "asgi3", "cgi"},
    {"lifespan", "off", "false"},
    {"timeout-lifespan-startup", "60", "-1"},
    {"timeout-lifespan-shutdown", "off", "31536001"},
    {"cancel-on-disconnect", "yes", "y"},
    {"host", "::1", "[::1]"},
    {"port", "0", "65536"},
    {"bind", "unix:/run/x", "8000"},
    {"uds", "/run/x", ""},
    {"uds-mode", "0600", "0999"},
    {"fd", "3", "stdin"},
    {"backlog", "65535", "0"},
    {"reuse-port", "on", "2"},
    {"tcp-keepalive", "32767", "32768"},
    {"tcp-user-timeout", "1ms", "25h"},
    {"tcp-fast-open", "65535", "65536"},
    {"metrics-bind", "127.0.0.1:9464", "9464"},
    {"ssl-certfile", "/etc/ssl/a.pem", ""},
    {"ssl-keyfile", "/etc/ssl/a.key", ""},
    {"ssl-keyfile-password", "secret", ""},
    {"ssl-min-version", "1.3", "1.1"},
    {"ssl-ciphers", "ECDHE-RSA-AES128-GCM-SHA256", ""},
    {"ssl-ciphersuites", "TLS_AES_128_GCM_SHA256", ""},
    {"ssl-groups", "X25519", ""},
    {"ssl-cert-reqs", "required", "3"},
    {"ssl-ca-certs", "/etc/ssl/ca.pem", ""},
    {"ssl-crlfile", "/etc/ssl/ca.crl", ""},
    {"ssl-ktls", "true", "auto"},
    {"timeout-ssl-handshake", "5", "0"},
    {"proxy-headers", "off", "x-forwarded-for"},
    {"forwarded-allow-ips", "10.0.0.0/8, ::1", "10.0.0.1/8"},
    {"forwarded-headers", "forwarded", ""},
    {"loop", "uvloop", "trio"},
    {"threads", "1024", "1025"},
    {"io-threads", "64", "65"},
    {"dispatch", "task", "directly"},
    {"workers", "0", "1025"},
    {"preload", "off", "eager"},
    {"timeout-worker", "1ms", "25h"},
    {"limit-max-requests", "4294967295", "4294967296"},
    {"limit-worker-lifetime", "1ms", "31536001"},
    {"limit-worker-memory", "4KiB", "4095"},
    {"recycle-jitter", "100", "101"},
    {"reload", "on", "always"},
    {"reload-dir", "src", ""},
    {"reload-include", "*.toml", ""},
    {"reload-exclude", "tests", ""},
    {"limit-connections", "10000000", "10000001"},
    {"limit-connections-per-ip", "1", "10000001"},
    {"limit-connection-age", "1", "0.999"},
    {"limit-concurrency", "1", "-1"},
    {"limit-queue", "0", "off"},
    {"limit-requests-per-connection", "4294967295", "4294967296"},
    {"limit-rate", "1000000", "1000001"},
    {"limit-rate-burst", "1", "1.5"},
    {"limit-rate-clients", "8", "7"},
    {"limit-request-target", "64", "63"},
    {"limit-request-head", "1MiB", "1MB1"},
    {"limit-request-fields", "256", "257"},
    {"limit-request-trailers", "64", "1025KiB"},
    {"limit-request-body", "off", "2000GB"},
    {"timeout-request-head", "0.001", "0"},
    {"min-rate-request-head", "0", "2MiB"},
    {"timeout-request-body", "86400", "86400.001"},
    {"min-rate-request-body", "1KiB", "1.5KiB"},
    {"timeout-write", "0", "0.0005"},
    {"min-rate-write", "1", "-1"},
    {"timeout-keep-alive", "0.5", "off"},
    {"timeout-request", "5min", "5m"},
    {"timeout-queue", "1ms", "1us"},
    {"timeout-half-close", "0", "1d"},
    {"timeout-stream-grace", "off", "one"},
    {"timeout-graceful-shutdown", "2", "2 s"},
    {"http", "1", "1.1"},
    {"http2-max-concurrent-streams", "10000", "0"},
    {"http2-initial-stream-window-size", "1MiB", "1023"},
    {"ws", "none", "wsproto"},
    {"ws-max-size", "1KiB", "0"},
    {"ws-max-queue", "65536", "65537"},
    {"ws-ping-interval", "off", "25h"},
    {"ws-ping-timeout", "0.5", "-1"},
    {"ws-handshake-timeout", "5", "5m"},
    {"ws-message-timeout", "0", "1us"},
    {"ws-message-min-rate", "1KiB", "2MiB"},
    {"ws-close-timeout", "1", "0"},
    {"ws-per-message-deflate", "false", "on off"},
    {"ws-deflate-level", "9", "10"},
    {"ws-deflate-threshold", "off", "2MiB"},
    {"ws-deflate-window-bits", "15", "8"},
    {"ws-deflate-takeover", "no", "none"},
    {"date-header", "false", "FALSE."},
    {"server-header", "0", "-"},
    {"header", "X-Frame-Options: DENY", "X-Frame-Options"},
    {"static", "/assets=./dist", "assets"},
    {"cors-origin", "https://*.example.com", ""},
    {"cors-method", "PURGE", ""},
    {"cors-header", "*", ""},
    {"cors-expose-header", "etag", ""},
    {"cors-credentials", "yes", "include"},
    {"cors-private-network", "on", "2"},
    {"cors-max-age", "off", "25h"},
    {"access-log", "no", "none"},
    {"access-log-format", "json", ""},
    {"access-log-file", "/var/log/a", ""},
    {"log-level", "debug", "verbose"},
    {"log-config", "log.toml", ""},
    {"use-colors", "on", "sometimes"},
};

const Case* case_of(const Row& row) {
  for (const Case& known : kCases) {
    if (known.name == row.name) return &known;
  }
  return nullptr;
}

class AssignTest : public testing::TestWithParam<Row> {};

TEST_P(AssignTest, AGoodTextChangesItsSettingOnly) {
  const Row& row = GetParam();
  ASSERT_NE(case_of(row), nullptr);
  Settings settings;
  EXPECT_EQ(assign_one(settings, row.name, case_of(row)->good), std::nullopt);
  EXPECT_NE(texts_of(settings, row), texts_of(Settings{}, row));
  for (const Row& other : table()) {
    if (other.name == row.name) continue;
    EXPECT_EQ(texts_of(settings, other), texts_of(Settings{}, other)) << other.name;
  }
}

TEST_P(AssignTest, ABadTextIsRefusedWithASentenceAndChangesNothing) {
  const Row& row = GetParam();
  ASSERT_NE(case_of(row), nullptr);
  const std::string_view bad = case_of(row)->bad;
  if (bad.empty()) return;
  Settings settings;
  EXPECT_EQ(assign_one(settings, row.name, bad),
            Problem{"--" + std::string{row.name} + " must be " + must_be(row) + ", not " +
                    in_quotes(bad) + '.'});
  EXPECT_EQ(settings, Settings{});
}

TEST_P(AssignTest, TextsOfAValueAreReadBackToIt) {
  const Row& row = GetParam();
  ASSERT_NE(case_of(row), nullptr);
  Settings changed;
  ASSERT_EQ(assign_one(changed, row.name, case_of(row)->good), std::nullopt);
  for (const Settings& from : {Settings{}, changed}) {
    const Texts written = texts_of(from, row);
    if (written == Texts{""} && row.rule != nullptr && !row.rule->accepts("")) continue;
    const std::vector<std::string_view> texts{written.begin(), written.end()};
    Settings again;
    EXPECT_EQ(assign(again, row, texts, row.name), std::nullopt);
    EXPECT_EQ(again, from);
  }
}

TEST_P(AssignTest, EdgesOfTheRangeAreInsideAndTheirNeighboursOutside) {
  const Row& row = GetParam();
  const Kind type = kind(row);
  if (type != Kind::kCount && type != Kind::kBytes && type != Kind::kSeconds) return;
  const auto accepts = [&row, type](std::uint64_t number) {
    Settings settings;
    const std::string text = std::to_string(number) + (type == Kind::kSeconds ? "ms" : "");
    return assign_one(settings, row.name, text) == std::nullopt;
  };
  EXPECT_TRUE(accepts(row.min));
  EXPECT_TRUE(accepts(row.max));
  EXPECT_FALSE(accepts(row.max + 1));
  EXPECT_EQ(accepts(0), row.min == 0 || !row.zero.empty());
  EXPECT_EQ(row.min > 1 && accepts(row.min - 1), false);
}

INSTANTIATE_TEST_SUITE_P(EveryRow, AssignTest, testing::ValuesIn(table().begin(), table().end()),
                         [](const auto& test) {
                           std::string name{test.param.name};
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// An empty text mostly is a variable that nobody set: --uds "$SOCKET".
TEST(AssignTextTest, AnEmptyTextIsRefusedAlsoWhereItIsTheDefault) {
  for (const Row& row : table()) {
    Settings settings;
    const bool refused = assign_one(settings, row.name, "").has_value();
    EXPECT_EQ(refused, row.name != "root-path" && row.name != "forwarded-allow-ips") << row.name;
  }
  Settings settings;
  EXPECT_EQ(assign_one(settings, "uds", ""),
            Problem{"--uds must be a path of 1 to 107 bytes, not \"\"."});
}

TEST(AssignTextTest, OneValueIsOneText) {
  Settings settings;
  const std::vector<std::string_view> two{"1", "2"};
  EXPECT_EQ(assign(settings, *find("port"), two, "port"), Problem{"port takes one value, not 2."});
  EXPECT_EQ(assign(settings, *find("port"), {}, "port"), Problem{"port takes one value, not 0."});
}

TEST(AssignTextTest, RootPathsHaveASlashBeforeAndNoneBehind) {
  Settings settings;
  for (const char* text : {"/", "api", "/api/", "/a b", "/a?b", "/a#b", "/a\nb"}) {
    EXPECT_NE(assign_one(settings, "root-path", text), std::nullopt) << text;
  }
  for (const char* text : {"", "/api", "/api/v1", "/caf\xc3\xa9"}) {
    EXPECT_EQ(assign_one(settings, "root-path", text), std::nullopt) << text;
  }
}

TEST(AssignTextTest, ChoicesMayBeInCapitalsAndAsPeopleKnowThemFromElsewhere) {
  Settings settings;
  EXPECT_EQ(assign_one(settings, "log-level", "ERROR"), std::nullopt);
  EXPECT_EQ(settings.log_level, LogLevel::kError);
  EXPECT_EQ(assign_one(settings, "log-level", "Trace"), std::nullopt);
  EXPECT_EQ(settings.log_level, LogLevel::kDebug);
  EXPECT_EQ(assign_one(settings, "ssl-cert-reqs", "2"), std::nullopt);
  EXPECT_EQ(settings.ssl_cert_reqs, CertReqs::kRequired);
  EXPECT_EQ(assign_one(settings, "ssl-cert-reqs", "1"), std::nullopt);
  EXPECT_EQ(settings.ssl_cert_reqs, CertReqs::kOptional);
  EXPECT_EQ(assign_one(settings, "ssl-cert-reqs", "0"), std::nullopt);
  EXPECT_EQ(settings.ssl_cert_reqs, CertReqs::kNone);
  for (const std::string_view text : {"3", "01", ""}) {
    EXPECT_NE(assign_one(settings, "ssl-cert-reqs", text), std::nullopt) << text;
  }
  EXPECT_NE(assign_one(settings, "log-level", "2"), std::nullopt);
}

TEST(AssignListTest, AListReplacesTheOneBefore) {
  Settings settings;
  settings.bind = {"127.0.0.1:1"};
  const std::vector<std::string_view> two{"127.0.0.1:2", "unix:/x"};
  EXPECT_EQ(assign(settings, *find("bind"), two, "bind"), std::nullopt);
  EXPECT_EQ(settings.bind, (Texts{"127.0.0.1:2", "unix:/x"}));
  EXPECT_EQ(assign(settings, *find("bind"), {}, "bind"), std::nullopt);
  EXPECT_EQ(settings.bind, Texts{});
}

TEST(AssignListTest, OneBadItemRefusesTheList) {
  Settings settings;
  const std::vector<std::string_view> two{"127.0.0.1:2", "nowhere"};
  EXPECT_NE(assign(settings, *find("bind"), two, "bind"), std::nullopt);
  EXPECT_EQ(settings, Settings{});
}

// Source: RFC 9112 section 11.1 and RFC 9110 section 5.5: what would split a response.
TEST(AssignListTest, HeadersThatWouldBreakAResponseAreRefused) {
  Settings settings;
  for (const char* text :
       {"X-A: b\r\nX-C: d", "X A: b", ": b", "X-A", "X-A: \x7f", "X-A: \xc3\xa9",
        "Content-Length: 1", "connection: close", "Transfer-Encoding: chunked"}) {
    EXPECT_NE(assign_one(settings, "header", text), std::nullopt) << text;
  }
  EXPECT_EQ(assign_one(settings, "header", "X-Empty:"), std::nullopt);
}

TEST(SplitTest, AListInOneTextIsSplitAtTheSeparatorOfItsRow) {
  EXPECT_EQ(split(*find("bind"), "127.0.0.1:1, unix:/x ,,\n"),
            (std::vector<std::string_view>{"127.0.0.1:1", "unix:/x"}));
  EXPECT_EQ(split(*find("header"), "Vary: a, b\nX-C: d\n"),
            (std::vector<std::string_view>{"Vary: a, b", "X-C: d"}));
  EXPECT_EQ(split(*find("bind"), " "), std::vector<std::string_view>{""});
  EXPECT_EQ(split(*find("bind"), ","), std::vector<std::string_view>{});
  EXPECT_EQ(split(*find("host"), "a,b"), std::vector<std::string_view>{"a,b"});
}

TEST(ValueTest, ValuesLoseTheirTypeButNotTheirMeaning) {
  Settings settings;
  settings.timeout_write = Duration{1500};
  EXPECT_EQ(value_of(settings, *find("timeout-write")), Value{1.5});
  EXPECT_EQ(value_of(settings, *find("limit-request-head")), Value{std::uint64_t{65536}});
  EXPECT_EQ(value_of(settings, *find("uds-mode")), Value{std::uint64_t{0666}});
  EXPECT_EQ(value_of(settings, *find("loop")), Value{std::string{"auto"}});
  EXPECT_EQ(value_of(settings, *find("use-colors")), Value{});
  EXPECT_EQ(value_of(settings, *find("access-log")), Value{true});
  EXPECT_EQ(value_of(settings, *find("bind")), Value{Texts{}});
}

}  // namespace
}  // namespace tercel::config
