"""Runs `versitygw test full-flow` against versitygw, and against a gateway of tercel before it.

    python tools/s3_full_flow.py [--out RESULT.json] [--work FOLDER] [--only direct|through]

versitygw has a client of its own that tests S3 servers: some 700 tests of every operation. What
differs between the two runs has to be in a table of docs/internals/s3-full-flow.md, which says why,
and what is in the first has to differ: else this exits with 1. A test of authentication must not
differ, whatever the page says. Exits with 77 where there is no versitygw.

The gateway has the users of versitygw, with their secrets, and signs for each with their own key.
What creates them is no S3, and goes to versitygw itself. REQUIRES: make build; boto3 is not needed.
Called by tools/conformance.sh.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))

import tercel.s3  # noqa: E402
from support.server import ServerThread  # noqa: E402
from support.versitygw import Versity, find_versitygw, versitygw  # noqa: E402

PAGE = ROOT / "docs" / "internals" / "s3-full-flow.md"
SKIPPED = 77
RUN_S = 1800
# Groups of tests that are about whose request it is: these may not differ.
AUTHENTICATION = ("Authentication_", "PresignedAuth_")

_VERDICT = re.compile(r"^(PASS|FAIL|SKIP) +(\w+)(?:: (.*))?$")
_COLOUR = re.compile(r"\x1b\[\d+m")

Verdicts = dict[str, dict[str, str]]


def environment() -> dict[str, str]:
    """Without what tells the AWS SDK of the client to use other settings, or makes it give up."""
    return {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}


def run(program: str, work: Path, server: Versity, url: str) -> Verdicts:
    """Runs all tests against `url`; what is done with `versitygw admin` goes to `server`."""
    work.mkdir()
    # The client runs ./versitygw to make users, with the address that it tests.
    words = f'[ "$word" = {url} ] && word={server.url}'
    admin = work / "versitygw"
    admin.write_text(
        f'#!/bin/sh\nfor word do shift; {words}; set -- "$@" "$word"; done\n'
        f'exec {shlex.quote(program)} "$@"\n'
    )
    admin.chmod(0o755)
    command = [program, "test", "-a", server.access_key, "-s", server.secret, "-e", url]
    with (work / "output.txt").open("wb") as output:
        status = subprocess.run(
            [*command, "full-flow"],
            cwd=work,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=RUN_S,
            check=False,
        ).returncode
    verdicts: Verdicts = {}
    for line in (work / "output.txt").read_text(errors="replace").splitlines():
        if found := _VERDICT.match(_COLOUR.sub("", line).strip()):
            verdicts[found[2]] = {"verdict": found[1], **({"why": found[3]} if found[3] else {})}
    if not verdicts or status not in (0, 1):
        raise SystemExit(f"the client ended with status {status}: see {work / 'output.txt'}")
    return verdicts


@contextlib.contextmanager
def gateway(server: Versity, users: Path) -> Iterator[str]:
    """Serves a gateway in front of `server`, whose users are in the file `users`."""

    def secret_for(access_key: str) -> str | None:
        if access_key == server.access_key:
            return server.secret
        accounts = json.loads(users.read_text())["accessAccounts"]
        return str(accounts[access_key]["secret"]) if access_key in accounts else None

    def credentials(_bucket: str, identity: str) -> tercel.s3.Hmac:
        return tercel.s3.Hmac(identity, secret_for(identity) or "")

    front = tercel.s3.Gateway(
        {"*": tercel.s3.Backend(server.url)},
        secret_for=secret_for,
        authorize=lambda _request: True,
        credentials=credentials,
        region=server.region,
    )
    with ServerThread(front, io_threads=2, limit_request_body=0, access_log=False) as serving:
        yield f"http://127.0.0.1:{serving.address[1]}"


def differences(direct: Verdicts, through: Verdicts) -> list[str]:
    """Returns the names of tests that ended differently."""
    return sorted(
        name
        for name in direct.keys() | through.keys()
        if direct.get(name, {}).get("verdict") != through.get(name, {}).get("verdict")
    )


def explained() -> tuple[list[str], list[str]]:
    """Returns the names, or patterns, of what the page says differs always, and now and then."""
    always, _, sometimes = PAGE.read_text().partition("## What differs now and then")
    return _names(always), _names(sometimes)


def _names(part: str) -> list[str]:
    rows = re.findall(r"^\| (`.*?`) \|", part, re.MULTILINE)
    return re.findall(r"`([\w*]+)`", "\n".join(rows))


def judge(direct: Verdicts, through: Verdicts) -> list[str]:
    """Returns what is wrong with the two runs, in sentences."""
    found = differences(direct, through)
    always, sometimes = explained()
    wrong = [f"{name}: is about authentication, and differs" for name in found if _must_not(name)]
    for name in found:
        if any(fnmatchcase(name, one) for one in (*always, *sometimes)):
            continue
        one, other = (runs.get(name, {"verdict": "nothing"}) for runs in (direct, through))
        wrong.append(
            f"{name}: {one['verdict']} directly, {other['verdict']} through the gateway, and the "
            f"page does not say why: {one.get('why', '')} / {other.get('why', '')}"[:1000]
        )
    for name in always:
        if not any(fnmatchcase(one, name) for one in found):
            wrong.append(f"{name}: differs no more: take it out of the page")
    return wrong


def _must_not(name: str) -> bool:
    return name.startswith(AUTHENTICATION)


def version_of(program: str) -> str:
    """Returns the version of the module that Go built `program` from."""
    found = re.search(rb"mod\tgithub\.com/versity/versitygw\t(\S+)\t", Path(program).read_bytes())
    return found[1].decode() if found else "unknown"


def result(program: str, runs: Mapping[str, Verdicts]) -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "what": "versitygw test full-flow, directly and through the gateway",
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "command": " ".join(sys.argv),
        "versitygw": version_of(program),
        "machine": f"{platform.platform()}, {os.cpu_count()} processors",
        "python": platform.python_version(),
        "counts": {
            name: {
                verdict: sum(one["verdict"] == verdict for one in verdicts.values())
                for verdict in ("PASS", "FAIL", "SKIP")
            }
            for name, verdicts in runs.items()
        },
        "runs": runs,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="where the raw result is kept")
    parser.add_argument("--work", type=Path, help="where the output of the client is left")
    parser.add_argument("--only", choices=["direct", "through"], help="one run, not judged")
    arguments = parser.parse_args()
    program = find_versitygw()
    if program is None:
        print(
            "s3: skipped: versitygw is not installed: tools/deps.sh --test installs it where Go is"
        )
        return SKIPPED
    runs: dict[str, Verdicts] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("direct", "through"):
            if arguments.only not in (None, name):
                continue
            here = Path(folder) / name
            here.mkdir()
            users = here / "iam"
            users.mkdir()
            with versitygw(here, "--iam-dir", str(users), "--iam-cache-ttl", "1") as server:
                way = gateway(server, users / "users.json")
                with way if name == "through" else contextlib.nullcontext(server.url) as url:
                    runs[name] = run(program, here / "client", server, url)
            if arguments.work is not None:
                arguments.work.mkdir(parents=True, exist_ok=True)
                shutil.copy(here / "client" / "output.txt", arguments.work / f"s3-{name}.txt")
    found = result(program, runs)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    for name, counts in found["counts"].items():
        print(
            f"s3: {name}: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        )
    if arguments.only is not None:
        return 0
    wrong = judge(runs["direct"], runs["through"])
    print(f"s3: {len(differences(runs['direct'], runs['through']))} tests differ")
    for sentence in wrong:
        print(f"s3: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
