"""Cookies as an answer sets them.

Source: RFC 6265, section 4.1, and its revision (draft-ietf-httpbis-rfc6265bis), which adds SameSite
and the prefixes of names; Partitioned is of draft-cutler-httpbis-partitioned-cookies. Browsers drop
a cookie that breaks their rules without a word, so that is a mistake here.
"""

from __future__ import annotations

import re

__all__ = ["PAIR_BYTES_MAX", "SetsCookies", "cookie_field"]

# What browsers keep of a cookie: its name and its value together.
PAIR_BYTES_MAX = 4096
_ATTRIBUTE_BYTES_MAX = 1024
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r'"?[!#-+\--:<-\[\]-~]*"?')
_PATH = re.compile(r"/[ -:<-~]*")
_DOMAIN = re.compile(r"[0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*")
_SAME_SITE = {"lax": "Lax", "strict": "Strict", "none": "None"}


def cookie_field(
    name: str,
    value: str,
    *,
    max_age: int | None = None,
    path: str = "/",
    domain: str | None = None,
    secure: bool = True,
    httponly: bool = True,
    samesite: str | None = "lax",
    partitioned: bool = False,
) -> str:
    """Returns the value of a Set-Cookie field. The arguments are those of `set_cookie`.

    Raises:
        ValueError: a browser would not take it, or it would be another cookie than it says.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a cookie is not called {name!r}: letters, digits, and - _ . are allowed")
    if not _VALUE.fullmatch(value) or value.count('"') not in (0, 2):
        raise ValueError(
            f"the value of the cookie {name!r} has characters that none can have:"
            " encode it, as urllib.parse.quote() does"
        )
    if len(name) + len(value) > PAIR_BYTES_MAX:
        raise ValueError(
            f"the cookie {name!r} takes {len(name) + len(value)} bytes with its name, and browsers"
            f" keep {PAIR_BYTES_MAX}: put an id in it, and what it stands for in a store"
        )
    parts = [f"{name}={value}"]
    if max_age is not None:
        if isinstance(max_age, bool) or not isinstance(max_age, int):
            raise TypeError(f"max_age is a whole number of seconds, not {max_age!r}")
        parts.append(f"Max-Age={max_age}")
    if domain is not None:
        if not _DOMAIN.fullmatch(domain) or len(domain) > _ATTRIBUTE_BYTES_MAX:
            raise ValueError(f"the domain of a cookie is a host name, as example.org: {domain!r}")
        parts.append(f"Domain={domain}")
    if not _PATH.fullmatch(path) or len(path) > _ATTRIBUTE_BYTES_MAX:
        raise ValueError(f"the path of a cookie begins with /, and has no ; in it: {path!r}")
    parts.append(f"Path={path}")
    if secure:
        parts.append("Secure")
    if httponly:
        parts.append("HttpOnly")
    if samesite is not None:
        if samesite.lower() not in _SAME_SITE:
            raise ValueError(f"samesite is 'lax', 'strict', 'none' or None, not {samesite!r}")
        parts.append(f"SameSite={_SAME_SITE[samesite.lower()]}")
    if partitioned:
        parts.append("Partitioned")
    _check_together(name, path, domain, secure, samesite, partitioned)
    return "; ".join(parts)


def _check_together(
    name: str, path: str, domain: str | None, secure: bool, samesite: str | None, partitioned: bool
) -> None:
    """Refuses what browsers refuse because of another attribute. Prefixes are so in any case."""
    lower = name.lower()
    if not secure:
        if samesite is not None and samesite.lower() == "none":
            raise ValueError(f"the cookie {name!r} with samesite='none' must be secure")
        if partitioned:
            raise ValueError(f"the partitioned cookie {name!r} must be secure")
        if lower.startswith(("__secure-", "__host-")):
            raise ValueError(f"the cookie {name!r} must be secure, as its name says")
    if lower.startswith("__host-") and (path != "/" or domain is not None):
        raise ValueError(f"the cookie {name!r} has the path / and no domain, as its name says")


class SetsCookies:
    """What has header fields of an answer, and so cookies."""

    __slots__ = ()

    headers: list[tuple[str, str]]

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = True,
        httponly: bool = True,
        samesite: str | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Has the client keep a cookie; it takes the place of one set before it in this answer.

        Args:
            value: printable ASCII without space, quote, comma, semicolon and backslash.
            max_age: after so many seconds the client forgets it; None: when it is closed.
            path: of the requests it comes with, and all below.
            domain: of these, with all below; None: this host alone.
            secure: only through TLS. Browsers take `http://localhost` for secure, but Safari.
            httponly: scripts do not see it.
            samesite: `lax`: other sites' links bring it, their forms and scripts do not; `strict`:
                neither do; `none`: all do.
            partitioned: of each site that embeds this one there is another.

        Raises:
            ValueError: a browser would not take it.
        """
        field = cookie_field(
            name,
            value,
            max_age=max_age,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )
        same = _identity(field)
        # RFC 6265, section 4.1.1: one field for one cookie.
        self.headers[:] = [
            pair
            for pair in self.headers
            if pair[0].lower() != "set-cookie" or _identity(pair[1]) != same
        ]
        self.headers.append(("set-cookie", field))

    def delete_cookie(
        self,
        name: str,
        *,
        path: str = "/",
        domain: str | None = None,
        secure: bool = True,
        httponly: bool = True,
        samesite: str | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Has the client forget a cookie, which was set with the same path, domain and prefix."""
        self.set_cookie(
            name,
            max_age=0,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )


def _identity(field: str) -> tuple[str, ...]:
    """Returns what tells a cookie from others: its name, its domain and its path."""
    pair, *attributes = field.split("; ")
    return (
        pair.partition("=")[0],
        *(one.lower() for one in attributes if one.startswith("Domain=")),
        *(one for one in attributes if one.startswith("Path=")),
    )
