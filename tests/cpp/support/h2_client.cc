#include "support/h2_client.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

namespace tercel::test {
namespace {

std::uint32_t read_number(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

// RFC 7541 section 5.1, for a prefix of seven bits.
std::string hpack_text(std::string_view text) {
  std::string out;
  std::size_t size = text.size();
  if (size < 127) {
    out += static_cast<char>(size);
  } else {
    out += '\x7f';
    for (size -= 127; size >= 128; size /= 128) out += static_cast<char>(size % 128 | 128);
    out += static_cast<char>(size);
  }
  return out.append(text);
}

}  // namespace

std::string h2_number(std::uint32_t number, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(number >> (8 * i));
  return out;
}

std::string h2_frame(int type, int flags, std::uint32_t stream, std::string_view payload) {
  std::string out = h2_number(static_cast<std::uint32_t>(payload.size()), 3);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return (out += h2_number(stream, 4)).append(payload);
}

std::string h2_block(const FieldList& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += '\0' + hpack_text(name) + hpack_text(value);
  return out;
}

std::string h2_settings(std::initializer_list<std::pair<int, std::uint32_t>> settings) {
  std::string payload;
  for (const auto& [id, value] : settings) {
    payload += h2_number(static_cast<std::uint32_t>(id), 2) + h2_number(value, 4);
  }
  return h2_frame(4, 0, 0, payload);
}

std::string h2_hello(std::initializer_list<std::pair<int, std::uint32_t>> settings) {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2_settings(settings);
}

std::string h2_headers(std::uint32_t stream, const FieldList& fields, int flags) {
  return h2_frame(1, flags, stream, h2_block(fields));
}

std::string h2_get(std::uint32_t stream, const std::string& path) {
  return h2_headers(
      stream, {{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}});
}

std::string h2_post(std::uint32_t stream, const FieldList& more) {
  FieldList fields{{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return h2_headers(stream, fields, kEndHeaders);
}

std::string h2_data(std::uint32_t stream, std::string_view bytes, int flags) {
  return h2_frame(0, flags, stream, bytes);
}

std::string h2_reset(std::uint32_t stream, std::uint32_t code) {
  return h2_frame(3, 0, stream, h2_number(code, 4));
}

std::string h2_window_update(std::uint32_t stream, std::uint32_t bytes) {
  return h2_frame(8, 0, stream, h2_number(bytes, 4));
}

std::string h2_ping(bool ack) {
  return h2_frame(6, ack ? kAck : 0, 0, std::string(8, '\0'));
}

// --- H2Reader

H2Reader::H2Reader() {
  EXPECT_EQ(nghttp2_hd_inflate_new(&inflater_), 0);
}

H2Reader::~H2Reader() {
  nghttp2_hd_inflate_del(inflater_);
}

std::string H2Reader::read_fields(std::string_view block) {
  std::string out;
  const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size();
  for (;;) {
    nghttp2_nv field;
    int flags = 0;
    const auto used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
    if (used < 0) return out + " <bad block>";
    at += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      out += ' ' + std::string(reinterpret_cast<char*>(field.name), field.namelen) + '=' +
             std::string(reinterpret_cast<char*>(field.value), field.valuelen);
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  return out;
}

std::string H2Reader::read(std::string_view bytes) {
  constexpr std::size_t kHead = 9;
  unread_.append(bytes);
  std::string lines;
  while (unread_.size() >= kHead) {
    const std::string_view view = unread_;
    const std::size_t length = read_number(view.substr(0, 3));
    if (view.size() < kHead + length) break;
    const int type = static_cast<unsigned char>(view[3]);
    const int flags = static_cast<unsigned char>(view[4]);
    const std::uint32_t stream = read_number(view.substr(5, 4));
    const std::string_view payload = view.substr(kHead, length);
    const std::string prefix = stream != 0 ? std::to_string(stream) + ' ' : "";
    const std::string end = (flags & kEndStream) != 0 ? " END" : "";
    switch (type) {
      case 0:
        bodies_[stream].append(payload);
        lines += prefix + "DATA " + std::to_string(length) + end;
        if (length > 0 && length <= 32) lines += ' ' + std::string(payload);
        lines += '\n';
        break;
      case 1:
        lines += prefix + "HEADERS" + read_fields(payload) + end + '\n';
        break;
      case 3:
        lines += prefix + "RST_STREAM " + std::to_string(read_number(payload)) + '\n';
        break;
      case 4:
        break;
      case 6:
        lines += flags == kAck ? "PING ACK\n" : "PING\n";
        break;
      case 7:
        lines += "GOAWAY " + std::to_string(read_number(payload.substr(0, 4))) + ' ' +
                 std::to_string(read_number(payload.substr(4, 4))) + '\n';
        break;
      case 8:
        lines += std::to_string(stream) + " WINDOW_UPDATE " + std::to_string(read_number(payload)) +
                 '\n';
        break;
      default:
        lines += prefix + "FRAME " + std::to_string(type) + '\n';
    }
    unread_.erase(0, kHead + length);
  }
  return lines;
}

}  // namespace tercel::test
