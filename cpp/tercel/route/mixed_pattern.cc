#include "tercel/route/mixed_pattern.h"

#include "tercel/base/assert.h"

namespace tercel::route {
namespace {

// The failure function of Knuth, Morris and Pratt, of the reversed `literal`.
void append_borders(std::string_view literal, std::vector<std::uint16_t>& out) {
  const std::size_t first = out.size();
  const auto reversed = [&](std::size_t i) { return literal[literal.size() - 1 - i]; };
  std::size_t border = 0;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    while (i != 0 && border != 0 && reversed(i) != reversed(border)) {
      border = out[first + border - 1];
    }
    if (i != 0 && reversed(i) == reversed(border)) ++border;
    out.push_back(static_cast<std::uint16_t>(border));
  }
}

}  // namespace

MixedPattern::MixedPattern(std::span<const std::string> literals) {
  TERCEL_ASSERT(literals.size() >= 2);
  for (const std::string& literal : literals) {
    literals_.push_back(
        {static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(literal.size())});
    text_ += literal;
    append_borders(literal, border_);
  }
}

std::size_t MixedPattern::find_last(const Literal& literal, std::string_view text,
                                    std::size_t begin, std::size_t end,
                                    std::uint32_t& steps) const noexcept {
  const std::string_view wanted = text_of(literal);
  std::size_t matched = 0;  // Bytes at the end of `wanted`.
  for (std::size_t i = end; i-- > begin; ++steps) {
    // Each turn takes back a match, of which each byte of the text makes at most one.
    for (; matched != 0 && wanted[wanted.size() - 1 - matched] != text[i]; ++steps) {
      matched = border_[literal.begin + matched - 1];
    }
    if (wanted[wanted.size() - 1 - matched] == text[i]) ++matched;
    if (matched == wanted.size()) return i;
  }
  return std::string_view::npos;
}

bool MixedPattern::split(std::string_view text, std::span<Capture> fields,
                         std::uint32_t& steps) const noexcept {
  TERCEL_ASSERT(fields.size() == this->fields());
  if (text.size() < text_.size() + fields.size()) return false;
  if (!text.starts_with(text_of(literals_.front()))) return false;
  if (!text.ends_with(text_of(literals_.back()))) return false;
  const std::size_t begin = literals_.front().bytes;
  std::size_t end = text.size() - literals_.back().bytes;
  for (std::size_t i = fields.size() - 1; i != 0; --i) {
    // A byte for the first field stays before it, and one for field i behind it. What fields and
    // literals in between need is missed by the search for the next of them.
    const std::size_t at = find_last(literals_[i], text, begin + 1, end - 1, steps);
    if (at == std::string_view::npos) return false;
    fields[i].text = text.substr(at + literals_[i].bytes, end - at - literals_[i].bytes);
    end = at;
  }
  fields[0].text = text.substr(begin, end - begin);
  return true;
}

}  // namespace tercel::route
