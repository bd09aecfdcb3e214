"""The path of a route as OpenAPI writes it: `/files/{rest:path}` is `/files/{rest}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["PathTemplate", "read_template"]

# A field; its converter, whose arguments may hold braces in quotes (cpp/tercel/route/template.h).
_FIELD = re.compile(
    r"""\{(?P<name>[^{}:(]+)(?::(?P<converter>\w+)(?:\((?:"[^"]*"|'[^']*'|[^"')])*\))?)?\}"""
)
# What a path has as it is (RFC 3986, pchar), and the separator.
_AS_IT_IS = "/:@!$&'()*+,;=-._~"


@dataclass(frozen=True)
class PathTemplate:
    """A template.

    Attributes:
        text: with the fields alone, `{name}`, and literals percent-encoded. The router takes no
            two templates that OpenAPI could not tell apart.
        converters: by the names of the fields, in their order; "str" where none is written.
    """

    text: str
    converters: dict[str, str]


def read_template(path: str) -> PathTemplate:
    """Returns the template of a route, which is one that the router took."""
    text, converters, at = "", {}, 0
    for field in _FIELD.finditer(path):
        literal = quote(path[at : field.start()], safe=_AS_IT_IS)
        text += f"{literal}{{{field['name']}}}"
        converters[field["name"]] = field["converter"] or "str"
        at = field.end()
    return PathTemplate(text + quote(path[at:], safe=_AS_IT_IS), converters)
