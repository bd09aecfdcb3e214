// Invariants: what is found, put into its template, is the path again; the work is linear in the
// path; a template that was taken is found by a path that was made from it; a refused one leaves
// nothing behind.
// Input: lines with a template each, an empty line, lines with a path each.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/base/percent.h"
#include "tercel/route/router_builder.h"

namespace {

using namespace tercel::route;

constexpr std::size_t kTemplatesMax = 64;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// `parsed` with these texts for its fields.
std::string rendered(const Template& parsed, const std::vector<std::string_view>& texts) {
  std::string out;
  std::size_t next = 0;
  for (const TemplateSegment& segment : parsed.segments) {
    (out += '/') += segment.literals[0];
    for (std::size_t i = 0; i < segment.fields.size(); ++i) {
      (out += texts.at(next++)) += segment.literals[i + 1];
    }
  }
  return out;
}

Template parse(std::string_view text) {
  Template parsed;
  if (parse_template(text, nullptr, parsed)) __builtin_trap();
  return parsed;
}

void look_up(const Router& router, std::string_view path, std::size_t mixed) {
  std::vector<char> decoded(path.size());
  Match match{decoded};
  const Outcome outcome = router.find("GET", path, match);
  if (match.steps() > router.nodes() + mixed * (1 + 2 * path.size())) __builtin_trap();
  if (outcome == Outcome::kNotFound) return;
  if (outcome != Outcome::kFound) __builtin_trap();

  std::vector<std::string_view> texts;
  for (const Capture& capture : match.captures()) texts.push_back(capture.text);
  if (texts.size() != match.endpoint()->fields().size()) __builtin_trap();
  std::string whole(path.size(), '\0');
  whole.resize(tercel::percent_decode(path, whole).size());
  if (rendered(parse(match.endpoint()->path()), texts) != whole) __builtin_trap();
}

// A path that `endpoint` takes, if its converters take anything.
void find_again(const Router& router, const Endpoint& endpoint) {
  for (const Field& field : endpoint.fields()) {
    if (field.converter != Converter{} && field.converter.kind() != ConverterKind::kPath) return;
  }
  const std::vector<std::string_view> texts(endpoint.fields().size(), "~");
  std::string encoded;
  for (const char c : rendered(parse(endpoint.path()), texts)) {
    if (c == '%') {
      encoded += "%25";
    } else {
      encoded += c;
    }
  }
  std::vector<char> decoded(encoded.size());
  Match match{decoded};
  if (router.find("GET", encoded, match) != Outcome::kFound) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  RouterBuilder builder;
  std::size_t mixed = 0;
  for (std::size_t i = 0; i < kTemplatesMax; ++i) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    const std::size_t nodes = RouterBuilder{builder}.compile().nodes();
    if (builder.add({.method = "GET", .path = line})) {
      if (RouterBuilder{builder}.compile().nodes() != nodes) __builtin_trap();
      continue;
    }
    for (const TemplateSegment& segment : parse(line).segments) {
      mixed += segment.kind == SegmentKind::kMixed ? 1 : 0;
    }
  }
  const Router router = std::move(builder).compile();
  for (const Endpoint& endpoint : router.endpoints()) find_again(router, endpoint);
  while (!text.empty()) look_up(router, take_line(text), mixed);
  return 0;
}
