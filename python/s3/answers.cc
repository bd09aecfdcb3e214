#include "python/s3/answers.h"

#include <chrono>
#include <cstdint>
#include <string_view>

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "tercel/gateway/decision_key.h"

namespace nb = nanobind;

namespace tercel::python::s3 {
namespace {

using gateway::Question;
using gateway::Scope;

// Text of a peer's: what of it is not UTF-8 comes as lone surrogates, as file names do.
nb::object to_str(std::string_view text) {
  PyObject* const object =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape");
  if (object == nullptr) throw nb::python_error{};
  return nb::steal(object);
}

// Values of header fields are bytes of Latin-1.
nb::object to_latin1(std::string_view text) {
  PyObject* const object =
      PyUnicode_DecodeLatin1(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr);
  if (object == nullptr) throw nb::python_error{};
  return nb::steal(object);
}

nb::bytes to_bytes(std::string_view text) {
  return nb::bytes(text.data(), text.size());
}

nb::tuple headers_of(const Question& question) {
  nb::list all;
  for (const auto& [name, value] : question.headers) {
    all.append(nb::make_tuple(to_latin1(name), to_latin1(value)));
  }
  return nb::tuple(all);
}

template <typename T>
T item(const nb::tuple& answer, std::size_t index) {
  return nb::cast<T>(answer[index]);
}

template <typename Enum>
Enum enumerator(const nb::tuple& answer, std::size_t index, Enum last) {
  const auto number = item<std::uint8_t>(answer, index);
  if (number > static_cast<std::uint8_t>(last)) throw nb::value_error("no such enumerator");
  return static_cast<Enum>(number);
}

gateway::Verdict verdict_of(const nb::tuple& answer) {
  return enumerator(answer, 1, gateway::Verdict::kTimedOut);
}

gateway::FrontKey to_key(const nb::tuple& answer) {
  gateway::FrontKey key;
  key.verdict = verdict_of(answer);
  key.secret = gateway::SecretText{item<std::string_view>(answer, 2)};
  key.session_token = gateway::SecretText{item<std::string_view>(answer, 3)};
  key.identity = item<std::string>(answer, 4);
  return key;
}

gateway::Decision to_decision(const nb::tuple& answer) {
  return {verdict_of(answer), enumerator(answer, 2, gateway::Scope::kBucket),
          item<std::string>(answer, 3)};
}

gateway::Credentials to_credentials(const nb::tuple& answer) {
  enum class Kind : std::uint8_t { kNone, kHmac, kBearer };
  gateway::Credentials credentials;
  credentials.verdict = verdict_of(answer);
  const auto secret = item<std::string_view>(answer, 4);
  switch (enumerator(answer, 2, Kind::kBearer)) {
    case Kind::kNone:
      break;
    case Kind::kHmac:
      credentials.value = gateway::Hmac{item<std::string>(answer, 3), gateway::SecretText{secret},
                                        gateway::SecretText{item<std::string_view>(answer, 5)}};
      break;
    case Kind::kBearer:
      credentials.value = gateway::Bearer{gateway::SecretText{secret}};
  }
  return credentials;
}

gateway::ResolvedBucket to_bucket(const nb::tuple& answer) {
  gateway::ResolvedBucket bucket{verdict_of(answer), {}};
  if (bucket.verdict == gateway::Verdict::kYes)
    bucket.backend = item<NativeBackend>(answer, 2).backend;
  return bucket;
}

std::chrono::nanoseconds seconds(const nb::tuple& answer, std::size_t from_the_end) {
  const std::chrono::duration<double> given{item<double>(answer, answer.size() - from_the_end)};
  return std::chrono::duration_cast<std::chrono::nanoseconds>(given);
}

}  // namespace

nb::list decision_keys(const Question& question) {
  nb::list keys;
  if (question.kind != Question::Kind::kDecision) return keys;
  std::string key;
  for (const Scope scope : {Scope::kRequest, Scope::kPrefix, Scope::kOperation, Scope::kBucket}) {
    gateway::write_decision_key(question, scope, key);
    keys.append(to_bytes(key));
  }
  return keys;
}

nb::tuple to_tuple(const Question& question) {
  const auto kind = static_cast<int>(question.kind);
  switch (question.kind) {
    case Question::Kind::kKey:
      return nb::make_tuple(kind, to_str(question.access_key));
    case Question::Kind::kDecision:
      return nb::make_tuple(kind, to_str(question.access_key), to_str(question.identity),
                            to_str(question.bucket), to_str(question.key),
                            to_str(question.operation), to_str(question.method),
                            to_str(question.query), to_str(question.source_ip),
                            to_str(question.copy_source), question.presigned, headers_of(question));
    case Question::Kind::kBucket:
      return nb::make_tuple(kind, to_str(question.bucket));
    case Question::Kind::kBudget:
      return nb::make_tuple(kind, question.budget_key, to_bytes(question.budget),
                            question.rules.token.count(), question.rules.burst,
                            question.rules.bandwidth);
    case Question::Kind::kCredentials:
      break;
  }
  return nb::make_tuple(kind, to_str(question.bucket), to_str(question.identity),
                        to_str(question.rule));
}

void bind_answers(nb::module_& module) {
  nb::class_<NativeBackend>(module, "Backend");
}

gateway::Answer to_answer(const nb::tuple& answer) {
  gateway::Answer made;
  switch (enumerator(answer, 0, Question::Kind::kBudget)) {
    case Question::Kind::kKey:
      made.value = to_key(answer);
      break;
    case Question::Kind::kDecision:
      made.value = to_decision(answer);
      break;
    case Question::Kind::kCredentials:
      made.value = to_credentials(answer);
      break;
    case Question::Kind::kBucket:
      made.value = to_bucket(answer);
      break;
    case Question::Kind::kBudget:
      return made;  // What was granted is in the shares.
  }
  made.fresh = seconds(answer, 2);
  made.holds = seconds(answer, 1);
  return made;
}

}  // namespace tercel::python::s3
