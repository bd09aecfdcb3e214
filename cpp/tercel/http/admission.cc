#include "tercel/http/admission.h"

namespace tercel::http {

Admission::Ticket* Admission::wait(Wire& wire) noexcept {
  if (waiting_ >= waiting_max_) return nullptr;
  Ticket* ticket = tickets_.make(wire);
  if (ticket == nullptr) return nullptr;
  queue_.push_back(*ticket);
  ++waiting_;
  return ticket;
}

void Admission::leave() noexcept {
  Ticket* next = queue_.pop_front();
  if (next == nullptr) {
    --active_;
    return;
  }
  // The place changes hands.
  --waiting_;
  next->wire_.revisit();
}

void Admission::abandon(Ticket* ticket) noexcept {
  const bool admitted = ticket->admitted();
  if (!admitted) --waiting_;
  tickets_.destroy(ticket);
  if (admitted) leave();
}

}  // namespace tercel::http
