"""What `POST /orders` of the api_* applications takes and returns, in pydantic: orders_msgspec.py
says the same in msgspec.
"""

from typing import Annotated

from pydantic import BaseModel, Field

Name = Annotated[str, Field(min_length=1, max_length=100)]


class Address(BaseModel):
    street: Name
    city: Name
    postcode: Annotated[str, Field(min_length=3, max_length=10)]
    country: Annotated[str, Field(min_length=2, max_length=2)]


class Line(BaseModel):
    sku: Annotated[str, Field(min_length=4, max_length=16)]
    name: Name
    quantity: Annotated[int, Field(ge=1, le=1000)]
    price: Annotated[float, Field(gt=0, le=100_000)]
    tags: list[Annotated[str, Field(max_length=16)]]


class Order(BaseModel):
    customer: Name
    email: Annotated[str, Field(min_length=3, max_length=254)]
    note: Annotated[str, Field(max_length=500)]
    ship_to: Address
    lines: Annotated[list[Line], Field(min_length=1, max_length=50)]
    total: Annotated[float, Field(ge=0)]
    express: bool


class Receipt(BaseModel):
    customer: str
    lines: int
    total: float
    express: bool
