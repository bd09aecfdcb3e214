// Names and addresses of hosts, and mail addresses.
// Source: RFC 1123 section 2.1, RFC 5321 section 4.1.2, RFC 6531 section 3.3.
#include <cstdint>

#include "tercel/base/address.h"
#include "tercel/schema/format.h"
#include "tercel/schema/idna.h"
#include "tercel/schema/text.h"

namespace tercel::schema {
namespace {

constexpr std::size_t kNameBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;
constexpr std::size_t kLocalBytesMax = 64;

bool has_kind(std::string_view text, AddressKind kind) noexcept {
  const Result<Address> address = parse_ip(text, 0);
  return address && address->kind == kind;
}

// A label of letters, digits and hyphens.
bool is_ldh_label(std::string_view label) noexcept {
  if (label.empty() || label.size() > kLabelBytesMax) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-'; });
}

// "xn--" in any case.
bool is_a_label(std::string_view label) noexcept {
  return label.size() >= 4 && (label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' &&
         label.substr(2, 2) == "--";
}

// What follows the '@': a name, or an address in brackets.
bool is_mail_domain(std::string_view domain, bool international) noexcept {
  if (!domain.starts_with('[')) {
    return international ? is_lenient_idn_hostname(domain) : is_hostname(domain);
  }
  if (!domain.ends_with(']')) return false;
  const std::string_view address = domain.substr(1, domain.size() - 2);
  if (address.starts_with("IPv6:")) return is_ipv6(address.substr(5));
  return is_ipv4(address);
}

bool is_atext(char c, bool international) noexcept {
  if (!is_ascii(c)) return international;
  return is_alphanumeric(c) || is_one_of(c, "!#$%&'*+-/=?^_`{|}~");
}

// The local part, as atoms with dots between them or in quotes; empty when it is neither.
std::string_view take_local(std::string_view& text, bool international) noexcept {
  std::size_t at = 0;
  if (text.starts_with('"')) {
    for (at = 1; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\') ++at;
      const bool printable =
          at < text.size() &&
          (is_ascii(text[at]) ? text[at] >= ' ' && text[at] != 0x7F : international);
      if (!printable) return {};
    }
    return take(text, std::min(at + 1, text.size()));
  }
  bool atom = false;
  for (; at < text.size() && text[at] != '@'; ++at) {
    if (text[at] == '.' ? !atom : !is_atext(text[at], international)) return {};
    atom = text[at] != '.';
  }
  return atom ? take(text, at) : std::string_view{};
}

bool is_mailbox(std::string_view text, bool international) noexcept {
  const std::string_view local = take_local(text, international);
  return !local.empty() && local.size() <= kLocalBytesMax && take_char(text, '@') &&
         is_mail_domain(text, international);
}

}  // namespace

bool is_ipv4(std::string_view text) noexcept {
  return has_kind(text, AddressKind::kIpv4);
}

bool is_ipv6(std::string_view text) noexcept {
  return has_kind(text, AddressKind::kIpv6);
}

bool is_hostname(std::string_view text) noexcept {
  if (text.empty() || text.size() > kNameBytesMax) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (!is_ldh_label(label) || (is_a_label(label) && !is_valid_a_label(label))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_email(std::string_view text) noexcept {
  return is_mailbox(text, false);
}

bool is_idn_email(std::string_view text) noexcept {
  return is_mailbox(text, true);
}

}  // namespace tercel::schema
