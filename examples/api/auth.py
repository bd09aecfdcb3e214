"""Who asks, for docs/guide/auth.md: keys, tokens, passwords, a session, and a cookie."""

# [key]
from __future__ import annotations

import secrets
from typing import Annotated, Literal

import msgspec

import tercel
from tercel import Depends, HTTPError, ResponseHeaders
from tercel.auth import (
    JWT,
    AnyOf,
    APIKey,
    Basic,
    Claims,
    Session,
    Sessions,
    encode_jwt,
    hash_password,
    verify_password,
)

app = tercel.App(title="Shop")

partner = APIKey(header="X-API-Key", keys={"k-7Zr0": "billing", "k-q3Xa": "reports"})


@app.get("/invoices")
async def invoices(client: Annotated[str, Depends(partner)]) -> str:
    return f"the invoices for {client}"


# [/key]

# [router]
admin = tercel.Router(prefix="/admin", dependencies=[Depends(partner)])


@admin.get("/state")
async def state() -> str:
    return "all is well"


app.include(admin)
# [/router]

# [basic]
stored = {"ann": hash_password("correct horse")}


def known(user: str, password: str) -> str | None:
    return user if verify_password(password, stored.get(user)) else None


user = Basic(known, realm="Shop")
# [/basic]

# [jwt]
SECRET = secrets.token_bytes(32)  # A real one comes from where secrets are kept.


class UserClaims(Claims):
    roles: tuple[str, ...] = ()


token = JWT(key=SECRET, algorithms=["HS256"], audience="shop", type=UserClaims)


@app.post("/token")
async def sign_in(who: Annotated[str, Depends(user)]) -> dict[str, str]:
    claims = UserClaims(sub=who, aud="shop", scope="orders:read", roles=("buyer",))
    signed = encode_jwt(claims, key=SECRET, algorithm="HS256", lifetime_s=900)
    return {"access_token": signed, "token_type": "bearer"}


@app.get("/orders")
async def orders(claims: Annotated[UserClaims, Depends(token)]) -> str:
    return f"the orders of {claims.sub}, {claims.roles[0]}"


@app.delete("/orders/{order}", dependencies=[Depends(token.requires("orders:write"))])
async def remove(order: int) -> None: ...


# [/jwt]

# [jwks]
of_issuer = JWT(
    jwks_url="https://issuer.example/.well-known/jwks.json",
    algorithms=["RS256", "ES256"],
    issuer="https://issuer.example/",
    audience="shop",
    token_type="at+jwt",
    name="issuer",
)
# [/jwks]

# [session]
sessions = Sessions([secrets.token_hex()])  # As well: a new one means that all sessions end.
CurrentSession = Annotated[Session, Depends(sessions)]


class Form(msgspec.Struct):
    name: str
    password: str


@app.post("/login", status=204, responses={403: "The name or the password is wrong."})
def login(form: Form, session: CurrentSession) -> None:
    if not verify_password(form.password, stored.get(form.name)):
        raise HTTPError(403, "The name or the password is wrong.")
    session.clear()
    session["user"] = form.name


@app.get("/me")
async def me(session: CurrentSession) -> str:
    return str(session.get("user", "nobody"))


@app.post("/logout", status=204)
async def logout(session: CurrentSession) -> None:
    session.clear()


# [/session]


# [headers]
@app.put("/theme", status=204)
async def choose_theme(theme: Literal["light", "dark"], headers: ResponseHeaders) -> None:
    headers["cache-control"] = "no-store"
    headers.set_cookie("theme", theme, max_age=365 * 24 * 3600, httponly=False)


# [/headers]


# [either]
maybe_partner = APIKey(header="X-API-Key", keys={"k-7Zr0": "billing"}, name="either", optional=True)
maybe_token = JWT(key=SECRET, algorithms=["HS256"], audience="shop", type=UserClaims, optional=True)


anybody = AnyOf(maybe_partner, maybe_token)


@app.get("/stock")
async def stock(who: Annotated[str | UserClaims, Depends(anybody)]) -> str:
    return f"the stock for {who if isinstance(who, str) else who.sub}"


# [/either]
