#include "tercel/http/websocket_sender.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "http/websocket_input.h"
#include "support/allocations.h"

namespace tercel::http {
namespace {

using std::string_view_literals::operator""sv;

constexpr MaskKey kKey{'k', 'e', 'y', '!'};

std::string packed(WebSocketSender& sender, BlockPool& pool, MessageKind kind,
                   std::string_view message) {
  const Result<PackedFrame> frame = sender.pack(pool, kind, message, kKey);
  return frame ? std::string{frame->bytes()} : "no memory";
}

TEST(WebSocketSenderTest, SendsOneFrameAMessage) {
  BlockPool pool;
  WebSocketSender sender{Role::kServer};
  EXPECT_EQ(packed(sender, pool, MessageKind::kText, "Hello"), "\x81\x05Hello");
  EXPECT_EQ(packed(sender, pool, MessageKind::kBinary, ""), "\x82\x00"sv);
  EXPECT_EQ(packed(sender, pool, MessageKind::kBinary, std::string(300, 'x')),
            std::string{"\x82\x7e\x01\x2c"} + std::string(300, 'x'));
  std::array<char, kFrameHeaderBytesMax> header;
  char* const end = sender.write_header(header.data(), MessageKind::kText, 300);
  EXPECT_EQ(std::string(header.data(), end), "\x81\x7e\x01\x2c"sv);
}

TEST(WebSocketSenderTest, SendsControlFrames) {
  std::array<char, WebSocketSender::kControlFrameBytesMax> out;
  const std::string longest(kControlBytesMax, 'p');
  for (const Role role : {Role::kServer, Role::kClient}) {
    const WebSocketSender sender{role};
    const ReceiveOptions peer{.role = role == Role::kServer ? Role::kClient : Role::kServer};
    for (const std::string& payload : {std::string{}, longest}) {
      char* const end = sender.write_control(out.data(), Opcode::kPong, payload, kKey);
      EXPECT_EQ(receive_in_steps({out.data(), end}, 200, peer), "pong \"" + payload + "\"\n");
    }
  }
}

// What a sender of either role sends, compressed or not, a receiver of the other reads.
TEST(WebSocketSenderTest, IsUnderstoodByAReceiver) {
  const std::string messages[] = {"",
                                  "short",
                                  std::string(5000, 'a'),
                                  std::string(5000, 'a'),
                                  "{\"same\": \"again and again\"}",
                                  "{\"same\": \"again and again\"}",
                                  std::string(200'000, 'b')};
  for (const Role role : {Role::kServer, Role::kClient}) {
    for (const std::size_t bytes_min : {std::size_t{0}, std::size_t{1000}, SIZE_MAX}) {
      for (const bool takeover : {true, false}) {
        for (const int bits : {9, 12, 15}) {
          const DeflateSide side{.window_bits = bits, .takeover = takeover};
          const DeflateTerms terms{.server = side, .client = side};
          WebSocketSender sender{role};
          sender.set_deflate(terms, {.bytes_min = bytes_min});
          BlockPool pool;
          std::string sent;
          std::string expected;
          for (const std::string& message : messages) {
            sent += packed(sender, pool, MessageKind::kText, message);
            expected += "text \"" + message + "\"\n";
          }
          const ReceiveOptions peer{.role = role == Role::kServer ? Role::kClient : Role::kServer,
                                    .deflate = true,
                                    .terms = terms};
          ASSERT_TRUE(receive_in_steps(sent, 1000, peer) == expected) << bytes_min << ' ' << bits;
        }
      }
    }
  }
}

TEST(WebSocketSenderTest, CompressesFromASizeOn) {
  BlockPool pool;
  WebSocketSender sender{Role::kServer};
  EXPECT_FALSE(sender.compresses(1'000'000));
  sender.set_deflate({}, {.bytes_min = 100});
  EXPECT_FALSE(sender.compresses(99));
  EXPECT_TRUE(sender.compresses(100));
  EXPECT_EQ(packed(sender, pool, MessageKind::kText, std::string(99, 'x')).size(), 101U);
  const std::string frame = packed(sender, pool, MessageKind::kText, std::string(100, 'x'));
  EXPECT_LT(frame.size(), 20U);
  EXPECT_EQ(frame.front(), '\xC1');
}

// A window that goes over makes the second of two equal messages shorter.
TEST(WebSocketSenderTest, KeepsItsWindowOnlyWhereThatIsAgreed) {
  const std::string message = "something that is long enough to be found in a window";
  for (const bool takeover : {true, false}) {
    BlockPool pool;
    WebSocketSender sender{Role::kServer};
    sender.set_deflate({.server = {.takeover = takeover}, .client = {}}, {.bytes_min = 0});
    const std::size_t first = packed(sender, pool, MessageKind::kText, message).size();
    const std::size_t second = packed(sender, pool, MessageKind::kText, message).size();
    EXPECT_EQ(second < first, takeover);
  }
}

// Allocations of ours; those of zlib are its own.
TEST(WebSocketSenderTest, SurvivesEveryAllocationThatFails) {
  const std::string message(5000, 'm');
  bool failed = true;
  for (std::uint64_t nth = 1; failed; ++nth) {
    BlockPool pool;
    WebSocketSender sender{Role::kServer};
    sender.set_deflate({}, {.bytes_min = 1000});
    const test::AllocationFailure failing{nth};
    for (const std::size_t bytes : {std::size_t{100}, message.size()}) {
      auto frame =
          sender.pack(pool, MessageKind::kText, std::string_view{message}.substr(0, bytes));
      if (!frame) {
        EXPECT_EQ(frame.error(), Errc::kNoMemory);
        continue;
      }
      const Payload payload = frame->to_payload();
      payload.release(payload.owner);
    }
    failed = failing.happened();
    ASSERT_EQ(pool.outstanding(), 0U) << nth;
  }
}

}  // namespace
}  // namespace tercel::http
