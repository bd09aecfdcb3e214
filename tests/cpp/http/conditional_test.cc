#include "tercel/http/conditional.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

using std::chrono::seconds;

constexpr seconds kNow{1795700000};
constexpr seconds kModified{784111777};  // kEqual.
constexpr std::string_view kEarlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kEqual = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kLater = "Sunday, 06-Nov-94 08:49:38 GMT";

std::string tag(std::string_view text) {
  const auto parsed = parse_entity_tag(text);
  return parsed ? (parsed->weak ? "weak " : "strong ") + std::string{parsed->opaque} : "none";
}

TEST(EntityTagTest, IsQuotedAndPerhapsWeak) {
  EXPECT_EQ(tag("\"abc\""), "strong abc");
  EXPECT_EQ(tag("W/\"abc\""), "weak abc");
  EXPECT_EQ(tag("\"\""), "strong ");
  EXPECT_EQ(tag("\"a,b\\c!#~\x80\xff\""), "strong a,b\\c!#~\x80\xff");
  for (std::string_view bad :
       {"", "abc", "\"", "\"abc", "abc\"", "w/\"abc\"", "W\"abc\"", "W/ \"abc\"", "\"a b\"",
        "\"a\tb\"", "\"a\"b\"", "\"a\x7f\"", " \"a\"", "\"a\" ", "*"}) {
    EXPECT_EQ(tag(bad), "none") << bad;
  }
}

// The table of RFC 9110 section 8.8.3.2.
TEST(EntityTagTest, MatchesStronglyAndWeakly) {
  const EntityTag weak1{"1", true};
  const EntityTag weak2{"2", true};
  const EntityTag strong1{"1", false};
  EXPECT_FALSE(strong_match(weak1, weak1));
  EXPECT_TRUE(weak_match(weak1, weak1));
  EXPECT_FALSE(strong_match(weak1, weak2));
  EXPECT_FALSE(weak_match(weak1, weak2));
  EXPECT_FALSE(strong_match(weak1, strong1));
  EXPECT_FALSE(strong_match(strong1, weak1));
  EXPECT_TRUE(weak_match(weak1, strong1));
  EXPECT_TRUE(strong_match(strong1, strong1));
  EXPECT_TRUE(weak_match(strong1, strong1));
}

// A value of a field, and what it says when the representation has the strong tag "a" / the weak
// one / no tag / does not exist.
struct TagCase {
  std::string_view value;  // Null: the field is absent.
  char strong;             // 'y', 'n', or 'm' for malformed.
  char weak;
  char without;
  char missing;
};
constexpr TagCase kIfMatch[] = {
    {{}, '-', '-', '-', '-'},         {"*", 'y', 'y', 'y', 'n'},
    {"\"a\"", 'y', 'n', 'n', 'n'},    {"W/\"a\"", 'n', 'n', 'n', 'n'},
    {"\"b\"", 'n', 'n', 'n', 'n'},    {",\"b\" ,, \"a\"", 'y', 'n', 'n', 'n'},
    {"", 'n', 'n', 'n', 'n'},         {"\"a\" \"b\"", 'm', 'm', 'm', 'm'},
    {"\"a\", b", 'm', 'm', 'm', 'm'}, {"*, \"a\"", 'm', 'm', 'm', 'm'},
};
constexpr TagCase kIfNoneMatch[] = {
    {{}, '-', '-', '-', '-'},      {"*", 'y', 'y', 'y', 'n'},
    {"\"a\"", 'y', 'y', 'n', 'n'}, {"\"c\", W/\"a\"", 'y', 'y', 'n', 'n'},
    {"\"b\"", 'n', 'n', 'n', 'n'}, {"a", 'm', 'm', 'm', 'm'},
};
struct DateCase {
  std::string_view value;
  char is_not_before;  // The modification: 'y', 'n', or '-' when the field is to be ignored.
};
constexpr DateCase kDates[] = {
    {{}, '-'}, {kEarlier, 'n'}, {kEqual, 'y'}, {kLater, 'y'}, {"x", '-'}};

enum class State { kStrong, kWeak, kWithout, kMissing };

char listed(const TagCase& c, State state) {
  switch (state) {
    case State::kStrong:
      return c.strong;
    case State::kWeak:
      return c.weak;
    case State::kWithout:
      return c.without;
    case State::kMissing:
      return c.missing;
  }
  return '?';
}

// The steps of RFC 9110 section 13.2.2, one after the other, for the answers '-', 'y', 'n', 'm'.
Verdict by_the_steps(bool reads, char match, char unmodified, char none_match, char modified) {
  if (match != '-') {  // 1.
    if (match == 'n' || (match == 'm' && !reads)) return Verdict::kPreconditionFailed;
  } else if (unmodified == 'n') {  // 2.
    return Verdict::kPreconditionFailed;
  }
  if (none_match != '-') {  // 3.
    if (none_match == 'n' || (none_match == 'm' && reads)) return Verdict::kProceed;
    return reads ? Verdict::kNotModified : Verdict::kPreconditionFailed;
  }
  if (reads && modified == 'y') return Verdict::kNotModified;  // 4.
  return Verdict::kProceed;
}

struct Case {
  std::string_view method;
  const TagCase& match;
  const DateCase& unmodified;
  const TagCase& none_match;
  const DateCase& modified;
};

void expect_by_the_steps(const Case& c, State state, bool dated) {
  std::vector<Field> fields{{"host", "a"}};
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.data() != nullptr) fields.push_back({name, value});
  };
  add("if-modified-since", c.modified.value);
  add("if-none-match", c.none_match.value);
  add("if-unmodified-since", c.unmodified.value);
  add("if-match", c.match.value);

  Validators current{.exists = state != State::kMissing};
  if (state == State::kStrong) current.etag = EntityTag{"a", false};
  if (state == State::kWeak) current.etag = EntityTag{"a", true};
  if (state == State::kMissing) current.etag = EntityTag{"a", false};  // Means nothing.
  if (dated) current.last_modified = kModified;
  const bool reads = c.method == "GET" || c.method == "HEAD";
  EXPECT_EQ(evaluate_conditions(c.method, fields, current, kNow),
            by_the_steps(reads, listed(c.match, state), dated ? c.unmodified.is_not_before : '-',
                         listed(c.none_match, state), dated ? c.modified.is_not_before : '-'))
      << c.method << " if-match: " << c.match.value
      << " if-unmodified-since: " << c.unmodified.value << " if-none-match: " << c.none_match.value
      << " if-modified-since: " << c.modified.value << " state " << static_cast<int>(state);
}

TEST(ConditionsTest, AreEvaluatedInTheOrderOfTheRfc) {
  for (const std::string_view method : {"GET", "HEAD", "PUT", "get"}) {
    for (const TagCase& match : kIfMatch) {
      for (const DateCase& unmodified : kDates) {
        for (const TagCase& none_match : kIfNoneMatch) {
          for (const DateCase& modified : kDates) {
            for (int state = 0; state < 8; ++state) {
              expect_by_the_steps({method, match, unmodified, none_match, modified},
                                  static_cast<State>(state / 2), state % 2 == 1);
            }
          }
        }
      }
    }
  }
}

TEST(ConditionsTest, ListsMaySpreadOverFieldsAndDatesMayNot) {
  const Validators current{.etag = EntityTag{"a", false}, .last_modified = kModified};
  const auto verdict = [&](std::string_view method, std::vector<Field> fields) {
    return evaluate_conditions(method, fields, current, kNow);
  };
  EXPECT_EQ(verdict("PUT", {{"if-match", "\"b\""}, {"if-match", "\"a\""}}), Verdict::kProceed);
  EXPECT_EQ(verdict("PUT", {{"if-match", "\"a\""}, {"if-match", "\"b\""}}), Verdict::kProceed);
  EXPECT_EQ(verdict("PUT", {{"if-match", "\"a\""}, {"if-match", "b"}}),
            Verdict::kPreconditionFailed);
  EXPECT_EQ(verdict("GET", {{"if-none-match", "\"b\""}, {"if-none-match", "\"a\""}}),
            Verdict::kNotModified);
  EXPECT_EQ(verdict("GET", {{"if-modified-since", kLater}, {"if-modified-since", kLater}}),
            Verdict::kProceed);
  EXPECT_EQ(verdict("PUT", {{"if-unmodified-since", kEarlier}, {"if-unmodified-since", kEarlier}}),
            Verdict::kProceed);
}

TEST(ConditionsTest, AreNothingToOptions) {
  const std::vector<Field> fields{{"if-match", "\"b\""}, {"if-none-match", "*"}};
  EXPECT_EQ(evaluate_conditions("OPTIONS", fields, {}, kNow), Verdict::kProceed);
}

TEST(IfRangeTest, WantsTheSameState) {
  struct RangeCase {
    std::string_view value;
    bool applies;
  };
  Validators current{
      .etag = EntityTag{"a", false}, .last_modified = kModified, .last_modified_is_strong = true};
  const auto applies = [&](std::string_view value) {
    return range_applies(std::vector<Field>{{"if-range", value}}, current, kNow);
  };
  for (const RangeCase& c : {RangeCase{"\"a\"", true},
                             {"W/\"a\"", false},
                             {"\"b\"", false},
                             {kEqual, true},
                             {kEarlier, false},
                             {kLater, false},
                             {"", false},
                             {"a", false},
                             {"*", false},
                             {"\"a\", \"b\"", false}}) {
    EXPECT_EQ(applies(c.value), c.applies) << c.value;
  }
  const std::vector<Field> twice{{"if-range", "\"a\""}, {"if-range", "\"a\""}};
  EXPECT_FALSE(range_applies(twice, current, kNow));
  EXPECT_TRUE(range_applies({}, current, kNow));

  current.last_modified_is_strong = false;
  EXPECT_FALSE(applies(kEqual));
  current = {.etag = EntityTag{"a", true}};
  EXPECT_FALSE(applies("W/\"a\""));
  EXPECT_FALSE(applies("\"a\""));
  EXPECT_FALSE(applies(kEqual));
  current = {.exists = false, .etag = EntityTag{"a", false}};
  EXPECT_FALSE(applies("\"a\""));
  current = {};
  EXPECT_FALSE(applies("\"a\""));
}

}  // namespace
}  // namespace tercel::http
