"""docs/tutorial/08-tests.md"""

# [tests]
from __future__ import annotations

from pathlib import Path

import pytest

from shop.main import app
from tercel.testing import TestClient


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("SHOP", str(tmp_path / "shop.db"))
    monkeypatch.setenv("SHOP_PICTURES", str(tmp_path))
    return TestClient(app, headers={"x-api-key": "secret"})


def test_a_thing_is_found_again(client: TestClient) -> None:
    made = client.post("/things", json={"name": "lamp", "price": 12})
    assert made.status_code == 201
    assert client.get(f"/things/{made.json()['id']}").json() == made.json()


def test_names_are_taken_once(client: TestClient) -> None:
    client.post("/things", json={"name": "lamp", "price": 12})
    assert client.post("/things", json={"name": "lamp", "price": 9}).status_code == 409
    assert len(client.get("/things").json()) == 1


@pytest.mark.parametrize("wrong", [{"name": ""}, {"price": 0}, {"price": "1"}])
def test_what_is_no_thing_is_refused(client: TestClient, wrong: dict[str, object]) -> None:
    answer = client.post("/things", json={"name": "lamp", "price": 12, **wrong})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", *wrong]


def test_only_sellers_add_things(client: TestClient) -> None:
    thing = {"name": "lamp", "price": 12}
    assert client.post("/things", json=thing, headers={"x-api-key": "wrong"}).status_code == 401


def test_a_picture_is_kept(client: TestClient) -> None:
    client.post("/things", json={"name": "lamp", "price": 12})
    picture = {"picture": ("lamp.png", b"a picture", "image/png")}
    assert client.put("/things/1/picture", files=picture).status_code == 204
    assert client.get("/things/1/picture").content == b"a picture"
    assert client.get("/things/2/picture").status_code == 404


# [/tests]
# [override]
def test_another_store(client: TestClient) -> None:
    from shop.model import Thing
    from shop.store import transaction

    class Fixed:
        def get(self, number: int) -> Thing:
            return Thing("fixed", 1, id=number)

    with app.override(transaction, Fixed):
        assert client.get("/things/7").json()["name"] == "fixed"


# [/override]
