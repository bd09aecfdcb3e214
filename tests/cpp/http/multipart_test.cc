#include "tercel/http/multipart.h"

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/multipart_input.h"

namespace tercel::http {
namespace {

constexpr std::string_view kBoundary = "AaB03x";

// Reads it whole, byte by byte, and at every two-way split, which must not differ.
Form read(std::string_view body, const MultipartLimits& limits = {}) {
  const Form whole = read_form_in_steps(kBoundary, body, body.size() + 1, limits);
  EXPECT_EQ(read_form_in_steps(kBoundary, body, 1, limits), whole) << body;
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    EXPECT_EQ(read_form_split_at(kBoundary, body, cut, limits), whole) << cut << " of " << body;
  }
  return whole;
}

// What becomes of a form in short: "name=data,name=data complete".
std::string brief(std::string_view body, const MultipartLimits& limits = {}) {
  const Form form = read(body, limits);
  std::string all;
  for (const FormPart& part : form.parts) {
    all += part.name + '=' + part.data + (part.whole ? "," : "... ");
  }
  return all + form.end;
}

// A part as clients send it, behind its boundary.
std::string part(std::string_view name, std::string_view data) {
  return "--AaB03x\r\ncontent-disposition: form-data; name=" + std::string{name} + "\r\n\r\n" +
         std::string{data} + "\r\n";
}
constexpr std::string_view kLast = "--AaB03x--\r\n";

TEST(FormBoundaryTest, MustBeThereAndValid) {
  const auto boundary = [](std::string_view type) {
    return form_boundary(*parse_media_type(type));
  };
  EXPECT_EQ(*boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(*boundary("multipart/form-data; boundary=\"a b:c\""), "a b:c");
  const std::string longest(kBoundaryBytesMax, 'x');
  EXPECT_EQ(*boundary("multipart/form-data; boundary=" + longest), longest);
  EXPECT_EQ(boundary("multipart/form-data; boundary=" + longest + "x").error(), Errc::kBadBoundary);
  for (std::string_view bad :
       {"multipart/form-data", "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=\"a \"",
        "multipart/form-data; boundary=a*b", "multipart/form-data; boundary=\"a\\b\""}) {
    EXPECT_EQ(boundary(bad).error(), Errc::kBadBoundary) << bad;
  }
}

TEST(MultipartTest, ReadsFieldsAndFiles) {
  const Form form = read(
      "--AaB03x\r\n"
      "Content-Disposition: form-data; name=\"submit-name\"\r\n"
      "\r\n"
      "Larry\r\n"
      "--AaB03x\r\n"
      "Content-Disposition: form-data; name=\"files\"; filename=\"file1.txt\"\r\n"
      "Content-Type:  text/plain \r\n"
      "X-Other:\r\n"
      "\r\n"
      "... contents\r\nof file1.txt ...\n\r\n"
      "--AaB03x--\r\n");
  EXPECT_EQ(form.end, "complete");
  ASSERT_EQ(form.parts.size(), 2U);
  EXPECT_EQ(form.parts[0],
            (FormPart{.name = "submit-name",
                      .filename = std::nullopt,
                      .content_type = "",
                      .data = "Larry",
                      .fields = "content-disposition: form-data; name=\"submit-name\"\n",
                      .whole = true}));
  EXPECT_EQ(form.parts[1],
            (FormPart{.name = "files",
                      .filename = "file1.txt",
                      .content_type = "text/plain",
                      .data = "... contents\r\nof file1.txt ...\n",
                      .fields = "content-disposition: form-data; name=\"files\"; "
                                "filename=\"file1.txt\"\ncontent-type: text/plain\nx-other: \n",
                      .whole = true}));
}

TEST(MultipartTest, DataMayLookLikeABoundary) {
  for (const std::string data :
       {"", "\r", "\n", "\r\n", "\r\n\r\n", "--", "\r\n--", "\r\n--AaB03", "\r\n-AaB03x",
        "\r\r\n--AaB03\r\n", "x--AaB03x--", "\n--AaB03x", "\r--AaB03x", "\r\n--AaB03y"}) {
    EXPECT_EQ(brief(part("a", data) + part("b", data) + std::string{kLast}),
              "a=" + data + ",b=" + data + ",complete");
  }
}

TEST(MultipartTest, AnEmptyLineMayBeTheLineEndOfTheNextBoundary) {
  EXPECT_EQ(brief("--AaB03x\r\ncontent-disposition: form-data; name=a\r\n\r\n--AaB03x--"),
            "a=,complete");
  EXPECT_EQ(
      brief("--AaB03x\r\ncontent-disposition: form-data; name=a\r\n\r\n--AaB03y\r\n--AaB03x--"),
      "a=--AaB03y,complete");
}

TEST(MultipartTest, MayHaveNoParts) {
  EXPECT_EQ(brief(kLast), "complete");
  EXPECT_EQ(brief("--AaB03x--"), "complete");
  EXPECT_EQ(brief("\r\n--AaB03x--"), "complete");
}

TEST(MultipartTest, IsIncompleteWithoutItsLastBoundary) {
  const std::string body = part("a", "b") + std::string{kLast};
  for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
    const bool complete = bytes >= body.size() - 2;
    EXPECT_EQ(read_form_in_steps(kBoundary, body.substr(0, bytes), 3).end,
              complete ? "complete" : "incomplete")
        << bytes;
  }
}

TEST(MultipartTest, BehindABoundaryComeBlanksAndALineEnd) {
  const std::string rest = "content-disposition: form-data; name=a\r\n\r\nb\r\n--AaB03x";
  EXPECT_EQ(brief("--AaB03x \t\r\n" + rest + "-- \t\r\n"), "a=b,complete");
  for (const std::string bad : {"x\r\n", "\n", "\r\r\n", "-\r\n", " -\r\n", "-x", "\rx", "--\n"}) {
    EXPECT_EQ(brief("--AaB03x" + bad + rest + "--"), "BadForm") << bad;
  }
  for (const std::string bad : {"--x", "--\n", "--\rx", "-x", "---"}) {
    EXPECT_EQ(brief("--AaB03x\r\n" + rest + bad), "a=b,BadForm") << bad;
  }
}

TEST(MultipartTest, HeadsFollowTheSyntaxOfFields) {
  for (const std::string bad :
       {"content-disposition: form-data; name=a\n\r\n",
        "content-disposition: form-data;\r\n name=a\r\n\r\n",
        "content-disposition : form-data; name=a\r\n\r\n", ": x\r\n\r\n", "x\r\n\r\n", " \r\n\r\n",
        "content-disposition: form-data; name=\"a\rb\"\r\n\r\n", "\n\r\n", "\r\r\n\r\n",
        "content-disposition: form-data; name=a\r\n\n", "\r\n\r\n", "content-type: a/b\r\n\r\n"}) {
    EXPECT_EQ(brief("--AaB03x\r\n" + bad + "b\r\n--AaB03x--"), "BadPart") << bad;
  }
  const std::string zero{"content-disposition: form-data; name=\"a\0b\"\r\n\r\n", 46};
  EXPECT_EQ(brief("--AaB03x\r\n" + zero), "BadPart");
}

TEST(MultipartTest, IsHeldToItsLimits) {
  const std::string two = part("a", "b") + part("c", "d") + std::string{kLast};
  const std::size_t head =
      std::string_view{"content-disposition: form-data; name=a\r\n\r\n"}.size();
  EXPECT_EQ(brief(two, {.parts_max = 2}), "a=b,c=d,complete");
  EXPECT_EQ(brief(two, {.parts_max = 1}), "a=b,TooManyParts");
  EXPECT_EQ(brief(two, {.part_head_bytes_max = head}), "a=b,c=d,complete");
  EXPECT_EQ(brief(two, {.part_head_bytes_max = head - 1}), "PartHeadTooLarge");
  EXPECT_EQ(brief(two, {.heads_bytes_max = 2 * head}), "a=b,c=d,complete");
  EXPECT_EQ(brief(two, {.heads_bytes_max = 2 * head - 1}), "a=b,PartHeadsTooLarge");
  EXPECT_EQ(brief(two, {.part_fields_max = 1}), "a=b,c=d,complete");
  EXPECT_EQ(brief(two, {.part_fields_max = 0}), "PartHeadTooLarge");
  const std::string endless = "--AaB03x\r\n" + std::string(300, 'x');
  EXPECT_EQ(brief(endless, {.part_head_bytes_max = 100, .heads_bytes_max = 200}),
            "PartHeadTooLarge");
  EXPECT_EQ(brief(endless, {.part_head_bytes_max = 200, .heads_bytes_max = 100}),
            "PartHeadsTooLarge");
  EXPECT_EQ(brief(endless, {.part_head_bytes_max = 100, .heads_bytes_max = 100}),
            "PartHeadTooLarge");
}

TEST(MultipartTest, PreambleEpilogueAndPaddingAreDroppedAndBounded) {
  const MultipartLimits limits{
      .preamble_bytes_max = 10, .epilogue_bytes_max = 10, .padding_bytes_max = 3};
  const std::string form = part("a", "b") + "--AaB03x--";
  EXPECT_EQ(brief("0123456789\r\n" + form + "\r\n0123456789", limits), "a=b,complete");
  EXPECT_EQ(brief("0123456789a\r\n" + form, limits), "BadForm");
  EXPECT_EQ(brief("\r\n\r\r\n--Aa\r\n" + form, limits), "a=b,complete");
  EXPECT_EQ(brief(form + "\r\n0123456789a", limits), "a=b,BadForm");
  EXPECT_EQ(brief(form + "\r\n--AaB03x\r\n", limits), "a=b,complete");
  EXPECT_EQ(brief(form + " \t \r\n", limits), "a=b,complete");
  EXPECT_EQ(brief(form + " \t  \r\n", limits), "a=b,BadForm");
  EXPECT_EQ(brief("--AaB03x    \r\n", limits), "BadForm");
  // "x--AaB03x": no boundary, as it begins no line.
  EXPECT_EQ(brief("x--AaB03x", limits), "incomplete");
}

// Random forms of bytes that a boundary is made of, in random pieces.
TEST(MultipartTest, PartsAndDataAreThoseThatWereSent) {
  std::mt19937 random{20261126};
  const std::string boundary = "-b";
  for (int round = 0; round < 3000; ++round) {
    std::string body;
    std::vector<std::string> sent;
    for (std::size_t parts = random() % 4; parts > 0; --parts) {
      std::string data;
      while (random() % 8 != 0) data += "\r\n-b\0x"[random() % 6];
      if (("\r\n" + data + "\r\n").find("\r\n---b") != std::string::npos) continue;
      body += "---b\r\ncontent-disposition: form-data; name=a\r\n\r\n" + data + "\r\n";
      sent.push_back(data);
    }
    body += "---b--";
    FormReader reader{boundary};
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t bytes = 1 + random() % 12;
      reader.feed(std::string_view{body}.substr(at, bytes));
      at += bytes;
    }
    const Form form = reader.finish();
    ASSERT_EQ(form.end, "complete") << body;
    ASSERT_EQ(form.parts.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) ASSERT_EQ(form.parts[i].data, sent[i]) << body;
  }
}

// A mebibyte of what makes a parser look twice: a quadratic one would take an hour.
TEST(MultipartTest, ReadsHostileDataInLinearTime) {
  for (const std::string_view piece :
       {"\r\n--AaB03", "\r", "\r\n", "\r\n--AaB03y\r\n-", "-", "x"}) {
    std::string data = "\r\n";
    while (data.size() < 1024 * 1024) data += piece;
    const std::string body = part("a", data) + std::string{kLast};
    for (const std::size_t step : {body.size(), std::size_t{7}}) {
      const Form form = read_form_in_steps(kBoundary, body, step);
      ASSERT_EQ(form.end, "complete");
      ASSERT_EQ(form.parts[0].data, data);
    }
  }
}

}  // namespace
}  // namespace tercel::http
