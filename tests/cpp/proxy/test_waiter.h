// Who waits for a connection, and who has one, where only the source is of interest.
#pragma once

#include <optional>

#include "tercel/proxy/source.h"

namespace tercel::test {

struct TestWaiter final : proxy::Waiter {
  void on_connection(proxy::UpstreamConnection& given) noexcept override { connection = &given; }
  void on_no_connection(Errc given) noexcept override { error = given; }
  [[nodiscard]] bool waits() const noexcept { return connection == nullptr && !error; }

  proxy::UpstreamConnection* connection = nullptr;
  std::optional<Errc> error;
};

struct TestUser final : proxy::UpstreamConnection::User {
  void on_event() noexcept override {}
};

}  // namespace tercel::test
