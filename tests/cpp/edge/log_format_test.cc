#include "tercel/edge/log_format.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

std::vector<LogFormat::Part> parts_of(std::string_view text) {
  std::string problem;
  const auto format = LogFormat::parse(text, problem);
  EXPECT_TRUE(format) << problem;
  if (!format) return {};
  return {format->parts().begin(), format->parts().end()};
}

std::string problem_of(std::string_view text) {
  std::string problem;
  EXPECT_FALSE(LogFormat::parse(text, problem)) << text;
  return problem;
}

TEST(LogFormatTest, AtomsAndTheTextBetweenThemAreParts) {
  EXPECT_TRUE(parts_of("a%h b%%%s%%c") == (std::vector<LogFormat::Part>{{Atom::kLiteral, "a"},
                                                                        {Atom::kClientHost, ""},
                                                                        {Atom::kLiteral, " b%"},
                                                                        {Atom::kStatus, ""},
                                                                        {Atom::kLiteral, "%c"}}));
}

TEST(LogFormatTest, EverySpellingOfTheTableIsUnderstood) {
  for (const AtomRow& row : atom_table()) {
    const auto parts = parts_of(row.spelling);
    ASSERT_EQ(parts.size(), 1U) << row.spelling;
    EXPECT_EQ(parts[0].atom, row.atom) << row.spelling;
    EXPECT_FALSE(row.meaning.empty()) << row.spelling;
  }
}

TEST(LogFormatTest, EveryNamedFormatIsUnderstood) {
  for (const NamedFormat& named : named_formats()) {
    std::string problem;
    const auto format = LogFormat::parse(named.name, problem);
    ASSERT_TRUE(format) << named.name << problem;
    EXPECT_EQ(format->escape(), named.escape);
    EXPECT_GT(format->parts().size(), 5U);
  }
}

TEST(LogFormatTest, HeaderNamesAreInLowerCase) {
  EXPECT_TRUE(parts_of("%{X-Request-ID}i") ==
              (std::vector<LogFormat::Part>{{Atom::kHeader, "x-request-id"}}));
}

TEST(LogFormatTest, UnknownAtomsAreNamed) {
  for (const char* text : {"%Z", "%", "%h %", "%{", "%{a", "%{a}", "%{a}o", "%{}i", "%{a b}i",
                           "%{a\n}i", "%>h", "%i"}) {
    EXPECT_FALSE(problem_of(text).empty()) << text;
  }
  EXPECT_EQ(problem_of("%h %Zx %s"),
            "has an unknown atom \"%Zx \": the atoms are listed in the reference of the access "
            "log.");
}

TEST(LogFormatTest, AMisspeltNameIsNoFormat) {
  EXPECT_EQ(problem_of("combinde"),
            "must be timed, common, combined, json, or a format string with atoms such as %h.");
  EXPECT_FALSE(problem_of("").empty());
  EXPECT_FALSE(problem_of("JSON").empty());
}

TEST(LogFormatTest, SecretsAreNotLogged) {
  for (const char* name : {"Authorization", "cookie", "Proxy-Authorization"}) {
    const std::string problem = problem_of("%{" + std::string{name} + "}i");
    EXPECT_NE(problem.find("secret"), std::string::npos) << problem;
  }
}

TEST(LogFormatTest, AFormatIsOneLine) {
  EXPECT_EQ(problem_of("%h\n%s"), "must be one line.");
}

}  // namespace
}  // namespace tercel::edge
