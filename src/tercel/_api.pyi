import os
from typing import Any

front: object

class Templates:
    def __init__(self, converters: dict[str, Any]) -> None: ...
    def add(self, method: str, path: str, name: str) -> None: ...
    def fields(self, path: str) -> list[tuple[str, Any]]: ...

class File:
    def __init__(
        self, path: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None
    ) -> None: ...

class FilePart:
    def fileno(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def count(self) -> int: ...

def check_schema(text: str) -> str | None: ...
def answers_by_itself(app: object) -> bool: ...
def is_below(path: bytes, prefix: bytes) -> bool: ...
def media_type(name: bytes) -> str: ...
def attachment(filename: str) -> str: ...

class Encoder:
    def __init__(
        self, encode: object, response_type: object, file_type: object, stream_type: object
    ) -> None: ...
    def answer(
        self,
        result: object,
        status: int,
        method: str,
        headers: list[tuple[bytes, bytes]],
        path: bytes = b"",
    ) -> tuple[int, list[tuple[bytes, bytes]], Any]: ...

class Cors:
    def __init__(
        self,
        origins: list[str],
        methods: list[str],
        headers: list[str],
        expose: list[str],
        credentials: bool,
        private_network: bool,
        max_age: int,
    ) -> None: ...
    def preflight(
        self, method: bytes, headers: list[tuple[bytes, bytes]]
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None: ...
    def amend(
        self, origin: bytes, headers: list[tuple[bytes, bytes]]
    ) -> list[tuple[bytes, bytes]]: ...

class Rate:
    def __init__(
        self, requests: int, per: float, burst: int, header: str, clients: int
    ) -> None: ...

class Credentials:
    def __init__(
        self, any_of: list[tuple[str, str, str]], detail: str, challenges: list[str]
    ) -> None: ...
    def enable(self, enabled: bool) -> None: ...

class Negotiation:
    def __init__(self, media_types: list[str]) -> None: ...

class Instance:
    def __init__(self, app: object) -> None: ...
    def begin(
        self,
        method: bytes,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes | None,
        client: str | None = None,
        again: bool = False,
    ) -> Any: ...
    def find(self, method: str, path: str) -> int | None: ...
