// A load client on tercel's engine that checks every answer: bench/README.md, "The load client".
//
//   load_client http --port 8000 --connections 64 --seconds 5 --numbered --target /echo
//
// One thread. Prints one JSON object; exits with 0 when it ran to the end, whatever it counted,
// with 1 when it did not, with 2 on a mistake in the command line.
#include <sys/resource.h>

#include <cstdio>
#include <memory>
#include <string>

#include "options.h"
#include "plans.h"
#include "tercel/base/clock.h"
#include "tercel/net/loop.h"
#include "tercel/net/syscalls.h"

namespace {

using namespace tercel;

// Ten thousand connections are more than the soft limit that most shells have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  std::string problem;
  const std::optional<load::Options> options = load::parse_options(argc, argv, problem);
  if (!options) {
    std::fprintf(stderr, "load_client: %s\n%s", problem.c_str(), load::kUsage.data());
    return 2;
  }
  raise_descriptor_limit();
  const SteadyClock clock;
  Result<std::unique_ptr<net::Loop>> loop = net::Loop::create(clock, net::system_calls());
  if (!loop) {
    std::fputs("load_client: cannot make an event loop\n", stderr);
    return 1;
  }
  std::unique_ptr<load::Run> run;
  if (options->mode == load::ModeName::kBroadcast) {
    run = std::make_unique<load::Broadcast>(**loop, clock, *options);
  } else {
    run = std::make_unique<load::Ask>(**loop, clock, *options);
  }
  return run->go();
}
