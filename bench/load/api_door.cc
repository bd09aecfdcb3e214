// The typed API of harness/api.py as a C++ program on api::App: what tercel.App costs above it is
// Python.
//
//   api_door PORT
//
// Checks an order by hand for what bench/apps/orders_msgspec.py declares, all of it, and lists the
// failures as the API lists those of parameters (api/failures.h).
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>

#include "tercel/api/app.h"
#include "tercel/base/block_pool.h"
#include "tercel/base/clock.h"
#include "tercel/net/listener.h"
#include "tercel/net/loop.h"
#include "tercel/server/server.h"

namespace {

using namespace tercel;

constexpr std::size_t kNameCharactersMax = 100;
constexpr std::size_t kStepsMax = 4;  // "body", "lines", 4, "quantity"

// Characters of UTF-8, which the parser has checked.
std::size_t characters_of(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

class OrderCheck {
 public:
  explicit OrderCheck(BlockPool& blocks) : errors_{blocks} {}

  // False: errors() is the list of what is wrong.
  bool accepts(json::Value order) {
    errors_.clear();
    found_ = 0;
    steps_[0] = {.name = "body"};
    depth_ = 1;
    errors_.begin_array();
    check_order(order);
    errors_.end_array();
    return found_ == 0;
  }
  std::string_view errors() const { return errors_.view(); }

 private:
  // Of the way to a value: the name of a member, or the number of an element.
  struct Step {
    std::string_view name = {};
    std::int64_t index = 0;
  };

  void check_order(json::Value order) {
    if (!order.is_object()) return fail("object_type");
    text(order, "customer", 1, kNameCharactersMax);
    text(order, "email", 3, 254);
    text(order, "note", 0, 500);
    if (const auto address = enter(order, "ship_to")) {
      check_address(*address);
      leave();
    }
    if (const auto lines = enter(order, "lines")) {
      check_lines(*lines);
      leave();
    }
    if (const auto total = enter(order, "total")) {
      if (!total->is_number()) {
        fail("float_type");
      } else if (!(total->float64() >= 0)) {
        fail("greater_than_equal");
      }
      leave();
    }
    if (const auto express = enter(order, "express")) {
      if (!express->is_boolean()) fail("bool_type");
      leave();
    }
  }

  void check_address(json::Value address) {
    if (!address.is_object()) return fail("object_type");
    text(address, "street", 1, kNameCharactersMax);
    text(address, "city", 1, kNameCharactersMax);
    text(address, "postcode", 3, 10);
    text(address, "country", 2, 2);
  }

  void check_lines(json::Value lines) {
    if (!lines.is_array()) return fail("list_type");
    std::int64_t count = 0;
    for (const json::Value line : lines.elements()) {
      steps_[depth_++] = {.index = count++};
      check_line(line);
      leave();
    }
    if (count < 1) fail("too_short");
    if (count > 50) fail("too_long");
  }

  void check_line(json::Value line) {
    if (!line.is_object()) return fail("object_type");
    text(line, "sku", 4, 16);
    text(line, "name", 1, kNameCharactersMax);
    if (const auto quantity = enter(line, "quantity")) {
      if (quantity->kind() != json::Kind::kInteger) {
        fail("int_type");
      } else if (quantity->int64() < 1 || quantity->int64() > 1000) {
        fail("int_range");
      }
      leave();
    }
    if (const auto price = enter(line, "price")) {
      if (!price->is_number()) {
        fail("float_type");
      } else if (!(price->float64() > 0 && price->float64() <= 100'000)) {
        fail("float_range");
      }
      leave();
    }
    if (const auto tags = enter(line, "tags")) {
      check_tags(*tags);
      leave();
    }
  }

  void check_tags(json::Value tags) {
    if (!tags.is_array()) return fail("list_type");
    for (const json::Value tag : tags.elements()) text(tag, 0, 16);
  }

  void text(json::Value object, std::string_view name, std::size_t least, std::size_t most) {
    if (const auto value = enter(object, name)) {
      text(*value, least, most);
      leave();
    }
  }
  void text(json::Value value, std::size_t least, std::size_t most) {
    if (!value.is_string()) return fail("string_type");
    const std::size_t count = characters_of(value.string());
    if (count < least) fail("string_too_short");
    if (count > most) fail("string_too_long");
  }

  // The member, which leave() leaves; nothing: it is missing.
  std::optional<json::Value> enter(json::Value object, std::string_view name) {
    steps_[depth_++] = {.name = name};
    const std::optional<json::Value> found = object.find(name);
    if (!found) {
      fail("missing");
      leave();
    }
    return found;
  }
  void leave() { --depth_; }

  void fail(std::string_view type) {
    if (++found_ > api::kFailuresMax) return;
    errors_.begin_object();
    errors_.key("loc");
    errors_.begin_array();
    for (std::size_t i = 0; i < depth_; ++i) {
      if (steps_[i].name.empty()) {
        errors_.integer(steps_[i].index);
      } else {
        errors_.string(steps_[i].name);
      }
    }
    errors_.end_array();
    errors_.key("type");
    errors_.string(type);
    errors_.end_object();
  }

  json::Writer errors_;
  std::size_t found_ = 0;
  std::array<Step, kStepsMax> steps_;
  std::size_t depth_ = 0;
};

void hello(api::Call& call) {
  call.json(200, [](json::Writer& out) {
    out.begin_object();
    out.key("message");
    out.string("Hello");
    out.end_object();
  });
}

void item(api::Call& call) {
  const api::Arguments& arguments = call.arguments;
  call.json(200, [&](json::Writer& out) {
    out.begin_object();
    out.key("item_id");
    out.integer(arguments.value(0).int64());
    out.key("limit");
    out.integer(arguments.has(1) ? arguments.value(1).int64() : 10);
    out.key("verbose");
    out.boolean(arguments.has(2) && arguments.value(2).boolean());
    out.end_object();
  });
}

void make_order(api::Call& call, OrderCheck& check) {
  const json::Value order = *call.body;
  if (!check.accepts(order)) {
    const api::Problem problem{.status = 422,
                               .detail = "The order is not valid.",
                               .instance = call.request.path,
                               .errors = check.errors()};
    return api::answer_problem(call.exchange, problem, call.scratch);
  }
  call.json(201, [&](json::Writer& out) {
    out.begin_object();
    out.key("customer");
    out.string(order.find("customer")->string());
    out.key("lines");
    std::int64_t lines = 0;
    for ([[maybe_unused]] const json::Value line : order.find("lines")->elements()) ++lines;
    out.integer(lines);
    out.key("total");
    if (!out.number(order.find("total")->float64())) out.null();
    out.key("express");
    out.boolean(order.find("express")->boolean());
    out.end_object();
  });
}

void add_routes(api::App& app, OrderCheck& check) {
  using api::In, api::Type;
  app.get("/hello", {}, hello);
  app.get("/items/{item_id}",
          {{.name = "item_id", .in = In::kPath, .type = Type::kInteger},
           {.name = "limit", .type = Type::kInteger, .required = false},
           {.name = "verbose", .type = Type::kBoolean, .required = false}},
          item);
  app.on("POST", "/orders", {}, [&check](api::Call& call) { make_order(call, check); },
         {.kind = api::BodyKind::kJson});
}

net::Loop* running = nullptr;

void stop(int) {
  running->stop();
  running->wake();
}

int report(std::string_view what, std::string_view problem) {
  std::cerr << "api_door: " << what << ": " << problem << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  if (argc != 2) return report("usage", "api_door PORT");
  const std::string_view text = argv[1];
  if (std::from_chars(text.data(), text.data() + text.size(), port).ec != std::errc{}) {
    return report("not a port", text);
  }

  BlockPool blocks;
  OrderCheck check{blocks};
  api::App app;
  add_routes(app, check);
  if (app.mistake()) return report("a route is wrong", *app.mistake());
  app.freeze();

  const SteadyClock clock;
  Result<std::unique_ptr<net::Loop>> loop = net::Loop::create(clock, net::system_calls());
  if (!loop) return report("cannot make an event loop", info(loop.error()).text);
  server::Server server{**loop, app, {}};
  auto socket = net::ListenSocket::tcp(net::system_calls(), "127.0.0.1", port, {});
  if (!socket) return report("cannot listen", info(socket.error()).text);
  if (auto listening = server.listen(*std::move(socket)); !listening) {
    return report("cannot listen", info(listening.error()).text);
  }
  if (auto started = server.start(); !started) {
    return report("cannot accept", info(started.error()).text);
  }

  running = loop->get();
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);
  if (auto ran = (*loop)->run(); !ran) {
    return report("the event loop failed", info(ran.error()).text);
  }
}
