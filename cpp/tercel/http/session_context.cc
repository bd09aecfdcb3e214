#include "tercel/http/session_context.h"

namespace tercel::http {

void SessionContext::set_default_fields(std::string_view server, std::string_view fixed,
                                        bool with_date) {
  server_.clear();
  if (!server.empty()) server_.append("server: ").append(server).append("\r\n");
  fixed_ = fixed;
  with_date_ = with_date;
  rendered_at_ = std::chrono::seconds{-1};
}

std::string_view SessionContext::default_fields(std::chrono::seconds unix_time, bool has_server,
                                                bool has_date) {
  if (unix_time != rendered_at_) {
    rendered_.assign(server_).append(fixed_);
    if (with_date_) rendered_.append(date_.render(unix_time));
    rendered_at_ = unix_time;
  }
  std::string_view fields = rendered_;
  if (has_server) fields.remove_prefix(server_.size());
  if (has_date && with_date_) fields.remove_suffix(DateField::kBytes);
  return fields;
}

OpenRecord SessionContext::present(Request& request, std::span<Field> fields, const Endpoints& ends,
                                   Address& client, std::chrono::nanoseconds waited) noexcept {
  request.client = &ends.peer;
  request.secure = static_cast<bool>(ends.tls);
  if (amender != nullptr) amender->amend(request, fields, ends, client);
  show_gauges();
  OpenRecord record;
  if (stopwatch != nullptr) {
    record.began = stopwatch->now() - waited;
    record.method = index_of_method(request.method);
  }
  if (recorder != nullptr) record.token = recorder->on_request(request, ends, waited);
  return record;
}

OpenRecord SessionContext::refused(const PartialHead& partial, const Endpoints& ends) noexcept {
  OpenRecord record;
  if (stopwatch != nullptr) {
    record.began = stopwatch->now();
    record.method = index_of_method(partial.method);
  }
  if (recorder != nullptr) record.token = recorder->on_refused(partial, ends);
  return record;
}

void SessionContext::over(const OpenRecord& record, const Summary& summary) noexcept {
  counters->count(summary, record.method);
  if (stopwatch != nullptr) counters->durations.add(stopwatch->now() - record.began);
  show_gauges();
  if (recorder != nullptr) recorder->on_response(record.token, summary);
}

void SessionContext::show_gauges() noexcept {
  counters->active.store(admission.active(), std::memory_order_relaxed);
  counters->waiting.store(admission.waiting(), std::memory_order_relaxed);
}

}  // namespace tercel::http
