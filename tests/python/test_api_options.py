"""Mistakes with options and signatures: each is one sentence, said where the mistake is made."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pydantic
import pytest

import tercel
from tercel.testing import TestClient


class Point(msgspec.Struct):
    x: int


class Other(msgspec.Struct):
    y: int


class Model(pydantic.BaseModel):
    x: int


def function() -> int:
    return 1


@contextlib.contextmanager
def managed() -> Iterator[int]:
    yield 1


def endless() -> dict[str, object]:
    schema: dict[str, object] = {}
    schema["not"] = schema
    return schema


class Unhashable:
    __hash__ = None  # type: ignore[assignment]

    def __call__(self) -> int:
        return 1


class Slug:
    def convert(self) -> str:
        return ""


class Waiting:
    async def convert(self, text: str) -> str:
        return text


class Middleware:
    def process_response(self, request: Any) -> None: ...


def said_by(make: Callable[[], Any]) -> str:
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    said = str(caught.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        ("Missing", "has an annotation that is not defined: name 'Missing'"),
        ("re.Missing", "has an annotation that is none: module 're' has no attribute"),
        ("int | 'str'", "has an annotation that is none: unsupported operand"),
        ("Annotated[int, Query(minimum=3)]", "unexpected keyword argument 'minimum'"),
        ("Query", "has Query as the type of 'a': write it behind the type"),
        ("Depends(function)", "has Depends as the type of 'a'"),
        ("Annotated[int, Query(), Header()]", "'a' from two places, Query() and Header()"),
        ("Annotated[int, Query, Depends(function)]", "two places, Query() and Depends()"),
        ("Annotated[int, Depends]", "Depends without a function for 'a'"),
        ("Annotated[int, Query(pattern='a')]", "Can only set `pattern` on a str type."),
        ("Annotated[str, Query(ge=1)]", "Can only set `ge` on a numeric type."),
        ("Annotated[str, pydantic.Field(pattern='(?=a)')]", "of a type that cannot be: "),
        ("Annotated[dict, Body(schema={'const': function})]", "objects of type function"),
        (r"Annotated[dict, Body(schema={'title': '\ud800'})]", "surrogates not allowed"),
        (
            r"__import__('typing').Literal['\ud800', 'a']",
            "of a type that cannot be: 'utf-8' codec can't encode",
        ),
        (r"Annotated[str, Query(pattern='\ud800')]", "of a type that cannot be: 'utf-8' codec"),
        ("Point | Other", "all Struct types must be tagged"),
        ("object", "of a type that neither msgspec nor pydantic knows: <class 'object'>."),
        ("Annotated[UploadFile, Query()]", "knows: typing.Annotated[tercel.api.uploads.Up"),
        ("Annotated[Point, Query()]", "more than one parameter of the query can be"),
        ("Annotated[Model, Query()]", "more than one parameter of the query can be"),
        ("Annotated[list[Point], Header()]", "more than one header field can be"),
        ("Annotated[dict[str, str], Cookie()]", "more than one cookie can be"),
        ("Annotated[list[list[int]], Query()]", "more than one parameter of the query can be"),
        ("Annotated[list, File()]", "it is an UploadFile, bytes, or a list"),
        ("Annotated[int, Depends(dict)]", "has no signature that says what it takes"),
    ],
)
def test_annotations(annotation: str, sentence: str) -> None:
    names: dict[str, Any] = {**globals(), **vars(tercel)}
    names |= {name: getattr(tercel, name) for name in tercel.__all__}
    exec(f"from __future__ import annotations\ndef handler(a: {annotation}): ...", names)
    said = said_by(lambda: tercel.App().post("/")(names["handler"]))
    assert said.startswith(("handler(), the handler of /,", "dict(), which the handler of /"))
    assert sentence in said


@pytest.mark.parametrize("default", [tercel.Query, tercel.Depends, tercel.Body(unique_keys=True)])
def test_marks_are_no_defaults(default: Any) -> None:
    def handler(a: int = default) -> None: ...

    assert "as the default of 'a': write it as" in said_by(lambda: tercel.App().get("/")(handler))


def test_a_list_without_elements_is_one_of_the_query() -> None:
    def handler(a: list) -> list:  # type: ignore[type-arg]
        return a

    app = tercel.App()
    app.get("/")(handler)
    with TestClient(app) as client:
        assert client.get("/?a=1&a=2").json() == ["1", "2"]


def test_a_method_needs_its_object() -> None:
    class Things:
        def get(self) -> str:
            return "things"

    app = tercel.App()
    said = said_by(lambda: app.get("/things")(Things.get))
    assert "has an argument `self`: register the method of an object" in said
    app.get("/things")(Things().get)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: tercel.Query(pattern="("), "the pattern '(' of Query is malformed: missing )"),
        (lambda: tercel.Query(gt=1, ge=1), "Query(gt=1, ge=1) cannot be: "),
        (lambda: tercel.Query(min_length=-1), "Query(min_length=-1) cannot be: "),
        (lambda: tercel.Query(ge="1"), "Query(ge='1') cannot be: "),
        (lambda: tercel.Query(pattern=re.compile("a")), "`pattern` must be a str"),
        (lambda: tercel.Query(""), "the name of the parameter, which is not empty"),
        (lambda: tercel.Query(separator=None), "one ASCII character, not None"),
        (lambda: tercel.Query(schema="string"), "a JSON Schema as a dict, not 'string'"),
        (lambda: tercel.Query(schema={"type": "text"}), "its schema is none: "),
        (lambda: tercel.Body(schema={"$ref": "#/$defs/a"}), "nothing is known at #/$defs/a"),
        (lambda: tercel.Body(schema={"const": object()}), "objects of type"),
        (
            lambda: tercel.Body(schema={"title": "\ud800"}),
            "Body(schema={'title': '\\ud800'}) cannot",
        ),
        (lambda: tercel.App().get("/\ud800")(function), "has a lone surrogate, which is no text"),
        (lambda: tercel.Body(schema=endless()), "the schema of Body is too deep, or a part of its"),
        (lambda: tercel.Header("X Token"), "no header field has the name 'X Token'"),
        (lambda: tercel.Cookie("a=b"), "no cookie has the name 'a=b'"),
        (lambda: tercel.Body(bytes_max="1M"), "bytes_max of Body is a whole number, not '1M'"),
        (lambda: tercel.Body(bytes_max=1e6), "bytes_max of Body is a whole number"),
        (lambda: tercel.File(bytes_max=1 << 80), "bytes_max of File is 0 or more"),
        (lambda: tercel.Depends(Unhashable()), "Depends takes what has a hash"),
        (lambda: tercel.Depends(managed), "leave out the @contextmanager of managed()"),
        (lambda: tercel.Rate("10/s"), "requests of a Rate is a whole number, not '10/s'"),
        (lambda: tercel.Rate(1, per="min"), "per of a Rate, in seconds, is a number"),
        (lambda: tercel.Rate(1, by=5), "'client' or the name of a header, not 5"),
        (lambda: tercel.Rate(1, clients=9.5), "clients of a Rate is a whole number"),
        (
            lambda: tercel.CORS(origins=["https://a.example"], credentials="no"),
            "credentials of CORS is True or False, not 'no'",
        ),
        (lambda: tercel.CORS(origins=None), "origins is a list of texts, not None"),
        (lambda: tercel.CORS(origins=[5]), "origins is a list of texts, and 5 is none"),
        (lambda: tercel.CORS(origins=["*"], max_age="5"), "max_age, in seconds, is a whole"),
        (lambda: tercel.Router(prefix=5), "a prefix begins with / and does not end with one"),
        (lambda: tercel.Router(tags="things"), "tags is a list of texts, as ['things']"),
        (lambda: tercel.App(dependencies=tercel.Depends(function)), "given as [Depends("),
        (lambda: tercel.App(openapi_url=5), "openapi_url must be a path"),
        (lambda: tercel.App(lifespan=lambda: None), "called with (app): too many"),
    ],
)
def test_options_of_objects(make: Callable[[], Any], sentence: str) -> None:
    assert sentence in said_by(make)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tags": "things"}, "tags is a list of texts, as ['things'], not 'things'"),
        ({"tags": [5]}, "tags is a list of texts, and 5 is none"),
        ({"status": "200"}, "the status of an answer is a whole number, not '200'"),
        ({"status": 200.0}, "the status of an answer is a whole number"),
        ({"status": True}, "the status of an answer is a whole number"),
        ({"timeout": "5"}, "the timeout of a route, in seconds, is a number, not '5'"),
        ({"timeout": float("nan")}, "from 0.001 to 86400, not nan"),
        ({"name": 5}, "the name of a route is a text, not 5"),
        ({"responses": [404]}, "responses is a dict by status"),
        ({"responses": {"404": None}}, "a status in responses is a whole number"),
        ({"responses": {4040: None}}, "a status in responses is from 100 to 599"),
        ({"dependencies": tercel.Depends(function)}, "given as [Depends(function)], not"),
        ({"statuss": 200}, "unexpected keyword argument 'statuss'"),
    ],
)
def test_options_of_routes(options: dict[str, Any], sentence: str) -> None:
    assert sentence in said_by(lambda: tercel.App().get("/", **options)(function))


def test_methods_of_routes() -> None:
    app = tercel.App()
    for methods, sentence in (
        (None, "methods is a list of texts, not None"),
        ([5], "methods is a list of texts, and 5 is none"),
        ([], 'has no methods: name one, as ["GET"]'),
    ):
        assert sentence in said_by(lambda methods=methods: app.route("/", methods))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("register", "sentence"),
    [
        (lambda app: app.on_request(lambda: None), "a hook of request, called with (request)"),
        (lambda app: app.pre_validation(lambda: None), "called with (request)"),
        (lambda app: app.pre_handler(lambda request: None), "(request, arguments)"),
        (lambda app: app.on_error(lambda request: None), "(request, error)"),
        (lambda app: app.on_response(lambda request: None), "(request, response, succeeded)"),
        (lambda app: app.on_startup(lambda app: None), "called without arguments"),
        (lambda app: app.on_shutdown(lambda app: None), "called without arguments"),
        (lambda app: app.add_middleware(Middleware()), "Middleware.process_response() is a hook"),
        (lambda app: app.error_handler(ValueError)(5), "handler of ValueError is a function"),
        (lambda app: app.error_handler(ValueError)(function), "called with (error)"),
        (lambda app: app.error_handler(ValueError)(lambda request, error: None), "(error)"),
        (lambda app: app.sink("("), "the expression '(' of a sink is malformed: missing )"),
        (lambda app: app.sink(function), 'a sink has an expression: write @app.sink("/old")'),
        (lambda app: app.sink("/x")(function), "the sink of '/x', called with (request)"),
        (lambda app: app.sink("/(?P<n>.)")(lambda request: None), "called with (request, n=)"),
        (lambda app: app.add_converter(5, Slug), "the name of a converter is an identifier"),
        (lambda app: app.add_converter("a", lambda text: text), "make one of"),
        (lambda app: app.add_converter("a", Waiting), "write it without `async`"),
        (lambda app: app.mount(5, tercel.App()), "mounted at a path as /old"),
        (lambda app: app.mount("/x", app), "is this application, or has it mounted"),
        (lambda app: app.static(5, "."), "below a path as /assets"),
        (lambda app: app.static("/x", None), "there is no folder None"),
        (lambda app: app.static("/x", ".", headers="a: b"), "a dict, or a list of pairs"),
        (lambda app: app.static("/x", ".", headers={"a": 5}), "a header field is a name"),
        (lambda app: app.static("/x", ".", headers={"a:b": "c"}), "a header field is a name"),
        (lambda app: app.websocket("/", origins=[5]), "origins is a list of texts, and 5"),
        (lambda app: app.websocket("/", name=5), "the name of a route is a text"),
    ],
)
def test_what_is_registered(register: Callable[[tercel.App], Any], sentence: str) -> None:
    assert sentence in said_by(lambda: register(tercel.App()))


def test_generators_are_no_hooks() -> None:
    async def hook(request: tercel.Request) -> AsyncIterator[None]:
        yield

    assert "is a generator: a hook of request returns" in said_by(
        lambda: tercel.App().on_request(hook)
    )


def test_a_converter_takes_a_text() -> None:
    app = tercel.App()
    app.add_converter("slug", Slug)
    assert "the method of a converter, called with (text)" in said_by(
        lambda: app.get("/{a:slug}")(lambda a: a)
    )


def test_applications_are_not_mounted_in_a_circle() -> None:
    outer, inner, innermost = tercel.App(), tercel.App(), tercel.App()
    outer.mount("/inner", inner)
    inner.mount("/innermost", innermost)
    assert "at /outer is this application, or has it" in said_by(
        lambda: innermost.mount("/outer", outer)
    )
    outer.mount("/again", innermost)


def test_a_path_has_one_folder(tmp_path: Path) -> None:
    app = tercel.App()
    app.static("/files", tmp_path)
    assert "two folders are served below /files" in said_by(
        lambda: app.static("/files", tmp_path.parent)
    )


def test_one_function_has_one_scope() -> None:
    def handler(
        a: Annotated[int, tercel.Depends(function)],
        b: Annotated[int, tercel.Depends(function, scope="app")],
    ) -> None: ...

    assert "give both the same Depends" in said_by(lambda: tercel.App().get("/")(handler))


def test_a_lifespan_is_a_context_manager() -> None:
    async def generator(app: tercel.App) -> AsyncIterator[None]:
        yield

    assert "under @contextlib.asynccontextmanager" in said_by(
        lambda: tercel.App(lifespan=generator)  # type: ignore[arg-type]
    )
    app = tercel.App(lifespan=lambda app: contextlib.nullcontext())
    with TestClient(app):
        pass
    app = tercel.App(lifespan=lambda app: managed())  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="returns an asynchronous context manager"):
        TestClient(app).__enter__()
