"""Writes the HTTP/1.1 vectors in a form that a C++ test reads without a JSON parser.

A line each: name, 1 where the client half-closes after the bytes, else 0, and the bytes in
hexadecimal.

    tools/flatten_vectors.py VECTORS_JSON OUTPUT
"""

import json
import sys
from pathlib import Path


def main() -> None:
    source, output = sys.argv[1:]
    lines = [
        f"{vector['name']} {int(vector.get('fin', False))} {vector['raw'].encode('latin-1').hex()}"
        for vector in json.loads(Path(source).read_text())
    ]
    Path(output).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
