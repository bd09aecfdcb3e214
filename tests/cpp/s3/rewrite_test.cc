#include "tercel/s3/rewrite.h"

#include <string>

#include <gtest/gtest.h>

#include "s3/rewrite_input.h"
#include "support/allocations.h"

namespace tercel::s3 {
namespace {

const RewriteValues kValues{.bucket = "logs",
                            .location = "https://front/logs/a&b",
                            .resource = "/logs/key",
                            .endpoint = "front"};

std::string rewrite(std::string_view document, const RewriteValues& values = kValues) {
  const std::string whole = rewrite_in_steps(values, document, document.size() + 1);
  EXPECT_EQ(rewrite_in_steps(values, document, 1), whole) << document;
  for (std::size_t cut = 1; cut < document.size(); ++cut) {
    EXPECT_EQ(rewrite_split_at(values, document, cut), whole) << cut << " of " << document;
  }
  return whole;
}

RewriteValues with_prefix(std::string_view prefix, bool url_encoded = false) {
  RewriteValues values = kValues;
  values.key_prefix = prefix;
  values.keys_are_url_encoded = url_encoded;
  return values;
}

TEST(RewriteTest, BucketAndLocationOfAnUpload) {
  EXPECT_EQ(rewrite("\n  <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/>/\">"
                    "<Location>https://prod-logs.s3.eu-de.example.com/a%26b</Location>"
                    "<Bucket>prod-logs</Bucket><Key>a&amp;b</Key><ETag>&quot;e-1&quot;</ETag>"
                    "</CompleteMultipartUploadResult>\n"),
            "\n  <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/>/\">"
            "<Location>https://front/logs/a&amp;b</Location>"
            "<Bucket>logs</Bucket><Key>a&amp;b</Key><ETag>&quot;e-1&quot;</ETag>"
            "</CompleteMultipartUploadResult>\n");
  EXPECT_EQ(rewrite("<InitiateMultipartUploadResult><Bucket>prod</Bucket><Key>k</Key>"
                    "<UploadId>u</UploadId></InitiateMultipartUploadResult>"),
            "<InitiateMultipartUploadResult><Bucket>logs</Bucket><Key>k</Key>"
            "<UploadId>u</UploadId></InitiateMultipartUploadResult>");
  EXPECT_EQ(rewrite("<ListPartsResult><Bucket\n>prod</Bucket><Part><Bucket>no</Bucket></Part>"
                    "</ListPartsResult>"),
            "<ListPartsResult><Bucket\n>logs</Bucket><Part><Bucket>no</Bucket></Part>"
            "</ListPartsResult>");
}

TEST(RewriteTest, OnlyTheElementsOfTheTableChange) {
  EXPECT_EQ(rewrite("<ListBucketResult><Name>prod</Name><Prefix/><Marker></Marker>"
                    "<Contents><Key>Name</Key><Owner><Name>prod</Name></Owner></Contents>"
                    "<!-- <Name>prod</Name> --></ListBucketResult>"),
            "<ListBucketResult><Name>logs</Name><Prefix/><Marker></Marker>"
            "<Contents><Key>Name</Key><Owner><Name>prod</Name></Owner></Contents>"
            "<!-- <Name>prod</Name> --></ListBucketResult>");
  EXPECT_EQ(rewrite("<ListBucketResult><Name/></ListBucketResult>"),
            "<ListBucketResult><Name/></ListBucketResult>");
  EXPECT_EQ(rewrite("<s:ListBucketResult><s:Name>prod</s:Name></s:ListBucketResult>"),
            "<s:ListBucketResult><s:Name>logs</s:Name></s:ListBucketResult>");
}

TEST(RewriteTest, OtherDocumentsPassAsTheyAre) {
  for (const std::string_view other :
       {"<CopyObjectResult><Bucket>prod</Bucket></CopyObjectResult>", "{\"Name\": \"<a>\"}", "",
        "<html><br></p><Error><Resource>x</Resource>", "plain", "<a/>rest</a><<<"}) {
    EXPECT_EQ(rewrite(other), other);
  }
}

TEST(RewriteTest, OrFailWhereTheyCouldHaveAnyKeys) {
  RewriteValues values = with_prefix("p/");
  values.known_only = true;
  EXPECT_EQ(rewrite("<ListKeysResult><Key>other</Key></ListKeysResult>", values), "failed");
  EXPECT_EQ(
      rewrite("\n<ListBucketResult><Contents><Key>p/a</Key></Contents></ListBucketResult>", values),
      "\n<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>");
  EXPECT_EQ(rewrite("<Error><Key>p/a</Key></Error>", values), "<Error><Key>a</Key></Error>");
  EXPECT_EQ(rewrite("", values), "");
  EXPECT_EQ(rewrite("\xef\xbb\xbf\n<Error/>\n<!-- -->\n", values),
            "\xef\xbb\xbf\n<Error/>\n<!-- -->\n");
  for (const std::string_view text : {"p/a", "a<Error/>", "<Error/>a", "<!-- -->a<Error/>"}) {
    EXPECT_EQ(rewrite(text, values), "failed") << text;
    EXPECT_EQ(rewrite(text), text);
  }
}

// What a message may be about is not known; whoever has no other names is told all.
TEST(RewriteTest, AMessageThatTellsNamesIsLeftOut) {
  const auto message = [](std::string_view text, const RewriteValues& values) {
    const std::string before = "<Error><Message>";
    const std::string said = rewrite(before + std::string{text} + "</Message></Error>", values);
    return said.substr(before.size(), said.find("</Message>") - before.size());
  };
  constexpr std::string_view kNone =
      "The storage refused this, and its message has names of its own";
  RewriteValues alias{.bucket = "a", .hidden_bucket = "prod"};
  EXPECT_EQ(message("no k in a/b", alias), "no k in a/b");
  EXPECT_EQ(message("no k in prod", alias), kNone);
  alias = {.bucket = "a", .hidden_source_bucket = "prod"};
  EXPECT_EQ(message("/prod/k", alias), kNone);
  EXPECT_EQ(message("/prod/k", {.bucket = "a"}), "/prod/k");
  EXPECT_EQ(message("", alias), "");
  for (const std::string_view text : {"a/k", "a%2Fk", "a&#47;k", "a\\k"}) {
    EXPECT_EQ(message(text, with_prefix("a/")), kNone) << text;
    EXPECT_EQ(message(text, {.bucket = "a", .source_prefix = "a/"}), kNone) << text;
  }
  EXPECT_EQ(message("No such key.", with_prefix("a/")), "No such key.");
  EXPECT_EQ(
      rewrite("<DeleteResult><Error><Message>prod</Message></Error></DeleteResult>",
              {.bucket = "a", .hidden_bucket = "prod"}),
      "<DeleteResult><Error><Message>" + std::string{kNone} + "</Message></Error></DeleteResult>");
}

TEST(RewriteTest, AnErrorTellsNothingOfTheBackend) {
  EXPECT_EQ(rewrite("<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIABACK"
                    "</AWSAccessKeyId><StringToSign>AWS4\n2013&#13;</StringToSign>"
                    "<SignatureProvided>00</SignatureProvided><StringToSignBytes>41"
                    "</StringToSignBytes><CanonicalRequest>GET</CanonicalRequest>"
                    "<CanonicalRequestBytes>47</CanonicalRequestBytes><Region>eu-de</Region>"
                    "<Resource>/prod-logs/key</Resource><RequestId>R</RequestId></Error>"),
            "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId></AWSAccessKeyId>"
            "<StringToSign></StringToSign><SignatureProvided></SignatureProvided>"
            "<StringToSignBytes></StringToSignBytes><CanonicalRequest></CanonicalRequest>"
            "<CanonicalRequestBytes></CanonicalRequestBytes><Region></Region>"
            "<Resource>/logs/key</Resource><RequestId>R</RequestId></Error>");
  EXPECT_EQ(rewrite("<Error><Endpoint>prod.s3.example.com</Endpoint><Bucket>prod</Bucket>"
                    "<BucketName>prod</BucketName></Error>"),
            "<Error><Endpoint>front</Endpoint><Bucket>logs</Bucket>"
            "<BucketName>logs</BucketName></Error>");
}

TEST(RewriteTest, TheCodeOfAnErrorIsKeptAndPassed) {
  const auto code = [](std::string_view document) {
    RewriteRun whole{{}};
    RewriteRun bytes{{}};
    whole.feed(document);
    for (const char& c : document) bytes.feed({&c, 1});
    EXPECT_EQ(whole.finish(), document);
    EXPECT_EQ(bytes.finish(), document);
    EXPECT_EQ(whole.error_code(), bytes.error_code());
    return whole.error_code();
  };
  EXPECT_EQ(code("<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code></Error>"), "NoSuchKey");
  EXPECT_EQ(code("<Error><Code></Code></Error>"), "");
  EXPECT_EQ(code("<Error><Message>a</Message></Error>"), "");
  EXPECT_EQ(code("<DeleteResult><Error><Code>NoSuchKey</Code></Error></DeleteResult>"), "");
  const std::string text(100, 'x');
  EXPECT_EQ(code("<Error><Code>" + text + "</Code></Error>"), text.substr(0, 64));
}

TEST(RewriteTest, KeysLoseThePrefix) {
  const std::string list =
      "<ListBucketResult><Name>prod</Name><Prefix>t&amp;1/a</Prefix><Marker></Marker>"
      "<NextMarker>t&#38;1/z</NextMarker><Contents><Key>t&amp;1/a&lt;b</Key></Contents>"
      "<CommonPrefixes><Prefix>t&amp;1/c/</Prefix></CommonPrefixes></ListBucketResult>";
  EXPECT_EQ(rewrite(list, with_prefix("t&1/")),
            "<ListBucketResult><Name>logs</Name><Prefix>a</Prefix><Marker></Marker>"
            "<NextMarker>z</NextMarker><Contents><Key>a&lt;b</Key></Contents>"
            "<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes></ListBucketResult>");
  EXPECT_EQ(rewrite(list, with_prefix("t&2/")), "failed");
  EXPECT_EQ(rewrite("<DeleteResult><Deleted><Key>p/a</Key></Deleted><Error><Key>p/b</Key></Error>"
                    "<Error><Key>other</Key></Error></DeleteResult>",
                    with_prefix("p/")),
            "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key></Error>"
            "<Error><Key></Key></Error></DeleteResult>");
}

TEST(RewriteTest, AnErrorTellsNoKeyThatIsNotTheClients) {
  const std::string_view error = "<Error><Key>p/a</Key><ArgumentValue>p/m</ArgumentValue></Error>";
  EXPECT_EQ(rewrite(error, with_prefix("p/")),
            "<Error><Key>a</Key><ArgumentValue>m</ArgumentValue></Error>");
  EXPECT_EQ(rewrite(error, with_prefix("q/")),
            "<Error><Key></Key><ArgumentValue>p/m</ArgumentValue></Error>");
  EXPECT_EQ(rewrite(error), error);
  // Of a copy the key may be the source's.
  RewriteValues values = with_prefix("q/");
  values.source_prefix = "p/";
  EXPECT_EQ(rewrite("<Error><Key>p/a</Key></Error>", values), "<Error><Key>a</Key></Error>");
  values.key_prefix = "";
  EXPECT_EQ(rewrite("<Error><Key>p/a</Key></Error>", values), "<Error><Key>a</Key></Error>");
  EXPECT_EQ(rewrite("<Error><Key>own</Key></Error>", values), "<Error><Key>own</Key></Error>");
  // encoding-type is about lists.
  EXPECT_EQ(rewrite("<Error><Key>p/a%2Fb</Key></Error>", with_prefix("p/", true)),
            "<Error><Key>a%2Fb</Key></Error>");
}

TEST(RewriteTest, KeysMayBePercentEncoded) {
  EXPECT_EQ(rewrite("<ListVersionsResult><Version><Key>a+b%2Fc+d</Key></Version><DeleteMarker>"
                    "<Key>a%20b/e</Key></DeleteMarker></ListVersionsResult>",
                    with_prefix("a b/", true)),
            "<ListVersionsResult><Version><Key>c+d</Key></Version><DeleteMarker>"
            "<Key>e</Key></DeleteMarker></ListVersionsResult>");
}

TEST(RewriteTest, WhatCannotBeRewrittenFails) {
  for (const std::string_view bad :
       {"<ListBucketResult><Name>a<b/></Name>", "<ListBucketResult><Name>a<b></b></Name>",
        "<ListBucketResult><Name><![CDATA[prod]]></Name>",
        "<ListBucketResult><Name>a<!-- --></Name>", "<ListBucketResult><Name>a</Other>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><ListBucketResult>"}) {
    EXPECT_EQ(rewrite(bad), "failed") << bad;
  }
  EXPECT_EQ(rewrite("<ListBucketResult><Contents><Key>&prefix;a</Key>", with_prefix("p/")),
            "failed");
}

TEST(RewriteTest, TextIsBounded) {
  const auto list = [](std::size_t bytes) {
    return "<ListBucketResult><Name>" + std::string(bytes, 'n') + "</Name></ListBucketResult>";
  };
  const std::string expected = "<ListBucketResult><Name>logs</Name></ListBucketResult>";
  EXPECT_EQ(rewrite_in_steps(kValues, list(Rewriter::kTextBytesMax), 1000), expected);
  EXPECT_EQ(rewrite_in_steps(kValues, list(Rewriter::kTextBytesMax + 1), 1000), "failed");
  EXPECT_EQ(rewrite_in_steps(kValues, list(Rewriter::kTextBytesMax + 1), 1), "failed");
}

TEST(RewriteTest, ADocumentMayBeEmpty) {
  EXPECT_EQ(rewrite("<DeleteResult/>"), "<DeleteResult/>");
  EXPECT_EQ(rewrite("<DeleteResult/>\n"), "<DeleteResult/>\n");
  EXPECT_EQ(rewrite("<DeleteResult><Deleted/>"), "<DeleteResult><Deleted/>incomplete");
}

TEST(RewriteTest, IsIncompleteBeforeItsLastTag) {
  EXPECT_EQ(rewrite("<ListBucketResult><Name>prod"), "<ListBucketResult><Name>incomplete");
  EXPECT_EQ(rewrite("<ListBucketResult><Name>prod<"), "<ListBucketResult><Name>logs<incomplete");
  EXPECT_EQ(rewrite("<ListBucketResult>"), "<ListBucketResult>incomplete");
}

// S3 sends white space for minutes while it puts parts together: it must not be kept.
TEST(RewriteTest, ADocumentMayBeOneEmptyElement) {
  for (const std::string_view document :
       {"<ListBucketResult/>", "<ListBucketResult />\n", " <?x?>  <ListBucketResult a='/'/>"}) {
    EXPECT_EQ(rewrite(document), document);
  }
  EXPECT_EQ(rewrite("<ListBucketResult/"), "<ListBucketResult/incomplete");
  EXPECT_EQ(rewrite("<ListBucketResult><A/>"), "<ListBucketResult><A/>incomplete");
}

TEST(RewriteTest, BytesPassAtOnce) {
  Rewriter rewriter{kValues};
  for (const std::string_view piece : {" ", "\n", "<CompleteMultipartUploadResult>", "<Locat"}) {
    std::string_view bytes = piece;
    ASSERT_EQ(rewriter.next(bytes), Rewriter::Event::kData);
    EXPECT_EQ(rewriter.data(), piece);
    EXPECT_EQ(bytes, "");
  }
}

TEST(RewriteTest, AllocatesNothing) {
  const std::string_view document = "<ListBucketResult><Name>prod</Name></ListBucketResult>";
  const test::AllocationCount count;
  Rewriter rewriter{kValues};
  for (const char& c : document) {
    std::string_view bytes{&c, 1};
    while (rewriter.next(bytes) != Rewriter::Event::kNeedMore) {
    }
  }
  EXPECT_TRUE(rewriter.complete());
  EXPECT_EQ(count.so_far(), 0U);
}

}  // namespace
}  // namespace tercel::s3
