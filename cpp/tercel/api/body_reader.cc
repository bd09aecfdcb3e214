#include "tercel/api/body_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tercel::api {
namespace {

constexpr std::size_t kFirstBytes = 4096;

}  // namespace

void BodyReader::start(const http::Request& request, Block head, std::string_view first,
                       http::Exchange& exchange) noexcept {
  exchange_ = &exchange;
  exchange.observe(this);
  head_ = std::move(head);
  request_ = request;
  if (const Appended appended = append(first); appended != Appended::kYes) return refuse(appended);
  pull();
}

void BodyReader::pull() noexcept {
  for (;;) {
    const http::BodyRead read = exchange_->read_body();
    if (read.state == http::BodyState::kPending || read.state == http::BodyState::kFailed) return;
    const Appended appended = append(read.bytes);
    if (appended != Appended::kYes) return refuse(appended);
    if (read.state == http::BodyState::kMore) continue;
    exchange_->observe(nullptr);
    owner_.on_body(route_, request_, {body_.data(), size_}, *exchange_);
    return owner_.destroy(this);
  }
}

BodyReader::Appended BodyReader::append(std::string_view bytes) noexcept {
  if (bytes.empty()) return Appended::kYes;
  if (bytes.size() > bytes_max_ - size_) return Appended::kTooLarge;
  const std::size_t needed = size_ + bytes.size();
  if (needed > body_.capacity()) {
    // Twice as much each time: what is copied is no more than what arrives.
    const std::size_t wanted = std::max({needed, std::size_t{body_.capacity()} * 2, kFirstBytes});
    if (!blocks_.grow(body_, size_, wanted)) return Appended::kNoMemory;
  }
  std::memcpy(body_.data() + size_, bytes.data(), bytes.size());
  size_ = needed;
  return Appended::kYes;
}

void BodyReader::refuse(Appended why) noexcept {
  exchange_->observe(nullptr);
  if (why == Appended::kNoMemory) {
    exchange_->abort(Errc::kNoMemory);
  } else {
    owner_.on_body_too_large(request_, *exchange_);
  }
  owner_.destroy(this);
}

}  // namespace tercel::api
