// The module tercel._s3: the half of tercel.s3.Gateway that is C++. Private. Loaded by the first
// import of tercel.s3, so that a process without a gateway has neither it nor what it is linked
// with.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "python/asgi/open_door.h"
#include "python/errors.h"
#include "python/s3/answers.h"
#include "python/s3/audit_files.h"
#include "python/s3/config.h"
#include "python/s3/gateway_metrics.h"
#include "python/s3/policy_bridge.h"
#include "python/s3/presign.h"
#include "python/s3/reach.h"
#include "python/traverse.h"
#include "tercel/base/clock.h"
#include "tercel/edge/budget_shares.h"
#include "tercel/gateway/gateway.h"
#include "tercel/gateway/handler.h"
#include "tercel/s3/key_prefix.h"
#include "tercel/s3/operation.h"

namespace nb = nanobind;

namespace tercel::python::s3 {
namespace {

class PyGateway {
 public:
  PyGateway(nb::object ask, std::vector<std::string> domains, std::string region,
            std::size_t cache_entries, bool debug, std::string audit_log, bool shared_limits,
            bool resolves)
      : ask_{std::move(ask)},
        fixed_{std::move(domains), std::move(region), debug, resolves},
        audit_log_{std::move(audit_log)},
        shared_limits_{shared_limits},
        gateway_{SharedConst{to_config(fixed_, nb::list{}, nb::list{}, nullptr, reach_)},
                 cache_entries} {}

  void update(const nb::list& rules, const nb::list& limits) {
    const SharedConst<gateway::Config> now = gateway_.config.current();
    reach_.forget_tls();
    gateway::Config config = to_config(fixed_, rules, limits, &*now, reach_);
    if (!config.limits.empty()) {
      config.budgets = &gateway_.budgets();
      if (shared_limits_) config.shares = &gateway_.shares();
    }
    gateway_.config.replace(SharedConst{std::move(config)});
  }
  [[nodiscard]] NativeBackend backend(const nb::tuple& rule) {
    const SharedConst<gateway::Config> now = gateway_.config.current();
    return {SharedConst{to_backend_beside(*now, rule, reach_)}};
  }
  void invalidate(std::string access_key, std::string identity, std::string bucket) {
    gateway_.changes.add({std::move(access_key), std::move(identity), std::move(bucket)});
  }

  // --- requests of budgets that several processes share (edge/budget_shares.h)
  std::uint32_t wanted(std::uint64_t key, std::int64_t token_ns, std::uint32_t burst) {
    const edge::BudgetRules rules{.token = std::chrono::nanoseconds{token_ns}, .burst = burst};
    return gateway_.shares().wanted(key, rules, clock_.now());
  }
  void grant(std::uint64_t key, std::uint32_t count, double wait) {
    const std::chrono::duration<double> seconds{wait};
    gateway_.shares().grant(
        key, {count, std::chrono::duration_cast<std::chrono::nanoseconds>(seconds)}, clock_.now());
  }
  [[nodiscard]] std::int64_t take_bytes(std::uint64_t key) {
    return gateway_.shares().take_bytes(key, clock_.now());
  }
  // False: it is used.
  [[nodiscard]] bool leave_bytes(std::uint64_t key) {
    gateway_.shares().leave(key);
    return !gateway_.budgets().places().is_pinned(key);
  }
  void hold_up(std::uint64_t key, double seconds) {
    const std::chrono::duration<double> wait{seconds};
    gateway_.budgets().hold_up(
        key, clock_.now() + std::chrono::duration_cast<std::chrono::nanoseconds>(wait));
  }
  void set_alone(bool alone) { gateway_.shares().set_alone(alone); }

  [[nodiscard]] nb::dict counts() const {
    nb::dict all;
    for (int i = 0; i < gateway::Counts::kNames; ++i) {
      const auto name = static_cast<gateway::Counts::Name>(i);
      const std::string_view text = gateway::Counts::text(name);
      all[nb::str(text.data(), text.size())] = gateway_.meters.sum(name);
    }
    return all;
  }

  [[nodiscard]] nb::list endpoints() const {
    return describe_endpoints(*gateway_.config.current());
  }

  [[nodiscard]] gateway::Gateway& shared() noexcept { return gateway_; }
  [[nodiscard]] const nb::object& ask() const noexcept { return ask_; }
  // The operator's functions, which ask_ leads to, may know the gateway.
  int traverse(visitproc visit, void* arg) const {
    Py_VISIT(ask_.ptr());
    return 0;
  }
  // The path of the audit log, "-" for standard output; empty: there is none.
  [[nodiscard]] const std::string& audit_log() const noexcept { return audit_log_; }

 private:
  nb::object ask_;
  Fixed fixed_;
  SharedReach reach_;
  const std::string audit_log_;
  const bool shared_limits_;
  gateway::Gateway gateway_;
  SteadyClock clock_;  // That of loops.
};

// A gateway on the loops of one server.
class Fronts final : public asgi::LoopFronts {
 public:
  Fronts(nb::object owner, net::Loop& app_loop, asgi::Commons* commons)
      : owner_{std::move(owner)},
        gateway_{*nb::inst_ptr<PyGateway>(owner_)},
        bridge_{nb::cast(new PolicyBridge{gateway_.ask()}, nb::rv_policy::take_ownership)},
        audit_files_{gateway_.audit_log(), commons},
        metrics_{gateway_.shared(), commons} {
    bridge().open(app_loop);
  }
  ~Fronts() override { bridge().close(); }

  std::unique_ptr<http::Handler> make(http::Handler& /*inner*/, net::Loop& loop) noexcept override {
    try {
      auto handler = or_throw(gateway::Handler::create(loop, gateway_.shared(), bridge(), {},
                                                       &gateway::wall_clock, metrics_.next_room()));
      if (auto lines = audit_files_.open(loop)) handler->record_to(std::move(lines));
      return handler;
    } catch (nb::python_error& error) {
      error.restore();
    } catch (const nb::builtin_exception& error) {
      PyErr_SetString(PyExc_ValueError, error.what());
    } catch (const std::exception& error) {
      PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    return nullptr;
  }

  const edge::MetricsSource* metrics() const noexcept override { return &metrics_; }
  // Whoever reads them can make a presigned request again until it expires.
  std::span<const std::string_view> hidden_parameters() const noexcept override {
    static constexpr std::array<std::string_view, 2> kHidden{"X-Amz-Signature",
                                                             "X-Amz-Security-Token"};
    return kHidden;
  }
  // Objects have up to 5 TiB, and parts of them 5 GiB.
  bool takes_any_body() const noexcept override { return true; }
  void reopen_logs() noexcept override { audit_files_.reopen(); }
  void flush_logs() noexcept override { audit_files_.flush(); }

 private:
  [[nodiscard]] PolicyBridge& bridge() noexcept { return *nb::inst_ptr<PolicyBridge>(bridge_); }

  nb::object owner_;  // Keeps the gateway.
  PyGateway& gateway_;
  nb::object bridge_;
  AuditFiles audit_files_;
  GatewayMetrics metrics_;
};

std::unique_ptr<asgi::LoopFronts> open(PyObject* app, net::Loop& app_loop,
                                       asgi::Commons* commons) noexcept {
  try {
    return std::make_unique<Fronts>(nb::borrow(app).attr("_native"), app_loop, commons);
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

// Returns what each operation does, by its name: the table of cpp/tercel/s3/operation_rows.h.
nb::dict operations() {
  constexpr std::array<const char*, 3> kAccess{"read", "write", "list"};
  nb::dict all;
  for (int i = 0; i < static_cast<int>(tercel::s3::Operation::kUnknown); ++i) {
    const auto& row = tercel::s3::info(static_cast<tercel::s3::Operation>(i));
    all[nb::str(row.name.data(), row.name.size())] =
        nb::str(kAccess[static_cast<std::size_t>(row.access)]);
  }
  return all;
}

// Returns those that a backend may name as anonymous: gateway/anonymous.h.
nb::list anonymous_operations() {
  nb::list names;
  for (int i = 0; i < static_cast<int>(tercel::s3::Operation::kUnknown); ++i) {
    const auto operation = static_cast<tercel::s3::Operation>(i);
    const std::string_view name = tercel::s3::info(operation).name;
    if (gateway::AnonymousOperations::can_be(operation)) {
      names.append(nb::str(name.data(), name.size()));
    }
  }
  return names;
}

constinit asgi::Front the_front{.make = nullptr, .open = open};

}  // namespace
}  // namespace tercel::python::s3

NB_MODULE(_s3, module) {
  using namespace tercel::python;
#ifdef NDEBUG
  nb::set_leak_warnings(false);
#endif
  if (asgi::open_door() == nullptr) throw_python_error();
  s3::bind_answers(module);
  s3::bind_policy(module);
  s3::bind_presign(module);
  s3::bind_reach(module);
  module.def("operations", &s3::operations, "Returns read, write or list by operation.");
  module.def("valid_key_prefix", &tercel::s3::valid_key_prefix, nb::arg("prefix"),
             "Returns whether keys of a bucket can be behind it.");
  module.def("is_plain_key", &tercel::s3::is_plain_key, nb::arg("text"),
             "Returns whether every backend takes a key, or the beginning of one, as it is.");
  module.def("anonymous_operations", &s3::anonymous_operations,
             "Returns those that can be let through without a signature.");
  module.def("cors_problem", &s3::cors_problem, nb::arg("rule"),
             "Returns what is wrong with a rule of CORS, or None.");
  nb::class_<s3::PyGateway>(module, "Gateway", nb::type_slots(traversed<s3::PyGateway>))
      .def(nb::init<nb::object, std::vector<std::string>, std::string, std::size_t, bool,
                    std::string, bool, bool>(),
           nb::arg("ask"), nb::kw_only(), nb::arg("domains"), nb::arg("region"),
           nb::arg("cache_entries"), nb::arg("debug"), nb::arg("audit_log"),
           nb::arg("shared_limits"), nb::arg("resolves"))
      .def("update", &s3::PyGateway::update, nb::arg("rules"), nb::arg("limits"),
           "Has other backends and limits from now on.")
      .def("backend", &s3::PyGateway::backend, nb::arg("rule"),
           "Returns a backend for buckets that update() was not told.")
      .def("invalidate", &s3::PyGateway::invalidate, nb::arg("access_key"), nb::arg("identity"),
           nb::arg("bucket"), "Forgets answers; empty texts are any.")
      .def("wanted", &s3::PyGateway::wanted, nb::arg("key"), nb::arg("token_ns"), nb::arg("burst"),
           "Returns for how many requests of a shared budget to ask.")
      .def("grant", &s3::PyGateway::grant, nb::arg("key"), nb::arg("count"), nb::arg("wait"),
           "Has so many pass, and after them none for so many seconds.")
      .def("take_bytes", &s3::PyGateway::take_bytes, nb::arg("key"),
           "Returns the bytes that were reserved of a shared budget since it was asked last.")
      .def("leave_bytes", &s3::PyGateway::leave_bytes, nb::arg("key"),
           "Has the next request ask for a budget to be followed. False: one uses it now.")
      .def("hold_up", &s3::PyGateway::hold_up, nb::arg("key"), nb::arg("seconds"),
           "Has a budget of bytes full in so many seconds, at the earliest.")
      .def("set_alone", &s3::PyGateway::set_alone, nb::arg("alone"),
           "Has limits count in this process for itself.")
      .def("counts", &s3::PyGateway::counts, "Returns what was counted, by name.")
      .def("endpoints", &s3::PyGateway::endpoints, "Returns what was learnt of endpoints.");
  module.attr("front") = nb::steal(PyCapsule_New(&s3::the_front, asgi::Front::kCapsule, nullptr));
}
