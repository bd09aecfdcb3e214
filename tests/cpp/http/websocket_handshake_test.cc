#include "tercel/http/websocket_handshake.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

Request request_with(const std::vector<Field>& fields, Version version = Version::kHttp11) {
  Request request;
  request.method = "GET";
  request.fields = fields;
  request.protocol = "websocket";
  request.version = version;
  return request;
}

// Source: RFC 6455 section 1.3.
TEST(WebSocketHandshakeTest, AnswersThePublishedKey) {
  const std::vector<Field> fields{{"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                  {"sec-websocket-version", "13"}};
  const Request request = request_with(fields);
  EXPECT_TRUE(asks_for_websocket(request));
  const auto handshake = read_handshake(request, {});
  ASSERT_TRUE(handshake);
  EXPECT_TRUE(handshake->has_accept_key);
  EXPECT_EQ(std::string_view(handshake->accept_key.data(), kAcceptKeyChars),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_FALSE(handshake->deflate);
}

TEST(WebSocketHandshakeTest, IsForWhoAsksOnly) {
  EXPECT_FALSE(asks_for_websocket(Request{}));
}

TEST(WebSocketHandshakeTest, SaysWhatIsWrong) {
  const Field key{"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="};
  const Field version{"sec-websocket-version", "13"};
  const struct {
    std::vector<Field> fields;
    Errc error;
  } cases[] = {{{key}, Errc::kUpgradeRequired},
               {{key, {"sec-websocket-version", "8"}}, Errc::kUpgradeRequired},
               {{key, {"sec-websocket-version", "13, 8"}}, Errc::kUpgradeRequired},
               {{key, version, version}, Errc::kUpgradeRequired},
               {{version}, Errc::kBadHandshake},
               {{key, key, version}, Errc::kBadHandshake},
               {{{"sec-websocket-key", ""}, version}, Errc::kBadHandshake},
               {{{"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ"}, version}, Errc::kBadHandshake},
               {{{"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=!"}, version}, Errc::kBadHandshake},
               {{{"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQAA"}, version}, Errc::kBadHandshake},
               {{key, version, {"sec-websocket-extensions", ";"}}, Errc::kBadHandshake}};
  for (const auto& [fields, error] : cases) {
    const auto handshake = read_handshake(request_with(fields), {});
    ASSERT_FALSE(handshake);
    EXPECT_EQ(handshake.error(), error);
  }
}

// RFC 8441 section 5: without a key, and without an answer to it.
TEST(WebSocketHandshakeTest, HasNoKeyOnHttp2) {
  const std::vector<Field> fields{{"sec-websocket-version", "13"}};
  const auto handshake = read_handshake(request_with(fields, Version::kHttp2), {});
  ASSERT_TRUE(handshake);
  EXPECT_FALSE(handshake->has_accept_key);
}

TEST(WebSocketHandshakeTest, ReadsListsOverSeveralFields) {
  const std::vector<Field> fields{{kSubprotocolField, "chat , superchat"},
                                  {"host", "example.org"},
                                  {kSubprotocolField, " ,, "},
                                  {kSubprotocolField, ""},
                                  {kSubprotocolField, "v2.example"}};
  FieldList list{fields, kSubprotocolField};
  std::vector<std::string_view> found;
  for (std::string_view element = list.next(); !element.empty(); element = list.next()) {
    found.push_back(element);
  }
  EXPECT_EQ(found, (std::vector<std::string_view>{"chat", "superchat", "v2.example"}));
}

}  // namespace
}  // namespace tercel::http
