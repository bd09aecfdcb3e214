"""Exchanges an API key for a token, as IBM Cloud's IAM does.

Source: IBM Cloud API docs, IAM Identity Services, "Create an IAM access token for a user or service
ID using an API key".
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request

from tercel.s3.values import ApiKey, Bearer

__all__ = ["TokenRefused", "exchange"]

_GRANT = "urn:ibm:params:oauth:grant-type:apikey"
_ANSWER_BYTES_MAX = 64 * 1024


class TokenRefused(Exception):
    """There is no token for an API key. The text says why, in one sentence, without the key."""


def exchange(api_key: ApiKey, timeout: float) -> Bearer:
    """Returns a token. Waits for the network: not for the loop's thread.

    Raises:
        TokenRefused: there is none.
    """
    form = urllib.parse.urlencode({"grant_type": _GRANT, "apikey": api_key.api_key})
    request = urllib.request.Request(
        api_key.token_url, form.encode(), {"Accept": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            text = response.read(_ANSWER_BYTES_MAX)
    except urllib.error.HTTPError as error:
        raise TokenRefused(
            f"{api_key.token_url} refused the API key with status {error.code}"
        ) from None
    except (OSError, ValueError) as error:
        raise TokenRefused(f"{api_key.token_url} could not be asked: {error}") from None
    try:
        said = json.loads(text)
        token, lasts = said["access_token"], float(said["expires_in"])
        return Bearer(token, time.time() + lasts)
    except (ValueError, KeyError, TypeError):
        raise TokenRefused(f"{api_key.token_url} answered with no token") from None
