"""Checks which folder may include which. Exits 1 and names each offending line.

The table is the architecture: changing it is a design decision, made in review. Run by ctest
(label `tidy`), by the pre-commit hook and by CI; takes well under a second.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPP = ROOT / "cpp" / "tercel"

# layer: (layers it may include, third-party headers it may include)
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "base": (set(), set()),
    "codec": ({"base"}, {"zlib.h", "brotli/", "zstd.h"}),
    "config": ({"base"}, {"toml++/"}),
    "net": ({"base"}, {"openssl/", "ares.h"}),
    "http": ({"base", "codec"}, {"nghttp2/"}),
    "edge": ({"base", "codec", "net", "http"}, {"hiredis/"}),
    "json": ({"base"}, {"simdjson.h"}),
    "schema": ({"base", "json"}, {"re2/"}),
    "route": ({"base"}, set()),
    "api": (
        {"base", "http", "edge", "json", "schema", "route"},
        {"openssl/evp.h", "openssl/hmac.h"},
    ),
    "server": ({"base", "config", "net", "http", "edge"}, set()),
    "s3": ({"base", "http"}, {"openssl/md5.h", "openssl/sha.h"}),
    "proxy": ({"base", "net", "http"}, set()),
    "gateway": ({"base", "config", "net", "http", "edge", "json", "s3", "proxy"}, set()),
}
SOCKET_HEADERS = {"sys/socket.h", "sys/epoll.h", "netinet/in.h", "netinet/tcp.h", "sys/event.h"}
THIRD_PARTY = re.compile(
    r"(openssl|nghttp2|brotli|hiredis|re2|toml\+\+)/|(ares|zlib|zstd|simdjson)\.h$"
)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
BANNED = {
    r"\bthrow\b": "return a Result; only python/ may throw",
    r"\bstd::(cout|cerr|clog)\b|\b(printf|fprintf|puts)\(": "log through base/log.h",
    # exit() takes an argument and abort() none; a member named abort takes one.
    r"(\bstd::|::|(?<![.>:\w]))(exit\(|abort\(\))": "a library does not end its host",
    r"\bshared_ptr\b": "name one owner; see the style page, Ownership",
    r"\b(strto\w+|ato[ilf]\w*|sscanf)\(": "read numbers with base/parse_number.h",
    r"\bgetenv\(": "settings come from one Config, passed down",
}

# The one file that may: a broken invariant ends a debug build.
ENDS_ITS_HOST = CPP / "base" / "assert.cc"


def problems(layer: str, path: Path) -> list[str]:
    """Returns one message per forbidden include or banned word in `path`."""
    layers, third_party = ALLOWED[layer]
    found = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        where = f"{path.relative_to(ROOT)}:{number}"
        if match := INCLUDE.match(line):
            header = match[1]
            if header == "Python.h" or header.startswith("nanobind/"):
                found.append(f"{where}: {header} belongs in python/ only")
            elif header in SOCKET_HEADERS and layer != "net":
                found.append(f"{where}: {header} belongs in net only")
            elif header.startswith("tercel/"):
                other = header.split("/")[1]
                if other != layer and other not in layers:
                    found.append(f"{where}: {layer} may not include {other}")
            elif THIRD_PARTY.match(header) and not header.startswith(tuple(third_party)):
                found.append(f"{where}: {layer} may not include {header}")
        code = line.split("//")[0]
        found += [
            f"{where}: {why}"
            for word, why in BANNED.items()
            if re.search(word, code) and not (path == ENDS_ITS_HOST and "abort" in word)
        ]
    return found


def main() -> int:
    unknown = [d.name for d in CPP.iterdir() if d.is_dir() and d.name not in ALLOWED]
    found = [f"cpp/tercel/{name}: not in the table" for name in unknown]
    for layer in ALLOWED:
        for path in sorted((CPP / layer).glob("**/*.[hc]*")):
            found += problems(layer, path)
    print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
