#include "tercel/s3/canonical_request.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "tercel/base/scan.h"
#include "tercel/http/chars.h"

namespace tercel::s3 {
namespace {

// Collects small pieces, since each update of a hash has its price.
class HashSink {
 public:
  void put(std::string_view text) noexcept {
    if (text.size() > buffer_.size() - used_) flush();
    if (text.size() > buffer_.size()) {
      hash_.update(text);
      return;
    }
    std::memcpy(buffer_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }
  [[nodiscard]] Sha256Digest finish() noexcept {
    flush();
    return hash_.finish();
  }

 private:
  void flush() noexcept {
    hash_.update({buffer_.data(), used_});
    used_ = 0;
  }

  Sha256 hash_;
  std::array<char, 512> buffer_;
  std::size_t used_ = 0;
};

struct Blank {
  static constexpr bool stops(std::uint8_t c) noexcept { return c == ' ' || c == '\t'; }
#ifdef TERCEL_SCAN_BLOCKS
  static scan::Block stops(scan::Block b) noexcept {
    return b.is(' ') | b.is('\t');
  }
#endif
};

// Without blanks around it, and with one space for each run of blanks within.
template <typename Sink>
void put_value(std::string_view value, Sink& sink) noexcept {
  value = http::trim_blanks(value);
  while (!value.empty()) {
    const char* const end = scan::find<Blank>(value.data(), value.data() + value.size());
    const auto word = static_cast<std::size_t>(end - value.data());
    sink.put(value.substr(0, word));
    value.remove_prefix(word);
    if (value.empty()) return;
    sink.put(" ");
    while (http::is_blank(value.front())) value.remove_prefix(1);
  }
}

// The line of one header; false: there is no such field.
template <typename Sink>
bool put_header(std::string_view name, std::span<const http::Field> fields, Sink& sink) noexcept {
  bool found = false;
  for (const http::Field& field : fields) {
    if (field.name != name) continue;
    if (found) {
      sink.put(",");
    } else {
      sink.put(name);
      sink.put(":");
    }
    found = true;
    put_value(field.value, sink);
  }
  sink.put("\n");
  return found;
}

template <typename Sink>
bool put(const CanonicalRequest& request, Sink& sink) noexcept {
  if (!valid_percent_encoding(request.path)) return false;
  sink.put(request.method);
  sink.put("\n");
  write_encoded(request.path.empty() ? "/" : request.path, Part::kPath, sink);
  sink.put("\n");
  request.query->put_canonical(Query::Without::kSignature, sink);
  sink.put("\n");
  std::string_view names = request.signed_headers;
  do {
    if (!put_header(http::next_element(names, ';'), request.fields, sink)) return false;
  } while (!names.empty());
  sink.put("\n");
  sink.put(request.signed_headers);
  sink.put("\n");
  sink.put(request.payload_hash);
  return true;
}

}  // namespace

std::optional<Sha256Digest> canonical_digest(const CanonicalRequest& request) noexcept {
  HashSink sink;
  if (!put(request, sink)) return std::nullopt;
  return sink.finish();
}

std::optional<std::string> canonical_text(const CanonicalRequest& request) {
  std::string out;
  StringSink sink{out};
  if (!put(request, sink)) return std::nullopt;
  return out;
}

void write_canonical_path(std::string_view path, std::string& out) {
  StringSink sink{out};
  write_encoded(path.empty() ? "/" : path, Part::kPath, sink);
}

}  // namespace tercel::s3
