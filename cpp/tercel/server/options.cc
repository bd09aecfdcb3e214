#include "tercel/server/options.h"

#include "tercel/http/h2_engine.h"

namespace tercel::server {

std::vector<std::string> alpn_protocols(Protocols protocols) {
  switch (protocols) {
    case Protocols::kHttp1:
      return {"http/1.1"};
    case Protocols::kHttp2:
      return {"h2"};
    case Protocols::kAuto:
      if (!http::h2_available()) return {"http/1.1"};
      break;
  }
  return {"h2", "http/1.1"};
}

}  // namespace tercel::server
