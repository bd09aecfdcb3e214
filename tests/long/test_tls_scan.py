"""testssl.sh looks for everything that is known to be wrong with a TLS server.

Source: testssl(1). What it says of the certificate is about the tests' own authority.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from support.server import ServerProcess
from support.tls import Authority

# About the certificate, about responses, which are the application's, and about the machine.
NOT_OURS = (
    "cert",
    "DNS_",
    "HSTS",
    "HPKP",
    "security_headers",
    "banner_",
    "cookie",
    "engine_problem",
)

pytestmark = [
    pytest.mark.skipif(shutil.which("testssl") is None, reason="testssl.sh is not installed"),
    pytest.mark.timeout(600),
]


def test_testssl_finds_nothing(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue("localhost", "127.0.0.1", file="localhost")
    report = tmp_path / "report.json"
    with ServerProcess(
        "echo:app", ssl_certfile=certificate, ssl_keyfile=key, access_log=False
    ) as server:
        done = subprocess.run(
            [
                *["testssl", "--quiet", "--color", "0", "--warnings", "off"],
                *["--jsonfile", str(report), f"127.0.0.1:{server.port}"],
            ],
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
    findings = {each["id"]: each for each in json.loads(report.read_text())}
    assert len(findings) > 100, done.stdout[-2000:]
    wrong = [
        f"{name}: {each['severity']}, {each['finding']}"
        for name, each in findings.items()
        if each["severity"] not in ("OK", "INFO") and not name.startswith(NOT_OURS)
    ]
    assert wrong == []
    assert findings["TLS1_2"]["finding"] == "offered"
    assert findings["TLS1_3"]["severity"] == "OK"
    for old in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"):
        assert findings[old]["finding"].startswith("not offered")
    assert findings["secure_client_renego"]["severity"] == "OK"
