#include "tercel/http/message_copy.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

// Memory of exactly the size that was asked for: the sanitizer sees a byte too many.
struct Memory {
  explicit Memory(std::size_t wanted) : bytes{std::make_unique<char[]>(wanted)}, size{wanted} {}
  [[nodiscard]] bool holds(std::string_view text) const noexcept {
    return text.empty() ||
           (text.data() >= bytes.get() && text.data() + text.size() <= bytes.get() + size);
  }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

using Texts = std::vector<std::string>;

Texts texts_of(const Request& request) {
  Texts texts{std::string{request.method},    std::string{request.target},
              std::string{request.path},      std::string{request.query},
              std::string{request.authority}, std::string{request.root_path}};
  for (const Field& field : request.fields) {
    texts.emplace_back(field.name);
    texts.emplace_back(field.value);
  }
  return texts;
}

void expect_equal_and_independent(const Request& request, Texts& sources) {
  const Texts wanted = texts_of(request);
  const std::optional<Address> client =
      request.client != nullptr ? std::optional{*request.client} : std::nullopt;
  const Memory memory{copy_bytes(request)};
  EXPECT_EQ(memory.size % alignof(Field), 0U);
  const Request copied = copy(request, memory.bytes.get());
  for (std::string& source : sources) source.assign(source.size(), '#');
  EXPECT_EQ(texts_of(copied), wanted);
  for (const std::string_view view : {copied.method, copied.target, copied.path, copied.query,
                                      copied.authority, copied.root_path}) {
    EXPECT_TRUE(memory.holds(view)) << view;
  }
  for (const Field& field : copied.fields) {
    EXPECT_TRUE(memory.holds(field.name) && memory.holds(field.value));
  }
  ASSERT_EQ(copied.client != nullptr, client.has_value());
  if (client) {
    EXPECT_NE(copied.client, request.client);
    EXPECT_EQ(*copied.client, *client);
  }
}

TEST(MessageCopyTest, ACopyNeedsNothingOfTheOriginal) {
  Texts sources{"POST", "/a%20b/c?x=1&y", "host:80", "content-type", "text/plain", "x",
                "",     "/prefix"};
  const std::array<Field, 2> fields{{{sources[3], sources[4]}, {sources[5], sources[6]}}};
  const Address client{.ip = {127, 0, 0, 1}, .port = 80, .kind = AddressKind::kIpv4};
  Request request{.method = sources[0],
                  .target = sources[1],
                  .path = std::string_view{sources[1]}.substr(0, 8),
                  .query = std::string_view{sources[1]}.substr(9),
                  .authority = sources[2],
                  .root_path = sources[7],
                  .fields = fields,
                  .content_length = 17,
                  .protocol = "websocket",
                  .client = &client,
                  .version = Version::kHttp10,
                  .secure = true,
                  .has_body = true,
                  .accepts_trailers = true};
  const Memory memory{copy_bytes(request)};
  const Request copied = copy(request, memory.bytes.get());
  EXPECT_EQ(copied.content_length, 17U);
  EXPECT_EQ(copied.version, Version::kHttp10);
  EXPECT_TRUE(copied.secure && copied.has_body && copied.accepts_trailers);
  // Inside of the target they are not copied twice.
  EXPECT_EQ(copied.path.data(), copied.target.data());
  EXPECT_EQ(copied.query.data(), copied.target.data() + 9);
  expect_equal_and_independent(request, sources);
}

TEST(MessageCopyTest, PathAndQueryMayBeAnywhere) {
  Texts sources{"GET", "http://h/p?q", "/elsewhere", "z=1"};
  Request request;
  request.method = sources[0];
  request.target = sources[1];
  request.path = sources[2];
  request.query = sources[3];
  request.authority = std::string_view{sources[1]}.substr(7, 1);
  expect_equal_and_independent(request, sources);
}

TEST(MessageCopyTest, AnEmptyRequestNeedsNothing) {
  Texts sources;
  EXPECT_EQ(copy_bytes(Request{}), 0U);
  EXPECT_EQ(copy_bytes(std::span<const Field>{}), 0U);
  expect_equal_and_independent({}, sources);
}

TEST(MessageCopyTest, AResponseIsCopiedWithItsReason) {
  std::string reason = "Fine";
  std::string value = "text/plain";
  const Field field{"content-type", value};
  const Response response{.status = 299, .fields = {&field, 1}, .trailers = true, .reason = reason};
  const Memory memory{copy_bytes(response)};
  const Response copied = copy(response, memory.bytes.get());
  reason = value = "#";
  EXPECT_EQ(copied.status, 299);
  EXPECT_TRUE(copied.trailers);
  EXPECT_EQ(copied.reason, "Fine");
  ASSERT_EQ(copied.fields.size(), 1U);
  EXPECT_EQ(copied.fields[0].name, "content-type");
  EXPECT_EQ(copied.fields[0].value, "text/plain");
  EXPECT_TRUE(memory.holds(copied.reason) && memory.holds(copied.fields[0].value));
}

TEST(MessageCopyTest, FieldsKeepTheirOrder) {
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back("name-" + std::to_string(i));
  std::vector<Field> fields;
  for (const std::string& name : names) fields.push_back({name, name});
  const Memory memory{copy_bytes(fields)};
  const std::span<const Field> copied = copy(fields, memory.bytes.get());
  ASSERT_EQ(copied.size(), fields.size());
  for (std::size_t i = 0; i < copied.size(); ++i) {
    EXPECT_EQ(copied[i].name, names[i]);
    EXPECT_EQ(copied[i].value, names[i]);
    EXPECT_TRUE(memory.holds(copied[i].name) && memory.holds(copied[i].value));
  }
}

}  // namespace
}  // namespace tercel::http
