"""Backends of buckets that no configuration names: what `resolver` returned, as the engine has it.

The engine keeps answers for `bucket_ttl`; here a backend is kept for its value, so that buckets
that are on the same one share its connections' certificates and what is learnt of its endpoints.
Backends with the same API key share its token. Thread: the server's loop, but for `forget()`.

Tested by tests/python/test_s3_resolver.py.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from tercel.s3.values import ApiKey, Backend, Credentials

__all__ = ["ResolvedBackends"]

_BACKENDS_MAX = 1024
_API_KEYS_MAX = 65_536


class ResolvedBackends:
    """What the engine made of backends.

    Args:
        make: returns it, of a rule's name and a backend.
        asks_for_credentials: the gateway has a function for those of a backend without.
    """

    def __init__(self, make: Callable[[str, Backend], object], asks_for_credentials: bool) -> None:
        self._make = make
        self._asks_for_credentials = asks_for_credentials
        self._made: OrderedDict[Backend, tuple[object, str]] = OrderedDict()
        # By the names of their rules, by which the engine asks for tokens; and these by the keys.
        self._api_keys: OrderedDict[str, ApiKey] = OrderedDict()
        self._rules: dict[ApiKey, str] = {}
        self._number = 0

    def native(self, found: Any) -> object:
        """Returns what the engine has of a backend.

        Raises:
            TypeError, ValueError: it is none, or none that can be resolved.
        """
        backend = self._checked(found)
        made = self._made.get(backend)
        if made is None:
            rule = self._rule_of(backend.creds)
            made = (self._make(rule, backend), rule)
        _put(self._made, backend, made, _BACKENDS_MAX)
        if isinstance(backend.creds, ApiKey):
            # Requests that ask for it may be older than what is made now.
            forgotten = _put(self._api_keys, made[1], backend.creds, _API_KEYS_MAX)
            if forgotten is not None:
                self._rules.pop(forgotten, None)
            self._rules[backend.creds] = made[1]
        return made[0]

    def _rule_of(self, creds: Credentials | None) -> str:
        known = self._rules.get(creds) if isinstance(creds, ApiKey) else None
        if known is not None:
            return known
        self._number += 1
        return f" {self._number}"  # No pattern of buckets begins with a space.

    def api_key(self, rule: str) -> ApiKey | None:
        """Returns the API key of a backend, by the name of its rule."""
        return self._api_keys.get(rule)

    def forget(self) -> None:
        """Has backends made anew, with certificates that are read again. Thread: any."""
        self._made = OrderedDict()

    def _checked(self, found: Any) -> Backend:
        if not isinstance(found, Backend):
            raise TypeError(f"resolver returns a Backend or None, not of {type(found).__name__}")
        if found.creds is None and not self._asks_for_credentials:
            raise ValueError(
                "resolver returned a Backend without creds, and there is no credentials="
            )
        if found.anonymous or found.cors or found.check != "off":
            raise ValueError(
                "what is anonymous, a rule of CORS or a check needs a backend whose buckets are"
                " known: name them in buckets=, do not leave them to resolver"
            )
        return found


def _put(table: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> Any:
    """Returns the value that made room; None: none had to."""
    table[key] = value
    table.move_to_end(key)
    return table.popitem(last=False)[1] if len(table) > most else None
