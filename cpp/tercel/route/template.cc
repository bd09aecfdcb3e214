#include "tercel/route/template.h"

#include <algorithm>

#include "tercel/base/percent.h"

namespace tercel::route {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) > 0x7F;
}

// How many bytes at the start of `text` make a name.
std::size_t name_bytes(std::string_view text) noexcept {
  if (text.empty() || !is_letter(text.front())) return 0;
  const auto end = std::find_if_not(text.begin(), text.end(),
                                    [](char c) { return is_letter(c) || is_digit(c); });
  return static_cast<std::size_t>(end - text.begin());
}

class Parser {
 public:
  Parser(std::string_view text, UserConverters* users, Template& out)
      : rest_{text}, users_{users}, out_{out} {}

  Problem run() {
    if (!rest_.starts_with('/')) return problem("begins with '/'");
    if (rest_.size() > kTemplateBytesMax) {
      return "A template has at most " + std::to_string(kTemplateBytesMax) + " bytes.";
    }
    while (!rest_.empty()) {
      rest_.remove_prefix(1);  // '/'
      if (out_.segments.size() == kSegmentsMax) {
        return problem("has at most " + std::to_string(kSegmentsMax) + " segments");
      }
      if (auto bad = parse_segment()) return bad;
    }
    return std::nullopt;
  }

 private:
  // The sentence: what a template has to be.
  [[nodiscard]] Problem problem(std::string_view rule) const {
    return "\"" + out_.text + "\": a template " + std::string{rule} + ".";
  }

  Problem parse_segment() {
    TemplateSegment segment;
    segment.literals.emplace_back();
    while (!rest_.starts_with('/') && !rest_.empty()) {
      if (rest_.front() == '{') {
        if (!segment.fields.empty() && segment.literals.back().empty()) {
          return problem("has a literal between two fields");
        }
        if (auto bad = parse_field(segment)) return bad;
        segment.literals.emplace_back();
      } else if (auto bad = parse_literal_byte(segment.literals.back())) {
        return bad;
      }
    }
    if (auto bad = classify(segment)) return bad;
    out_.segments.push_back(std::move(segment));
    return std::nullopt;
  }

  Problem parse_literal_byte(std::string& literal) {
    const char c = rest_.front();
    const auto byte = static_cast<unsigned char>(c);
    if (c == '}') return problem("has a '{' before each '}'");
    if (c == '?' || c == '#') return problem("has no query and no fragment");
    if (byte < 0x20 || byte == 0x7F) return problem("has no control characters");
    if (c == '%' && valid_percent_encoding(rest_.substr(0, 3))) {
      return problem("has its literals decoded, not as %XX");
    }
    literal += c;
    rest_.remove_prefix(1);
    return std::nullopt;
  }

  Problem parse_field(TemplateSegment& segment) {
    rest_.remove_prefix(1);  // '{'
    const std::string name{take_name()};
    if (name.empty()) return problem("has a name behind each '{'");
    std::string_view converter = "str";
    std::string_view arguments;
    if (rest_.starts_with(':')) {
      rest_.remove_prefix(1);
      converter = take_name();
      if (converter.empty()) return problem("has a converter behind each ':' of a field");
      if (rest_.starts_with('(')) {
        rest_.remove_prefix(1);
        const std::size_t end = find_arguments_end(rest_);
        if (end == std::string_view::npos) return problem("has a ')' for each '(' of a field");
        arguments = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
      }
    }
    if (!rest_.starts_with('}')) return problem("has fields like {name} or {name:converter}");
    rest_.remove_prefix(1);
    return add_field(segment, name, converter, arguments);
  }

  Problem add_field(TemplateSegment& segment, const std::string& name, std::string_view converter,
                    std::string_view arguments) {
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) {
      return problem("has each field once, but {" + name + "} is there twice");
    }
    if (names_.size() == kFieldsMax) {
      return problem("has at most " + std::to_string(kFieldsMax) + " fields");
    }
    names_.push_back(name);
    std::string why;
    auto made = Converter::make(converter, arguments, users_, why);
    if (!made) return "\"" + out_.text + "\": the converter of {" + name + "} " + why + ".";
    segment.fields.push_back({name, std::move(*made)});
    return std::nullopt;
  }

  Problem classify(TemplateSegment& segment) const {
    if (segment.fields.empty()) return std::nullopt;
    const bool alone =
        segment.fields.size() == 1 && segment.literals[0].empty() && segment.literals[1].empty();
    segment.kind = alone ? SegmentKind::kField : SegmentKind::kMixed;
    const bool has_path = std::any_of(
        segment.fields.begin(), segment.fields.end(),
        [](const Field& field) { return field.converter.kind() == ConverterKind::kPath; });
    if (!has_path) return std::nullopt;
    if (!alone || !rest_.empty()) return problem("ends in its path field, the only one in there");
    segment.kind = SegmentKind::kRest;
    return std::nullopt;
  }

  std::string_view take_name() noexcept {
    const std::string_view name = rest_.substr(0, name_bytes(rest_));
    rest_.remove_prefix(name.size());
    return name;
  }

  std::string_view rest_;
  UserConverters* users_;
  Template& out_;
  std::vector<std::string> names_;
};

}  // namespace

Problem parse_template(std::string_view text, UserConverters* users, Template& out) {
  out = Template{std::string{text}, {}};
  return Parser{text, users, out}.run();
}

}  // namespace tercel::route
