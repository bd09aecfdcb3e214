#include "tercel/schema/regex.h"

#include <re2/re2.h>

#include "tercel/schema/regex_syntax.h"

namespace tercel::schema {

Regex::Regex() noexcept = default;
Regex::Regex(Regex&& other) noexcept = default;
Regex& Regex::operator=(Regex&& other) noexcept = default;
Regex::~Regex() = default;

Regex Regex::compile(std::string_view pattern, std::string& reason) {
  Regex regex;
  const Translation translation = translate_regex(pattern);
  if (translation.verdict != RegexVerdict::kTranslated) {
    const bool unsupported = translation.verdict == RegexVerdict::kUnsupported;
    reason = unsupported ? "RE2 cannot do this: " : "the pattern is malformed: ";
    reason.append(translation.reason);
    reason += " at byte " + std::to_string(translation.offset);
    return regex;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(static_cast<std::int64_t>(kMemoryBytesMax));
  regex.engine_ = std::make_unique<re2::RE2>(translation.re2, options);
  if (!regex.engine_->ok()) {
    reason = "RE2 cannot do this: " + regex.engine_->error();
    regex.engine_.reset();
  }
  return regex;
}

bool Regex::found_in(std::string_view text) const noexcept {
  return engine_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr,
                        0);
}

}  // namespace tercel::schema
