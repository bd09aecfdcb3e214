// Ways to present one form to a parser, and what it makes of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/h1_input.h"
#include "tercel/http/multipart.h"

namespace tercel::http {

struct FormPart {
  std::string name;
  std::optional<std::string> filename;
  std::string content_type;
  std::string data;
  std::string fields;  // "name: value" lines.
  bool is_utf8 = true;
  bool whole = false;
  bool operator==(const FormPart&) const = default;
};

struct Form {
  std::vector<FormPart> parts;
  std::string end;  // "complete", "incomplete", or the name of an error.
  bool operator==(const Form&) const = default;
};

class FormReader {
 public:
  explicit FormReader(std::string_view boundary, const MultipartLimits& limits = {})
      : memory_(MultipartParser::memory_bytes(limits), '!'), parser_{boundary, limits, memory_} {}

  // Memory of exactly the piece's size, so that AddressSanitizer sees the first byte beyond.
  void feed(std::string_view piece) {
    ExactBytes bytes{piece};
    std::string_view rest{bytes.span().data(), piece.size()};
    while (!failed_ && take(parser_.next(rest))) {
    }
  }

  Form finish() {
    form_.end = failed_ ? std::string{info(parser_.failure()).name}
                        : (parser_.complete() ? "complete" : "incomplete");
    return form_;
  }

 private:
  // False: the piece is read, or it failed.
  bool take(MultipartParser::Event event) {
    switch (event) {
      case MultipartParser::Event::kNeedMore:
        return false;
      case MultipartParser::Event::kFailed:
        failed_ = true;
        return false;
      case MultipartParser::Event::kPart:
        begin(parser_.part());
        return true;
      case MultipartParser::Event::kData:
        if (parser_.data().empty() || form_.parts.back().whole) __builtin_trap();
        form_.parts.back().data += parser_.data();
        // The head lives as long as the part.
        if (form_.parts.back().name != parser_.part().name) __builtin_trap();
        return true;
      case MultipartParser::Event::kPartEnd:
        if (form_.parts.back().whole) __builtin_trap();
        form_.parts.back().whole = true;
        return true;
      case MultipartParser::Event::kEnd:
        return true;
    }
    return false;
  }

  void begin(const PartHead& head) {
    FormPart part;
    part.name = head.name;
    part.filename = head.filename;
    part.content_type = head.content_type;
    part.is_utf8 = head.is_utf8;
    for (const Field& field : head.fields) {
      part.fields.append(field.name).append(": ").append(field.value).append("\n");
    }
    form_.parts.push_back(part);
  }

  std::string memory_;
  MultipartParser parser_;
  Form form_;
  bool failed_ = false;
};

inline Form read_form_in_steps(std::string_view boundary, std::string_view body, std::size_t step,
                               const MultipartLimits& limits = {}) {
  FormReader reader{boundary, limits};
  for (std::size_t at = 0; at < body.size(); at += step) reader.feed(body.substr(at, step));
  return reader.finish();
}

inline Form read_form_split_at(std::string_view boundary, std::string_view body, std::size_t cut,
                               const MultipartLimits& limits = {}) {
  FormReader reader{boundary, limits};
  reader.feed(body.substr(0, cut));
  reader.feed(body.substr(cut));
  return reader.finish();
}

}  // namespace tercel::http
