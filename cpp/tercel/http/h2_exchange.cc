#include "tercel/http/h2_exchange.h"

#include <new>
#include <utility>

#include "tercel/http/error_answer.h"
#include "tercel/http/h1_writer.h"
#include "tercel/http/h2_session.h"
#include "tercel/http/h2_step.h"
#include "tercel/http/keep.h"

namespace tercel::http {

H2Exchange::H2Exchange(H2Session& session, H2StreamId id, const Request& request,
                       std::chrono::nanoseconds started) noexcept
    : session_{session},
      id_{id},
      started_{started},
      body_{session.context_.body_parts},
      declared_{request.content_length},
      window_{session.context_.options.window_bytes},
      rules_{request},
      output_{session.context_.parts},
      may_switch_{!request.protocol.empty()} {}

const Endpoints& H2Exchange::endpoints() const noexcept {
  return session_.wire_.endpoints();
}

// --- the request

BodyRead H2Exchange::take_body() noexcept {
  if (failure_ || over_ || session_.closing_) return {{}, BodyState::kFailed};
  if (may_switch_ && !rules_.is_tunnel()) return {{}, BodyState::kEnd};
  const std::string_view bytes = body_.take();
  const bool last = request_done_ && body_.bytes() == 0;
  if (!bytes.empty()) {
    session_.credit_read(*this, bytes.size());
    return {bytes, last ? BodyState::kEnd : BodyState::kMore};
  }
  return {{}, last ? BodyState::kEnd : BodyState::kPending};
}

BodyRead H2Exchange::read_body() noexcept {
  const H2Session::Step step{session_, H2Session::From::kHandler};
  const BodyRead read = take_body();
  if (read.state != BodyState::kPending) {
    body_clock_.stop();
    return read;
  }
  if (std::exchange(expects_continue_, false) && !rules_.head_released()) {
    (void)this->interim({.status = 100, .fields = {}});
  }
  wants_body_ = true;
  if (!may_switch_) body_clock_.start(session_.context_.options.body, session_.wire_.now());
  return read;
}

BodyRead H2Exchange::arrived_body() noexcept {
  const H2Session::Step step{session_, H2Session::From::kHandler};
  return take_body();
}

// --- the head of the response

Result<void> H2Exchange::legal_to_answer() const noexcept {
  if (failure_) return fail(Errc::kClosed);
  if (over_) return fail(Errc::kIllegalStep);
  return closed_ || session_.closing_ ? fail(Errc::kClosed) : Result<void>{};
}

Result<void> H2Exchange::interim(const Response& response) noexcept {
  const H2Session::Step step{session_, H2Session::From::kHandler};
  if (auto legal = legal_to_answer(); !legal) return legal;
  if (auto legal = rules_.interim(response); !legal) return legal;
  H2Fields fields;
  if (!fields.reserve(response, {}, session_.wire_.blocks())) return fail(Errc::kNoMemory);
  fields.add_head(response, {});
  if (!session_.engine_->interim(id_, fields.view())) return fail(Errc::kNoMemory);
  session_.leave(Final::kNo);
  return {};
}

Result<void> H2Exchange::start(const Response& response) noexcept {
  if (auto legal = legal_to_answer(); !legal) return legal;
  // Room first: once the rules took the response there is no way back.
  SessionContext& context = session_.context_.shared;
  const std::chrono::seconds time = session_.wire_.unix_time();
  H2Fields head;
  if (!head.reserve(response, context.default_fields(time, false, false),
                    session_.wire_.blocks())) {
    return fail(Errc::kNoMemory);
  }
  Result<HeadFacts> facts = rules_.start(response);
  if (!facts) return fail(facts.error());
  head.add_head(response, context.default_fields(time, facts->has_server, facts->has_date));
  head_ = std::move(head);
  if (facts->close) session_.drain();
  if (rules_.is_tunnel()) become_tunnel();
  return {};
}

void H2Exchange::become_tunnel() noexcept {
  const H2Session::Step step{session_, H2Session::From::kHandler};
  release_head(0, /*last=*/false);
  session_.leave(Final::kNo);
}

void H2Exchange::release_head(std::uint64_t first_bytes, bool last) noexcept {
  if (rules_.release_head(last)) head_.add_content_length(first_bytes);
  const bool has_body = !last || first_bytes > 0 || !last_fields_.empty();
  if (!has_body) end_cut_ = true;
  if (!session_.engine_->respond(id_, head_.view(), has_body ? this : nullptr)) break_off();
  head_.clear();
}

// --- the body of the response

Result<void> H2Exchange::write(Payload payload, Final final) noexcept {
  Keep<Payload> keep{payload};
  const H2Session::Step step{session_, H2Session::From::kHandler};
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<BodyPlan> planned = rules_.write(payload.bytes.size(), final);
  if (!planned) return fail(planned.error());
  const BodyPlan& part = *planned;
  if (part.error == Errc::kResponseTooShort && !rules_.head_released()) return conclude(part);
  bool queued = true;
  if (part.bytes > 0) {
    Payload passed = keep.pass_on();
    passed.bytes = passed.bytes.substr(0, part.bytes);
    queued = output_.push(passed, session_.wire_.blocks());
  }
  return close_part(part, queued);
}

Result<void> H2Exchange::write_file(FileRange range, Final final) noexcept {
  Keep<FileRange> keep{range};
  const H2Session::Step step{session_, H2Session::From::kHandler};
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<BodyPlan> planned = rules_.write(range.count, final);
  if (!planned) return fail(planned.error());
  const BodyPlan& part = *planned;
  if (part.error == Errc::kResponseTooShort && !rules_.head_released()) return conclude(part);
  bool queued = true;
  if (part.bytes > 0) {
    FileRange passed = keep.pass_on();
    passed.count = part.bytes;
    queued = output_.push(passed);
  }
  return close_part(part, queued);
}

Result<void> H2Exchange::close_part(const BodyPlan& part, bool queued) noexcept {
  if (!queued) {
    break_off();
    return fail(Errc::kNoMemory);
  }
  if (part.last) ended_ = true;
  if (!rules_.head_released()) {
    release_head(part.bytes, part.last);
  } else {
    offer_output();
  }
  if (over_) return fail(Errc::kNoMemory);
  session_.leave(part.last ? Final::kYes : Final::kNo);
  wants_writable_ = !writable();
  return conclude(part);
}

void H2Exchange::offer_output() noexcept {
  if (!waiting_ || !unsent()) return;
  waiting_ = false;
  (void)session_.engine_->resume(id_);
}

Result<void> H2Exchange::conclude(const BodyPlan& part) noexcept {
  if (part.error == Errc::kResponseTooShort) {
    this->abort(*part.error);
  } else if (part.last) {
    session_.response_over(*this, std::nullopt);
  }
  if (part.error) return fail(*part.error);
  return {};
}

Result<void> H2Exchange::finish(std::span<const Field> trailers) noexcept {
  const H2Session::Step step{session_, H2Session::From::kHandler};
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<BodyPlan> planned = rules_.finish();
  if (!planned) return fail(planned.error());
  const BodyPlan& part = *planned;
  if (part.error) return conclude(part);
  Result<void> checked;
  if (rules_.carries_trailers() && !trailers.empty()) {
    checked = inspect_trailers(trailers);
    // The body is whole; trailers that are refused are left out.
    if (checked) {
      if (!last_fields_.reserve(trailers, session_.wire_.blocks())) return close_part(part, false);
      last_fields_.add_trailers(trailers);
    }
  }
  const Result<void> closed = close_part(part, true);
  return closed ? checked : closed;
}

// --- ends

void H2Exchange::abort(Errc error, std::chrono::seconds retry_after) noexcept {
  if (over_) return;
  const H2Session::Step step{session_, H2Session::From::kHandler};
  // The peer is told what was wrong with its request, not what the handler made of it.
  if (failure_) return session_.fail_exchange(*this, *failure_);
  if (!replace_with_error(error, retry_after)) {
    session_.reset_stream(*this, H2Code::kInternalError);
  }
  session_.response_over(*this, error);
}

void H2Exchange::break_off() noexcept {
  session_.reset_stream(*this, H2Code::kInternalError);
  session_.response_over(*this, Errc::kNoMemory);
}

bool H2Exchange::replace_with_error(Errc error, std::chrono::seconds retry_after) noexcept {
  head_.clear();
  if (rules_.head_released() || closed_ || info(error).http_status == 0) return false;
  const ErrorAnswer answer{error, retry_after};
  const Response response = answer.response();
  SessionContext& context = session_.context_.shared;
  const std::string_view defaults =
      context.default_fields(session_.wire_.unix_time(), false, false);
  if (!head_.reserve(response, defaults, session_.wire_.blocks())) return false;
  const bool with_body = !rules_.answers_head();
  output_.clear();
  if (with_body && !output_.push(Payload::borrow(answer.body()), session_.wire_.blocks())) {
    return false;
  }
  head_.add_head(response, defaults);
  head_.add_content_length(answer.body().size());
  ended_ = true;
  end_cut_ = !with_body;
  const bool sent = session_.engine_->respond(id_, head_.view(), with_body ? this : nullptr);
  head_.clear();
  if (!sent) return false;
  rules_.replace(response.status, with_body ? answer.body().size() : 0);
  (void)rules_.release_head(/*last=*/true);
  session_.leave(Final::kYes);
  return true;
}

Place* H2Exchange::keep_place() noexcept {
  if (!occupies_) return nullptr;
  auto* place = new (std::nothrow) H2Place{session_.occupied_};
  if (place != nullptr) session_.places_.push_back(*place);
  return place;
}

bool H2Exchange::writable() const noexcept {
  return output_.bytes() <= session_.context_.shared.limits.output_high_water_bytes;
}

}  // namespace tercel::http
