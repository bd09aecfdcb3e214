#include "tercel/http/websocket_receiver.h"

#include <string>

#include <gtest/gtest.h>

#include "http/websocket_input.h"
#include "support/allocations.h"
#include "tercel/codec/deflate.h"

namespace tercel::http {
namespace {

using std::string_view_literals::operator""sv;

// The same, whole and byte by byte and at every size of step between.
void expect_events(std::string_view input, std::string_view events,
                   const ReceiveOptions& options = {}) {
  EXPECT_EQ(receive_in_steps(input, input.size() + 1, options), events);
  for (std::size_t step = 1; step <= 9; ++step) {
    ASSERT_EQ(receive_in_steps(input, step, options), events) << step;
  }
}

std::string frame(Opcode opcode, std::string_view payload, bool final = true) {
  return client_frame(payload, {.opcode = opcode, .final = final});
}

// Source: RFC 6455 section 5.7.
TEST(WebSocketReceiverTest, ReadsThePublishedExamples) {
  expect_events("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "text \"Hello\"\n");
  expect_events("\x81\x05\x48\x65\x6c\x6c\x6f", "text \"Hello\"\n", {.role = Role::kClient});
  expect_events("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f"sv, "text \"Hello\"\n",
                {.role = Role::kClient});
  expect_events("\x89\x05\x48\x65\x6c\x6c\x6f", "ping \"Hello\"\n", {.role = Role::kClient});
  expect_events("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "pong \"Hello\"\n");
}

TEST(WebSocketReceiverTest, ReadsOneMessageBehindTheOther) {
  expect_events(frame(Opcode::kText, "a") + frame(Opcode::kBinary, "") +
                    frame(Opcode::kText, "\xE2\x82\xAC") + frame(Opcode::kClose, ""),
                "text \"a\"\nbinary \"\"\ntext \"\xE2\x82\xAC\"\nclose 1005 \"\"\n");
}

TEST(WebSocketReceiverTest, LetsControlFramesThroughBetweenFragments) {
  expect_events(frame(Opcode::kText, "on", false) + frame(Opcode::kPing, "1") +
                    frame(Opcode::kContinuation, "", false) + frame(Opcode::kPong, "") +
                    frame(Opcode::kContinuation, "e") + frame(Opcode::kBinary, "two"),
                "ping \"1\"\npong \"\"\ntext \"one\"\nbinary \"two\"\n");
}

TEST(WebSocketReceiverTest, ReadsMessagesOfEverySizeOfLength) {
  for (const std::size_t bytes : {125U, 126U, 127U, 65'535U, 65'536U, 200'000U}) {
    const std::string payload(bytes, 'x');
    const std::string expected = "binary \"" + payload + "\"\n";
    const std::string input = frame(Opcode::kBinary, payload);
    for (const std::size_t step : {std::size_t{1000}, std::size_t{65'536}, input.size()}) {
      ASSERT_TRUE(receive_in_steps(input, step) == expected) << bytes << ' ' << step;
    }
  }
}

TEST(WebSocketReceiverTest, RefusesWhatIsOutOfOrder) {
  const std::string a = frame(Opcode::kText, "a", false);
  expect_events(frame(Opcode::kContinuation, "x"), "failed 1002 \"nothing to continue\"\n");
  expect_events(a + frame(Opcode::kText, "b"), "failed 1002 \"message within a message\"\n");
  expect_events(frame(Opcode::kText, "a") + frame(Opcode::kContinuation, "x"),
                "text \"a\"\nfailed 1002 \"nothing to continue\"\n");
  expect_events(client_frame("a", {.compressed = true}), "failed 1002 \"reserved bit set\"\n");
  expect_events(client_frame("a", {.opcode = Opcode::kPing, .final = false}),
                "failed 1002 \"malformed frame\"\n");
  expect_events(frame(Opcode::kPing, std::string(126, 'x')), "failed 1002 \"malformed frame\"\n");
}

TEST(WebSocketReceiverTest, ReadsTheFrameThatCloses) {
  expect_events(frame(Opcode::kClose, "\x03\xe8"), "close 1000 \"\"\n");
  expect_events(frame(Opcode::kClose, "\x0b\xb8 done"), "close 3000 \" done\"\n");
  expect_events(frame(Opcode::kClose, "\x03"), "bad close 1002\n");
  expect_events(frame(Opcode::kClose, "\x03\xed"), "bad close 1002\n");
  expect_events(frame(Opcode::kClose, "\x03\xe8\xff"), "bad close 1007\n");
  // Of what comes behind it nothing is read.
  expect_events(frame(Opcode::kClose, "\x03\xe8") + frame(Opcode::kText, "late"),
                "close 1000 \"\"\n");
}

// --- text

TEST(WebSocketReceiverTest, FailsAtTheFirstByteThatIsNoText) {
  // The frame is 100 bytes long and not complete: 4 bytes of it are here.
  const std::string whole = frame(Opcode::kText, "a\xC3(b" + std::string(96, 'x'));
  const std::string failed = "failed 1007 \"text is not UTF-8\"\n";
  EXPECT_EQ(receive_in_steps(whole.substr(0, 6 + 3), 100), failed);
  EXPECT_EQ(receive_in_steps(whole.substr(0, 6 + 2), 100), "");
  // A character over two fragments, and one that its second fragment makes invalid.
  expect_events(frame(Opcode::kText, "\xE2\x82", false) + frame(Opcode::kContinuation, "\xAC"),
                "text \"\xE2\x82\xAC\"\n");
  expect_events(frame(Opcode::kText, "\xE2\x82", false) + frame(Opcode::kContinuation, "\x28"),
                failed);
  expect_events(frame(Opcode::kText, "\xE2\x82"), failed);
  expect_events(frame(Opcode::kText, "\xE2\x82", false) + frame(Opcode::kContinuation, ""), failed);
  // Bytes are any.
  expect_events(frame(Opcode::kBinary, "\xFF\xFE"), "binary \"\xFF\xFE\"\n");
}

// --- limits

TEST(WebSocketReceiverTest, RefusesAMessageThatIsTooBigAtItsHeader) {
  const ReceiveOptions ten{.bytes_max = 10};
  const std::string failed = "failed 1009 \"message too big\"\n";
  expect_events(frame(Opcode::kBinary, "0123456789"), "binary \"0123456789\"\n", ten);
  // The header alone is here.
  expect_events(frame(Opcode::kBinary, "0123456789a").substr(0, 6), failed, ten);
  expect_events("\x82\xff\x00\x00\x00\x00\x7f\xff\xff\xff\x00\x00\x00\x00"sv, failed, ten);
  expect_events(frame(Opcode::kBinary, "01234567", false) +
                    frame(Opcode::kContinuation, "89", false) + frame(Opcode::kContinuation, ""),
                "binary \"0123456789\"\n", ten);
  expect_events(
      frame(Opcode::kBinary, "01234567", false) + frame(Opcode::kContinuation, "89a").substr(0, 6),
      failed, ten);
}

TEST(WebSocketReceiverTest, CountsEmptyFramesAndNotFragments) {
  std::string many = frame(Opcode::kBinary, "", false);
  for (int i = 0; i < 70'000; ++i) many += frame(Opcode::kContinuation, "x", false);
  EXPECT_EQ(receive_in_steps(many + frame(Opcode::kContinuation, ""), 4096),
            "binary \"" + std::string(70'000, 'x') + "\"\n");
  std::string empty = frame(Opcode::kBinary, "", false);
  for (std::uint32_t i = 1; i < WebSocketReceiver::kEmptyFramesMax; ++i) {
    empty += frame(Opcode::kContinuation, "", false);
  }
  EXPECT_EQ(receive_in_steps(empty + frame(Opcode::kContinuation, "x"), 4096), "binary \"x\"\n");
  EXPECT_EQ(receive_in_steps(empty + frame(Opcode::kContinuation, "", false), 4096),
            "failed 1008 \"too many empty frames\"\n");
}

TEST(WebSocketReceiverTest, ThrowsMessagesAwayOnceNobodyWantsThem) {
  BlockPool pool;
  MessageQueue queue;
  WebSocketReceiver receiver{Role::kServer, pool, queue, 10};
  const std::string input = frame(Opcode::kText, "01", false) + frame(Opcode::kPing, "p") +
                            frame(Opcode::kContinuation, "\xFF") +
                            frame(Opcode::kBinary, std::string(100, 'x')) +
                            frame(Opcode::kClose, "");
  std::string_view bytes = input;
  EXPECT_EQ(receiver.next(bytes), WebSocketReceiver::Event::kPing);
  receiver.discard_messages();
  EXPECT_EQ(receiver.next(bytes), WebSocketReceiver::Event::kClose);
  EXPECT_TRUE(queue.empty());
}

TEST(WebSocketReceiverTest, SaysWhetherItIsInAMessage) {
  BlockPool pool;
  MessageQueue queue;
  WebSocketReceiver receiver{Role::kServer, pool, queue, 1000};
  const std::string input =
      frame(Opcode::kText, "one", false) + frame(Opcode::kContinuation, "two");
  EXPECT_FALSE(receiver.in_message());
  for (std::size_t i = 0; i < input.size(); ++i) {
    std::string_view byte = std::string_view{input}.substr(i, 1);
    (void)receiver.next(byte);
    EXPECT_EQ(receiver.in_message(), i + 1 < input.size()) << i;
  }
  EXPECT_EQ(receiver.message_bytes(), 6U);
  EXPECT_EQ(pool.outstanding(), 1U);
}

// --- permessage-deflate

constexpr ReceiveOptions kDeflate{.deflate = true};

std::string packed_frame(std::string_view payload, bool final = true) {
  return client_frame(payload, {.final = final, .compressed = true});
}

// Source: RFC 7692 section 7.2.3.
TEST(WebSocketReceiverTest, ReadsThePublishedCompressedExamples) {
  const auto hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"sv;
  expect_events(packed_frame(hello), "text \"Hello\"\n", kDeflate);
  expect_events(packed_frame(hello.substr(0, 3), false) +
                    client_frame(hello.substr(3), {.opcode = Opcode::kContinuation}),
                "text \"Hello\"\n", kDeflate);
  // The second refers to the window of the first.
  expect_events(packed_frame(hello) + packed_frame("\xf2\x00\x11\x00\x00"sv),
                "text \"Hello\"\ntext \"Hello\"\n", kDeflate);
  expect_events(packed_frame("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv), "text \"Hello\"\n",
                kDeflate);
  expect_events(packed_frame("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv), "text \"Hello\"\n", kDeflate);
  expect_events(packed_frame("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"sv),
                "text \"Hello\"\n", kDeflate);
}

TEST(WebSocketReceiverTest, ForgetsTheWindowWhereThatIsAgreed) {
  ReceiveOptions options = kDeflate;
  options.terms.client.takeover = false;
  expect_events(
      packed_frame("\xf2\x48\xcd\xc9\xc9\x07\x00"sv) + packed_frame("\xf2\x00\x11\x00\x00"sv),
      "text \"Hello\"\nfailed 1007 \"compressed data is malformed\"\n", options);
}

TEST(WebSocketReceiverTest, ReadsAnUncompressedMessageBetweenCompressedOnes) {
  codec::Deflater deflater;
  ASSERT_TRUE(deflater.open(1, 12));
  const std::string text = "{\"a\": 1, \"a\": 1, \"a\": 1}";
  const std::string one = packed_frame(packed(deflater, text));
  const std::string two = packed_frame(packed(deflater, text));
  const std::string line = "text \"" + text + "\"\n";
  expect_events(one + frame(Opcode::kText, "plain") + frame(Opcode::kPing, "") + two,
                line + "text \"plain\"\nping \"\"\n" + line, kDeflate);
}

TEST(WebSocketReceiverTest, RefusesCompressedFramesWhereTheyMayNotBe) {
  const auto hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"sv;
  expect_events(
      client_frame(hello.substr(0, 2), {.final = false, .compressed = true}) +
          client_frame(hello.substr(2), {.opcode = Opcode::kContinuation, .compressed = true}),
      "failed 1002 \"reserved bit set\"\n", kDeflate);
  expect_events(packed_frame("\xff\xff\xff\xff"), "failed 1007 \"compressed data is malformed\"\n",
                kDeflate);
}

TEST(WebSocketReceiverTest, FailsAtTheFirstInflatedByteThatIsNoText) {
  codec::Deflater deflater;
  ASSERT_TRUE(deflater.open(1, 12));
  expect_events(packed_frame(packed(deflater, "ok \xC3(")), "failed 1007 \"text is not UTF-8\"\n",
                kDeflate);
}

// 1 GiB of zeros in 1 MiB, here 100 MB in 100 kB: it stops when the limit is reached.
TEST(WebSocketReceiverTest, StopsABombWhileItIsInflated) {
  codec::Deflater deflater;
  ASSERT_TRUE(deflater.open(9, 15));
  const std::string bomb = client_frame(packed(deflater, std::string(100'000'000, '\0')),
                                        {.opcode = Opcode::kBinary, .compressed = true});
  ASSERT_LT(bomb.size(), 120'000U);
  ReceiveOptions options = kDeflate;
  options.bytes_max = 50'000;
  EXPECT_EQ(receive_in_steps(bomb, bomb.size(), options), "failed 1009 \"message too big\"\n");
  // Exactly the limit is no bomb.
  codec::Deflater exact;
  ASSERT_TRUE(exact.open(9, 15));
  const std::string fits = client_frame(packed(exact, std::string(50'000, 'z')),
                                        {.opcode = Opcode::kBinary, .compressed = true});
  EXPECT_EQ(receive_in_steps(fits, 100, options), "binary \"" + std::string(50'000, 'z') + "\"\n");
}

TEST(WebSocketReceiverTest, PausesAfterEachPortionThatItInflates) {
  codec::Deflater deflater;
  ASSERT_TRUE(deflater.open(9, 15));
  const std::string text(4'000'000, 'z');
  const std::string input = packed_frame(packed(deflater, text));
  ASSERT_LT(input.size(), 5'000U);
  BlockPool pool;
  MessageQueue queue;
  {
    WebSocketReceiver receiver{Role::kServer, pool, queue, 16 << 20};
    receiver.set_deflate({});
    std::string_view unread = input;
    std::size_t pauses = 0;
    WebSocketReceiver::Event event = WebSocketReceiver::Event::kPause;
    while ((event = receiver.next(unread)) == WebSocketReceiver::Event::kPause) {
      ++pauses;
      ASSERT_FALSE(unread.empty());
    }
    ASSERT_EQ(event, WebSocketReceiver::Event::kMessage);
    EXPECT_GE(pauses, 3U);
    EXPECT_EQ(queue.front().bytes, text);
    queue.pop();
    EXPECT_EQ(receiver.next(unread), WebSocketReceiver::Event::kNeedMore);
    EXPECT_EQ(receiver.message_bytes(), input.size() - 8);  // All but the header of the frame.
  }
  EXPECT_EQ(pool.outstanding(), 0U);
}

// Blocks that hold nothing cost input and give no output.
TEST(WebSocketReceiverTest, BoundsWhatIsInflatedToNothing) {
  ReceiveOptions options = kDeflate;
  options.bytes_max = 10'000;
  std::string nothing;
  for (int i = 0; i < 2000; ++i) nothing += "\x00\x00\x00\xff\xff"sv;
  EXPECT_EQ(receive_in_steps(packed_frame(nothing), 4096, options), "text \"\"\n");
  nothing += nothing;
  EXPECT_EQ(receive_in_steps(packed_frame(nothing), 4096, options),
            "failed 1009 \"message too big\"\n");
  std::string fragments = packed_frame(nothing.substr(0, 5000), false);
  for (int i = 0; i < 3; ++i) {
    fragments +=
        client_frame(nothing.substr(0, 5000), {.opcode = Opcode::kContinuation, .final = false});
  }
  EXPECT_EQ(receive_in_steps(fragments, 4096, options), "failed 1009 \"message too big\"\n");
}

// --- memory

// Every allocation of ours fails once (those of zlib are its own): the peer is told, nothing is
// lost, and what was complete before stays.
TEST(WebSocketReceiverTest, SurvivesEveryAllocationThatFails) {
  codec::Deflater deflater;
  ASSERT_TRUE(deflater.open(1, 12));
  const std::string input = frame(Opcode::kText, "whole") + frame(Opcode::kPing, "ping") +
                            frame(Opcode::kBinary, std::string(70'000, 'x'), false) +
                            frame(Opcode::kContinuation, std::string(3000, 'y')) +
                            packed_frame(packed(deflater, std::string(5000, 'z')));
  bool failed = true;
  for (std::uint64_t nth = 1; failed; ++nth) {
    BlockPool pool;
    MessageQueue queue;
    {
      WebSocketReceiver receiver{Role::kServer, pool, queue, 1 << 20};
      receiver.set_deflate({});
      std::string_view unread = input;
      auto event = WebSocketReceiver::Event::kMessage;
      {
        const test::AllocationFailure failing{nth};
        while (event != WebSocketReceiver::Event::kNeedMore &&
               event != WebSocketReceiver::Event::kFailed) {
          event = receiver.next(unread);
        }
        failed = failing.happened();
      }
      if (failed) {
        ASSERT_EQ(event, WebSocketReceiver::Event::kFailed) << nth;
        EXPECT_EQ(receiver.failure().code, CloseCode::kInternalError);
      } else {
        EXPECT_GT(nth, 4U);
        EXPECT_EQ(queue.count(), 3U);
      }
    }
    queue.clear();
    ASSERT_EQ(pool.outstanding(), 0U) << nth;
  }
}

TEST(WebSocketReceiverTest, AllocatesNothingInASteadyState) {
  BlockPool pool;
  MessageQueue queue;
  WebSocketReceiver receiver{Role::kServer, pool, queue, 1 << 20};
  const std::string input = frame(Opcode::kText, "message") + frame(Opcode::kPing, "p") +
                            frame(Opcode::kBinary, std::string(20'000, 'x'));
  const auto receive = [&](std::size_t step) {
    for (std::size_t at = 0; at < input.size(); at += step) {
      std::string_view bytes = std::string_view{input}.substr(at, step);
      while (receiver.next(bytes) != WebSocketReceiver::Event::kNeedMore) {
        while (!queue.empty()) queue.pop();
      }
    }
  };
  receive(input.size());
  receive(1000);
  const test::AllocationCount count;
  receive(input.size());
  receive(1000);
  EXPECT_EQ(count.so_far(), 0U);
}

}  // namespace
}  // namespace tercel::http
