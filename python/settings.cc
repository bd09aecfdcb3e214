#include "python/settings.h"

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "python/server_options.h"
#include "tercel/config/assign.h"
#include "tercel/config/bind.h"
#include "tercel/config/check.h"
#include "tercel/config/table.h"
#include "tercel/edge/cors_policy.h"
#include "tercel/edge/log_format.h"
#include "tercel/edge/proxy_headers.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

using config::Problem;
using config::Row;
using config::Settings;

nb::object to_python(const config::Value& value) {
  return std::visit(
      [](const auto& known) -> nb::object {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(known)>, std::monostate>) {
          return nb::none();
        } else {
          return nb::cast(known);
        }
      },
      value);
}

// The text of a list is its items, one after the other; of anything else the one there is.
std::string joined(const config::Texts& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

nb::dict describe(const Row& row) {
  const Settings defaults;
  nb::dict out;
  out["name"] = row.name;
  out["kind"] = config::name(config::kind(row));
  out["group"] = config::title(row.group);
  out["help"] = row.help;
  out["default"] = to_python(config::value_of(defaults, row));
  out["default_text"] = joined(config::texts_of(defaults, row));
  out["must_be"] = config::must_be(row);
  out["unit"] = row.unit;
  out["zero"] = row.zero;
  const auto choices = config::choices(row);
  out["choices"] = std::vector<std::string_view>(choices.begin(), choices.end());
  out["process_only"] = row.where == config::Where::kProcess;
  return out;
}

nb::list settings_table() {
  nb::list rows;
  for (const Row& row : config::table()) rows.append(describe(row));
  return rows;
}

Problem unknown(std::string_view name) {
  return config::in_quotes(name) + " is not a setting.";
}

Problem assign(PySettings& settings, std::string_view name, const config::Texts& texts,
               std::string_view label) {
  const Row* row = config::find(name);
  if (row == nullptr) return unknown(name);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return config::assign(settings.values, *row, views, label);
}

Problem assign_joined(PySettings& settings, std::string_view name, std::string_view text,
                      std::string_view label) {
  const Row* row = config::find(name);
  if (row == nullptr) return unknown(name);
  return config::assign(settings.values, *row, config::split(*row, text), label);
}

nb::object value(const PySettings& settings, std::string_view name) {
  const Row* row = config::find(name);
  if (row == nullptr) {
    throw nb::attribute_error((config::in_quotes(name) + " is not a setting").c_str());
  }
  return to_python(config::value_of(settings.values, *row));
}

std::optional<std::string_view> kind(std::string_view name) {
  const Row* row = config::find(name);
  if (row == nullptr) return std::nullopt;
  return config::name(config::kind(*row));
}

bool is_process_only(std::string_view name) {
  const Row* row = config::find(name);
  return row != nullptr && row->where == config::Where::kProcess;
}

Problem check(const PySettings& settings) {
  if (Problem problem = config::check(settings.values)) return problem;
  std::string problem;
  if (!edge::LogFormat::parse(settings.values.access_log_format, problem)) {
    return "access-log-format " + problem;
  }
  if (!edge::ForwardedFields::parse(settings.values.forwarded_headers, problem)) {
    return "forwarded-headers " + problem;
  }
  if (settings.values.cors_origin.empty()) return std::nullopt;
  return edge::CorsPolicy::problem_of(to_cors(settings.values));
}

std::vector<std::string> binds(const PySettings& settings) {
  std::vector<std::string> texts;
  for (const config::Bind& bind : config::binds(settings.values)) {
    texts.push_back(config::format(bind));
  }
  return texts;
}

}  // namespace

void bind_settings(nb::module_& module);

void bind_settings(nb::module_& module) {
  module.def("settings_table", &settings_table, "The rows of the settings table, in its order.");
  module.def("setting_kind", &kind, nb::arg("name"),
             "The kind of a setting: flag, toggle, count, bytes, seconds, mode, text, list or "
             "choice. None for a name that is no setting.");
  module.def("is_process_only", &is_process_only, nb::arg("name"),
             "Whether this setting is for the command line and `tercel.serve`, not for "
             "`tercel.Server`.");
  nb::class_<PySettings>(module, "Settings",
                         "The settings of one server: `settings.port`, "
                         "`settings.timeout_keep_alive` (seconds), ...\n\n"
                         "Starts with the defaults. Read-only for everybody but "
                         "`tercel.settings.load`.")
      .def(nb::init<>())
      .def("assign", &assign, nb::arg("name"), nb::arg("texts"), nb::arg("label"),
           "Reads `texts` into a setting. Returns a sentence that calls it `label`, or None.")
      .def("assign_joined", &assign_joined, nb::arg("name"), nb::arg("text"), nb::arg("label"),
           "As assign(), with the texts of a list in one.")
      .def("check", &check,
           "Returns a sentence about settings that contradict each other, or None.")
      .def("__getattr__", &value, nb::arg("name"))
      .def("binds", &binds, "Every address to listen on, as --bind takes it.");
}

}  // namespace tercel::python
