"""A gateway on a machine of AWS that signs with the credentials of its role.

Nothing is configured: botocore finds them as every tool of AWS does, in the environment, a profile
(with AssumeRole), a web identity (EKS), a container (ECS) or an instance (EC2).
Run with `tercel serve role:gateway`.
"""

import os

import botocore.session

from tercel.s3 import Backend, Gateway, Hmac

# [role]
session = botocore.session.get_session()


def credentials(bucket: str, identity: str) -> Hmac:
    found = session.get_credentials()
    if found is None:
        raise RuntimeError("AWS knows no credentials here: give the machine a role")
    # Renewed by botocore a quarter of an hour before they end; asked again every five minutes.
    now = found.get_frozen_credentials()
    return Hmac(now.access_key, now.secret_key, now.token)


gateway = Gateway(
    {"*": Backend(os.environ["S3_ENDPOINT"], region="eu-central-1")},
    secret_for={"alice": "secret-of-alice"},
    authorize=lambda request: True,
    credentials=credentials,
)
# [/role]
