#include "tercel/route/converter.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::route {
namespace {

// "int(min=1)" as it stands in a template.
Converter make(std::string_view text) {
  const std::size_t open = text.find('(');
  const auto arguments =
      open == std::string_view::npos ? "" : text.substr(open + 1, text.size() - open - 2);
  std::string problem;
  const auto made = Converter::make(text.substr(0, open), arguments, nullptr, problem);
  EXPECT_TRUE(made) << text << ' ' << problem;
  return made.value_or(Converter{});
}

std::string problem_of(std::string_view name, std::string_view arguments) {
  std::string problem;
  EXPECT_FALSE(Converter::make(name, arguments, nullptr, problem)) << name << arguments;
  return problem;
}

bool takes(std::string_view converter, std::string_view text) {
  Value value;
  return make(converter).convert(text, value, nullptr);
}

template <typename T>
T value_of(std::string_view converter, std::string_view text) {
  Value value;
  EXPECT_TRUE(make(converter).convert(text, value, nullptr)) << text;
  const T* const typed = std::get_if<T>(&value);
  EXPECT_NE(typed, nullptr) << text;
  return typed == nullptr ? T{} : *typed;
}

TEST(ConverterTest, IntTakesWhatIsWithin64Bits) {
  EXPECT_EQ(value_of<std::int64_t>("int", "0"), 0);
  EXPECT_EQ(value_of<std::int64_t>("int", "-0"), 0);
  EXPECT_EQ(value_of<std::int64_t>("int", "007"), 7);
  EXPECT_EQ(value_of<std::int64_t>("int", "9223372036854775807"), INT64_MAX);
  EXPECT_EQ(value_of<std::int64_t>("int", "-9223372036854775808"), INT64_MIN);
  for (const std::string_view text :
       {"", "-", "+1", "--1", "1-", " 1", "1 ", "1_000", "0x10", "1.0", "1e3", "a",
        "9223372036854775808", "-9223372036854775809", "18446744073709551616",
        "99999999999999999999999999999999", "\xD9\xA1", "1\n"}) {
    EXPECT_FALSE(takes("int", text)) << text;
  }
  EXPECT_FALSE(takes("int", std::string_view{"1\0", 2}));
}

TEST(ConverterTest, IntHasLimits) {
  for (int i = -12; i <= 12; ++i) {
    const std::string text = std::to_string(i);
    EXPECT_EQ(takes("int(min=-3)", text), i >= -3) << i;
    EXPECT_EQ(takes("int(max=7)", text), i <= 7) << i;
    EXPECT_EQ(takes("int( min = -3 , max = 7 )", text), i >= -3 && i <= 7) << i;
    EXPECT_EQ(takes("int(1, 2, 7)", text), i >= 2 && i <= 7) << i;
    EXPECT_EQ(takes("int(num_digits=2)", text), std::abs(i) >= 10) << i;
  }
  EXPECT_TRUE(takes("int(num_digits=3)", "007"));
  EXPECT_TRUE(takes("int(num_digits=3)",
                    "-07"
                    "0"));
  EXPECT_FALSE(takes("int(num_digits=3)", "07"));
}

TEST(ConverterTest, FloatTakesDecimalNumbers) {
  EXPECT_EQ(value_of<double>("float", "1"), 1.0);
  EXPECT_EQ(value_of<double>("float", "-0.5"), -0.5);
  EXPECT_EQ(value_of<double>("float", "1.25e-2"), 0.0125);
  EXPECT_EQ(value_of<double>("float", "1E+2"), 100.0);
  EXPECT_EQ(value_of<double>("float", "1.7976931348623157e308"), 1.7976931348623157e308);
  EXPECT_TRUE(std::signbit(value_of<double>("float", "-0")));
  for (const std::string_view text :
       {"",    "-",    ".",   ".5",       "5.",    "1.e5",  "+1",     " 1",  "1 ",  "1e",  "1e+",
        "inf", "-inf", "nan", "infinity", "0x1p3", "1e999", "1e-999", "1_0", "1,5", "--1", "-.5"}) {
    EXPECT_FALSE(takes("float", text)) << text;
  }
  EXPECT_TRUE(takes("float(min=0.5, max=1e1)", "0.5"));
  EXPECT_TRUE(takes("float(0.5, 10)", "10"));
  EXPECT_FALSE(takes("float(0.5, 10)", "0.49"));
  EXPECT_FALSE(takes("float(0.5, 10)", "10.01"));
}

TEST(ConverterTest, UuidIsItsCanonicalText) {
  const Uuid expected{0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                      0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
  const std::string good = "01234567-89ab-cdef-FEDC-ba9876543210";
  EXPECT_EQ(value_of<Uuid>("uuid", good), expected);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'-', 'g', '/', ':', '@', '`', '\0', 'a'}) {
      std::string text = good;
      text[i] = c;
      const bool same_kind = good[i] == '-' ? c == '-' : c == 'a';
      EXPECT_EQ(takes("uuid", text), same_kind) << text;
    }
    EXPECT_FALSE(takes("uuid", good.substr(0, i))) << i;
  }
  EXPECT_FALSE(takes("uuid", good + "0"));
  EXPECT_FALSE(takes("uuid", "0123456789abcdeffedcba9876543210"));
  EXPECT_FALSE(takes("uuid", "{" + good + "}"));
}

TEST(ConverterTest, DatesAndTimesAreValues) {
  EXPECT_EQ(value_of<Date>("date", "2024-02-29"), (Date{2024, 2, 29}));
  EXPECT_FALSE(takes("date", "2023-02-29"));
  EXPECT_EQ(value_of<DateTime>("datetime", "2024-02-29T01:02:03Z"),
            (DateTime{{2024, 2, 29}, 1, 2, 3, true, 0, 0}));
  EXPECT_EQ(value_of<DateTime>("datetime(\"%Y-%m-%d, %H)\")", "2024-02-29, 01)"),
            (DateTime{{2024, 2, 29}, 1, 0, 0, false, 0, 0}));
  EXPECT_EQ(value_of<DateTime>("datetime(format=%Y%m%d)", "20240229"), (DateTime{{2024, 2, 29}}));
  EXPECT_FALSE(takes("datetime(format=%Y%m%d)", "2024-02-29T01:02:03Z"));
}

TEST(ConverterTest, StrCountsCharacters) {
  value_of<std::monostate>("str", "x");
  EXPECT_TRUE(takes("str(min_length=2, max_length=3)", "ab"));
  EXPECT_TRUE(takes("str(2, 3)", "abc"));
  EXPECT_FALSE(takes("str(2, 3)", "a"));
  EXPECT_FALSE(takes("str(2, 3)", "abcd"));
  EXPECT_TRUE(takes("str(max_length=2)", "\xE2\x82\xAC\xE2\x82\xAC"));  // Two euro signs.
  EXPECT_FALSE(takes("str(min_length=2)", "\xE2\x82\xAC"));
}

TEST(ConverterTest, SaysWhatIsWrong) {
  const struct {
    std::string_view name, arguments, problem;
  } cases[] = {
      {"integer", "", "is unknown: integer"},
      {"int", "min", "has a malformed num_digits"},
      {"int", "min=", "has malformed arguments"},
      {"int", "min=1,", "has malformed arguments"},
      {"int", ",", "has malformed arguments"},
      {"int", "min=1 max=2", "has malformed arguments"},
      {"int", "min==1", "has malformed arguments"},
      {"int", "min='1", "has malformed arguments"},
      {"int", "'min'=1", "has malformed arguments"},
      {"int", "(1)", "has malformed arguments"},
      {"int", "min=x", "has a malformed min"},
      {"int", "max=9223372036854775808", "has a malformed max"},
      {"int", "num_digits=0", "has a malformed num_digits"},
      {"int", "1, 2, 3, 4", "takes no such argument: 4"},
      {"int", "low=1", "takes no such argument: low"},
      {"int", "min=2, max=1", "has a minimum above its maximum"},
      {"float", "min=2, max=1.5", "has a minimum above its maximum"},
      {"float", "min=nan", "has a malformed min"},
      {"str", "min_length=0", "has a malformed min_length"},
      {"str", "3, 2", "has a minimum above its maximum"},
      {"uuid", "4", "takes no such argument: 4"},
      {"path", "x=1", "takes no such argument: x"},
      {"datetime", "'%Y'", "has a malformed format"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(problem_of(each.name, each.arguments), each.problem) << each.arguments;
  }
}

TEST(ConverterTest, IsEqualWhenItTakesTheSame) {
  EXPECT_EQ(make("int(min=1, max=2)"), make("int(max = 2, min = 1)"));
  EXPECT_EQ(make("str"), Converter{});
  EXPECT_NE(make("int"), make("int(min=1)"));
  EXPECT_NE(make("int"), make("float"));
  EXPECT_NE(make("datetime"), make("datetime('%Y%m%d')"));
}

// A converter of an application: even numbers, halved.
class Halves final : public UserConverters {
 public:
  std::optional<std::uint32_t> bind(std::string_view name, std::string_view arguments,
                                    std::string& problem) override {
    if (name == "broken") problem = "cannot be: no reason";
    if (name != "half") return std::nullopt;
    bound.emplace_back(arguments);
    return static_cast<std::uint32_t>(bound.size());
  }
  std::optional<UserValue> convert(std::uint32_t converter,
                                   std::string_view text) noexcept override {
    if (text.size() % 2 != 0) return std::nullopt;
    return UserValue{converter * 1000 + text.size() / 2};
  }
  std::vector<std::string> bound;
};

TEST(ConverterTest, AsksTheApplicationForItsOwn) {
  Halves users;
  std::string problem;
  const auto made = Converter::make("half", "x, 'y'", &users, problem);
  ASSERT_TRUE(made);
  EXPECT_EQ(users.bound, std::vector<std::string>{"x, 'y'"});
  EXPECT_EQ(made->kind(), ConverterKind::kUser);
  EXPECT_EQ(made->user_number(), 1U);
  Value value;
  EXPECT_TRUE(made->convert("abcd", value, &users));
  EXPECT_EQ(std::get<UserValue>(value), UserValue{1002});
  EXPECT_FALSE(made->convert("abc", value, &users));
  EXPECT_FALSE(made->convert("abcd", value, nullptr));
  EXPECT_FALSE(Converter::make("broken", "", &users, problem));
  EXPECT_EQ(problem, "cannot be: no reason");
}

}  // namespace
}  // namespace tercel::route
