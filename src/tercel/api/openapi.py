"""The OpenAPI document of an application: its routes, as `tercel.App` has registered them.

Source: OpenAPI 3.1.0, whose words for things these are. Types are said in JSON Schema, as msgspec
has it; a type that it does not know is said as {}, which allows everything.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import msgspec

from tercel.api import responses, values
from tercel.api.media_types import JSON
from tercel.api.path_template import PathTemplate, read_template
from tercel.api.returned import returned_by
from tercel.api.schemas import Schemas, without_null
from tercel.api.security import Securities

if TYPE_CHECKING:
    from tercel.api.app import App
    from tercel.api.media_types import MediaTypes
    from tercel.api.plan import BodyArgument, Parameter
    from tercel.api.route import Route

__all__ = ["document_of"]

Object = dict[str, Any]

_VERSION = "3.1.0"
# Those that a document has a word for.
_METHODS = {"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"}
# How an array stands in one text of a query, by what is between its elements.
_STYLES = {",": "form", " ": "spaceDelimited", "|": "pipeDelimited"}
# What a converter makes of a text, where the annotation does not say it.
_FORMATS = {"uuid": "uuid", "date": "date", "datetime": "date-time"}

_NOT_FOUND = {404: "No such path: a part of it is not what it must be."}
_INVALID = {422: "Values are missing, or are not what they must be."}
_TOO_LARGE = {413: "The body is longer than {} bytes."}
_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_NOT_A_FORM = {
    400: "The form is malformed, or has no boundary.",
    413: "The form, or a part of it, is too long, or has too many parts.",
    415: "The body is not said to be a form, by its Content-Type, or not in UTF-8.",
}
_TOO_OFTEN = {429: "More requests came than the path takes; Retry-After says when to ask again."}
_TOO_SLOW = {503: "The answer took longer than {:g} seconds."}
_NOT_JSON = {
    400: "The body is not JSON.",
    415: "The body is not said to be JSON, by its Content-Type, or not in UTF-8.",
}
_NOT_ACCEPTED = {406: "The client takes none of the media types of the answer."}


def document_of(app: App) -> Object:
    """Returns the document, made of what can be written as JSON.

    Routes are in the order of their registration. Those of methods that OpenAPI 3.1 does not have
    are left out.
    """
    builder = _Builder(app._media_types)
    for route in app._routes:
        if route.remarks.shown and route.method in _METHODS:
            builder.add(route)
    info: Object = {"title": app.title, "version": app.version}
    if app.description:
        info["description"] = app.description
    components = {"schemas": dict(sorted(builder.schemas.components.items()))}
    if builder.securities.components:
        components["securitySchemes"] = dict(sorted(builder.securities.components.items()))
    return {
        "openapi": _VERSION,
        "info": info,
        "paths": builder.paths,
        "components": components,
    }


class _Builder:
    def __init__(self, media_types: MediaTypes) -> None:
        self._media_types = media_types
        self.paths: dict[str, Object] = {}
        self.schemas = Schemas()
        self.securities = Securities()
        self._problem = self.schemas.add("ProblemDetails", responses.PROBLEM)
        self._ids: set[str] = set()

    def add(self, route: Route) -> None:
        template = read_template(route.path)
        item = self.paths.setdefault(template.text, {})
        item[route.method.lower()] = self._operation(route, template)

    def _operation(self, route: Route, template: PathTemplate) -> Object:
        remarks, plan = route.remarks, route.plan
        summary, description = _docstring(route)
        operation: Object = {
            "operationId": self._id(route, template),
            "summary": remarks.summary or summary,
            "description": remarks.description or description,
            "tags": list(remarks.tags),
            "deprecated": remarks.deprecated,
            "parameters": [
                self._parameter(one, template)
                for one in plan.parameters
                if one.shown and one.place != "form"
            ],
        }
        # What is empty is what its absence means.
        operation = {key: value for key, value in operation.items() if value}
        if plan.body is not None:
            operation["requestBody"] = self._body(plan.body)
        elif plan.form:
            operation["requestBody"] = self._form(plan.form)
        functions = [step.depends.function for step in plan.steps]
        security, refusals = self.securities.of(functions)
        if security:
            operation["security"] = security
        operation["responses"] = self._responses(route, template, refusals)
        return operation

    def _id(self, route: Route, template: PathTemplate) -> str:
        """The route's name; where another one has that already, with method and path."""
        name = route.name.rpartition("<locals>.")[2]
        if name in self._ids:
            words = [name, route.method.lower(), *re.findall(r"\w+", template.text)]
            name = "_".join(words)
        free, number = name, 1
        while free in self._ids:
            number += 1
            free = f"{name}_{number}"
        self._ids.add(free)
        return free

    # --- what is asked

    def _parameter(self, parameter: Parameter, template: PathTemplate) -> Object:
        schema = without_null(self.schemas.of(parameter.annotation))
        made: Object = {"name": parameter.name, "in": parameter.place, "required": True}
        if parameter.place == "path":
            schema = _converted(schema, template.converters[parameter.name])
        else:
            made["required"] = parameter.required
        if "description" in schema:
            made["description"] = schema["description"]
            schema = {key: value for key, value in schema.items() if key != "description"}
        if parameter.array and parameter.place != "path":
            schema = _style(made, schema, parameter)
        made["schema"] = schema | _default(parameter)
        return made

    def _body(self, body: BodyArgument) -> Object:
        if body.kind == "json":
            schema = self.schemas.of(body.annotation) | _default(body)
            content = {name: {"schema": schema} for name in self._media_types.names}
            return {"content": content, "required": body.required}
        schema = {"type": "string", "format": "binary", "maxLength": body.bytes_max}
        # An empty body is one, too.
        return {"content": {"application/octet-stream": {"schema": schema}}, "required": False}

    def _not_typed(self) -> dict[int, str]:
        if not self._media_types.are_several:
            return _NOT_JSON
        names = ", ".join(self._media_types.names)
        return {
            400: "The body is malformed.",
            415: f"The body is said to be none of {names}, by its Content-Type.",
        }

    def _form(self, fields: list[Parameter]) -> Object:
        files = [one for one in fields if one.is_file]
        contents = {_MULTIPART: fields}
        if not files:
            contents = {_URLENCODED: fields, _MULTIPART: fields}
        elif len(files) < len(fields) and not any(one.required for one in files):
            # Nobody needs to send a file.
            contents[_URLENCODED] = [one for one in fields if not one.is_file]
        return {
            "content": {name: {"schema": self._fields(some)} for name, some in contents.items()},
            "required": any(one.required for one in fields),
        }

    def _fields(self, fields: list[Parameter]) -> Object:
        properties = {one.name: self._field(one) for one in fields}
        required = [one.name for one in fields if one.required]
        schema: Object = {"type": "object", "properties": properties}
        return schema | {"required": required} if required else schema

    def _field(self, field: Parameter) -> Object:
        if field.is_file:
            return _file(field)
        schema = without_null(self.schemas.of(field.annotation))
        # An empty text was not given.
        if field.required and schema.get("type") == "string" and not field.array:
            schema = {"minLength": 1} | schema
        return schema | _default(field)

    # --- what is answered

    def _responses(
        self, route: Route, template: PathTemplate, refused_by_schemes: dict[int, str]
    ) -> dict[str, Object]:
        plan = route.plan
        said = route.remarks.responses or {}
        answers = {
            str(status): responses.described(status, response, self.schemas, self._problem)
            for status, response in said.items()
        }
        says_success = any(status < 400 for status in said)
        returned = responses.success(route.status, returned_by(route.function), self.schemas)
        for answer in returned.values():
            if schema := answer.get("content", {}).pop(JSON, None):
                answer["content"] = (
                    dict.fromkeys(self._media_types.names, schema) | answer["content"]
                )
        if says_success:
            returned.pop("default", None)
        refused = dict(refused_by_schemes)
        if not {"str", "path"}.issuperset(template.converters.values()):
            refused |= _NOT_FOUND
        shown = any(one.shown for one in plan.parameters)
        if shown or (plan.body is not None and plan.body.kind == "json"):
            refused |= _INVALID
        if plan.body is not None:
            refused |= {413: _TOO_LARGE[413].format(plan.body.bytes_max)}
            if plan.body.kind == "json":
                refused |= self._not_typed()
        if self._media_types.refuses(route.function, route.status):
            refused |= _NOT_ACCEPTED
        if plan.form:
            refused |= _NOT_A_FORM
        if route.rate is not None:
            refused |= _TOO_OFTEN
        if route.timeout is not None:
            refused |= {503: _TOO_SLOW[503].format(route.timeout)}
        answers = returned | responses.failures(refused, self._problem) | answers
        return dict(sorted(answers.items()))


def _docstring(route: Route) -> tuple[str, str]:
    """Returns the first paragraph of the function's docstring in one line, and the rest."""
    text = inspect.cleandoc(route.function.__doc__ or "")
    summary, _, description = text.partition("\n\n")
    return " ".join(summary.split()), description.strip()


def _converted(schema: Object, converter: str) -> Object:
    """Returns the schema of a field of the path: its annotation's, and what its converter adds."""
    if schema.get("type") == "integer" and converter == "int":
        return {"format": "int64"} | schema
    if schema.get("type") != "string" or "format" in schema or "contentEncoding" in schema:
        return schema
    if converter in _FORMATS:
        return {"format": _FORMATS[converter]} | schema
    # A field has one character at least, but for the rest of the path.
    return schema if converter == "path" else {"minLength": 1} | schema


def _file(field: Parameter) -> Object:
    """Returns the schema of a file, or of a list of files."""
    said: Object = {}
    for item in values.metadata_of(field.annotation)[1]:
        if isinstance(item, msgspec.Meta):
            words = {"title": item.title, "description": item.description}
            said |= {key: word for key, word in words.items() if word is not None}
    schema: Object = {"type": "string", "format": "binary"}
    if not field.array:
        return schema | said
    # What is asked of the list, which has the names of the files to the engine.
    asked = msgspec.json.decode(field.schema) if field.schema else {"type": "array"}
    return asked | {"items": schema} | said


def _style(made: Object, schema: Object, parameter: Parameter) -> Object:
    """Says how an array is written, in the Parameter Object `made`. Returns the schema."""
    if parameter.place == "query" and not parameter.separator:
        return schema  # The default: the parameter is repeated.
    if parameter.place == "query" and parameter.separator in _STYLES:
        made |= {"style": _STYLES[parameter.separator], "explode": False}
        return schema
    if parameter.place == "header" and parameter.separator == ",":
        return schema  # The default: "simple".
    # OpenAPI has no word for it: this is the schema of one text.
    made.setdefault("description", _how_to_write(parameter))
    return {"type": "string"} if parameter.separator else schema.get("items", {})


def _how_to_write(parameter: Parameter) -> str:
    if parameter.separator:
        return f'Several values are separated by "{parameter.separator}".'
    return "May be given several times."


def _default(argument: Parameter | BodyArgument) -> Object:
    """Returns what a schema says of the default: nothing of None, which is that there is none."""
    if not argument.fallback or argument.fallback[0] is None:
        return {}
    try:
        return {"default": msgspec.to_builtins(argument.fallback[0], order="deterministic")}
    except (TypeError, NotImplementedError, ValueError):
        return {}
