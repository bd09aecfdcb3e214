#include "tercel/api/urlencoded.h"

#include "tercel/api/limits.h"
#include "tercel/http/query.h"

namespace tercel::api {

Result<void> read_urlencoded(const RequestPlan& plan, std::string_view body, std::span<char> room,
                             std::vector<FormValue>& values) {
  values.clear();
  http::QueryPairs pairs{body,
                         room,
                         http::Escapes::kLenient,
                         {.pairs_max = kFormPartsMax, .bytes_max = kFormTextBytesMax}};
  http::QueryPair pair;
  for (;;) {
    const Result<bool> more = pairs.next(pair);
    if (!more) return fail(more.error());
    if (!*more) return {};
    if (const auto parameter = plan.find_form(pair.name)) {
      values.push_back({*parameter, pair.value});
    }
  }
}

}  // namespace tercel::api
