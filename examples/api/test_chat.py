"""The tests of sessions in docs/guide/testing.md."""

import chat
import pytest
import streams

from tercel import WebSocketDisconnect
from tercel.testing import TestClient, WebSocketDenied


# [websockets]
def test_who_is_in_the_room_hears_it():
    client = TestClient(chat.app)
    with (
        client.websocket("/rooms/blue", params={"name": "ann"}) as ann,
        client.websocket("/rooms/blue", params={"name": "bob"}) as bob,
    ):
        ann.send({"text": "Hello"})
        assert bob.receive_json() == {"who": "ann", "text": "Hello"}
        bob.send({"text": ""})
        with pytest.raises(WebSocketDisconnect, match="1007"):
            bob.receive()
    assert not chat.rooms["blue"]


def test_who_has_no_name_stays_outside():
    with pytest.raises(WebSocketDenied) as denied:
        TestClient(chat.app).websocket("/rooms/blue")
    assert denied.value.response.status_code == 422


# [/websockets]


def test_the_inbox():
    client = TestClient(chat.app)
    with pytest.raises(WebSocketDenied, match="401"):
        client.websocket("/inbox")
    client.cookies.set("session", "s3cr3t")
    with pytest.raises(WebSocketDenied, match="403"):
        client.websocket("/inbox", headers={"origin": "https://evil.example"})
    headers = {"origin": "https://example.org"}
    with client.websocket("/inbox", headers=headers, subprotocols=["inbox.v1"]) as session:
        assert session.subprotocol == "inbox.v1"
        assert session.receive_json() == {"user": "ann", "unread": 0}
        session.send("[]")
        assert session.receive_json()["errors"][0]["loc"] == ["message"]
        session.send({"text": "bye"})
        with pytest.raises(WebSocketDisconnect, match="4000: as you wish"):
            session.receive()


# [events]
def test_ticks():
    with TestClient(streams.app).events("/ticks", params={"every": 0}) as events:
        assert next(events).json() == {"tick": 0}
        assert next(events).json() == {"tick": 1}


# [/events]
