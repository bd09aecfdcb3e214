#include "tercel/json/msgpack_reader.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "json/to_text.h"
#include "support/allocations.h"

namespace tercel::json {
namespace {

using namespace std::string_view_literals;

class MsgpackReaderTest : public testing::Test {
 protected:
  // The document as JSON, or what is wrong and where.
  std::string read(std::string_view bytes, const ParseOptions& options = {}) {
    const auto root = reader_.read(bytes, document_, options);
    if (root) return to_text(*root);
    EXPECT_FALSE(document_);
    return std::string{describe(reader_.fault().kind)} + " @" +
           std::to_string(reader_.fault().offset);
  }

  MsgpackReader reader_{KeyedHash{1, 2}};
  Document document_;
};

TEST_F(MsgpackReaderTest, Scalars) {
  EXPECT_EQ(read("\xc0"), "null");
  EXPECT_EQ(read("\xc2"), "false");
  EXPECT_EQ(read("\xc3"), "true");
  EXPECT_EQ(read("\x00"sv), "0");
  EXPECT_EQ(read("\x7f"), "127");
  EXPECT_EQ(read("\xe0"), "-32");
  EXPECT_EQ(read("\xff"), "-1");
  EXPECT_EQ(read("\xcc\xff"), "255");
  EXPECT_EQ(read("\xcd\x01\x00"sv), "256");
  EXPECT_EQ(read("\xce\xff\xff\xff\xff"), "4294967295");
  EXPECT_EQ(read("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), "9223372036854775807");
  EXPECT_EQ(read("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615");
  EXPECT_EQ(read("\xd0\x80"), "-128");
  EXPECT_EQ(read("\xd1\x80\x00"sv), "-32768");
  EXPECT_EQ(read("\xd2\xff\xff\xff\xfe"), "-2");
  EXPECT_EQ(read("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"sv), "-9223372036854775808");
}

TEST_F(MsgpackReaderTest, FloatsAreDecimalsWithTheirText) {
  EXPECT_EQ(read("\xca\x3f\xc0\x00\x00"sv), "1.5");
  EXPECT_EQ(read("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"sv), "1.0");
  EXPECT_EQ(document_.root().number_text(), "1.0");
  EXPECT_EQ(read("\xcb\x80\x10\x00\x00\x00\x00\x00\x00"sv), "-2.2250738585072014e-308");
  EXPECT_EQ(read("\x92\xca\x00\x00\x00\x00\x01"sv), "[0.0,1]");
  EXPECT_EQ(read("\xca\x7f\x80\x00\x00"sv), "JSON has neither NaN nor infinities @0");
  EXPECT_EQ(read("\x91\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"sv),
            "JSON has neither NaN nor infinities @1");
}

TEST_F(MsgpackReaderTest, Texts) {
  EXPECT_EQ(read("\xa0"), R"("")");
  EXPECT_EQ(read("\xa3"
                 "abc"),
            R"("abc")");
  EXPECT_EQ(read("\xd9\x02h\x22"), R"("h\"")");
  EXPECT_EQ(read("\xda\x00\x01x"sv), R"("x")");
  EXPECT_EQ(read("\xdb\x00\x00\x00\x01x"sv), R"("x")");
  EXPECT_EQ(read("\x91\xa1\xff"), "this byte is not UTF-8 @1");
  EXPECT_EQ(read("\x93\xc4\x00\xc5\x00\x01\x00\xc6\x00\x00\x00\x03"
                 "abc"sv),
            R"(["","AA==","YWJj"])");
}

TEST_F(MsgpackReaderTest, ArraysAndMaps) {
  EXPECT_EQ(read("\x90"), "[]");
  EXPECT_EQ(read("\x80"), "{}");
  EXPECT_EQ(read("\x93\x01\x92\x02\x90\x80"), "[1,[2,[]],{}]");
  EXPECT_EQ(read("\x82\xa1"
                 "a\x81\xa1"
                 "b\x91\xc0\xa1"
                 "c\x05"),
            R"({"a":{"b":[null]},"c":5})");
  EXPECT_EQ(read("\xdc\x00\x02\x01\x02"sv), "[1,2]");
  EXPECT_EQ(read("\xdd\x00\x00\x00\x01\x01"sv), "[1]");
  EXPECT_EQ(read("\xde\x00\x01\xa1"
                 "a\x01"sv),
            R"({"a":1})");
  EXPECT_EQ(read("\xdf\x00\x00\x00\x01\xa1"
                 "a\x01"sv),
            R"({"a":1})");
  EXPECT_EQ(document_.root().find("a")->int64(), 1);
}

TEST_F(MsgpackReaderTest, OfMembersWithOneKeyTheLastCounts) {
  constexpr std::string_view kTwice =
      "\x91\x83\xa1"
      "a\x91\x01\xa1"
      "b\x02\xa1"
      "a\x03";
  EXPECT_EQ(read(kTwice), R"([{"b":2,"a":3}])");
  EXPECT_EQ(read(kTwice, {.duplicates = DuplicatePolicy::kRefuse}),
            "the object that ends here has a key twice @11");
}

TEST_F(MsgpackReaderTest, WhatIsNoneIsRefused) {
  EXPECT_EQ(read(""), "there is no value @0");
  EXPECT_EQ(read("\xc1"), "a value is expected here @0");
  EXPECT_EQ(read("\x01\x01"), "nothing may follow the value @1");
  EXPECT_EQ(read("\x81\x01\x01"), "the key of a map must be a string @1");
  EXPECT_EQ(read("\x81\xc4\x01"
                 "a\x01"),
            "the key of a map must be a string @1");
  for (const std::string_view one :
       {"\xd4\x00\x00"sv, "\xd6\xff\x00\x00\x00\x00"sv, "\xc7\x00\x01"sv, "\xd8"sv}) {
    EXPECT_EQ(read(one), "extension types are not taken @0");
  }
}

TEST_F(MsgpackReaderTest, WhatIsNotWholeIsRefused) {
  const std::string_view whole =
      "\x84\xa1"
      "a\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xd9\x01"
      "b\xc4\x02xy\xa1"
      "c\xdc\x00\x02\xcd"
      "\x01\x00\xd2\x00\x00\x00\x01\xa1"
      "d\x81\xa1"
      "e\xc0"sv;
  EXPECT_EQ(read(whole), R"({"a":1.0,"b":"eHk=","c":[256,1],"d":{"e":null}})");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    // Memory of exactly this size, so that AddressSanitizer sees the first byte beyond.
    const std::string part{whole.substr(0, size)};
    EXPECT_TRUE(read(part).starts_with("the value is not whole")) << size;
  }
}

TEST_F(MsgpackReaderTest, WhatClaimsMuchTakesNothing) {
  const test::AllocationCount count;
  for (const std::string_view claim :
       {"\xdd\xff\xff\xff\xff\x01"sv, "\xdf\xff\xff\xff\xff\xa0"sv, "\xdb\xff\xff\xff\xff"sv,
        "\xc6\xff\xff\xff\xff"sv, "\xdf\x80\x00\x00\x00\xa0\xa0"sv}) {
    EXPECT_FALSE(reader_.read(claim, document_));
    EXPECT_EQ(reader_.fault().kind, FaultKind::kTruncated);
  }
  EXPECT_EQ(count.so_far(), 0U);
}

TEST_F(MsgpackReaderTest, DepthAndLengthAreLimited) {
  const std::string deep = std::string(128, '\x91') + '\x01';
  EXPECT_TRUE(reader_.read(deep, document_));
  EXPECT_EQ(read('\x91' + deep), "arrays and objects are nested more deeply than the limit @128");
  EXPECT_FALSE(reader_.read(std::string(100'000, '\x91') + '\x01', document_));
  EXPECT_TRUE(reader_.read(std::string(1024, '\x91') + '\x01', document_, {.depth_max = 5000}));
  EXPECT_FALSE(reader_.read(std::string(1025, '\x91') + '\x01', document_, {.depth_max = 5000}));
  const auto longer = reader_.read(
      "\xa2"
      "ab",
      document_, {.text_bytes_max = 2});
  EXPECT_EQ(longer.error(), Errc::kBodyTooLarge);
}

TEST_F(MsgpackReaderTest, StringsAreViewsUnlessTheyAreCopied) {
  std::string bytes =
      "\xa3"
      "abc";
  ASSERT_TRUE(reader_.read(bytes, document_, {.text = TextPolicy::kCopy}));
  bytes[1] = 'x';
  EXPECT_EQ(document_.root().string(), "abc");
}

}  // namespace
}  // namespace tercel::json
