"""The tests of docs/guide/testing.md."""

import contextlib
import urllib.request

import pytest

import tercel
from tercel.testing import TestClient


# [first]
def test_a_thing_that_is_added_is_there(client):
    made = client.post("/things", json={"name": "lamp", "price": 12})
    assert made.status == 201
    assert client.get(f"/things/{made.json()['id']}").json()["name"] == "lamp"


def test_a_thing_costs_something(client):
    refused = client.post("/things", json={"name": "lamp", "price": 0})
    assert refused.status == 422
    assert refused.json()["errors"][0]["loc"] == ["body", "price"]


# [/first]
# [by-hand]
def test_without_fixtures():
    import things

    with TestClient(things.app, headers={"x-client": "test"}) as client:
        assert client.get("/things", params={"limit": 3}).json() == []


# [/by-hand]


def test_lifespan():
    events = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        events.append("started")
        yield
        events.append("ended")

    # [lifespan]
    app = tercel.App(lifespan=lifespan)

    with TestClient(app):
        assert events == ["started"]
    assert events == ["started", "ended"]
    # [/lifespan]


def test_exceptions():
    app = tercel.App()

    @app.get("/ratio")
    async def ratio(of: int, to: int) -> float:
        return of / to

    # [exceptions]
    with pytest.raises(ZeroDivisionError):
        TestClient(app).get("/ratio?of=1&to=0")

    client = TestClient(app, raise_server_exceptions=False)
    assert client.get("/ratio?of=1&to=0").status == 500
    # [/exceptions]


# [server]
def test_by_another_client(server):
    with urllib.request.urlopen(f"{server.url}/things") as response:
        assert response.read() == b"[]"


# [/server]
