#include "tercel/server/service.h"

#include <utility>

#include "tercel/server/server.h"
#include "tercel/server/threaded_server.h"

namespace tercel::server {

Result<std::unique_ptr<Service>> Service::create(net::Loop& loop, http::Handler& handler,
                                                 const Options& options, std::size_t io_threads) {
  if (io_threads == 0) {
    return std::unique_ptr<Service>{std::make_unique<Server>(loop, handler, options)};
  }
  auto threaded = ThreadedServer::create(loop, handler, options, io_threads);
  if (!threaded) return fail(threaded.error());
  return std::unique_ptr<Service>{*std::move(threaded)};
}

}  // namespace tercel::server
