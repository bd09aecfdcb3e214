"""Sessions: what an application keeps of a client, in a signed cookie of that client.

itsdangerous signs them: timestamps, salts and several secrets are its daily work. The client can
read what is in there, and send an old one again until it expires; it cannot change anything.

Tested by tests/python/test_auth_sessions.py.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import msgspec

from tercel.api.cookies import PAIR_BYTES_MAX, cookie_field
from tercel.api.markers import Cookie
from tercel.api.response_headers import ResponseHeaders
from tercel.extras import load

__all__ = ["Session", "Sessions"]

_SECRET_BYTES_MIN = 16


class _JSON:
    """msgspec under the names that itsdangerous calls."""

    dumps = staticmethod(msgspec.json.encode)
    loads = staticmethod(msgspec.json.decode)


class Session(dict[str, Any]):
    """What is kept of a client: a dict, of what JSON has. Made by `Sessions`.

    It is sent when the handler has returned, if it is another than before, in its parts too. One
    that is empty then has its cookie removed.
    """


class Sessions:
    """A dependency: the `Session` of who asks.

    ::

        sessions = Sessions([SECRET])
        CurrentSession = Annotated[Session, Depends(sessions)]

        @app.post("/visits")
        async def visit(session: CurrentSession) -> int:
            session["visits"] = session.get("visits", 0) + 1
            return session["visits"]

    A cookie that is forged, expired or damaged is as good as none; one that is not UTF-8 is
    answered with 422, as every parameter is. When a handler raises, the cookie stays as it was. A
    session belongs to one request: of two at the same time, what the later answer has counts.

    Args:
        secrets: of 16 bytes or more each; the first signs, all are believed: a new one is put in
            front, and the old one taken away when `max_age` is over.
        cookie: its name. With `__Host-` in front, browsers take it from this host alone.
        max_age: in seconds, since it was sent; older ones are not believed.
        secure: through TLS only. Browsers take `http://localhost` for secure, but Safari: False for
            that, and for tests without TLS.
        path: of the requests it comes with; `domain` and `samesite` likewise: see `set_cookie`.

    Raises:
        ImportError: itsdangerous is not installed.
    """

    # Those that depend on it can tell who asks.
    _is_session = True

    def __init__(
        self,
        secrets: Sequence[str | bytes],
        *,
        cookie: str = "session",
        max_age: int = 14 * 24 * 3600,
        path: str = "/",
        domain: str | None = None,
        secure: bool = True,
        samesite: str = "lax",
    ) -> None:
        if isinstance(secrets, (str, bytes)):
            secrets = [secrets]
        if not secrets or any(len(secret) < _SECRET_BYTES_MIN for secret in secrets):
            raise ValueError(
                f"a secret of Sessions has {_SECRET_BYTES_MIN} bytes or more:"
                " python -c 'import secrets; print(secrets.token_hex())' makes one"
            )
        if max_age <= 0:
            raise ValueError(f"max_age of Sessions is a number of seconds, not {max_age!r}")
        self._cookie, self._max_age = cookie, max_age
        self._attributes: dict[str, Any] = {
            "path": path,
            "domain": domain,
            "secure": secure,
            "samesite": samesite,
        }
        cookie_field(cookie, "", **self._attributes)  # A mistake is one now.
        self._signing = load("itsdangerous", "itsdangerous", "Sessions", "auth")
        self._signer = self._signing.URLSafeTimedSerializer(
            list(reversed(secrets)),  # There, the last one signs.
            # What is signed for another cookie is nothing here.
            salt=f"tercel.session.{cookie}",
            serializer=_JSON,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
        self.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    "sent",
                    inspect.Parameter.KEYWORD_ONLY,
                    annotation=Annotated[str | None, Cookie(cookie, include_in_schema=False)],
                    default=None,
                ),
                inspect.Parameter(
                    "headers", inspect.Parameter.KEYWORD_ONLY, annotation=ResponseHeaders
                ),
            ]
        )

    async def __call__(self, sent: str | None, headers: ResponseHeaders) -> AsyncIterator[Session]:
        session = Session(self._read(sent))
        before = msgspec.json.encode(session)
        yield session
        after = self._encoded(session)
        if after == before:
            return
        if not session:
            headers.delete_cookie(self._cookie, **self._attributes)
            return
        value = self._signer.dumps(session).decode()
        size = len(self._cookie) + len(value)
        if size > PAIR_BYTES_MAX:
            raise ValueError(
                f"the session takes {size} bytes in its cookie, and browsers keep"
                f" {PAIR_BYTES_MAX}: keep an id in it, and what it stands for in a store"
            )
        headers.set_cookie(self._cookie, value, max_age=self._max_age, **self._attributes)

    @staticmethod
    def _encoded(session: Session) -> bytes:
        try:
            return msgspec.json.encode(session)
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(f"a session holds what JSON has: {error}") from None

    def _read(self, sent: str | None) -> dict[str, Any]:
        if not sent or len(sent) > PAIR_BYTES_MAX:
            return {}
        try:
            found = self._signer.loads(sent, max_age=self._max_age)
        except self._signing.BadData:
            return {}
        return found if isinstance(found, dict) else {}
