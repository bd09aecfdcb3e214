"""What `POST /orders` of the api_* applications takes and returns, in msgspec: orders_pydantic.py
says the same in pydantic.
"""

from typing import Annotated

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1, max_length=100)]


class Address(Struct):
    street: Name
    city: Name
    postcode: Annotated[str, Meta(min_length=3, max_length=10)]
    country: Annotated[str, Meta(min_length=2, max_length=2)]


class Line(Struct):
    sku: Annotated[str, Meta(min_length=4, max_length=16)]
    name: Name
    quantity: Annotated[int, Meta(ge=1, le=1000)]
    price: Annotated[float, Meta(gt=0, le=100_000)]
    tags: list[Annotated[str, Meta(max_length=16)]]


class Order(Struct):
    customer: Name
    email: Annotated[str, Meta(min_length=3, max_length=254)]
    note: Annotated[str, Meta(max_length=500)]
    ship_to: Address
    lines: Annotated[list[Line], Meta(min_length=1, max_length=50)]
    total: Annotated[float, Meta(ge=0)]
    express: bool


class Receipt(Struct):
    customer: str
    lines: int
    total: float
    express: bool
