#include "tercel/json/writer.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "json/parsed.h"
#include "support/allocations.h"

namespace tercel::json {
namespace {

template <typename Write>
std::string written(const Write& write) {
  BlockPool pool;
  Writer writer{pool};
  write(writer);
  EXPECT_TRUE(writer.ok());
  return std::string{writer.view()};
}

TEST(WriterTest, CommasWriteThemselves) {
  EXPECT_EQ(written([](Writer& w) {
              w.begin_object();
              w.key("a");
              w.begin_array();
              w.integer(1);
              w.natural(UINT64_MAX);
              w.string("[");
              w.string(",");
              w.begin_array();
              w.end_array();
              w.begin_object();
              w.end_object();
              w.null();
              w.end_array();
              w.key("b:");
              w.boolean(true);
              w.key("c");
              w.raw("123456789012345678901234567890");
              w.key("d");
              static_cast<void>(w.number(0.5));
              w.end_object();
            }),
            R"({"a":[1,18446744073709551615,"[",",",[],{},null],"b:":true,)"
            R"("c":123456789012345678901234567890,"d":0.5})");
}

TEST(WriterTest, EscapesWhatMustBeAndNothingElse) {
  EXPECT_EQ(written([](Writer& w) { w.string("\"\\\b\f\n\r\t\x01\x1f\x7f/\xC3\xA9"); }),
            R"("\"\\\b\f\n\r\t\u0001\u001f)"
            "\x7f/\xC3\xA9\"");
  EXPECT_EQ(written([](Writer& w) { w.string(std::string_view{"\0", 1}); }), R"("\u0000")");
  EXPECT_EQ(written([](Writer& w) { w.string(""); }), R"("")");
}

// Every byte at every place of texts around the sizes of blocks and parts is read as it was.
TEST(WriterTest, StringsAreReadAsTheyWere) {
  for (const std::size_t size : {1U, 15U, 16U, 17U, 33U, 511U, 512U, 513U, 1500U}) {
    for (int byte = 0; byte < 128; ++byte) {
      std::string text(size, 'x');
      text[size / 2] = text[size - 1] = static_cast<char>(byte);
      const Parsed parsed{written([&text](Writer& w) { w.string(text); })};
      ASSERT_EQ(parsed->string(), text) << size << ' ' << byte;
    }
  }
}

TEST(WriterTest, DoublesAreShortAndStayDoubles) {
  const auto number = [](double value) {
    return written([value](Writer& w) { EXPECT_TRUE(w.number(value)); });
  };
  EXPECT_EQ(number(1), "1.0");
  EXPECT_EQ(number(-0.0), "-0.0");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(1e16), "1e+16");
  EXPECT_EQ(number(5e-324), "5e-324");
  EXPECT_EQ(number(-1.7976931348623157e308), "-1.7976931348623157e+308");
  std::mt19937_64 random{2};
  for (int i = 0; i < 50000; ++i) {
    const std::uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const Parsed parsed{number(value)};
    ASSERT_EQ(parsed->kind(), Kind::kDecimal);
    ASSERT_EQ(parsed->float64(), value);
  }
}

TEST(WriterTest, RefusesWhatIsNoNumber) {
  EXPECT_EQ(written([](Writer& w) {
              w.begin_array();
              EXPECT_FALSE(w.number(std::numeric_limits<double>::quiet_NaN()));
              EXPECT_FALSE(w.number(-std::numeric_limits<double>::infinity()));
              w.end_array();
            }),
            "[]");
}

TEST(WriterTest, HandsOverItsBlock) {
  BlockPool pool;
  Writer writer{pool};
  writer.string("abc");
  EXPECT_EQ(writer.size(), 5U);
  const Block block = writer.take();
  EXPECT_EQ((std::string_view{block.data(), 5}), "\"abc\"");
  EXPECT_EQ(writer.view(), "");
  writer.null();
  EXPECT_EQ(writer.view(), "null");
}

TEST(WriterTest, ASteadyStateAllocatesNothing) {
  BlockPool pool;
  Writer writer{pool};
  const auto write = [&writer] {
    writer.clear();
    writer.begin_array();
    for (int i = 0; i < 500; ++i) writer.string("some text");
    writer.end_array();
  };
  write();
  const test::AllocationCount count;
  write();
  EXPECT_EQ(count.so_far(), 0U);
}

// The Nth allocation fails, for every N.
TEST(WriterTest, OutOfMemoryIsSeenAtTheEnd) {
  for (std::uint64_t nth = 1;; ++nth) {
    BlockPool pool;
    Writer writer{pool};
    const test::AllocationFailure failure{nth, UINT64_MAX / 2};
    writer.begin_array();
    for (int i = 0; i < 2000; ++i) {
      writer.begin_object();
      writer.key("key");
      writer.string("a text that is not short");
      static_cast<void>(writer.number(1.5));
      writer.end_object();
    }
    writer.end_array();
    EXPECT_NE(writer.ok(), failure.happened());
    if (!failure.happened()) {
      EXPECT_GT(nth, 2U);
      break;
    }
  }
}

TEST(Writer, KeepsNoLargeBlock) {
  BlockPool pool;
  Writer writer{pool};
  writer.string(std::string(Writer::kKeptBytesMax + 1, 'x'));
  EXPECT_EQ(pool.outstanding(), 1U);
  writer.clear();
  EXPECT_EQ(pool.outstanding(), 0U);
  writer.string("x");
  writer.clear();
  EXPECT_EQ(pool.outstanding(), 1U);
}

}  // namespace
}  // namespace tercel::json
