"""OpenID tokens as access keys: whoever has a valid one needs no secret of its own.

aws configure set aws_access_key_id "$TOKEN"; aws configure set aws_secret_access_key token
"""

import os
import time

import jwt

from tercel.s3 import AuthzRequest, Backend, Decision, FrontKey, Gateway, Hmac

KEY = os.environ["TOKEN_KEY"]


# [tokens]
def secret_for(access_key: str) -> FrontKey | None:
    try:
        claims = jwt.decode(
            access_key,
            KEY,
            algorithms=["HS256"],
            audience="s3",
            options={"require": ["exp", "sub"]},
        )
    except jwt.InvalidTokenError:
        return None
    return FrontKey(
        "token",  # The token is the secret; SigV4 wants one beside it.
        identity=claims["sub"],
        ttl=min(300, max(0, claims["exp"] - time.time())),
        session=claims.get("groups", []),
    )


def authorize(request: AuthzRequest) -> Decision:
    return Decision(request.bucket in request.session, scope="bucket")


# [/tokens]
gateway = Gateway(
    {
        "*": Backend(
            os.environ["S3_ENDPOINT"], creds=Hmac(os.environ["S3_KEY"], os.environ["S3_SECRET"])
        )
    },
    secret_for=secret_for,
    authorize=authorize,
)
