"""An API that says all that it answers. Serve it: `tercel serve examples.books_api:app`."""

# [app]
from typing import Annotated

import msgspec

import tercel

Title = Annotated[str, msgspec.Meta(min_length=1, description="As it stands on the cover.")]


class Book(msgspec.Struct):
    """A book of the library."""

    title: Title
    year: int | None = None


app = tercel.App(title="Library", version="1.0", description="Books, by number.")
books = {1: Book("Middlemarch", 1871)}


@app.get("/books/{number}", tags=["books"], responses={404: "There is no such book."})
async def get_book(number: int) -> Book:
    """Returns one book.

    Numbers are never used again: what was 404 *may* become a book, what was a book does not become
    another one.
    """
    try:
        return books[number]
    except KeyError:
        raise tercel.HTTPError(404, f"There is no book {number}.") from None


# [/app]


# [more]
@app.get("/books", tags=["books"])
async def find_books(
    year: Annotated[int | None, tercel.Query()] = None,
    words: Annotated[list[str], tercel.Query(separator=",")] = [],  # noqa: B006 - Nobody changes it.
) -> list[Book]:
    """Returns the books of a year with one of some words in the title."""
    found = [book for book in books.values() if year is None or book.year == year]
    return [book for book in found if not words or any(word in book.title for word in words)]


@app.post("/books", status=201, tags=["books"])
async def add_book(book: Book) -> Book:
    books[max(books) + 1] = book
    return book


@app.get("/cover/{number}", tags=["books"], responses={200: bytes, 404: None})
async def get_cover(number: int) -> tercel.Response:
    """Returns a picture. The annotation does not say what is answered, so the route does."""
    if number not in books:
        return tercel.Response(status=404)
    return tercel.Response(b"GIF89a", media_type="application/octet-stream")


@app.get("/books.txt", deprecated=True)
async def list_books() -> str:
    return "\n".join(book.title for book in books.values())


@app.get("/health", include_in_schema=False)
async def health() -> bool:
    return True


# [/more]
