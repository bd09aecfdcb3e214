from typing import Any

front: object

class Templates:
    def add(self, method: str, path: str, name: str) -> None: ...
    @staticmethod
    def fields(path: str) -> list[tuple[str, str]]: ...

class Encoder:
    def __init__(self, encode: object, response_type: object, stream_type: object) -> None: ...
    def answer(
        self, result: object, status: int
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]: ...

class Instance:
    def __init__(self, app: object) -> None: ...
    def begin(
        self,
        method: bytes,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes | None,
    ) -> Any: ...
    def find(self, method: str, path: str) -> int | None: ...
