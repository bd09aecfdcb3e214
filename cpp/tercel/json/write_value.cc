#include "tercel/json/write_value.h"

namespace tercel::json {

void write_value(Writer& writer, Value value) noexcept {
  switch (value.kind()) {
    case Kind::kNull:
      return writer.null();
    case Kind::kFalse:
    case Kind::kTrue:
      return writer.boolean(value.boolean());
    case Kind::kInteger:
      return writer.integer(value.int64());
    case Kind::kUnsigned:
      return writer.natural(value.uint64());
    case Kind::kBigInteger:
      return writer.raw(value.number_text());
    case Kind::kDecimal:
      if (!writer.number(value.float64())) writer.raw(value.number_text());
      return;
    case Kind::kString:
      return writer.string(value.string());
    case Kind::kArray:
      writer.begin_array();
      for (const Value element : value.elements()) write_value(writer, element);
      return writer.end_array();
    case Kind::kObject:
      writer.begin_object();
      for (const Member member : value.members()) {
        writer.key(member.key());
        write_value(writer, member.value());
      }
      return writer.end_object();
  }
}

}  // namespace tercel::json
