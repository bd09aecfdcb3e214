"""anyio's own test suite on tercel's event loop, in both forms.

The suite is not in anyio's wheel: the source of the installed version is taken from PyPI, with what
its tests need. Some tests fail on any loop where there is no IPv6 or no network, so the suite runs
on asyncio's loop first, and tercel's may fail in nothing else.
"""

import importlib.metadata
import os
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path

import pytest

NEEDED = ["trustme", "pytest-mock", "psutil", "hypothesis", "truststore"]
# Start pytest inside pytest, or interpreters, without the plugin: they say nothing about the loop.
LEFT_OUT = ["--ignore=tests/test_pytest_plugin.py", "--ignore=tests/test_to_interpreter.py"]


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        pytest.skip(f"pip cannot get the suite: {done.stderr[-300:]}")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The unpacked source of anyio, and a folder with the packages that its tests need."""
    folder = tmp_path_factory.mktemp("anyio")
    needed = folder / "needed"
    version = importlib.metadata.version("anyio")
    pip("download", f"--dest={folder}", "--no-deps", "--no-binary=anyio", f"anyio=={version}")
    pip("install", f"--target={needed}", "--no-deps", *NEEDED, "sortedcontainers")
    pip("install", f"--target={needed}", "cryptography", "idna")
    [archive] = folder.glob("anyio-*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz"), needed


@cache
def failures(loop: str, source: Path, needed: Path, *only: str) -> frozenset[str]:
    """The ids of the tests that fail on `loop`, of all or of those given."""
    path = [str(Path(__file__).parent), *sys.path, str(needed)]
    # A test that fails for want of IPv6 leaves sockets open; what the collector says of them later
    # must not be charged to the test that runs then.
    options = ["-q", "-rfE", "--tb=no", "-panyio_on_tercel"]
    options += ["-pno:cacheprovider", "-pno:unraisableexception"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *LEFT_OUT, *(only or ["tests"])],
        cwd=source,
        env={**os.environ, "TERCEL_TEST_LOOP": loop, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    lines = done.stdout.splitlines()
    assert only or " passed" in lines[-1], done.stdout[-5000:] + done.stderr[-5000:]
    return frozenset(line.split()[1] for line in lines if line.startswith(("FAILED ", "ERROR ")))


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("form", ["fast", "fallback"])
def test_anyios_own_tests_pass_where_they_pass_on_asyncio(form: str, suite: tuple[Path, Path]):
    failed = failures(form, *suite) - failures("asyncio", *suite)
    # Some count the threads of the process, or milliseconds, and fail anywhere on a busy machine.
    if failed:
        failed = failures(form, *suite, *sorted(failed))
    assert failed == set()
