#include "tercel/http/multipart_head.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

// "name|filename|type", "-" for no file name, or "refused".
std::string read(const std::vector<Field>& fields) {
  std::size_t bytes = 0;
  for (const Field& field : fields) bytes += field.value.size();
  std::string room(bytes, '!');
  const auto head = read_part_head(fields, room);
  if (!head) {
    EXPECT_EQ(head.error(), Errc::kBadPart);
    return "refused";
  }
  EXPECT_EQ(head->fields.data(), fields.data());
  return std::string{head->name} + '|' + std::string{head->filename.value_or("-")} + '|' +
         std::string{head->content_type} + (head->is_utf8 ? "" : " not UTF-8");
}

std::string disposed(std::string_view disposition) {
  return read({{"content-disposition", disposition}});
}

TEST(PartHeadTest, HasANameAndPerhapsAFile) {
  EXPECT_EQ(disposed("form-data; name=\"a b\""), "a b|-|");
  EXPECT_EQ(disposed("Form-Data;NAME=a;FileName=b"), "a|b|");
  EXPECT_EQ(disposed("form-data; name=\"\"; filename=\"\"; size=3"), "||");
  EXPECT_EQ(read({{"x-other", "y"},
                  {"content-disposition", "form-data; name=\"a\"; filename=\"b.txt\""},
                  {"content-type", "text/plain; charset=x"},
                  {"content-transfer-encoding", "Binary"}}),
            "a|b.txt|text/plain; charset=x");
}

TEST(PartHeadTest, IsRefusedWhenMalformed) {
  for (std::string_view bad :
       {"", "form-data", "form-data; filename=a", "attachment; name=a", "form-data name=a",
        "form-data; name", "form-data; name=\"a", "form-data; name=a b", "form-data; name=\"a\\\"",
        "form-data; name=a; name=a", "form-data; name=a; Name=b",
        "form-data; name=a; filename=b; filename=b",
        "form-data; name=a; filename*=utf-8''a; filename*=utf-8''a"}) {
    EXPECT_EQ(disposed(bad), "refused") << bad;
  }
  const Field good{"content-disposition", "form-data; name=a"};
  EXPECT_EQ(read({}), "refused");
  EXPECT_EQ(read({{"content-type", "a/b"}}), "refused");
  EXPECT_EQ(read({good, good}), "refused");
  EXPECT_EQ(read({good, {"content-type", "a/b"}, {"content-type", "a/b"}}), "refused");
  for (std::string_view encoding : {"base64", "quoted-printable", "", "x"}) {
    EXPECT_EQ(read({good, {"content-transfer-encoding", encoding}}), "refused") << encoding;
  }
  for (std::string_view encoding : {"7bit", "8BIT", "binary"}) {
    EXPECT_EQ(read({{"content-transfer-encoding", encoding}, good}), "a|-|") << encoding;
  }
}

TEST(PartHeadTest, NamesAreDecodedAsBrowsersAndCurlEncodeThem) {
  EXPECT_EQ(disposed("form-data; name=\"a%22b%0D%0Ac\"; filename=\"%0d%0a%22\""),
            "a\"b\r\nc|\r\n\"|");
  EXPECT_EQ(disposed("form-data; name=\"100%25%20%2\"; filename=\"%%22\""), "100%25%20%2|%\"|");
  EXPECT_EQ(disposed(R"(form-data; name="a\"b\\c\d"; filename="C:\dir\f.txt")"),
            R"(a"b\c\d|C:\dir\f.txt|)");
  EXPECT_EQ(disposed("form-data; name=a%22b"), "a%22b|-|");
}

TEST(PartHeadTest, ExtendedFileNameWins) {
  EXPECT_EQ(disposed("form-data; name=a; filename=b; filename*=UTF-8''%e2%82%ac%20rates.txt"),
            "a|\xe2\x82\xac rates.txt|");
  EXPECT_EQ(disposed("form-data; name=a; filename*=utf-8'en'x; filename=b"), "a|x|");
  for (std::string_view bad :
       {"", "x", "utf-8'x", "utf-8'''x", "iso-8859-1''%e9", "utf-8''%e9", "utf-8''%4", "utf-8''%00",
        "utf-8''a%0d%0ab", "utf-8''a*b", "\"utf-8''x\""}) {
    EXPECT_EQ(disposed("form-data; name=a; filename*=" + std::string{bad}), "refused") << bad;
  }
}

TEST(PartHeadTest, TellsNamesThatAreNotUtf8) {
  EXPECT_EQ(disposed("form-data; name=\"\xc3\xbc\"; filename=\"\xe2\x82\xac\""),
            "\xc3\xbc|\xe2\x82\xac|");
  EXPECT_EQ(disposed("form-data; name=\"\xfc\""), "\xfc|-| not UTF-8");
  EXPECT_EQ(disposed("form-data; name=a; filename=\"\xfc\""), "a|\xfc| not UTF-8");
}

}  // namespace
}  // namespace tercel::http
