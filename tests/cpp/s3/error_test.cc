#include "tercel/s3/error.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

constexpr ErrorCode kAll[] = {
#define TERCEL_ROW(name, status, message) ErrorCode::name,
    TERCEL_S3_ERRORS(TERCEL_ROW)
#undef TERCEL_ROW
};

TEST(S3ErrorTest, RowsAreWhatClientsKnow) {
  EXPECT_EQ(info(ErrorCode::kAccessDenied).http_status, 403);
  EXPECT_EQ(info(ErrorCode::kAccessDenied).code, "AccessDenied");
  EXPECT_EQ(info(ErrorCode::kXAmzContentSHA256Mismatch).code, "XAmzContentSHA256Mismatch");
  EXPECT_EQ(info(ErrorCode::kMissingContentLength).http_status, 411);
  EXPECT_EQ(info(ErrorCode::kNotImplemented).http_status, 501);
  EXPECT_EQ(info(ErrorCode::kSlowDown).http_status, 503);
  EXPECT_EQ(info(ErrorCode::kGatewayTimeout).http_status, 504);
}

TEST(S3ErrorTest, EachRowHasAnErrorStatusAMessageAndACodeOfItsOwn) {
  std::set<std::string_view> codes;
  for (const ErrorCode error : kAll) {
    const ErrorInfo row = info(error);
    EXPECT_TRUE(row.http_status >= 400 && row.http_status <= 599) << row.code;
    EXPECT_FALSE(row.message.empty()) << row.code;
    // Counted on by error_body.h.
    EXPECT_LT(row.message.size() + row.code.size(), 256U) << row.code;
    EXPECT_TRUE(codes.insert(row.code).second) << row.code;
  }
}

TEST(S3ErrorTest, RefusalKeepsCopiesOfItsElements) {
  Refusal refusal{ErrorCode::kRequestTimeTooSkewed};
  {
    std::string gone = "20130524T000000Z";
    refusal.with("RequestTime", gone).with("Empty", "");
    gone.assign(gone.size(), 'x');
  }
  const Refusal copy = refusal;
  ASSERT_EQ(copy.elements(), 2U);
  EXPECT_EQ(copy.element(0).name, "RequestTime");
  EXPECT_EQ(copy.element(0).value, "20130524T000000Z");
  EXPECT_EQ(copy.element(1).value, "");
  EXPECT_EQ(copy.message(), info(ErrorCode::kRequestTimeTooSkewed).message);
}

TEST(S3ErrorTest, WhatIsSaidIsKeptBesideTheElements) {
  Refusal refusal{ErrorCode::kAccessDenied};
  {
    std::string gone = "b";
    refusal.with("A", "a").say({"not ", gone, "."}).with("C", "c");
    gone = "x";
  }
  const Refusal copy = refusal;
  EXPECT_EQ(copy.message(), "not b.");
  EXPECT_EQ(copy.element(0).value, "a");
  EXPECT_EQ(copy.element(1).value, "c");
}

TEST(S3ErrorTest, RefusalCutsWhatIsTooMuch) {
  Refusal refusal{ErrorCode::kAccessDenied, "no"};
  refusal.with("A", "a").with("B", std::string(2 * Refusal::kTextBytesMax, 'b')).with("C", "c");
  refusal.with("D", "").with("E", "e");
  ASSERT_EQ(refusal.elements(), Refusal::kElementsMax);
  EXPECT_EQ(refusal.element(1).value, std::string(Refusal::kTextBytesMax - 1, 'b'));
  EXPECT_EQ(refusal.element(2).value, "");
  EXPECT_EQ(refusal.element(3).name, "D");
}

}  // namespace
}  // namespace tercel::s3
