"""Credentials that come with each request: what all schemes of them have in common.

What is missing or wrong is answered with 401 and a problem document, whose WWW-Authenticate says
what is asked for. Source: RFC 9110, section 11. Tested by tests/python/test_auth_credentials.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from tercel.api.dependencies import Depends
from tercel.api.errors import HTTPError
from tercel.api.markers import Marker
from tercel.api.security import Demand, SecurityScheme
from tercel.api.threads import to_thread

__all__ = ["CREDENTIALS_BYTES_MAX", "AnyOf", "Credentials", "taking"]

# Of a key, or of user and password in base64: far more than anybody has.
CREDENTIALS_BYTES_MAX = 8192


class Credentials(SecurityScheme):
    """A scheme whose credentials a function of the application knows."""

    # Before the credentials in their field; empty: none.
    word = ""

    def __init__(
        self,
        name: str,
        scheme: Mapping[str, Any],
        marker: Marker,
        verify: Callable[..., Any],
        *,
        optional: bool,
        blocking: bool,
    ) -> None:
        super().__init__(name, scheme, optional=optional)
        if not callable(verify):
            kind = type(self).__name__
            raise TypeError(f"{kind} takes a function that knows credentials, not {verify!r}")
        called = verify if inspect.isroutine(verify) else type(verify).__call__
        self._verify = verify
        self._on_thread = blocking and not inspect.iscoroutinefunction(called)
        self.__signature__ = taking("given", Annotated[list[str], marker], [])
        alias = marker.alias or ""
        name_there = alias.lower() if marker.place == "header" else alias
        self.place = (marker.place, name_there, self.word.lower())
        if not optional:
            self.demand = Demand((self.place,), self.missing, (self,))

    def missing(self) -> HTTPError:
        """Returns what is raised where there are no credentials."""
        return self.refusal(f"{self.word} credentials are missing.")

    def _challenge(self, **parameters: str) -> str:
        raise NotImplementedError

    def refusal(self, detail: str, status: int = 401, **parameters: str) -> HTTPError:
        """Returns what is raised, with a challenge that has `parameters`."""
        challenge = self._challenge(**parameters)
        return HTTPError(status, detail, headers={"www-authenticate": challenge})

    async def _identity(self, *credentials: str) -> Any:
        """Returns who has the credentials; None: nobody."""
        if self._on_thread:
            found = await to_thread(self._verify, *credentials)
        else:
            found = self._verify(*credentials)
        if inspect.isawaitable(found):
            found = await found
        return None if found is False else found


def taking(name: str, annotation: Any, *default: Any) -> inspect.Signature:
    """Returns the signature of a function with one argument."""
    parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
    return inspect.Signature([parameter.replace(default=one) for one in default] or [parameter])


class AnyOf(SecurityScheme):
    """A dependency on several schemes, one of which is enough: the first that a client shows.

    ::

        anybody = AnyOf(APIKey(keys=KEYS, optional=True), JWT(..., optional=True))

    What is wrong is refused, whatever else is right. Its result is that of the scheme.

    Args:
        schemes: two or more, all of them optional.
    """

    def __init__(self, *schemes: Credentials) -> None:
        if len(schemes) < 2 or not all(isinstance(one, Credentials) for one in schemes):
            raise TypeError("AnyOf takes two schemes or more, as APIKey(...) and JWT(...)")
        for one in schemes:
            if not one.optional:
                raise TypeError(
                    f"AnyOf takes schemes that need not be there: give {type(one).__name__}"
                    " optional=True"
                )
        super().__init__("anyOf", {})
        places = tuple(one.place for one in schemes)
        self.demand = Demand(places, self.missing, (self, *schemes))
        for one in schemes:
            self.refusals |= one.refusals
        self.alternatives = self._schemes = schemes
        self.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    f"identity_{number}",
                    inspect.Parameter.KEYWORD_ONLY,
                    annotation=Annotated[Any, Depends(one)],
                )
                for number, one in enumerate(schemes)
            ]
        )

    async def __call__(self, **identities: Any) -> Any:
        for identity in identities.values():
            if identity is not None:
                return identity
        raise self.missing()

    def missing(self) -> HTTPError:
        """Returns what is raised where there are no credentials."""
        # RFC 9110, section 11.6.1: a challenge for each.
        challenges = [("www-authenticate", one._challenge()) for one in self._schemes]
        return HTTPError(401, "Credentials are missing.", headers=challenges)
