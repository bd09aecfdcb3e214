// Internal to tercel/http: what an exchange and its session do together.
#pragma once

#include "tercel/http/h2_session.h"

namespace tercel::http {

// Something happens on this session. At the end of the outermost step, output leaves, and what is
// over is freed: an exchange may be gone when a step that it began ends.
class H2Session::Step {
 public:
  Step(H2Session& session, From from) noexcept : session_{session}, from_{from} {
    ++session_.depth_;
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  ~Step() {
    if (session_.depth_ == 1) session_.end_step(from_);
    --session_.depth_;
  }

 private:
  H2Session& session_;
  From from_;
};

}  // namespace tercel::http
