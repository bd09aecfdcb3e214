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
QUERIES = [
    "a=1&b=two+words&a=%C3%BC&&c",
    "=x&%=%4&y=a=b;c=d",
    "name=%ff&\xfc=1",
]
COOKIES = [
    "a=1; session=0123456789abcdef; a=2",
    'lonely; =x; q="quoted"; r="a;b"',
    "value\n/path",
]
MEDIA_TYPES = [
    'multipart/form-data; boundary="a b"',
    'text/plain;charset=UTF-8;format="fl\\\\owed"',
    "text/*;q=0.3, application/json;v=1;q=0.7, */*;q=.5, *",
]
# The boundary is "-b": what a fuzzer finds soon.
FORMS = {
    "empty": "---b--\r\n",
    "fields": "---b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n---b\r\n"
    'content-disposition: form-data; name="%22b"\r\n\r\n---b--',
    "file": 'pre\r\n---b \r\nContent-Disposition: form-data; name="f"; filename="a\\"b"; '
    "filename*=utf-8''%e2%82%ac\r\nContent-Type: text/plain\r\n\r\n\r\n---\r\n\r\n---b--\r\nend",
}
CONDITIONS = [
    "bytes=0-4,-3,8-",
    "bytes=18446744073709551614-18446744073709551616",
    'W/"abc", "d,e"',
    '"abc"',
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
]
EXTENSIONS = [
    "permessage-deflate; client_max_window_bits",
    'permessage-deflate; server_max_window_bits="9"; client_no_context_takeover, x-other; a=1',
    "permessage-deflate; server_no_context_takeover, permessage-deflate",
]
# Templates, an empty line, paths.
ROUTES = {
    "github": "/repos/{owner}/{repo}/compare/{base}...{head}\n/repos/{owner}/{repo}\n/user\n\n"
    "/repos/a/b/compare/v1...v2\n/repos/a%2Fb/c\n/user\n/users",
    "converters": "/i/{n:int(min=1, max=9)}\n/u/{u:uuid}\n/d/{d:date}\n/t/{t:datetime('%Y%m%d')}\n"
    "/f/{f:float}\n/s/{s:str(2, 3)}\n\n/i/7\n/d/2026-11-26\n/t/20261126\n/f/-1.5e3\n/s/abc\n"
    "/u/01234567-89ab-cdef-fedc-ba9876543210",
    "order": "/a/b\n/a{x}/b\n/{y}.{z}/b\n/{w}/b\n/{r:path}\n/\n\n"
    "/a/b\n/ab/b\n/c.d/b\n/e/b\n/e/f\n/\n/g%2Fh/%69",
    "conflicts": "/a/{x}\n/a/{y}\n/a/{x:int}\n/a/{x}.{y}\n/a/{y}.{x}\n\n/a/1\n/a/1.2",
    "hostile": "/{a}aab{b}/{c}\n/a/{d}/{e}\n/{f}/a/a\n\n/aabaabaabaab\n/a/a/a/a/a/a\n//////",
}
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


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Returns one frame of HTTP/2."""
    return (
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    )


def block(method: bytes, path: bytes = b"/", **more: bytes) -> bytes:
    """Returns a header block without compression."""
    fields = {b":method": method, b":scheme": b"http", b":path": path, b":authority": b"a"}
    fields |= {name.replace("_", "-").encode(): value for name, value in more.items()}
    return b"".join(
        b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
        for name, value in fields.items()
    )


# What follows the preface: DATA 0, HEADERS 1, PRIORITY 2, RST_STREAM 3, SETTINGS 4, PING 6,
# GOAWAY 7, WINDOW_UPDATE 8, CONTINUATION 9, PRIORITY_UPDATE 16.
HTTP2 = {
    "get": frame(4, 0, 0) + frame(1, 5, 1, block(b"GET")) + frame(1, 5, 3, block(b"GET", b"/abc")),
    "post": frame(4, 0, 0)
    + frame(1, 4, 1, block(b"POST", b"/ab", content_length=b"5", te=b"trailers"))
    + frame(0, 0, 1, b"hel")
    + frame(0, 1, 1, b"lo"),
    "trailers": frame(4, 0, 0)
    + frame(1, 4, 1, block(b"POST", b"/ab", expect=b"100-continue"))
    + frame(0, 8, 1, b"\2abc\0\0")
    + frame(1, 5, 1, b"\0\1x\1y"),
    "windows": frame(4, 0, 0, b"\0\4\0\0\0\x0a")
    + frame(1, 5, 1, block(b"GET"))
    + frame(8, 0, 1, b"\0\0\x20\0")
    + frame(4, 0, 0, b"\0\4\0\1\0\0\0\1\0\0\0\0")
    + frame(8, 0, 0, b"\0\0\x20\0"),
    "resets": frame(4, 0, 0)
    + frame(1, 5, 1, block(b"GET"))
    + frame(3, 0, 1, b"\0\0\0\x08")
    + frame(1, 4, 3, block(b"POST", b"/a"))
    + frame(8, 0, 3, b"\x7f\xff\xff\xff"),
    "continuation": frame(4, 0, 0)
    + frame(1, 0x21, 1, b"\0\0\0\3\x10" + block(b"GET")[:20])
    + frame(9, 0, 1, block(b"GET")[20:30])
    + frame(9, 4, 1, block(b"GET")[30:]),
    "others": frame(4, 0, 0)
    + frame(4, 1, 0)
    + frame(6, 0, 0, b"pingping")
    + frame(2, 0, 5, b"\0\0\0\3\x10")
    + frame(16, 0, 0, b"\0\0\0\1u=1, i")
    + frame(99, 0, 0, b"what")
    + frame(1, 5, 1, block(b"GET", b"/", priority=b"u=5, i", cookie=b"a=b"))
    + frame(7, 0, 0, bytes(8)),
    "tunnel": frame(4, 0, 0)
    + frame(1, 4, 1, b"\0\x09:protocol\x09websocket" + block(b"CONNECT"))
    + frame(0, 0, 1, b"bytes"),
    "compressed": frame(4, 0, 0)
    + frame(1, 5, 1, bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff"))
    + frame(1, 5, 3, bytes.fromhex("828684be5886a8eb10649cbf")),
}


PART = "---b\r\nContent-Disposition: form-data; name="
# With the names that tests/fuzz/form_fuzz.cc asks for.
API_FORMS = {
    **FORMS,
    "texts": f"{PART}a\r\n\r\nx\r\n{PART}n\r\n\r\n-12\r\n{PART}l\r\n\r\n\r\n"
    f"{PART}l\r\n\r\ny\r\n---b--",
    "files": f"{PART}f; filename=1\r\nContent-Type: a/b\r\n\r\nxyz\r\n"
    f'{PART}g; filename=""\r\n\r\n\r\n'
    f"{PART}g; filename*=utf-8''%41\r\n\r\n\r\n-\r\n"
    f'{PART}f; filename="2"\r\n\r\n\r\n---b--\r\n',
    "wrong": f"{PART}a; filename=1\r\n\r\nx\r\n{PART}f\r\n\r\nx\r\n{PART}n\r\n\r\nx\r\n---b--",
}


def write(target: str, name: str, data: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


# The bits of the first byte are those of tests/fuzz/gateway_fuzz.cc.
GATEWAY = {
    "get": (
        0,
        "GET /bkt/a%20b%2B//../c?versionId=1&response-content-type=a%2Fb",
        "range: bytes=0-4",
    ),
    "virtual": (1, "PUT /a/%C3%BC?partNumber=1&uploadId=u", "content-length: 5"),
    "other": (2, "DELETE /bkt/bkt/real-name", "x-amz-mfa: 1"),
    "copy": (3, "PUT /bkt/k", "x-amz-copy-source: /src/a%2Fb%20c?versionId=v", "content-length: 0"),
    "bearer": (6, "POST /bkt?delete", "content-length: 7", "content-md5: 1B2M2Y8AsgTpgAmY7PhCfg=="),
    "trailer": (
        8,
        "PUT /bkt/k",
        "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-trailer: x-amz-checksum-crc32",
        "x-amz-decoded-content-length: 5",
        "content-encoding: aws-chunked, gzip",
        "transfer-encoding: chunked",
    ),
    "token": (
        17,
        "GET /bkt?list-type=2&prefix=a%2Fb&delimiter=/",
        "connection: close, x-b",
        "x-b: 1",
    ),
    "presigned": (
        32,
        "GET /bkt/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=CLIENTKEY%2F20270115%2Fr%2Fs3"
        "%2Faws4_request&X-Amz-Date=20270115T080000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=" + 64 * "0",
    ),
    "service": (0, "GET /", "user-agent: a", "expect: 100-continue"),
}


def main() -> None:
    for name, data in transcripts():
        write("h1_head", name, BYTE_BY_BYTE + b"\x00" + data)
        head, _, body = data.partition(b"\r\n\r\n")
        if b"chunked" in head and body:
            write("h1_body", name, BYTE_BY_BYTE + b"\x01" + body)
    for name, text in ROUTES.items():
        write("route", name, text.encode())
    write("h1_body", "length", WHOLE + b"\x14" + b"hello")
    for name, data in HTTP2.items():
        for ways in range(4):
            write("h2_session", f"{name}-{ways}", WHOLE + bytes([ways]) + data)
        write("h2_session", f"{name}-bytes", BYTE_BY_BYTE + b"\x02" + data)
    for name, (settings, line, *fields) in GATEWAY.items():
        lines = [f"{line} HTTP/1.1", "host: bkt.s3.gateway.test", *fields, "", ""]
        write("gateway", name, bytes([settings]) + "\r\n".join(lines).encode())
    for number, url in enumerate(URLS):
        write("url", str(number), url.encode())
    for number, query in enumerate(QUERIES):
        write("query", str(number), query.encode("latin-1"))
    for number, media_type in enumerate(MEDIA_TYPES):
        write("media_type", str(number), media_type.encode())
    for number, condition in enumerate(CONDITIONS):
        write("conditional", f"{number}-short", b"\x0a" + condition.encode())
        write("conditional", f"{number}-long", b"\xff" + condition.encode())
    for name, form in FORMS.items():
        write("multipart", name, BYTE_BY_BYTE + b"\0" + form.encode())
        write("multipart", f"{name}-limited", WHOLE + b"\1" + form.encode())
    for name, form in API_FORMS.items():
        write("form", name, BYTE_BY_BYTE + b"\0" + form.encode())
    for number, query in enumerate(QUERIES):
        write("form", f"urlencoded-{number}", BYTE_BY_BYTE + b"\1" + query.encode("latin-1"))
    for number, cookies in enumerate(COOKIES):
        write("cookies", str(number), cookies.encode())
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
