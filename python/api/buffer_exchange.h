// An exchange without a connection: the body is there from the start, or not at all, and the
// response is kept.
//
// Where the body is not there, reading it ends the exchange, which says so: the request is asked
// again when it is.
//
// For requests that come through another server's ASGI, and for tests. What is kept is what a
// connection would have sent: checked by the same rules, without the fields that are the
// connection's. Tested by test_api_app.py, test_testing_agrees.py.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "python/api/file.h"
#include "tercel/http/handler.h"
#include "tercel/http/response_rules.h"

namespace tercel::python::api {

class BufferExchange final : public http::Exchange {
 public:
  // No body: it is not there yet.
  explicit BufferExchange(std::optional<std::string_view> body) noexcept : request_body_{body} {}
  ~BufferExchange();

  // Whether somebody read a body that is not there.
  [[nodiscard]] bool needs_body() const noexcept { return needs_body_; }

  // 0: nothing was answered.
  [[nodiscard]] std::uint16_t status() const noexcept { return rules_.status(); }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const noexcept {
    return fields_;
  }
  // The body, or what of it is behind the last file.
  [[nodiscard]] const std::string& body() const noexcept { return body_; }
  // Parts of files, each with the bytes before it.
  struct Part {
    std::string before;
    FilePart file;
  };
  [[nodiscard]] std::vector<Part> take_parts() noexcept { return std::move(parts_); }

  void observe(http::Observer* observer) noexcept override { observer_ = observer; }
  [[nodiscard]] const http::Endpoints& endpoints() const noexcept override { return endpoints_; }
  [[nodiscard]] http::BodyRead read_body() noexcept override;
  [[nodiscard]] http::BodyRead arrived_body() noexcept override { return read_body(); }
  [[nodiscard]] std::span<const http::Field> request_trailers() const noexcept override {
    return {};
  }
  [[nodiscard]] Result<void> interim(const http::Response&) noexcept override { return {}; }
  [[nodiscard]] Result<void> start(const http::Response& response) noexcept override;
  [[nodiscard]] Result<void> write(http::Payload payload, http::Final final) noexcept override;
  [[nodiscard]] Result<void> write_file(http::FileRange range, http::Final final) noexcept override;
  [[nodiscard]] Result<void> finish(std::span<const http::Field>) noexcept override {
    return fail(Errc::kIllegalStep);
  }
  using http::Exchange::abort;
  void abort(Errc error, std::chrono::seconds retry_after) noexcept override;
  [[nodiscard]] bool writable() const noexcept override { return true; }

 private:
  std::optional<std::string_view> request_body_;
  bool needs_body_ = false;
  http::Observer* observer_ = nullptr;
  http::Endpoints endpoints_;
  http::ResponseRules rules_;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::string body_;
  std::vector<Part> parts_;
};

}  // namespace tercel::python::api
