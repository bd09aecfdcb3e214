#include "tercel/route/router.h"

#include <algorithm>
#include <array>

#include "tercel/base/assert.h"

namespace tercel::route {

Outcome Router::find(std::string_view method, std::string_view path, Match& match) const noexcept {
  match.endpoint_ = nullptr;
  match.capture_count_ = 0;
  match.steps_ = 0;
  match.rest_offset_ = path.size();
  if (path.size() > match.decoded_.size()) return Outcome::kTooLong;
  if (!path.starts_with('/')) return Outcome::kNotFound;
  // One segment more than there are levels says that the path goes on below all of them.
  Segments segments{path, match.decoded_, levels_ + 1};
  const std::uint32_t found = walk(segments, match);
  if (found == kNone) return Outcome::kNotFound;
  match.endpoint_ = &endpoints_[found];
  const auto route = match.endpoint_->route(method);
  if (!route) return Outcome::kMethodNotAllowed;
  match.route_ = *route;
  return Outcome::kFound;
}

std::uint32_t Router::walk(Segments& segments, Match& match) const noexcept {
  std::array<Frame, kSegmentsMax + 1> frames;
  frames[0] = {0, 0, 0};
  match.steps_ = 1;
  for (std::size_t level = 0;;) {
    Frame& frame = frames[level];
    const Node& node = nodes_[frame.node];
    if (level == segments.size()) {
      if (node.endpoint != kNone) return node.endpoint;
    } else {
      const std::uint32_t child = advance(frame, segments, level, match);
      if (child != kNone) {
        ++match.steps_;
        frames[++level] = {child, 0, static_cast<std::uint32_t>(match.capture_count_)};
        continue;
      }
      if (node.rest != kNone) {
        match.rest_offset_ = segments.offset(level);
        match.captures_[match.capture_count_++] = {segments.rest(level), {}};
        return node.rest;
      }
    }
    match.capture_count_ = frame.captures;
    if (level == 0) return kNone;
    --level;
  }
}

std::uint32_t Router::advance(Frame& frame, Segments& segments, std::size_t level,
                              Match& match) const noexcept {
  const Node& node = nodes_[frame.node];
  match.capture_count_ = frame.captures;
  const std::string_view text = segments.text(level);
  if (frame.next == 0) {
    frame.next = 1;
    if (node.has_literals) {
      const std::uint32_t child = literals_.find(frame.node, text, segments.hash(level));
      if (child != kNone) return child;
    }
  }
  const std::uint32_t mixed_count = node.mixed_end - node.mixed_begin;
  while (frame.next <= mixed_count) {
    const Mixed& mixed = mixed_[node.mixed_begin + frame.next - 1];
    ++frame.next;
    ++match.steps_;
    if (take_mixed(mixed, text, match)) return mixed.child;
  }
  if (frame.next == mixed_count + 1) {
    ++frame.next;
    if (node.field != kNone && take_field(node, text, match)) return node.field;
  }
  return kNone;
}

bool Router::take_field(const Node& node, std::string_view text, Match& match) const noexcept {
  if (text.empty()) return false;
  Capture& capture = match.captures_[match.capture_count_];
  capture.text = text;
  if (node.converter == kNone) {
    capture.value.emplace<std::monostate>();
  } else if (!converters_[node.converter].convert(text, capture.value, match.users_)) {
    return false;
  }
  ++match.capture_count_;
  return true;
}

bool Router::take_mixed(const Mixed& mixed, std::string_view text, Match& match) const noexcept {
  const std::span<Capture> fields =
      std::span{match.captures_}.subspan(match.capture_count_, mixed.pattern.fields());
  if (!mixed.pattern.split(text, fields, match.steps_)) return false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Converter& converter = converters_[mixed.converters + i];
    if (!converter.convert(fields[i].text, fields[i].value, match.users_)) return false;
  }
  match.capture_count_ += fields.size();
  return true;
}

bool Router::knows_method(std::string_view method) const noexcept {
  return parse_method(method) ||
         std::find(other_methods_.begin(), other_methods_.end(), method) != other_methods_.end();
}

}  // namespace tercel::route
