"""Random JSON schemas and documents for them, for tests that compare validators.

Small vocabularies, so that keywords meet values: property names from a to e, integers around zero,
strings of few letters. Only what all validators read alike: fractions are exact in binary.
"""

from __future__ import annotations

import random
from typing import Any

NAMES = ["a", "b", "c", "d", "e"]
PATTERNS = ["^a", "b$", "^[ab]+$", "a.b", "^.{2,3}$", "[^a]", "(a|bc)+", r"^\d+$", "[a-z]|1", "^$"]
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
DIALECTS = {
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "7": "http://json-schema.org/draft-07/schema#",
}


class Samples:
    """Makes schemas of one dialect, and documents, from one random source."""

    def __init__(self, rng: random.Random, dialect: str) -> None:
        self.rng = rng
        self.dialect = dialect

    def number(self) -> int | float:
        kind = self.rng.random()
        if kind < 0.6:
            return self.rng.randrange(-3, 8)
        if kind < 0.7:
            return float(self.rng.randrange(-3, 8))
        if kind < 0.9:
            return self.rng.randrange(-12, 32) / 4
        return self.rng.choice([2**53, 2**53 + 1, 2**63, -(2**63), 2**64, 2**70, 1e16])

    def string(self) -> str:
        if self.rng.random() < 0.3:
            return self.rng.choice(["", "a", "ab", "abc", "12", "é", "😀", "a\nb", "bb"])
        return "".join(self.rng.choice("aabc1é😀") for _ in range(self.rng.randrange(5)))

    def value(self, depth: int = 0) -> Any:
        kind = self.rng.randrange(9 if depth < 3 else 5)
        if kind == 0:
            return self.rng.choice([None, True, False])
        if kind < 3:
            return self.number()
        if kind < 5:
            return self.string()
        if kind < 7:
            return [self.value(depth + 1) for _ in range(self.rng.choice((0, 1, 2, 3, 12)))]
        names = self.rng.sample(NAMES, self.rng.randrange(5))
        return {name: self.value(depth + 1) for name in names}

    def root(self) -> Any:
        schema = self.schema(0)
        if not isinstance(schema, dict):
            return schema
        definitions = "definitions" if self.dialect == "7" else "$defs"
        schema[definitions] = {name: self.schema(1) for name in ("x", "y")}
        return {"$schema": DIALECTS[self.dialect], **schema}

    def schemas(self, depth: int, most: int = 3) -> list[Any]:
        return [self.schema(depth) for _ in range(self.rng.randrange(1, most + 1))]

    def schema_map(self, names: list[str], depth: int) -> dict[str, Any]:
        chosen = self.rng.sample(names, self.rng.randrange(1, 4))
        return {name: self.schema(depth) for name in chosen}

    def name_list(self) -> list[str]:
        return self.rng.sample(NAMES, self.rng.randrange(1, 3))

    def count(self) -> int | float:
        return self.rng.choice((0, 1, 1, 2, 2, 3, 2.0))

    def schema(self, depth: int) -> Any:
        if depth > 3 or self.rng.random() < 0.08:
            return self.rng.choice([True, True, False, {}, {"type": self.rng.choice(TYPES)}])
        schema: dict[str, Any] = {}
        for _ in range(self.rng.choice((1, 1, 2, 3, 5))):
            self.rng.choice(self.makers())(schema, depth + 1)
        return schema

    def makers(self) -> list[Any]:
        makers = [
            *[self.add_type, self.add_enum, self.add_number, self.add_string, self.add_object] * 2,
            *[self.add_array, self.add_members, self.add_members, self.add_items, self.add_items],
            *[self.add_branches, self.add_condition, self.add_ref, self.add_dependencies],
            self.add_tagged,
        ]
        if self.dialect != "7":
            makers += [self.add_unevaluated, self.add_unevaluated]
        return makers

    def add_type(self, schema: dict[str, Any], depth: int) -> None:
        many = self.rng.sample(TYPES, 2)
        schema["type"] = self.rng.choice([many, many[0], "object", "array"])

    def add_enum(self, schema: dict[str, Any], depth: int) -> None:
        if self.rng.random() < 0.5:
            schema["const"] = self.value(2)
        else:
            schema["enum"] = [self.value(2) for _ in range(self.rng.choice((2, 5, 12)))]

    def add_number(self, schema: dict[str, Any], depth: int) -> None:
        limits = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
        schema[self.rng.choice(limits)] = self.number()
        if self.rng.random() < 0.4:
            schema["multipleOf"] = self.rng.choice([1, 2, 3, 0.5, 0.25, 7])

    def add_string(self, schema: dict[str, Any], depth: int) -> None:
        keyword = self.rng.choice(["minLength", "maxLength", "pattern"])
        schema[keyword] = self.rng.choice(PATTERNS) if keyword == "pattern" else self.count()

    def add_object(self, schema: dict[str, Any], depth: int) -> None:
        match self.rng.randrange(4):
            case 0:
                schema["required"] = self.name_list()
            case 1:
                schema["minProperties"] = self.count()
            case 2:
                schema["maxProperties"] = self.count()
            case _:
                schema["propertyNames"] = self.schema(depth)

    def add_array(self, schema: dict[str, Any], depth: int) -> None:
        match self.rng.randrange(4):
            case 0:
                schema["minItems"] = self.count()
            case 1:
                schema["maxItems"] = self.count()
            case 2:
                schema["uniqueItems"] = True
            case _:
                schema["contains"] = self.schema(depth)
                if self.dialect != "7" and self.rng.random() < 0.5:
                    schema[self.rng.choice(["minContains", "maxContains"])] = self.count()

    def add_members(self, schema: dict[str, Any], depth: int) -> None:
        schema["properties"] = self.schema_map(NAMES, depth)
        if self.rng.random() < 0.3:
            schema["patternProperties"] = self.schema_map(["^a", "[bc]", "d$", "e"], depth)
        if self.rng.random() < 0.3:
            schema["additionalProperties"] = self.rng.choice([False, self.schema(depth)])

    def add_items(self, schema: dict[str, Any], depth: int) -> None:
        front = "prefixItems" if self.dialect == "2020-12" else "items"
        rest = "items" if self.dialect == "2020-12" else "additionalItems"
        if self.rng.random() < 0.5:
            schema["items"] = self.schema(depth)
            return
        schema[front] = self.schemas(depth)
        if self.rng.random() < 0.5:
            schema[rest] = self.rng.choice([False, self.schema(depth)])

    def add_branches(self, schema: dict[str, Any], depth: int) -> None:
        keyword = self.rng.choice(["allOf", "anyOf", "oneOf", "not"])
        schema[keyword] = self.schema(depth) if keyword == "not" else self.schemas(depth)

    def add_tagged(self, schema: dict[str, Any], depth: int) -> None:
        """A union whose branches a constant property tells apart, or nearly."""
        branches = [
            {
                "type": "object",
                "properties": {"a": {"const": tag}, **self.schema_map(["b", "c", "d"], depth)},
                "required": ["a"],
            }
            for tag in self.rng.sample(["a", "ab", "", 1, "12"], 2)
        ]
        if self.rng.random() < 0.3:
            del self.rng.choice(branches)[self.rng.choice(["type", "required"])]
        schema[self.rng.choice(["anyOf", "oneOf"])] = branches

    def add_condition(self, schema: dict[str, Any], depth: int) -> None:
        for keyword in ("if", "then", "else"):
            if keyword == "if" or self.rng.random() < 0.7:
                schema[keyword] = self.schema(depth)

    def add_ref(self, schema: dict[str, Any], depth: int) -> None:
        definitions = "definitions" if self.dialect == "7" else "$defs"
        reference = self.rng.choice([f"#/{definitions}/x", f"#/{definitions}/y", "#"])
        # In a member or an element, so that it has an end.
        if self.rng.random() < 0.5:
            schema.setdefault("properties", {})[self.rng.choice(NAMES)] = {"$ref": reference}
        else:
            schema["items"] = {"$ref": reference}

    def add_dependencies(self, schema: dict[str, Any], depth: int) -> None:
        name = self.rng.choice(NAMES)
        if self.dialect == "7":
            schema["dependencies"] = {name: self.rng.choice([self.name_list(), self.schema(depth)])}
        elif self.rng.random() < 0.5:
            schema["dependentRequired"] = {name: self.name_list()}
        else:
            schema["dependentSchemas"] = {name: self.schema(depth)}

    def add_unevaluated(self, schema: dict[str, Any], depth: int) -> None:
        keyword = self.rng.choice(["unevaluatedProperties", "unevaluatedItems"])
        schema[keyword] = self.rng.choice([False, False, self.schema(depth)])
        self.add_branches(schema, depth)
