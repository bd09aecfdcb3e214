// The typed API of harness/api.py as a C++ program on api::App: what tercel.App costs above it is
// Python. Its hello is that of the native workloads too.
//
//   api_door PORT
//
// An order is what the schema below says, which is that of bench/apps/orders_msgspec.py.
#include <charconv>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

#include "tercel/api/app.h"
#include "tercel/server/run.h"

namespace {

using namespace tercel;

constexpr std::string_view kOrder = R"({
  "$defs": {
    "Name": {"type": "string", "minLength": 1, "maxLength": 100},
    "Address": {
      "type": "object",
      "properties": {
        "street": {"$ref": "#/$defs/Name"},
        "city": {"$ref": "#/$defs/Name"},
        "postcode": {"type": "string", "minLength": 3, "maxLength": 10},
        "country": {"type": "string", "minLength": 2, "maxLength": 2}
      },
      "required": ["street", "city", "postcode", "country"]
    },
    "Line": {
      "type": "object",
      "properties": {
        "sku": {"type": "string", "minLength": 4, "maxLength": 16},
        "name": {"$ref": "#/$defs/Name"},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
        "price": {"type": "number", "exclusiveMinimum": 0, "maximum": 100000},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 16}}
      },
      "required": ["sku", "name", "quantity", "price", "tags"]
    }
  },
  "type": "object",
  "properties": {
    "customer": {"$ref": "#/$defs/Name"},
    "email": {"type": "string", "minLength": 3, "maxLength": 254},
    "note": {"type": "string", "maxLength": 500},
    "ship_to": {"$ref": "#/$defs/Address"},
    "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "minItems": 1, "maxItems": 50},
    "total": {"type": "number", "minimum": 0},
    "express": {"type": "boolean"}
  },
  "required": ["customer", "email", "note", "ship_to", "lines", "total", "express"]
})";

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

void make_order(api::Call& call) {
  const json::Value order = *call.body;
  call.json(201, [&](json::Writer& out) {
    out.begin_object();
    out.key("customer");
    out.string(order.find("customer")->string());
    out.key("lines");
    out.integer(static_cast<std::int64_t>(order.find("lines")->size()));
    out.key("total");
    if (!out.number(order.find("total")->float64())) out.null();
    out.key("express");
    out.boolean(order.find("express")->boolean());
    out.end_object();
  });
}

void add_routes(api::App& app) {
  using api::In, api::Type;
  app.get("/", hello);
  app.get("/hello", hello);
  app.get("/items/{item_id}",
          {{.name = "item_id", .in = In::kPath, .type = Type::kInteger},
           {.name = "limit", .type = Type::kInteger, .required = false},
           {.name = "verbose", .type = Type::kBoolean, .required = false}},
          item);
  app.post("/orders", kOrder, make_order);
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
  api::App app;
  add_routes(app);
  if (const auto mistake = app.freeze()) return report("a route is wrong", *mistake);
  const server::Exit exit = server::run(app, {.bind = {"127.0.0.1:" + std::to_string(port)}});
  return exit.problem.empty() ? exit.status : report("cannot serve", exit.problem);
}
