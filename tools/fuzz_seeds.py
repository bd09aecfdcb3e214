"""Writes the seeds of the fuzzers, HTTP/1 from the transcripts of tests/conformance/http1.

Run by hand when a transcript is added; what fuzzing found is kept beside the seeds, which are
named after the transcripts.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRANSCRIPTS = ROOT / "tests" / "conformance" / "http1"
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
URLS = [
    "/a%20b%2F?c=%zz",
    "%4",
    "example.org:8080",
    "[2001:db8::1]:80",
    "[::ffff:192.0.2.1]",
    "a%41:",
]
FORWARDED = [
    "192.0.2.1, 10.0.0.7:80, [2001:db8::1]:4711",
    'for="[2001:db8:cafe::17]:4711";proto=https;host="example.com:80", for=10.0.0.7',
    'for=unknown, for=_hidden;by="a,b\\"c", for="',
    "/api/v1/",
    "::ffff:192.0.2.1",
]
EXTENSIONS = [
    "permessage-deflate; client_max_window_bits",
    'permessage-deflate; server_max_window_bits="9"; client_no_context_takeover, x-other; a=1',
    "permessage-deflate; server_no_context_takeover, permessage-deflate",
]
# Masked frames. "Hello", whole, in fragments with a ping between, compressed, and compressed again
# with the window of the first; the end.
FRAMES = {
    "hello": "818537fa213d7f9f4d5158",
    "fragments": "018300000000" + "48656c" + "898100000000" + "70" + "808200000000" + "6c6f",
    "compressed": "c18700000000" + "f248cdc9c90700" + "c18500000000" + "f200110000",
    "close": "888500000000" + "03e8627965",
    "long": "82fe007e00000000" + "61" * 126,
}
# Behind these two bytes of a seed comes the input: the steps it arrives in, and the kind of run.
WHOLE, BYTE_BY_BYTE = b"\xff", b"\x00"


def unescape(block: str) -> bytes:
    """Returns the bytes that an `http` block of a transcript stands for."""
    text = block.replace("\n", "").encode()
    names = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}
    return re.sub(
        rb"\\(?:x([0-9a-f]{2})|(.))",
        lambda match: bytes([int(match[1], 16)]) if match[1] else names[match[2]],
        text,
    )


def transcripts() -> list[tuple[str, bytes]]:
    """Returns the name and the bytes of each transcript."""
    found = []
    for path in sorted(TRANSCRIPTS.glob("*.md")):
        for section in path.read_text().split("\n## ")[1:]:
            if block := re.search(r"```http\n(.*?)```", section, re.DOTALL):
                title = re.sub(r"[^a-z0-9]+", "-", section.splitlines()[0].lower()).strip("-")
                found.append((f"{path.stem}-{title}", unescape(block[1])))
    return found


def write(target: str, name: str, data: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def main() -> None:
    for name, data in transcripts():
        write("h1_head", name, BYTE_BY_BYTE + b"\x00" + data)
        head, _, body = data.partition(b"\r\n\r\n")
        if b"chunked" in head and body:
            write("h1_body", name, BYTE_BY_BYTE + b"\x01" + body)
    write("h1_body", "length", WHOLE + b"\x14" + b"hello")
    for number, url in enumerate(URLS):
        write("url", str(number), url.encode())
    for name, frames in FRAMES.items():
        write("websocket_frames", name, BYTE_BY_BYTE + b"\x04" + bytes.fromhex(frames))
        write("websocket_frames", f"{name}-plain", WHOLE + b"\x00" + bytes.fromhex(frames))
    for number, extension in enumerate(EXTENSIONS):
        write("websocket_deflate", str(number), extension.encode() + b"\0Hello Hello Hello")
    write("websocket_deflate", "compressed", b"\0" + bytes.fromhex("f248cdc9c90700"))
    for number, value in enumerate(FORWARDED):
        write("forwarded", str(number), value.encode())


if __name__ == "__main__":
    main()
