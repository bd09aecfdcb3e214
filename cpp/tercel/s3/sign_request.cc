#include "tercel/s3/sign_request.h"

#include <algorithm>
#include <cstring>

#include "tercel/s3/canonical_request.h"

namespace tercel::s3 {
namespace {

constexpr std::string_view kReplaced[] = {"authorization", "host", "x-amz-content-sha256",
                                          "x-amz-date", "x-amz-security-token"};
constexpr std::string_view kSigned[] = {"cache-control",
                                        "content-disposition",
                                        "content-encoding",
                                        "content-language",
                                        "content-md5",
                                        "content-type",
                                        "range"};

template <std::size_t kSize>
bool contains(const std::string_view (&names)[kSize], std::string_view name) noexcept {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool is_signed(std::string_view name) noexcept {
  return name.starts_with("x-amz-") || name.starts_with("if-") || contains(kSigned, name);
}

// Texts one behind the other in memory of the caller's.
class Memory {
 public:
  explicit Memory(std::span<char> memory) noexcept : memory_{memory} {}

  void put(std::string_view text) noexcept {
    full_ = full_ || text.size() > memory_.size() - used_;
    if (full_) return;
    std::memcpy(memory_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }
  // What was put since the last time.
  [[nodiscard]] std::string_view take() noexcept {
    const std::string_view text{memory_.data() + begin_, used_ - begin_};
    begin_ = used_;
    return text;
  }
  [[nodiscard]] bool full() const noexcept { return full_; }

 private:
  std::span<char> memory_;
  std::size_t used_ = 0;
  std::size_t begin_ = 0;
  bool full_ = false;
};

// The fields to sign, sorted by name; those of one name in the order in which they are sent.
class Selection {
 public:
  explicit Selection(std::span<http::Field> room) noexcept : fields_{room} {}

  void add(const http::Field& field) noexcept {
    if (size_ == fields_.size()) {
      full_ = true;
      return;
    }
    std::size_t place = size_++;
    for (; place > 0 && field.name < fields_[place - 1].name; --place) {
      fields_[place] = fields_[place - 1];
    }
    fields_[place] = field;
  }
  [[nodiscard]] std::span<const http::Field> fields() const noexcept {
    return fields_.first(size_);
  }
  [[nodiscard]] bool full() const noexcept { return full_; }

 private:
  std::span<http::Field> fields_;
  std::size_t size_ = 0;
  bool full_ = false;
};

void put_names(std::span<const http::Field> fields, Memory& memory) noexcept {
  std::string_view previous;
  for (const http::Field& field : fields) {
    if (field.name == previous) continue;
    if (!previous.empty()) memory.put(";");
    memory.put(field.name);
    previous = field.name;
  }
}

}  // namespace

bool is_replaced(std::string_view name) noexcept {
  return contains(kReplaced, name);
}

std::optional<ErrorCode> sign_request(const OutgoingRequest& request, const Identity& identity,
                                      std::span<char> memory, SignedFields& out) noexcept {
  Memory texts{memory};
  texts.put({identity.time.data(), identity.time.size()});
  const std::string_view timestamp = texts.take();

  out.size_ = 0;
  const auto add = [&out](std::string_view name, std::string_view value) noexcept {
    out.fields_[out.size_++] = {name, value};
  };
  add("host", request.host);
  add("x-amz-content-sha256", request.payload_hash);
  add("x-amz-date", timestamp);
  if (!identity.session_token.empty()) add("x-amz-security-token", identity.session_token);

  Selection selection{out.sorted_};
  for (const http::Field& field : out.view()) selection.add(field);
  for (const http::Field& field : request.fields) {
    if (is_signed(field.name) && !is_replaced(field.name)) selection.add(field);
  }
  put_names(selection.fields(), texts);
  const std::string_view signed_headers = texts.take();
  if (selection.full() || texts.full()) return ErrorCode::kRequestHeaderSectionTooLarge;

  const auto digest = canonical_digest({request.method, request.path, request.query,
                                        selection.fields(), signed_headers, request.payload_hash});
  if (!digest) return ErrorCode::kInvalidURI;
  const Stamp stamp{timestamp, identity.region};
  const HexDigest signature = sign(*identity.key, stamp, *digest);
  for (const std::string_view part :
       {kAlgorithm, std::string_view{" Credential="}, identity.access_key, std::string_view{"/"},
        stamp.date(), std::string_view{"/"}, identity.region,
        std::string_view{"/s3/aws4_request, SignedHeaders="}, signed_headers,
        std::string_view{", Signature="}, view(signature)}) {
    texts.put(part);
  }
  if (texts.full()) return ErrorCode::kRequestHeaderSectionTooLarge;
  add("authorization", texts.take());
  return std::nullopt;
}

}  // namespace tercel::s3
