// Looks at each request before the recorder and the handler do, and corrects what it says of the
// client: the seam for what only a trusted proxy knows.
//
// One a server, or none. Not a handler that wraps a handler, because the record of a request is
// opened before any handler sees it, and on an I/O thread rather than the application's.
// Source: docs/decisions/0011-who-asks.md. Implemented by edge/proxy_headers.h.
#pragma once

#include <span>

#include "tercel/base/address.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::http {

class Amender {
 public:
  // May change `request`: its client, to `client` after that was filled, and what says where it
  // was named; security, authority and
  // root_path, to views into the head; and the values of `fields`, which are the request's.
  // Thread: the loop's; several loops may share an amender.
  virtual void amend(Request& request, std::span<Field> fields, const Endpoints& ends,
                     Address& client) const noexcept = 0;

 protected:
  ~Amender() = default;
};

}  // namespace tercel::http
