"""What the applications of the framework tests are asked, whichever interface they have."""

from __future__ import annotations

import hashlib

import httpx

__all__ = ["BLOB", "LINES", "SHA", "SameQuestions"]

LINES = "".join(f"part {number}\n" for number in range(20))
BLOB = bytes(i * 7 % 256 for i in range(3_000_000))
SHA = hashlib.sha256(BLOB).hexdigest()


class SameQuestions:
    """The base of a class of tests with a fixture `client`."""

    def test_json_with_cookies_and_middleware(self, client: httpx.Client) -> None:
        response = client.get("/json")
        assert response.json() == {"message": "hello"}
        assert response.headers["x-middleware"] == "seen"
        assert dict(response.cookies) == {"a": "1", "b": "2"}

    def test_path_and_query_are_decoded(self, client: httpx.Client) -> None:
        # Umlaut, space, percent sign; an encoded slash would divide Django and Falcon.
        response = client.get("/items/gr%C3%BC%C3%9Fe%20100%25", params={"q": "ä&ö=ü+%"})
        assert response.json() == {"name": "grüße 100%", "q": "ä&ö=ü+%"}

    def test_unknown_path(self, client: httpx.Client) -> None:
        assert client.get("/nothing/here").status_code == 404

    def test_stream(self, client: httpx.Client) -> None:
        with client.stream("GET", "/stream") as response:
            assert response.headers.get("transfer-encoding") == "chunked"
            assert "".join(response.iter_text()) == LINES

    def test_body_of_known_length(self, client: httpx.Client) -> None:
        assert client.post("/raw", content=BLOB).json() == {"size": len(BLOB), "sha": SHA}

    def test_exception_is_a_500_and_the_connection_serves_on(self, client: httpx.Client) -> None:
        assert client.get("/raise").status_code == 500
        assert client.get("/json").json() == {"message": "hello"}
