// Prints what tercel makes of the parts of a request that are for the application, for
// tests/python/test_input_agrees.py.
//
// Reads inputs as dump.h says, and writes one line of JSON for each. The first byte of an input
// says what the rest is:
//   q  a query: [["name","value"],...], or "BadQuery"
#include <cstdio>
#include <string>
#include <string_view>

#include "http/dump.h"
#include "tercel/http/query.h"

namespace tercel::http {
namespace {

std::string name_of(Errc error) {
  return quoted(info(error).name);
}

// A list of JSON texts.
class List {
 public:
  void add(const std::string& json) {
    if (!text_.empty()) text_ += ',';
    text_ += json;
  }
  std::string json() const { return '[' + text_ + ']'; }

 private:
  std::string text_;
};

std::string pair_json(std::string_view name, std::string_view value) {
  return '[' + quoted(name) + ',' + quoted(value) + ']';
}

std::string dump_query(std::string_view text) {
  std::string scratch(text.size(), '\0');
  QueryPairs query{text, scratch};
  QueryPair pair;
  List list;
  for (;;) {
    const Result<bool> more = query.next(pair);
    if (!more) return name_of(more.error());
    if (!*more) return list.json();
    list.add(pair_json(pair.name, pair.value));
  }
}

std::string dump(char kind, std::string_view text) {
  switch (kind) {
    case 'q':
      return dump_query(text);
    default:
      return "null";
  }
}

}  // namespace
}  // namespace tercel::http

int main() {
  std::string input;
  while (tercel::http::read_input(input) && !input.empty()) {
    std::puts(tercel::http::dump(input.front(), std::string_view{input}.substr(1)).c_str());
  }
}
