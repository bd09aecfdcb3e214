#include "tercel/api/form_reader.h"

#include <utility>

#include "tercel/base/with_memory.h"

namespace tercel::api {

using Event = http::MultipartParser::Event;

FormReader::FormReader(FormOwner& owner, const Options& options, std::string_view boundary,
                       Block memory) noexcept
    : owner_{owner},
      memory_{std::move(memory)},
      parser_{boundary, kLimits, {memory_.data(), kMemoryBytes}},
      form_{options.plan, options.blocks, options.spool},
      route_{options.route},
      bytes_left_{options.bytes_max} {}

void FormReader::start(const http::Request& request, Block head, http::BodyRead first,
                       http::Exchange& exchange) noexcept {
  exchange_ = &exchange;
  exchange.observe(this);
  head_ = std::move(head);
  request_ = request;
  take(first);
}

void FormReader::on_body() noexcept {
  take(exchange_->read_body());
}

void FormReader::take(http::BodyRead read) noexcept {
  for (;; read = exchange_->read_body()) {
    if (read.state == http::BodyState::kPending || read.state == http::BodyState::kFailed) return;
    const bool is_last = read.state != http::BodyState::kMore;
    Result<void> taken;
    const bool remembered = with_memory([&] {
      taken = parse(read.bytes);
      if (taken && is_last) taken = finish();
    });
    if (!remembered) taken = fail(Errc::kNoMemory);
    if (taken && !is_last) continue;
    exchange_->observe(nullptr);
    if (taken) {
      owner_.on_form(route_, request_, form_, *exchange_);
    } else {
      owner_.on_form_failed(route_, request_, taken.error(), *exchange_);
    }
    return owner_.destroy(this);
  }
}

Result<void> FormReader::parse(std::string_view bytes) {
  if (bytes.size() > bytes_left_) return fail(Errc::kBodyTooLarge);
  bytes_left_ -= bytes.size();
  began_ = began_ || !bytes.empty();
  for (;;) {
    Result<void> done;
    switch (parser_.next(bytes)) {
      case Event::kNeedMore:
        return {};
      case Event::kPart:
        done = form_.begin(parser_.part());
        break;
      case Event::kData:
        done = form_.add(parser_.data());
        break;
      case Event::kPartEnd:
        form_.end();
        break;
      case Event::kEnd:
        break;
      case Event::kFailed:
        return fail(parser_.failure());
    }
    if (!done) return done;
  }
}

Result<void> FormReader::finish() {
  // An empty body is a form without parts, whatever frames it.
  if (began_ && !parser_.complete()) return fail(Errc::kFormTruncated);
  return form_.finish();
}

}  // namespace tercel::api
