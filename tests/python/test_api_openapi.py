"""The OpenAPI document of a tercel.App: what it says, where it is served, what is true of it."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import uuid
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NewType, TypeVar

import httpx
import msgspec
import pydantic
import pytest
from openapi_spec_validator import validate

import tercel
from apps.api_things import app as things
from support import schemathesis
from support.server import ServerProcess
from tercel import Body, Cookie, File, Form, Header, Query, UploadFile
from tercel.api import docs

EXAMPLES = Path(__file__).parents[2] / "examples"
PROBLEM = {
    "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}},
}


class Item(msgspec.Struct):
    """A thing."""

    name: str
    parts: list[Item] = []


class Own:
    pass


class Tree(pydantic.BaseModel):
    children: list[Tree] = []


Page = TypeVar("Page")


class Pages(pydantic.BaseModel, Generic[Page]):
    pages: list[Page]
    of: pydantic.create_model("Tree", height=int)  # type: ignore[valid-type]


def operation(app: tercel.App, path: str, method: str = "get") -> dict[str, Any]:
    document = app.openapi()
    validate(document)
    found: dict[str, Any] = document["paths"][path][method]
    return found


def parameters(function: Any, path: str = "/") -> list[dict[str, Any]]:
    """What the document says of the parameters of a function."""
    app = tercel.App()
    app.get(path)(function)
    (item,) = app.openapi()["paths"].values()
    validate(app.openapi())
    found: list[dict[str, Any]] = item["get"].get("parameters", [])
    return found


def answers(function: Any, **options: Any) -> dict[str, Any]:
    """What the document says of the answers of a function, but for the descriptions."""
    app = tercel.App()
    app.get("/", **options)(function)
    responses = operation(app, "/")["responses"]
    return {status: response.get("content") for status, response in responses.items()}


def get(app: tercel.App, path: str, method: str = "GET") -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


class TestDocument:
    def test_that_of_an_api_with_everything_is_valid(self):
        document = things.openapi()
        validate(document)
        assert document["openapi"] == "3.1.0"
        assert document["info"] == {"title": "Things", "version": "1.0"}
        assert "/docs" not in document["paths"]
        assert list(document["components"]["schemas"]) == sorted(
            ["Color", "Model", "Odd", "Options", "Pair", "Point", "ProblemDetails", "Thing"]
        )

    def test_it_is_the_same_each_time_and_follows_the_routes(self):
        app = tercel.App(description="What it is *for*.")
        app.get("/b")(lambda: None)
        first = app.openapi()
        assert first == app.openapi()
        assert first["info"]["description"] == "What it is *for*."
        app.get("/a")(lambda: None)
        assert list(app.openapi()["paths"]) == ["/b", "/a"]

    def test_a_docstring_is_summary_and_description(self):
        app = tercel.App()

        @app.get("/")
        def root() -> None:
            """Returns what is
            at the root.

            And more,

            with paragraphs.
            """

        found = operation(app, "/")
        assert found["summary"] == "Returns what is at the root."
        assert found["description"] == "And more,\n\nwith paragraphs."

    def test_options_of_the_route_say_the_rest(self):
        app = tercel.App()

        @app.get("/", summary="S", description="D", tags=["a", "b"], deprecated=True, name="root")
        def function() -> None:
            """Not this."""

        @app.get("/hidden", include_in_schema=False)
        def hidden() -> None: ...

        assert list(app.openapi()["paths"]) == ["/"]
        found = operation(app, "/")
        del found["responses"]
        assert found == {
            "operationId": "root",
            "summary": "S",
            "description": "D",
            "tags": ["a", "b"],
            "deprecated": True,
        }

    def test_operation_ids_are_unique_and_the_first_of_a_name_keeps_it(self):
        app = tercel.App()

        def load() -> None: ...

        app.route("/items", ["GET", "POST"])(load)
        app.get("/items/{n}-x", name="load")(lambda n: None)
        app.get("/items/{n}/x", name="load")(lambda n: None)
        app.route("/items", ["QUERY"], name="load")(lambda: None)  # OpenAPI has no word for it.
        ids = [
            operation["operationId"]
            for item in app.openapi()["paths"].values()
            for operation in item.values()
        ]
        assert ids == ["load", "load_post_items", "load_get_items_n_x", "load_get_items_n_x_2"]

    def test_paths_are_templates_without_converters(self):
        app = tercel.App()
        app.get("/a b:c@d/{n:int}.{kind}/{rest:path}")(lambda n, kind, rest: None)
        app.get("""/at/{t:datetime("%Y-%m-%d)}")}.x""")(lambda t: None)
        assert list(app.openapi()["paths"]) == ["/a%20b:c@d/{n}.{kind}/{rest}", "/at/{t}.x"]
        validate(app.openapi())


class TestRequests:
    def test_parameters_say_place_need_type_and_default(self):
        def function(
            number: int,
            day: datetime.date,
            limit: Annotated[int, msgspec.Meta(ge=1, description="Of a page.")] = 10,
            x_token: Annotated[str | None, Header()] = None,
            session: Annotated[str, Cookie("sid")] = "",
            kind: Literal["a", "b"] = "a",
            item: Annotated[uuid.UUID | None, Query("id")] = None,
        ) -> None: ...

        assert parameters(function, "/{number}") == [
            {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}},
            {
                "name": "day",
                "in": "query",
                "required": True,
                "schema": {"type": "string", "format": "date"},
            },
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "Of a page.",
                "schema": {"type": "integer", "minimum": 1, "default": 10},
            },
            {"name": "x-token", "in": "header", "required": False, "schema": {"type": "string"}},
            {
                "name": "sid",
                "in": "cookie",
                "required": False,
                "schema": {"type": "string", "default": ""},
            },
            {
                "name": "kind",
                "in": "query",
                "required": False,
                "schema": {"type": "string", "enum": ["a", "b"], "default": "a"},
            },
            {
                "name": "id",
                "in": "query",
                "required": False,
                "schema": {"type": "string", "format": "uuid"},
            },
        ]

    def test_arrays_say_how_they_are_written(self):
        strings = {"type": "array", "items": {"type": "string"}}

        def function(
            a: list[str],
            b: Annotated[list[str], Query(separator=",")],
            c: Annotated[list[str], Query(separator="|")],
            d: Annotated[list[str], Query(separator=" ")],
            e: Annotated[list[str], Query(separator=";")],
            f: Annotated[list[str], Header(separator=",")],
            g: Annotated[list[int], Header()],
        ) -> None: ...

        found = parameters(function)
        assert [
            (one.get("style"), one.get("explode"), one["schema"], one.get("description"))
            for one in found
        ] == [
            (None, None, strings, None),
            ("form", False, strings, None),
            ("pipeDelimited", False, strings, None),
            ("spaceDelimited", False, strings, None),
            (None, None, {"type": "string"}, 'Several values are separated by ";".'),
            (None, None, strings, None),
            (None, None, {"type": "integer"}, "May be given several times."),
        ]

    def test_converters_add_what_the_annotation_leaves_open(self):
        def function(n: int, key: str, day: str, name: str, rest: str) -> None: ...

        path = "/{n:int}/{key:uuid}/{day:date}/{name}/{rest:path}"
        assert [one["schema"] for one in parameters(function, path)] == [
            {"type": "integer", "format": "int64"},
            {"type": "string", "format": "uuid"},
            {"type": "string", "format": "date"},
            {"type": "string", "minLength": 1},
            {"type": "string"},
        ]

    def test_what_a_converter_refuses_is_404(self):
        app = tercel.App()
        app.get("/a/{n:int}")(lambda n: None)
        app.get("/b/{n}/{rest:path}")(lambda n, rest: None)
        assert "404" in operation(app, "/a/{n}")["responses"]
        assert "404" not in operation(app, "/b/{n}/{rest}")["responses"]

    def test_a_json_body_and_the_answers_to_a_wrong_one(self):
        app = tercel.App()

        @app.post("/")
        def function(item: Annotated[Item, Body(bytes_max=10)]) -> None: ...

        found = operation(app, "/", "post")
        assert found["requestBody"] == {
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}},
            "required": True,
        }
        assert list(found["responses"]) == ["200", "400", "413", "415", "422"]
        assert found["responses"]["413"] == {
            "description": "The body is longer than 10 bytes.",
            "content": PROBLEM,
        }
        assert app.openapi()["components"]["schemas"]["Item"] == {
            "title": "Item",
            "description": "A thing.",
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "parts": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Item"},
                    "default": [],
                },
            },
            "required": ["name"],
        }

    def test_a_body_that_may_be_missing_or_null(self):
        app = tercel.App()

        @app.post("/")
        def function(item: Item | None = None) -> None: ...

        body = operation(app, "/", "post")["requestBody"]
        assert body["required"] is False
        assert body["content"]["application/json"]["schema"] == {
            "anyOf": [{"$ref": "#/components/schemas/Item"}, {"type": "null"}]
        }

    def test_a_body_with_a_default(self):
        app = tercel.App()

        @app.post("/")
        def function(item: Item = Item("a")) -> None: ...  # noqa: B008

        body = operation(app, "/", "post")["requestBody"]
        assert body["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/Item",
            "default": {"name": "a", "parts": []},
        }

    def test_a_body_of_bytes(self):
        app = tercel.App()

        @app.post("/")
        def function(content: Annotated[bytes, Body(bytes_max=7)]) -> None: ...

        found = operation(app, "/", "post")
        assert found["requestBody"] == {
            "content": {
                "application/octet-stream": {
                    "schema": {"type": "string", "format": "binary", "maxLength": 7}
                }
            },
            "required": False,
        }
        assert list(found["responses"]) == ["200", "413"]

    def test_a_form(self):
        app = tercel.App()

        @app.post("/")
        def function(
            name: Annotated[str, Form()],
            page: int,
            tags: Annotated[list[int], Form("tag", max_length=3)] = [],  # noqa: B006
        ) -> None: ...

        found = operation(app, "/", "post")
        assert [one["name"] for one in found["parameters"]] == ["page"]
        schema = {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "tag": {
                    "type": "array",
                    "items": {"type": "integer"},
                    "maxItems": 3,
                    "default": [],
                },
            },
            "required": ["name"],
        }
        assert found["requestBody"] == {
            "content": {
                "application/x-www-form-urlencoded": {"schema": schema},
                "multipart/form-data": {"schema": schema},
            },
            "required": True,
        }
        assert set(found["responses"]) == {"200", "400", "413", "415", "422"}

    def test_files_of_a_form(self):
        app = tercel.App()

        @app.post("/one")
        def one(
            photo: Annotated[UploadFile, File(description="Of you.")],
            text: Annotated[str, Form()] = "",
        ) -> None: ...

        @app.post("/some")
        def some(
            files: Annotated[list[bytes], File(max_length=3)] = [],  # noqa: B006
            text: Annotated[str, Form()] = "",
        ) -> None: ...

        @app.post("/only")
        def only(file: UploadFile | None = None) -> None: ...

        binary = {"type": "string", "format": "binary"}
        text = {"type": "string", "default": ""}
        assert operation(app, "/one", "post")["requestBody"] == {
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "photo": {**binary, "description": "Of you."},
                            "text": text,
                        },
                        "required": ["photo"],
                    }
                }
            },
            "required": True,
        }
        files = {"type": "array", "items": binary, "maxItems": 3}
        assert operation(app, "/some", "post")["requestBody"] == {
            "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"files": files, "text": text}}
                },
                "application/x-www-form-urlencoded": {
                    "schema": {"type": "object", "properties": {"text": text}}
                },
            },
            "required": False,
        }
        content = operation(app, "/only", "post")["requestBody"]["content"]
        assert list(content) == ["multipart/form-data"]


def returning(annotation: Any) -> Any:
    """A function with a return annotation."""

    def function() -> Any: ...

    function.__annotations__["return"] = annotation
    return function


class TestResponses:
    @pytest.mark.parametrize(
        ("annotation", "expected"),
        [
            (int, {"200": {"application/json": {"schema": {"type": "integer"}}}}),
            (None, {"200": {"application/json": {"schema": {"type": "null"}}}}),
            (str, {"200": {"text/plain": {"schema": {"type": "string"}}}}),
            (Literal["a"], {"200": {"text/plain": {"schema": {"type": "string", "enum": ["a"]}}}}),
            (
                Literal[1, None],
                {"200": {"application/json": {"schema": {"enum": [None, 1]}}}},
            ),
            (NewType("Name", str), {"200": {"text/plain": {"schema": {"type": "string"}}}}),
            (bytes, {"200": {"application/octet-stream": {}}}),
            (Any, {"200": None}),
            (tercel.Response, {"default": None}),
            (tercel.StreamingResponse, {"default": None}),
            (tercel.EventStream, {"200": {"text/event-stream": {}}}),
            (
                int | tercel.EventStream,
                {
                    "200": {
                        "application/json": {"schema": {"type": "integer"}},
                        "text/event-stream": {},
                    }
                },
            ),
            (
                int | tercel.Response,
                {"200": {"application/json": {"schema": {"type": "integer"}}}, "default": None},
            ),
            (
                str | None,
                {
                    "200": {
                        "application/json": {"schema": {"type": "null"}},
                        "text/plain": {"schema": {"type": "string"}},
                    }
                },
            ),
        ],
        ids=str,
    )
    def test_the_return_annotation_says_the_content(self, annotation: Any, expected: Any):
        assert answers(returning(annotation)) == expected

    def test_a_type_that_msgspec_does_not_know_allows_everything(self):
        assert answers(returning(Own)) == {"200": {"application/json": {"schema": {}}}}
        inside = {"type": "object", "additionalProperties": {"title": "Own"}}
        assert answers(returning(dict[str, Own])) == {
            "200": {"application/json": {"schema": inside}}
        }
        # A union that msgspec refuses.
        assert answers(returning(Item | dict)) == {"200": {"application/json": {"schema": {}}}}

    def test_a_status_without_a_body_has_no_content(self):
        assert answers(returning(None), status=204) == {"204": None}

    def test_a_stream_of_events_has_a_status_of_its_own(self):
        expected = {"200": {"text/event-stream": {}}}
        assert answers(returning(tercel.EventStream), status=201) == expected

    def test_responses_add_to_it_and_replace_it(self):
        app = tercel.App()
        more = {
            200: bytes,
            304: None,
            404: "Nothing here.",
            409: Item,
            503: {"headers": {"Retry-After": {"schema": {"type": "integer"}}}},
        }
        app.get("/", responses=more)(returning(tercel.Response))
        assert operation(app, "/")["responses"] == {
            "200": {"description": "OK", "content": {"application/octet-stream": {}}},
            "304": {"description": "Not Modified"},
            "404": {"description": "Nothing here.", "content": PROBLEM},
            "409": {
                "description": "Conflict",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}},
            },
            "503": {
                "description": "Service Unavailable",
                "headers": {"Retry-After": {"schema": {"type": "integer"}}},
            },
        }


class TestComponents:
    def test_what_has_one_name_and_is_not_the_same_has_two(self):
        def part(kind: type) -> type:
            return dataclasses.make_dataclass("Part", [("value", kind)])

        def whole(kind: type) -> Any:
            return dataclasses.make_dataclass("Whole", [("part", part(kind))])

        app = tercel.App()
        for number, kind in enumerate([int, str, int, bytes]):
            app.get(f"/{number}")(returning(whole(kind)))
        document = app.openapi()
        validate(document)
        assert document == app.openapi()
        used = [
            item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            for item in document["paths"].values()
        ]
        prefix = "#/components/schemas/Whole"
        assert used == [prefix, f"{prefix}_2", prefix, f"{prefix}_3"]
        schemas = document["components"]["schemas"]
        properties = schemas["Whole_2"]["properties"]
        assert properties == {"part": {"$ref": "#/components/schemas/Part_2"}}
        assert schemas["Part_2"]["properties"] == {"value": {"type": "string"}}

    def test_classes_of_one_name_in_one_type_are_not_told_apart(self):
        first, second = (dataclasses.make_dataclass("Part", [("x", kind)]) for kind in (int, str))
        expected = {"200": {"application/json": {"schema": {}}}}
        assert answers(returning(tuple[first, second])) == expected

    def test_models_of_pydantic_are_components_with_their_parts(self):
        app = tercel.App()

        @app.post("/")
        def function(tree: Tree) -> dict[str, list[Pages[int]]]: ...

        found = operation(app, "/", "post")
        assert found["requestBody"]["content"] == {
            "application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}
        }
        schemas = app.openapi()["components"]["schemas"]
        assert list(schemas) == ["Pages_int_", "ProblemDetails", "Tree", "Tree_2"]
        children = {"items": {"$ref": "#/components/schemas/Tree"}, "type": "array"}
        assert schemas["Tree"]["properties"]["children"] == children | {
            "title": "Children",
            "default": [],
        }
        # Of the class in Pages, which is another one.
        other = schemas["Pages_int_"]["properties"]["of"]
        assert other == {"$ref": "#/components/schemas/Tree_2"}
        assert schemas["Tree_2"]["properties"] == {"height": {"title": "Height", "type": "integer"}}

    def test_the_name_of_problem_documents_is_taken(self):
        own = dataclasses.make_dataclass("ProblemDetails", [("x", int)])
        app = tercel.App()
        app.get("/")(returning(own))
        schemas = app.openapi()["components"]["schemas"]
        assert list(schemas) == ["ProblemDetails", "ProblemDetails_2"]
        assert schemas["ProblemDetails_2"]["properties"] == {"x": {"type": "integer"}}


class TestServing:
    @pytest.fixture(params=["native", "asgi"])
    def ask(self, request: pytest.FixtureRequest, serve_shared: Any) -> Any:
        if request.param == "asgi":
            return lambda path, method="GET": get(things, path, method)
        server: ServerProcess = serve_shared("api_things:app", access_log=False)
        return lambda path, method="GET": httpx.request(method, server.url + path)

    def test_the_document(self, ask: Any):
        response = ask("/openapi.json")
        assert response.headers["content-type"] == "application/json"
        assert response.json() == things.openapi()
        assert ask("/openapi.json", "HEAD").content == b""

    def test_the_page_loads_nothing_from_elsewhere(self, ask: Any):
        response = ask("/docs")
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self' 'sha256-")
        assert "http" not in policy
        assert "//" not in response.text
        assert '"url":"openapi.json"' in response.text

    def test_the_files_of_the_page(self, ask: Any):
        style = ask("/docs/swagger-ui.css")
        assert style.headers["content-type"] == "text/css; charset=utf-8"
        assert ".swagger-ui" in style.text
        script = ask("/docs/swagger-ui-bundle.js")
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
        assert "SwaggerUIBundle" in script.text

    def test_without_the_extra_the_page_is_plain_and_says_what_to_install(self, monkeypatch):
        monkeypatch.setattr(docs, "_PACKAGE", "no_such_package")
        app = tercel.App(title="<A>")

        @app.post("/<b>", summary="Makes & breaks.")
        def function(n: int, item: Item) -> list[Item]: ...

        page = get(app, "/docs")
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src")
        assert "pip install &#x27;tercel[docs]&#x27;" in page.text
        assert "<h1>&lt;A&gt; 0.1.0</h1>" in page.text
        assert "<b>POST /%3Cb%3E</b> Makes &amp; breaks." in page.text
        assert "<td>query</td><td><code>n</code></td><td>integer, required</td>" in page.text
        assert "<td>application/json array of Item</td>" in page.text
        assert "<script" not in page.text
        assert get(app, "/docs/swagger-ui.css").status_code == 404

    def test_routes_of_the_application_stand_in_their_place(self):
        app = tercel.App()

        @app.get("/docs")
        def docs() -> str:
            return "mine"

        @app.post("/openapi.json")
        def openapi() -> str:
            return "posted"

        assert get(app, "/docs").text == "mine"
        assert get(app, "/docs/swagger-ui.css").status_code == 404
        assert get(app, "/openapi.json").json()["openapi"] == "3.1.0"
        assert get(app, "/openapi.json", "POST").text == "posted"

        own = tercel.App()
        own.get("/openapi.json")(returning(int))
        own.get("/docs/swagger-ui.css")(lambda: "a {}")
        own.get("/{page}")(lambda page: page)
        assert get(own, "/openapi.json").json() is None
        assert get(own, "/docs/swagger-ui.css").text == "a {}"
        assert "SwaggerUIBundle" in get(own, "/docs").text
        assert get(own, "/other").text == "other"

    def test_other_paths_and_none(self):
        app = tercel.App(openapi_url="/v1/api.json", docs_url="/v1/about/")
        assert get(app, "/v1/api.json").status_code == 200
        page = get(app, "/v1/about/")
        assert 'href="./swagger-ui.css"' in page.text
        assert '"url":"../api.json"' in page.text
        assert get(app, "/v1/about/swagger-ui.css").status_code == 200
        assert get(app, "/docs").status_code == 404
        silent = tercel.App(openapi_url=None)
        assert get(silent, "/docs").status_code == 404
        assert get(silent, "/openapi.json").status_code == 404
        half = tercel.App(docs_url=None)
        assert get(half, "/docs").status_code == 404
        assert get(half, "/openapi.json").status_code == 200

    @pytest.mark.parametrize("path", ["docs", "/{docs}", ""])
    def test_a_path_that_is_none_is_refused(self, path: str):
        with pytest.raises(ValueError, match=r"^docs_url must be a path without fields, or None"):
            tercel.App(docs_url=path)


class TestTruth:
    """A few seconds of it; minutes of it are in tests/long/test_api_openapi_long.py."""

    def test_no_answer_of_the_example_contradicts_its_document(self, serve: Any, tmp_path: Path):
        server: ServerProcess = serve("books_api:app", app_dir=EXAMPLES)
        options = ("--seed", "1", "-n", "10")
        assert schemathesis.run(server.url, tmp_path, *options, timeout=50) == ""
        assert "Traceback" not in server.output
