// Reads a multipart form while it arrives: what is a file never is in memory as a whole.
//
// The observer of the exchange, as BodyReader is, which collects other bodies: keeps the request,
// takes the body part by part to the parser (http/multipart.h) and what that finds to the form
// (form.h). What is wrong ends it at the byte that is wrong; what a form has that is not what the
// route wants is told when all of it is here. When the client leaves, all that was kept goes.
//
// Resource: lives in a slab, from the first part until the end of the body or of the exchange.
// Tested by form_reader_test.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "tercel/api/form.h"
#include "tercel/base/block_pool.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"
#include "tercel/http/multipart.h"

namespace tercel::api {

class FormReader;

// Whom it works for.
class FormOwner {
 public:
  // The form is here. All arguments are valid during the call; nobody observes the exchange.
  // `route`: as in the options of the reader.
  virtual void on_form(std::uint32_t route, const http::Request& request, Form& form,
                       http::Exchange& exchange) noexcept = 0;
  // It is refused: kBodyTooLarge, or what parser and form fail with.
  virtual void on_form_failed(std::uint32_t route, const http::Request& request, Errc why,
                              http::Exchange& exchange) noexcept = 0;
  // The last that is heard of it.
  virtual void destroy(FormReader* reader) noexcept = 0;

 protected:
  ~FormOwner() = default;
};

class FormReader final : public http::Observer {
 public:
  static constexpr http::MultipartLimits kLimits{.parts_max = kFormPartsMax,
                                                 .part_head_bytes_max = kPartHeadBytesMax,
                                                 .heads_bytes_max = kPartHeadsBytesMax};
  // Of the memory that it is given.
  static constexpr std::size_t kMemoryBytes = http::MultipartParser::memory_bytes(kLimits);

  struct Options {
    const RequestPlan& plan;
    BlockPool& blocks;
    Spool::Options spool;
    std::uint32_t route;      // The number of that whose plan it is.
    std::uint64_t bytes_max;  // Of the whole body.
  };

  // REQUIRES: valid_boundary(); `memory` holds kMemoryBytes. All of `options` outlives it.
  FormReader(FormOwner& owner, const Options& options, std::string_view boundary,
             Block memory) noexcept;
  FormReader(const FormReader&) = delete;
  FormReader& operator=(const FormReader&) = delete;

  // Begins with `first`, which was read already, and takes the rest. All views of `request` are
  // into `head`. May be gone when it returns.
  void start(const http::Request& request, Block head, http::BodyRead first,
             http::Exchange& exchange) noexcept;

  void on_body() noexcept override;
  void on_writable() noexcept override {}
  void on_notice(http::Notice) noexcept override {}
  void on_end(http::Outcome) noexcept override { owner_.destroy(this); }

 private:
  void take(http::BodyRead read) noexcept;
  // Both throw std::bad_alloc.
  [[nodiscard]] Result<void> parse(std::string_view bytes);
  [[nodiscard]] Result<void> finish();

  FormOwner& owner_;
  Block memory_;  // The parser's.
  http::MultipartParser parser_;
  Form form_;
  http::Exchange* exchange_ = nullptr;
  Block head_;
  http::Request request_;  // In head_.
  std::uint32_t route_;
  std::uint64_t bytes_left_;
  bool began_ = false;
};
// One a form that is being read.
static_assert(sizeof(FormReader) <= 1536);

}  // namespace tercel::api
