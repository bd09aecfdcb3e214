#include "tercel/s3/list_buckets.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

constexpr BucketOwner kOwner{.id = "id<1>", .display_name = "A & B"};
constexpr std::array<ListedBucket, 4> kBuckets{{{"alpha", "eu-de", 1'369'353'600},
                                                {"beta", "us-east-1", 1'576'107'167},
                                                {"beta2", "eu-de", 0},
                                                {"gamma", "", 951'782'400}}};

std::string write(std::span<const ListedBucket> buckets, const ListBucketsQuery& query) {
  std::string memory(kListPieceBytesMax, '!');
  std::string all;
  BucketListWriter writer{buckets, kOwner, query};
  for (auto piece = writer.next(memory); !piece.empty(); piece = writer.next(memory)) all += piece;
  return all;
}

struct Query {
  std::string scratch;
  ListBucketsQuery list;
  std::string error;
};

Query read(std::string_view query) {
  Query read{std::string(query.size(), '!'), {}, {}};
  if (const auto error = read_list_buckets_query(query, read.scratch, read.list)) {
    read.error = info(*error).code;
  }
  return read;
}

// Names and token of the answer: "alpha beta > beta".
std::string names(std::string_view query, std::span<const ListedBucket> buckets = kBuckets) {
  Query parsed;
  parsed.scratch.assign(query.size(), '!');
  EXPECT_FALSE(read_list_buckets_query(query, parsed.scratch, parsed.list));
  const std::string document = write(buckets, parsed.list);
  std::string all;
  std::size_t at = 0;
  while ((at = document.find("<Name>", at)) != std::string::npos) {
    at += 6;
    all += document.substr(at, document.find('<', at) - at) + " ";
  }
  if (const std::size_t token = document.find("<ContinuationToken>"); token != std::string::npos) {
    const std::size_t begin = token + 19;
    all += "> " + document.substr(begin, document.find('<', begin) - begin);
  }
  return all;
}

TEST(ListBucketsTest, WritesWhatS3Writes) {
  EXPECT_EQ(write(std::span{kBuckets}.first(2), {}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Owner><ID>id&lt;1&gt;</ID><DisplayName>A &amp; B</DisplayName></Owner><Buckets>"
            "<Bucket><Name>alpha</Name><CreationDate>2013-05-24T00:00:00.000Z</CreationDate>"
            "</Bucket><Bucket><Name>beta</Name><CreationDate>2019-12-11T23:32:47.000Z"
            "</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>");
  EXPECT_EQ(write({}, {}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Owner><ID>id&lt;1&gt;</ID><DisplayName>A &amp; B</DisplayName></Owner><Buckets>"
            "</Buckets></ListAllMyBucketsResult>");
}

TEST(ListBucketsTest, TellsRegionsWhenThereIsAParameter) {
  const std::string told = write(kBuckets, read("prefix=alp%26").list);
  EXPECT_NE(told.find("<Buckets></Buckets><Prefix>alp&amp;</Prefix>"), std::string::npos) << told;
  const std::string alpha = write(kBuckets, read("max-buckets=1").list);
  EXPECT_NE(alpha.find("000Z</CreationDate><BucketRegion>eu-de</BucketRegion></Bucket></Buckets>"
                       "<ContinuationToken>alpha</ContinuationToken>"),
            std::string::npos)
      << alpha;
}

TEST(ListBucketsTest, TimesAreThoseOfTheCalendar) {
  const auto time = [](std::int64_t created_s) {
    const std::array<ListedBucket, 1> one{{{"abc", "", created_s}}};
    const std::string document = write(one, {});
    return document.substr(document.find("<CreationDate>") + 14, 24);
  };
  EXPECT_EQ(time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time(951'782'399), "2000-02-28T23:59:59.000Z");
  EXPECT_EQ(time(951'782'400), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(time(-1), "1969-12-31T23:59:59.000Z");
  EXPECT_EQ(time(INT64_MAX), "9999-12-31T23:59:59.000Z");
  EXPECT_EQ(time(INT64_MIN), "0000-01-01T00:00:00.000Z");
}

TEST(ListBucketsTest, FiltersAndPaginates) {
  EXPECT_EQ(names(""), "alpha beta beta2 gamma ");
  EXPECT_EQ(names("prefix=beta"), "beta beta2 ");
  EXPECT_EQ(names("bucket-region=eu-de"), "alpha beta2 ");
  EXPECT_EQ(names("max-buckets=2"), "alpha beta > beta");
  EXPECT_EQ(names("max-buckets=2&continuation-token=beta"), "beta2 gamma ");
  EXPECT_EQ(names("max-buckets=1&prefix=beta"), "beta > beta");
  EXPECT_EQ(names("max-buckets=1&prefix=beta&continuation-token=beta"), "beta2 ");
  EXPECT_EQ(names("max-buckets=2&bucket-region=eu-de"), "alpha beta2 ");
  EXPECT_EQ(names("max-buckets=4"), "alpha beta beta2 gamma ");
  EXPECT_EQ(names("continuation-token=zzz"), "");
  // Of a bucket that is gone.
  EXPECT_EQ(names("continuation-token=beta1"), "beta2 gamma ");
  EXPECT_EQ(names("x-id=ListBuckets&foo=bar"), "alpha beta beta2 gamma ");
}

TEST(ListBucketsTest, PagesTogetherAreTheWhole) {
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) texts.push_back("bucket-" + std::to_string(10'000 + i));
  std::vector<ListedBucket> buckets;
  for (const std::string& text : texts) buckets.push_back({text, "eu-de", 0});
  std::string whole;
  for (const std::string& text : texts) whole += text + " ";
  EXPECT_EQ(names("", buckets), whole);
  std::string pages;
  std::string query = "max-buckets=7";
  for (;;) {
    const std::string page = names(query, buckets);
    const std::size_t token = page.find("> ");
    pages += page.substr(0, token);
    if (token == std::string::npos) break;
    query = "max-buckets=7&continuation-token=" + page.substr(token + 2);
  }
  EXPECT_EQ(pages, whole);
}

TEST(ListBucketsTest, ValuesAreCheckedAndBounded) {
  for (const std::string_view bad :
       {"max-buckets=0", "max-buckets=10001", "max-buckets=", "max-buckets=+1", "max-buckets=1x",
        "continuation-token=", "continuation-token=Not+A+Name", "prefix=%zz", "prefix=%ff"}) {
    EXPECT_EQ(read(bad).error, "InvalidArgument") << bad;
  }
  EXPECT_EQ(read("max-buckets=10000").list.buckets_max, 10'000U);
  const std::string longest(kListedTextBytesMax, '"');
  EXPECT_EQ(read("prefix=" + longest).error, "");
  EXPECT_EQ(read("prefix=" + longest + "x").error, "InvalidArgument");
}

TEST(ListBucketsTest, TheLongestTextsFit) {
  const std::string text(kListedTextBytesMax, '"');
  const std::string name(63, 'n');
  std::vector<ListedBucket> buckets(50, ListedBucket{name, text, 0});
  ListBucketsQuery query;
  query.tells_region = true;
  std::string memory(kListPieceBytesMax, '!');
  BucketListWriter writer{buckets, {text, text}, query};
  std::string all;
  for (auto piece = writer.next(memory); !piece.empty(); piece = writer.next(memory)) all += piece;
  std::size_t quotes = 0;
  for (std::size_t at = 0; (at = all.find("&quot;", at)) != std::string::npos; ++at) ++quotes;
  EXPECT_EQ(quotes, 52 * kListedTextBytesMax);
  EXPECT_TRUE(all.ends_with("</Bucket></Buckets></ListAllMyBucketsResult>"));
}

}  // namespace
}  // namespace tercel::s3
