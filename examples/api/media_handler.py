"""docs/guide/api.md: a media type of one's own."""

# [app]
from __future__ import annotations

from typing import Any

import msgspec
import yaml

import tercel


class Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        # A hundred bytes of aliases stand for gigabytes.
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken")
        return super().compose_node(parent, index)


class Yaml(tercel.MediaHandler):
    media_type = "application/yaml"
    malformed = (yaml.YAMLError, ValueError)

    def read(self, body: bytes) -> Any:
        return yaml.load(body, Loader)

    def write(self, value: Any) -> bytes:
        return yaml.safe_dump(value, allow_unicode=True).encode()


app = tercel.App(title="Rules", media_types=["application/json", Yaml()])


class Rule(msgspec.Struct):
    name: str
    weight: int = 1


@app.post("/rules", status=201)
async def add_rule(rule: Rule) -> Rule:
    return rule


# [/app]
