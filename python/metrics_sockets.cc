#include "python/metrics_sockets.h"

#include <iterator>
#include <utility>

#include "python/listen_sockets.h"

namespace tercel::python {

config::Settings of_metrics(const config::Settings& settings) {
  config::Settings plain = settings;
  plain.ssl_certfile.clear();
  return plain;
}

std::string add_metrics(std::vector<net::ListenSocket>& all, std::vector<net::ListenSocket> sockets,
                        const config::Settings& settings) {
  std::string url = sockets.empty() ? std::string{} : url_of(sockets.front(), settings);
  all.insert(all.end(), std::make_move_iterator(sockets.begin()),
             std::make_move_iterator(sockets.end()));
  // The path of a Unix socket is all there is to it.
  return url.starts_with("http") ? url + "/metrics" : url;
}

}  // namespace tercel::python
