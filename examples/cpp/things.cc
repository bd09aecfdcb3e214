// A small JSON API: things with a name and a price, in memory.
//
//   things [ADDRESS]    where to listen: 127.0.0.1:8000, unless told
//
//   curl -i localhost:8000/things -d '{"name": "lamp", "price": 12.5}'
//   curl -i localhost:8000/things/1
//
// Build: examples/cpp/CMakeLists.txt says how, with an installed tercel.
// [store]
#include <cstdint>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "tercel/api/app.h"
#include "tercel/server/run.h"

namespace {

using namespace tercel;

struct Thing {
  std::string name;
  double price;
};

// By id. The app calls its functions on one thread: nothing here needs a lock.
using Things = std::map<std::int64_t, Thing>;
constexpr std::size_t kThingsMax = 100'000;

// What a client has to send: JSON Schema. A body that is something else is answered with 422 and
// all that is wrong with it, and the function of the route is not called.
constexpr std::string_view kNewThing = R"({
  "type": "object",
  "required": ["name", "price"],
  "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 200},
    "price": {"type": "number", "minimum": 0, "maximum": 1000000}
  }
})";

void write(const Things::value_type& entry, json::Writer& out) {
  const auto& [id, thing] = entry;
  out.begin_object();
  out.key("id");
  out.integer(id);
  out.key("name");
  out.string(thing.name);
  out.key("price");
  if (!out.number(thing.price)) out.null();
  out.end_object();
}
// [/store]

// [routes]
void add_routes(api::App& app, Things& things) {
  app.get("/things", {{.name = "limit", .type = api::Type::kInteger, .required = false}},
          [&](api::Call& call) {
            auto left = call.argument<std::int64_t>("limit").value_or(20);
            call.json(200, [&](json::Writer& out) {
              out.begin_array();
              for (const auto& entry : things) {
                if (left-- <= 0) break;
                write(entry, out);
              }
              out.end_array();
            });
          });

  app.get("/things/{id:int}", [&](api::Call& call) {
    const auto found = things.find(call.argument<std::int64_t>("id").value_or(0));
    if (found == things.end()) return call.problem(404, "There is no thing with this id.");
    call.json(200, [&](json::Writer& out) { write(*found, out); });
  });

  app.post("/things", kNewThing, [&](api::Call& call) {
    if (things.size() == kThingsMax) return call.problem(507, "There is no room for more things.");
    const std::int64_t id = things.empty() ? 1 : things.rbegin()->first + 1;
    const Thing thing{.name = std::string{*call.body->get<std::string_view>("name")},
                      .price = *call.body->get<double>("price")};
    const auto made = things.emplace(id, thing).first;
    call.json(201, [&](json::Writer& out) { write(*made, out); },
              {{"location", "/things/" + std::to_string(id)}});
  });
}
// [/routes]

}  // namespace

// [main]
int main(int argc, char** argv) {
  Things things;
  api::App app;
  add_routes(app, things);
  if (const auto mistake = app.freeze()) {
    std::cerr << "things: " << *mistake << '\n';
    return 2;
  }

  server::RunOptions options;
  if (argc > 1) options.bind = {argv[1]};
  options.on_ready = [](std::span<const std::string> urls) {
    for (const std::string& url : urls) std::cout << url << std::endl;
  };
  const server::Exit exit = server::run(app, options);
  if (!exit.problem.empty()) std::cerr << "things: " << exit.problem << '\n';
  return exit.status;
}
// [/main]
