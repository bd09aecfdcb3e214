"""Types of the extension module. Private to tercel."""

__version__: str

def error_table() -> list[tuple[str, str, int, str]]: ...
