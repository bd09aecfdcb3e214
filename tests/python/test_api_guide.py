"""docs/guide/api.md: its examples do what it says."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import httpx
import msgspec

EXAMPLES = Path(__file__).parents[2] / "examples" / "api"


def test_the_first_one(serve: Any) -> None:
    url = serve("hello:app", app_dir=EXAMPLES).url
    response = httpx.get(f"{url}/hello/world?times=2")
    assert response.json() == {"message": "Hello, Hello, world"}
    response = httpx.get(f"{url}/hello/world?times=twice")
    assert response.status_code == 422
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "api.md").read_text()
    shown = guide[guide.index('{"type":"about:blank"') :]
    assert "".join(shown[: shown.index("```")].split()) == "".join(response.text.split())


def test_things(serve: Any) -> None:
    with httpx.Client(base_url=serve("things:app", app_dir=EXAMPLES).url) as client:
        made = client.post("/things", json={"name": "lamp", "price": 12, "tags": ["a", "b"]})
        assert (made.status_code, made.json()["id"]) == (201, 1)
        assert client.post("/things", json={"name": "", "price": 0}).status_code == 422
        client.post("/things", json={"name": "chair", "price": 50, "tags": ["b"]})
        assert [t["name"] for t in client.get("/things?tags=a,b").json()] == ["lamp"]
        assert [t["name"] for t in client.get("/things?tags=b&limit=1").json()] == ["lamp"]
        assert client.get("/things?limit=0").status_code == 422
        assert client.get("/things/2").json()["name"] == "chair"
        assert client.get("/things/3").json()["detail"] == "There is no thing 3."
        label = client.get("/things/1/label")
        assert (label.text, label.headers["cache-control"]) == ("<h1>lamp</h1>", "max-age=60")
        assert client.get("/report").text == "lamp: 12.0\nchair: 50.0"
        assert client.delete("/things/1").status_code == 204
        assert client.delete("/things/1").json()["detail"] == "There is no thing 1."


def test_streams(serve: Any) -> None:
    with httpx.Client(base_url=serve("streams:app", app_dir=EXAMPLES).url) as client:
        assert client.get("/export?rows=3").text == "0,0\n1,1\n2,4\n"
        with client.stream("GET", "/ticks?every=0.01") as response:
            lines = response.iter_lines()
            assert [next(lines) for _ in range(3)] == ['data: {"tick":0}', "", 'data: {"tick":1}']


def test_dependencies(serve: Any) -> None:
    with httpx.Client(base_url=serve("depends:app", app_dir=EXAMPLES).url) as client:
        note = {"text": "milk"}
        assert client.post("/notes", json=note).status_code == 422
        assert client.post("/notes", json=note, headers={"authorization": "x"}).status_code == 401
        headers = {"authorization": "Bearer ann"}
        for number in (1, 2):
            response = client.post("/notes", json=note, headers=headers)
            assert (response.status_code, response.json()) == (201, number)


def test_around(serve: Any) -> None:
    key = {"x-key": "secret"}
    with httpx.Client(base_url=serve("around:app", app_dir=EXAMPLES).url) as client:
        answer = client.get("/orders/7", headers={**key, "x-request-id": "abc"})
        assert (answer.json(), answer.headers["x-request-id"]) == ({"id": 7}, "abc")
        refused = client.get("/orders/7")
        assert refused.status_code == 401
        assert len(refused.headers["x-request-id"]) == 36
        assert client.post("/orders?customer=ann", headers=key).status_code == 202
        assert client.delete("/orders/13", headers=key).status_code == 423
        assert client.delete("/orders/14", headers=key).status_code == 200
        priced = client.get("/orders/7/price", headers=key)
        assert (priced.text, priced.headers["cache-control"]) == ("100", "no-store")
        assert client.get("/old/page").text == "the old one"
        assert client.get("/legacy/page").headers["location"] == "/old/page"
        assert client.get("/nowhere").status_code == 404


def test_refusals(serve: Any) -> None:
    with httpx.Client(base_url=serve("refusals:app", app_dir=EXAMPLES).url) as client:
        assert client.put("/names/chair").json() == 2
        taken = client.put("/names/lamp").json()
        assert (taken["type"], taken["taken_by"]) == ("https://example.com/problems/name-taken", 1)
        assert client.get("/latest").headers["location"] == "/names/chair"
        assert client.post("/orders/lamp").json()["detail"] == "There is no lamp left."
        assert client.post("/sizes?unit=cm", json={"a": 1, "b": 2.5}).json() == 2
        assert client.post("/sizes?unit=in", json={"a": 0}).status_code == 422
        assert client.post("/stock/lamp", json={"amount": 2}).text == "2 of lamp on page 1"
        assert client.post("/stock/lamp?page=0", json={"amount": 0}).status_code == 422


def test_another_form_of_errors(serve: Any) -> None:
    with httpx.Client(base_url=serve("envelope:app", app_dir=EXAMPLES).url) as client:
        assert client.get("/orders/7").json() == 7
        missing = client.get("/orders/8")
        assert missing.headers["content-type"] == "application/json"
        error = {"code": 404, "message": "There is no order 8.", "fields": []}
        assert (missing.status_code, missing.json()) == (404, {"error": error})
        refused = client.get("/orders/x").json()["error"]
        assert (refused["code"], refused["fields"]) == (422, ["path.order_id"])
        assert client.get("/nowhere").json()["error"]["message"] == "Not Found"
        assert client.put("/orders/7").headers["allow"] == "GET, HEAD, OPTIONS"


def test_files(serve: Any) -> None:
    with httpx.Client(base_url=serve("files:app", app_dir=EXAMPLES).url) as client:
        page = client.get("/site/")
        assert "<title>Reports</title>" in page.text
        assert page.headers["cache-control"] == "max-age=3600"
        report = client.get("/reports/2025")
        assert report.text == "month,sold\njanuary,12\n"
        assert report.headers["content-disposition"] == 'attachment; filename="Report 2025.csv"'
        assert client.get("/reports/2025", headers={"range": "bytes=0-4"}).text == "month"
        assert client.get("/reports/1999").status_code == 404
        assert client.get("/raw/2025.csv").text == report.text
        assert client.get("/raw/..%2ffiles.py").status_code == 404
        prices = client.get("/prices")
        assert prices.json() == {"lamp": 12.0, "chair": 50.0}
        etag = {"if-none-match": prices.headers["etag"]}
        assert client.get("/prices", headers=etag).status_code == 304


def test_uploads(serve: Any, tmp_path: Path) -> None:
    server = serve("uploads:app", app_dir=EXAMPLES, env={"PHOTOS": str(tmp_path)})
    with httpx.Client(base_url=server.url) as client:
        said = {"text": "Hello", "name": "Ann", "tags": ["a", "b"]}
        expected = "Ann <unknown@example.org>: Hello ['a', 'b']"
        assert client.post("/comments", data=said).text == expected
        refused = client.post("/comments", data={"text": "Hello", "mail": "nowhere"})
        assert [one["loc"] for one in refused.json()["errors"]] == [
            ["body", "name"],
            ["body", "mail"],
        ]
        photo = ("../me.png", b"x" * 100_000, "image/png")
        made = client.post("/photos", files={"photo": photo})
        assert made.status_code == 201
        assert made.json() | {"name": ""} == {"name": "", "title": "../me.png", "size": 100_000}
        assert (tmp_path / made.json()["name"]).read_bytes() == photo[1]
        assert len(list(tmp_path.iterdir())) == 1
        large = client.post("/photos", files={"photo": b"x" * 20_000_001})
        assert large.status_code == 413
        files = [("files", ("a", b"")), ("files", ("b", b"b"))]
        assert client.post("/checksums", files=files).json() == {
            "a": hashlib.sha256(b"").hexdigest(),
            "b": hashlib.sha256(b"b").hexdigest(),
        }


def test_auth(serve: Any) -> None:
    with httpx.Client(base_url=serve("auth:app", app_dir=EXAMPLES).url, timeout=20) as client:
        key = {"x-api-key": "k-7Zr0"}
        assert client.get("/invoices").status_code == 401
        assert client.get("/invoices", headers=key).text == "the invoices for billing"
        assert client.get("/admin/state").status_code == 401
        assert client.get("/admin/state", headers=key).text == "all is well"
        assert client.post("/token", auth=("ann", "correct hors")).status_code == 401
        assert client.post("/token", auth=("bob", "correct horse")).status_code == 401
        token = client.post("/token", auth=("ann", "correct horse")).json()["access_token"]
        bearer = {"authorization": f"Bearer {token}"}
        assert client.get("/orders", headers=bearer).text == "the orders of ann, buyer"
        assert client.delete("/orders/7", headers=bearer).status_code == 403
        assert client.get("/orders").status_code == 401
        assert client.get("/stock", headers=key).text == "the stock for billing"
        assert client.get("/stock", headers=bearer).text == "the stock for ann"
        assert client.get("/stock").status_code == 401
        form = {"name": "ann", "password": "correct hors"}
        assert client.post("/login", json=form).status_code == 403
        answer = client.post("/login", json={**form, "password": "correct horse"})
        cookie, *attributes = answer.headers["set-cookie"].split("; ")
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(attributes)
        assert client.get("/me", headers={"cookie": cookie}).text == "ann"
        assert client.get("/me").text == "nobody"
        gone = client.post("/logout", headers={"cookie": cookie})
        assert gone.headers["set-cookie"].startswith("session=; Max-Age=0;")
        theme = client.put("/theme?theme=dark")
        assert theme.headers["set-cookie"].startswith("theme=dark; Max-Age=31536000; Path=/")
        assert theme.headers["cache-control"] == "no-store"


def test_limits(serve: Any) -> None:
    page = {"origin": "https://shop.example.com"}
    with httpx.Client(base_url=serve("limits:app", app_dir=EXAMPLES).url) as client:
        asks = {"access-control-request-method": "GET"}
        assert client.options("/orders", headers=page | asks).status_code == 204
        orders = client.get("/orders", headers=page)
        assert orders.headers["access-control-allow-origin"] == "https://shop.example.com"
        assert orders.headers["access-control-expose-headers"] == "X-Total"
        statuses = [client.post("/login?name=ann").status_code for _ in range(6)]
        assert statuses == [200, 200, 200, 200, 200, 429]
        assert client.get("/search?q=a").json() == ["a"]
        assert client.get("/report").text == "done"
        assert client.get("/report?seconds=30").status_code == 503


def test_paths(serve: Any) -> None:
    with httpx.Client(base_url=serve("paths:app", app_dir=EXAMPLES).url) as client:
        assert client.get("/books/978-3-16-148410-0").text == "the book 9783161484100"
        assert client.get("/books/978").status_code == 404


def test_media_types(serve: Any) -> None:
    with httpx.Client(base_url=serve("media_types:app", app_dir=EXAMPLES).url) as client:
        packed = msgspec.msgpack.encode({"sensor": "a", "value": 1.5, "raw": b"xy"})
        both = {"content-type": "application/msgpack", "accept": "application/msgpack"}
        answer = client.post("/readings", content=packed, headers=both)
        assert (answer.status_code, answer.content) == (201, packed)
        as_json = client.post("/readings", content=packed, headers={**both, "accept": "*/*"})
        assert as_json.json() == {"sensor": "a", "value": 1.5, "raw": "eHk="}
