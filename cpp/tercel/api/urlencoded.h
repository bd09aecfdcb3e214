// An application/x-www-form-urlencoded body as the values of a form.
//
//   read_urlencoded(plan, body, room, values);
//   plan.collect(..., values);
//
// Names and values are decoded as those of a query are (http/query.h), and those that the plan has
// a parameter for are kept. Tested by form_reader_test.cc.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tercel/api/request_plan.h"
#include "tercel/base/result.h"

namespace tercel::api {

// Fills `values` with views into `body` and `room`. Fails with kTooManyPairs, kFormTooLarge.
// Throws std::bad_alloc.
// REQUIRES: `room` is not shorter than `body`.
[[nodiscard]] Result<void> read_urlencoded(const RequestPlan& plan, std::string_view body,
                                           std::span<char> room, std::vector<FormValue>& values);

}  // namespace tercel::api
