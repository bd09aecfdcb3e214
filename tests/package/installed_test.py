"""Installs what was built, and uses it as a program of somebody else would.

Run by ctest, as `installed`: examples/cpp is configured and built out of tree against an empty
prefix, and its programs are started, asked and ended. Of Python's standard library alone, as the
build needs no more. Reads from the environment what the build was made with: CMAKE, BUILD,
CXX, CXXFLAGS, BUILD_TYPE, NM.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import unittest
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "cpp"
LAYERS = {
    "api",
    "base",
    "codec",
    "config",
    "edge",
    "http",
    "json",
    "net",
    "proxy",
    "route",
    "s3",
    "schema",
    "server",
}
# As nm(1) prints what an object has or wants: the names of CPython's C API.
PYTHON_SYMBOL = re.compile(r"\b[A-Za-z] (_?Py[A-Z_]\w*)$", re.MULTILINE)
PATIENCE_S = 10


def run(*command: str | Path) -> str:
    """Returns what `command` prints.

    Raises:
        AssertionError: it failed. The text is what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    if done.returncode != 0:
        raise AssertionError(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


class InstalledTest(unittest.TestCase):
    """One prefix and one build of the examples for all."""

    folder: Path
    prefix: Path
    examples: Path

    @classmethod
    def setUpClass(cls) -> None:
        # The same folder each time, so that ccache knows the examples.
        cls.folder = Path(os.environ["BUILD"]) / "installed"
        shutil.rmtree(cls.folder, ignore_errors=True)
        cls.prefix, cls.examples = cls.folder / "prefix", cls.folder / "examples"
        cmake, env = os.environ["CMAKE"], os.environ
        run(
            *(cmake, "--install", env["BUILD"], "--component", "development"),
            *("--prefix", cls.prefix),
        )
        run(
            *(cmake, "-S", EXAMPLES, "-B", cls.examples, "-G", "Ninja"),
            f"-DCMAKE_PREFIX_PATH={cls.prefix}",
            f"-DCMAKE_CXX_COMPILER={env['CXX']}",
            f"-DCMAKE_CXX_FLAGS={env['CXXFLAGS']}",
            f"-DCMAKE_BUILD_TYPE={env['BUILD_TYPE']}",
        )
        run(cmake, "--build", cls.examples)

    # --- what is installed

    def libraries(self) -> dict[str, Path]:
        found = self.prefix.rglob("libtercel_*.a")
        return {file.stem.removeprefix("libtercel_"): file for file in found}

    def test_every_layer_has_its_library_and_its_headers(self) -> None:
        assert self.libraries().keys() >= LAYERS
        for layer in self.libraries():
            headers = list((self.prefix / "include" / "tercel" / layer).glob("*.h"))
            assert headers, layer

    def test_nothing_else_is_installed(self) -> None:
        files = [file for file in self.prefix.rglob("*") if file.is_file()]
        assert {file.suffix for file in files} == {".a", ".h", ".cmake"}
        folders = {file.name for file in (self.prefix / "include").rglob("*") if file.is_dir()}
        assert folders == {"tercel"} | self.libraries().keys()

    def test_no_library_and_no_program_has_a_symbol_of_python(self) -> None:
        programs = [self.examples / f"example_{name}" for name in ("hello", "things", "forward")]
        for file in [*self.libraries().values(), *programs]:
            symbols = run(os.environ["NM"], file)
            # It is nm's output, of code of ours.
            assert "N6tercel" in symbols, file.name
            assert PYTHON_SYMBOL.findall(symbols) == [], file.name

    # --- what can be built with it

    @contextmanager
    def running(self, name: str, *arguments: str | Path) -> Iterator[tuple[str, int]]:
        """Starts a program, yields the host and port that it tells, and ends it."""
        command = [self.examples / f"example_{name}", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                host, _, port = process.stdout.readline().strip().rpartition(":")
                yield host.partition("://")[2], int(port)
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_S) == 0
            finally:
                process.kill()

    def test_things(self) -> None:
        with (
            self.running("things", "127.0.0.1:0") as address,
            closing(http.client.HTTPConnection(*address, timeout=PATIENCE_S)) as client,
        ):

            def ask(method: str, path: str, body: str | None = None) -> http.client.HTTPResponse:
                client.request(method, path, body)
                return client.getresponse()

            made = ask("POST", "/things", '{"name": "lamp", "price": 12.5}')
            assert (made.status, made.headers["location"]) == (201, "/things/1")
            lamp = {"id": 1, "name": "lamp", "price": 12.5}
            assert json.load(made) == lamp
            assert json.load(ask("GET", "/things/1")) == lamp
            ask("POST", "/things", '{"name": "chair", "price": 30}').read()
            assert len(json.load(ask("GET", "/things"))) == 2
            assert json.load(ask("GET", "/things?limit=1")) == [lamp]

            for status, method, path, body in (
                (404, "GET", "/things/3", None),
                (404, "GET", "/things/99999999999999999999", None),
                (405, "PUT", "/things/1", None),
                (400, "POST", "/things", "{"),
                (422, "POST", "/things", '{"name": "", "price": 1}'),
                (422, "POST", "/things", '{"name": "x", "price": "1"}'),
                (422, "POST", "/things", "[]"),
                (422, "GET", "/things?limit=x", None),
            ):
                with self.subTest(method=method, path=path, body=body):
                    answer = ask(method, path, body)
                    assert answer.status == status
                    assert answer.headers["content-type"] == "application/problem+json"
                    assert json.load(answer)["status"] == status

    def test_forward(self) -> None:
        with (
            self.running("things", "127.0.0.1:0") as (_, port),
            self.running("forward", "127.0.0.1:0", "localhost", str(port)) as address,
            closing(http.client.HTTPConnection(*address, timeout=PATIENCE_S)) as client,
        ):
            for number in range(1, 4):
                client.request("POST", "/things", json.dumps({"name": "lamp", "price": number}))
                made = client.getresponse()
                assert (made.status, made.headers["via"]) == (201, "1.1 tercel")
                assert json.load(made)["id"] == number
            client.request("POST", "/things", "{")
            assert client.getresponse().read().startswith(b"{")

    def test_forward_to_nobody(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        with (
            self.running("forward", "127.0.0.1:0", "127.0.0.1", str(port)) as address,
            closing(http.client.HTTPConnection(*address, timeout=PATIENCE_S)) as client,
        ):
            client.request("GET", "/")
            assert client.getresponse().status == 502

    def test_an_address_in_use_is_told(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            program = self.examples / "example_things"
            done = subprocess.run(
                [program, f"127.0.0.1:{taken.getsockname()[1]}"],
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
            )
        assert done.returncode == 1
        assert re.search(r"^things: Cannot listen on .* another process listens there", done.stderr)

    @unittest.skipUnless(shutil.which("openssl"), "there is no openssl to make a certificate with")
    def test_hello_over_tls(self) -> None:
        certificate = self.folder / "certificate.pem"
        key = self.folder / "key.pem"
        run(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        )
        context = ssl.create_default_context(cafile=str(certificate))
        with self.running("hello", "0", certificate, key) as address:
            client = http.client.HTTPSConnection(*address, timeout=PATIENCE_S, context=context)
            with closing(client):
                client.request("GET", "/")
                assert json.load(client.getresponse()) == {"message": "Hello"}
            context.set_alpn_protocols(["h2", "http/1.1"])
            with (
                socket.create_connection(address, PATIENCE_S) as plain,
                context.wrap_socket(plain, server_hostname=address[0]) as secure,
            ):
                assert secure.selected_alpn_protocol() == "h2"


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
