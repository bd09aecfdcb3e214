// Fields of a head that is being made, with room for values that are put together.
//
//   draft.clear();
//   add_end_to_end(request.fields, draft);
//   draft.add("via", draft.text({"1.1 ", name}));
//   if (!draft.complete()) return fail(Errc::kHeadTooLarge);
//
// About 25 KiB: one a loop, not one a request. A head is made and written in one go.
// Tested by field_draft_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

#include "tercel/http/limits.h"
#include "tercel/http/message.h"

namespace tercel::proxy {

class FieldDraft {
 public:
  void clear() noexcept;
  // Both views are kept. What finds no room makes the draft incomplete.
  void add(std::string_view name, std::string_view value) noexcept;
  // The parts behind each other, valid until clear().
  [[nodiscard]] std::string_view text(std::initializer_list<std::string_view> parts) noexcept;
  // All values of that name, joined by commas, with `last` behind them: how a proxy writes itself
  // down. `name` in lower case.
  [[nodiscard]] std::string_view list(std::span<const http::Field> fields, std::string_view name,
                                      std::string_view last) noexcept;

  [[nodiscard]] std::span<const http::Field> fields() const noexcept {
    return std::span{fields_}.first(count_);
  }
  [[nodiscard]] bool complete() const noexcept { return !overflowed_; }

 private:
  static constexpr std::size_t kOwnFieldsMax = 32;
  static constexpr std::size_t kTextBytes = 16384;

  [[nodiscard]] bool put(std::string_view part) noexcept;

  std::array<http::Field, http::kFieldsMax + kOwnFieldsMax> fields_;
  std::array<char, kTextBytes> text_;
  std::size_t count_ = 0;
  std::size_t text_bytes_ = 0;
  bool overflowed_ = false;
};

// What says which fields belong to one connection: the options of the Connection fields.
class ConnectionOptions {
 public:
  explicit ConnectionOptions(std::span<const http::Field> fields) noexcept;
  // Whether the field is for one connection, and not for who is behind it: by its name, or because
  // a Connection field lists it. `name` in lower case. Source: RFC 9110 section 7.6.1.
  [[nodiscard]] bool has(std::string_view name) const noexcept;

 private:
  std::span<const http::Field> fields_;
  bool any_ = false;  // An option that is not known anyway.
};

// Adds the fields that go on to whoever is behind the connection. Names in lower case.
void add_end_to_end(std::span<const http::Field> fields, FieldDraft& draft) noexcept;

}  // namespace tercel::proxy
