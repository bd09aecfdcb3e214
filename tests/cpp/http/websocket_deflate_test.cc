#include "tercel/http/websocket_deflate.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

std::string answer_to(const std::vector<std::string_view>& values,
                      const DeflateOptions& options = {.window_bits = 15}) {
  std::vector<Field> fields{{"host", "example.org"}};
  for (const std::string_view value : values) {
    fields.push_back({"sec-websocket-extensions", value});
  }
  const auto terms = agree_on_deflate(fields, options);
  if (!terms) return terms.error() == Errc::kBadHandshake ? "malformed" : "?";
  if (!*terms) return "none";
  std::array<char, kDeflateAnswerBytesMax> out;
  return std::string{write_deflate_answer(out.data(), **terms)};
}

TEST(WebSocketDeflateTest, TakesTheFirstOfferItCanMeet) {
  const struct {
    std::vector<std::string_view> offers;
    std::string_view answer;
  } cases[] = {
      {{}, "none"},
      {{""}, "none"},
      {{"permessage-deflate"}, "permessage-deflate"},
      {{"  permessage-deflate  ,"}, "permessage-deflate"},
      {{"permessage-bzip2, permessage-deflate"}, "permessage-deflate"},
      {{"x-one; a=1; b=\"2\"", "permessage-deflate"}, "permessage-deflate"},
      {{"permessage-deflate; client_max_window_bits"},
       "permessage-deflate; client_max_window_bits=15"},
      {{"permessage-deflate;client_max_window_bits=10"},
       "permessage-deflate; client_max_window_bits=10"},
      {{"permessage-deflate; client_max_window_bits=8"},
       "permessage-deflate; client_max_window_bits=8"},
      {{"permessage-deflate; server_max_window_bits = \"9\""},
       "permessage-deflate; server_max_window_bits=9"},
      {{"permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
       "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
      // What cannot be met is declined, and the next is taken.
      {{"permessage-deflate; server_max_window_bits=8"}, "none"},
      {{"permessage-deflate; server_max_window_bits=8, permessage-deflate"}, "permessage-deflate"},
      {{"permessage-deflate; unknown, permessage-deflate; server_max_window_bits=10"},
       "permessage-deflate; server_max_window_bits=10"},
      {{"permessage-deflate; server_max_window_bits=10", "permessage-deflate"},
       "permessage-deflate; server_max_window_bits=10"},
      {{"permessage-deflate; client_max_window_bits=0"}, "none"},
      {{"permessage-deflate; client_max_window_bits=7"}, "none"},
      {{"permessage-deflate; client_max_window_bits=16"}, "none"},
      {{"permessage-deflate; client_max_window_bits=08"}, "none"},
      {{"permessage-deflate; client_max_window_bits=99999999999999999999"}, "none"},
      {{"permessage-deflate; server_max_window_bits"}, "none"},
      {{"permessage-deflate; server_no_context_takeover=1"}, "none"},
      {{"permessage-deflate; server_no_context_takeover; server_no_context_takeover"}, "none"},
      {{"permessage-deflate; client_max_window_bits; client_max_window_bits"}, "none"},
      {{"permessage-deflate; client_max_window_bits=10; client_max_window_bits=10"}, "none"},
      {{"PERMESSAGE-DEFLATE"}, "none"}};
  for (const auto& [offers, answer] : cases) EXPECT_EQ(answer_to(offers), answer);
}

TEST(WebSocketDeflateTest, RefusesAFieldThatIsMalformed) {
  for (const std::string_view value :
       {"permessage-deflate;", "permessage-deflate; =", "permessage-deflate; a=", "; a",
        "permessage-deflate client", "a b", "a; b=\"", "a; b=\"c", "a; b=\"c d\"", "a; b=\"\"", "=",
        "a=1", "\"a\"", "a; b c", "a\x01"}) {
    EXPECT_EQ(answer_to({value}), "malformed") << value;
    EXPECT_EQ(answer_to({"permessage-deflate", value}), "malformed") << value;
  }
}

TEST(WebSocketDeflateTest, KeepsToTheWindowAndTheTakeoverOfTheSettings) {
  EXPECT_EQ(answer_to({"permessage-deflate"}, {.window_bits = 12}),
            "permessage-deflate; server_max_window_bits=12");
  EXPECT_EQ(answer_to({"permessage-deflate; client_max_window_bits"}, {.window_bits = 12}),
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12");
  EXPECT_EQ(answer_to({"permessage-deflate; server_max_window_bits=10; client_max_window_bits=9"},
                      {.window_bits = 12}),
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9");
  EXPECT_EQ(answer_to({"permessage-deflate"}, {.window_bits = 15, .takeover = false}),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  EXPECT_EQ(answer_to({"permessage-deflate"}, {.enabled = false}), "none");
  EXPECT_EQ(answer_to({"permessage-deflate;"}, {.enabled = false}), "malformed");
}

}  // namespace
}  // namespace tercel::http
