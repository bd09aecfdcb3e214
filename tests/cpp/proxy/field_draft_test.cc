#include "tercel/proxy/field_draft.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::proxy {
namespace {

using Fields = std::vector<http::Field>;

std::string kept(const Fields& fields) {
  FieldDraft draft;
  draft.clear();
  add_end_to_end(fields, draft);
  std::string names;
  for (const http::Field& field : draft.fields()) (names += field.name) += " ";
  return names;
}

TEST(FieldDraftTest, FieldsOfOneConnectionStayBehind) {
  EXPECT_EQ(kept({{"a", ""},
                  {"connection", "close"},
                  {"keep-alive", ""},
                  {"te", ""},
                  {"upgrade", ""},
                  {"proxy-connection", ""},
                  {"transfer-encoding", ""},
                  {"trailer", ""},
                  {"b", ""}}),
            "a trailer b ");
}

// RFC 9110 section 7.6.1, in whatever case and place.
TEST(FieldDraftTest, SoDoThoseThatConnectionLists) {
  EXPECT_EQ(kept({{"x-hop", "1"},
                  {"connection", "close, X-Hop"},
                  {"x-end", "2"},
                  {"connection", ", other"},
                  {"other", ""}}),
            "x-end ");
}

TEST(FieldDraftTest, JoinsAList) {
  FieldDraft draft;
  const Fields fields{{"via", "1.1 a"}, {"x", "y"}, {"via", ""}, {"via", "1.0 b, 1.1 c"}};
  EXPECT_EQ(draft.list(fields, "via", "1.1 d"), "1.1 a, 1.0 b, 1.1 c, 1.1 d");
  EXPECT_EQ(draft.list(fields, "none", "1.1 d"), "1.1 d");
}

TEST(FieldDraftTest, KnowsThatSomethingFoundNoRoom) {
  FieldDraft draft;
  EXPECT_NE(draft.text({std::string(16000, 'x')}), "");
  EXPECT_TRUE(draft.complete());
  EXPECT_EQ(draft.text({std::string(1000, 'x')}), "");
  EXPECT_FALSE(draft.complete());
  draft.clear();
  EXPECT_TRUE(draft.complete());
  for (int i = 0; i < 1000; ++i) draft.add("a", "b");
  EXPECT_FALSE(draft.complete());
}

}  // namespace
}  // namespace tercel::proxy
