#include "python/s3/gateway_metrics.h"

#include "tercel/gateway/metrics.h"

namespace tercel::python::s3 {

using gateway::Meters;
using gateway::MetersSum;

static_assert(sizeof(Meters) <= asgi::Commons::kRoomBytes);
static_assert(offsetof(Meters, counts) == asgi::Commons::kRoomGaugesBytes);

void* GatewayMetrics::next_room() noexcept {
  return commons_ != nullptr ? commons_->room(loops_++) : nullptr;
}

void GatewayMetrics::write(edge::MetricsText& text) const {
  MetersSum sum;
  if (commons_ == nullptr) {
    gateway_.meters.for_each([&sum](const Meters& meters) { sum.add(meters); });
  } else {
    commons_->see_rooms(
        [](void* self, const void* room) {
          static_cast<MetersSum*>(self)->add(*static_cast<const Meters*>(room));
        },
        &sum);
  }
  sum.write(text);
}

}  // namespace tercel::python::s3
