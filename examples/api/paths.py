"""A converter for fields of paths: docs/guide/api.md."""

import tercel

app = tercel.App()


# [converter]
class Isbn:
    def convert(self, text: str) -> str | None:
        digits = text.replace("-", "")
        return digits if digits.isdigit() and len(digits) == 13 else None


app.add_converter("isbn", Isbn)


@app.get("/books/{number:isbn}")
async def book(number: str) -> str:
    return f"the book {number}"


# [/converter]
