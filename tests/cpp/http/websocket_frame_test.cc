#include "tercel/http/websocket_frame.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

using std::string_view_literals::operator""sv;

struct Parsed {
  FrameStatus status = FrameStatus::kNeedMore;
  FrameHeader header;
  std::size_t read = 0;
};

Parsed parse_in_steps(std::string_view input, std::size_t step, Role receiver = Role::kServer) {
  FrameParser parser{receiver};
  Parsed parsed;
  while (parsed.status == FrameStatus::kNeedMore && parsed.read < input.size()) {
    std::string_view part = input.substr(parsed.read, step);
    const std::size_t given = part.size();
    parsed.status = parser.parse(part, parsed.header);
    parsed.read += given - part.size();
  }
  return parsed;
}

TEST(FrameParserTest, ReadsWhatTheWriterWrote) {
  for (const std::uint64_t length : {0ULL, 1ULL, 125ULL, 126ULL, 65'535ULL, 65'536ULL, 1ULL << 40,
                                     static_cast<unsigned long long>(INT64_MAX)}) {
    for (const Role sender : {Role::kClient, Role::kServer}) {
      for (const Opcode opcode : {Opcode::kContinuation, Opcode::kText, Opcode::kBinary}) {
        const FrameHeader header{.length = length,
                                 .mask = {'a', 'b', 'c', 'd'},
                                 .opcode = opcode,
                                 .final = length != 1,
                                 .compressed = length == 126};
        std::array<char, kFrameHeaderBytesMax> out;
        char* const end = write_frame_header(out.data(), header, sender);
        const std::string bytes{out.data(), end};
        const Role receiver = sender == Role::kClient ? Role::kServer : Role::kClient;
        for (const std::size_t step : {1U, 2U, 3U, 20U}) {
          const Parsed parsed = parse_in_steps(bytes, step, receiver);
          ASSERT_EQ(parsed.status, FrameStatus::kDone);
          EXPECT_EQ(parsed.read, bytes.size());
          EXPECT_EQ(parsed.header.length, length);
          EXPECT_EQ(parsed.header.opcode, opcode);
          EXPECT_EQ(parsed.header.final, header.final);
          EXPECT_EQ(parsed.header.compressed, header.compressed);
          if (sender == Role::kClient) {
            EXPECT_EQ(parsed.header.mask, header.mask);
          }
        }
      }
    }
  }
}

// Every first two bytes there are. The rule is written here a second time, in the RFC's words.
TEST(FrameParserTest, JudgesEveryFirstTwoBytes) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const unsigned opcode = first & 15U;
      const unsigned length = second & 127U;
      const bool reserved = (first & 0x30U) != 0;
      const bool known = opcode < 3 || (opcode > 7 && opcode < 11);
      const bool control = opcode > 7;
      const bool masked = second > 127;
      const bool good_control = (first & 0x80U) != 0 && (first & 0x40U) == 0 && length < 126;
      const bool good = !reserved && known && masked && (!control || good_control);
      const std::string bytes{static_cast<char>(first), static_cast<char>(second)};
      ASSERT_EQ(parse_in_steps(bytes, 1).status, good ? FrameStatus::kNeedMore : FrameStatus::kBad)
          << first << ' ' << second;
    }
  }
}

TEST(FrameParserTest, RefusesLengthsThatAreNotInTheirShortestForm) {
  for (const std::string_view bytes :
       {"\x82\xfe\x00\x7d"sv, "\x82\xfe\x00\x00"sv, "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"sv,
        "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"sv,
        "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv}) {
    for (const std::size_t step : {1U, 20U}) {
      EXPECT_EQ(parse_in_steps(bytes, step).status, FrameStatus::kBad);
    }
  }
}

TEST(FrameParserTest, TellsAClientFromAServer) {
  EXPECT_EQ(parse_in_steps("\x81\x05"sv, 2).status, FrameStatus::kBad);
  EXPECT_EQ(parse_in_steps("\x81\x85"sv, 2, Role::kClient).status, FrameStatus::kBad);
  EXPECT_EQ(parse_in_steps("\x81\x05"sv, 2, Role::kClient).status, FrameStatus::kDone);
}

// Source: RFC 6455 section 5.7.
TEST(FrameWriterTest, WritesThePublishedExamples) {
  std::array<char, kFrameHeaderBytesMax> out;
  const auto written = [&out](const FrameHeader& header) {
    return std::string{out.data(), write_frame_header(out.data(), header, Role::kServer)};
  };
  EXPECT_EQ(written({.length = 5, .opcode = Opcode::kText}), "\x81\x05");
  EXPECT_EQ(written({.length = 3, .opcode = Opcode::kText, .final = false}), "\x01\x03");
  EXPECT_EQ(written({.length = 256}), "\x82\x7e\x01\x00"sv);
  EXPECT_EQ(written({.length = 65'536}), "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"sv);
}

}  // namespace
}  // namespace tercel::http
