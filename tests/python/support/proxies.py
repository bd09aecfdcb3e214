"""nginx and HAProxy, run with the files of examples/deploy.

with Nginx(folder, authority, ["/tmp/app.sock"]) as proxy:
    RawClient(proxy.plain)

A file is used as it is but for what must differ here: each such text is named below, has to stand
in the file exactly once, and is replaced.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from support.closing import Closing
from support.http1 import Address
from support.processes import environment_of_others
from support.tls import Authority

DEPLOY = Path(__file__).resolve().parents[3] / "examples" / "deploy"
_READY_S = 10.0


def adapted(name: str, replacements: dict[str, str]) -> str:
    """Returns the text of a file of examples/deploy with `replacements` made."""
    text = (DEPLOY / name).read_text()
    for old, new in replacements.items():
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    return text


class Proxy(Closing):
    """A proxy on ports of 127.0.0.1 that were free.

    Args:
        folder: for its files.
        authority: issues its certificate, for localhost.
        sockets: paths of the Unix sockets it finds the application at.

    Attributes:
        tls: the address of its port 443.
        plain: serves the same without TLS, which the file does not: not every client here has it.
        redirect: the address of its port 80.
    """

    program = ""
    servers = 1

    def __init__(self, folder: Path, authority: Authority, sockets: list[str]) -> None:
        found = shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin")
        if found is None:
            pytest.skip(f"{self.program} is not installed: tools/deps.sh --test installs it")
        self._output = folder / "output"
        # Bound but not listening: nobody else is given these ports, and the proxy may have them.
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(_hold()) for _ in range(3)]
            self.tls, self.plain, self.redirect = (("127.0.0.1", port) for port in _ports(held))
            files = authority.issue("localhost", file=self.program)
            command = self.command(found, folder, files, sockets)
            with self._output.open("wb") as output:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment_of_others(),
                    start_new_session=True,
                )
            try:
                for address in (self.tls, self.plain, self.redirect):
                    self._await_listening(address)
            except BaseException:
                self.close()
                raise

    def command(
        self, program: str, folder: Path, certificate: tuple[str, str], sockets: list[str]
    ) -> list[str]:
        """Writes the file, and returns the command that runs the proxy in the foreground."""
        raise NotImplementedError

    def _await_listening(self, address: Address) -> None:
        end = time.monotonic() + _READY_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(address) == 0:
                    return
            over = self._process.poll() is not None or time.monotonic() > end
            assert not over, f"{self.program} does not listen:\n{self._output.read_text()}"
            time.sleep(0.02)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Nginx(Proxy):
    program = "nginx"

    def command(
        self, program: str, folder: Path, certificate: tuple[str, str], sockets: list[str]
    ) -> list[str]:
        file = folder / "nginx.conf"
        file.write_text(
            adapted(
                "nginx.conf",
                {
                    "user www-data;": f"user {_user()};",
                    "/run/nginx.pid": f"{folder}/nginx.pid",
                    "/var/log/nginx/error.log": f"{folder}/error.log",
                    "unix:/run/app.sock": f"unix:{sockets[0]}",
                    "listen 80 default_server": f"listen 127.0.0.1:{self.redirect[1]}",
                    "        listen [::]:80 default_server;\n": "",
                    "listen 443 ssl": f"listen 127.0.0.1:{self.tls[1]} ssl",
                    "listen [::]:443 ssl http2": f"listen 127.0.0.1:{self.plain[1]}",
                    "/etc/ssl/app/fullchain.pem": certificate[0],
                    "/etc/ssl/app/key.pem": certificate[1],
                },
            )
        )
        return [program, "-p", str(folder), "-e", "stderr", "-c", str(file), "-g", "daemon off;"]


class HaProxy(Proxy):
    program = "haproxy"
    servers = 2

    def command(
        self, program: str, folder: Path, certificate: tuple[str, str], sockets: list[str]
    ) -> list[str]:
        bundle = folder / "haproxy.pem"
        bundle.write_bytes(b"".join(Path(path).read_bytes() for path in certificate))
        group = grp.getgrgid(os.getgid()).gr_name
        file = folder / "haproxy.cfg"
        file.write_text(
            adapted(
                "haproxy.cfg",
                {
                    # Twice as many files, which its master may not have here.
                    "maxconn 16384": "maxconn 400",
                    "user haproxy": f"user {_user()}",
                    "group haproxy": f"group {group}",
                    "unix@/run/app-1.sock": f"unix@{sockets[0]}",
                    "unix@/run/app-2.sock": f"unix@{sockets[1]}",
                    "bind :::80 v4v6": f"bind 127.0.0.1:{self.redirect[1]}",
                    "bind :::443 v4v6": (
                        f"bind 127.0.0.1:{self.plain[1]}\n    bind 127.0.0.1:{self.tls[1]}"
                    ),
                    "/etc/ssl/app/haproxy.pem": str(bundle),
                },
            )
        )
        return [program, "-db", "-f", str(file)]


def _hold() -> socket.socket:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def _ports(held: list[socket.socket]) -> list[int]:
    return [one.getsockname()[1] for one in held]


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name
