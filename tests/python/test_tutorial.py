"""docs/tutorial: its files do what the pages say, and its own tests pass."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "tutorial"
PAGES = sorted((ROOT / "docs" / "tutorial").glob("*.md"))


def _compact(text: str) -> str:
    return "".join(text.split())


def _shown(page: str, begins: str) -> str:
    """Returns the block of JSON of a page that begins so, without blanks."""
    text = next(path for path in PAGES if path.name.startswith(page)).read_text()
    blocks = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    return next(_compact(block) for block in blocks if _compact(block).startswith(begins))


def test_page_1(serve: Any) -> None:
    url = serve("first:app", app_dir=EXAMPLES).url
    assert httpx.get(f"{url}/things/7?verbose=yes").text in (ROOT / PAGES[0]).read_text()
    refused = httpx.get(f"{url}/things/seven")
    assert _compact(refused.text) == _shown("01", '{"type"')


def test_pages_2_and_3(serve: Any) -> None:
    with httpx.Client(base_url=serve("things:app", app_dir=EXAMPLES).url) as client:
        lamp = {"name": "lamp", "price": 12, "tags": ["light", "old"]}
        assert client.post("/things", json=lamp).json() == {**lamp, "price": 12.0, "id": 1}
        assert client.post("/things", json=lamp).status_code == 409
        wrong = client.post("/things", json={"name": "", "price": "12"})
        assert len(wrong.json()["errors"]) == 2
        assert len(client.get("/things?tag=light&tag=old").json()) == 1
        assert client.get("/things?tag=light&tag=new").json() == []
        assert _compact(client.get("/things/5").text) == _shown("03", '{"type"')
        assert client.delete("/things/1").status_code == 204
        assert client.delete("/things/1").json()["detail"] == "There is no thing 1."


def test_the_shop(serve: Any, tmp_path: Path) -> None:
    kept = {"SHOP": str(tmp_path / "shop.db"), "SHOP_PICTURES": str(tmp_path)}
    server = serve("shop.main:app", app_dir=EXAMPLES, env=kept)
    with httpx.Client(base_url=server.url, timeout=20) as client:
        thing = {"name": "lamp", "price": 12}
        assert client.post("/things", json=thing).status_code == 401
        with client.stream("GET", "/changes") as stream:
            lines = stream.iter_lines()
            key = {"x-api-key": "secret", "x-request-id": "mine"}
            made = httpx.post(f"{server.url}/things", json=thing, headers=key)
            assert (made.status_code, made.headers["x-request-id"]) == (201, "mine")
            assert [next(lines) for _ in range(2)] == ["event: added", "id: 1"]
        assert client.get("/numbers.csv?rows=3").text == "0,0\n1,1\n2,4\n"
        assert client.get("/health").text == "ok"


def test_its_own_tests_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLES / "shop"]
    path = os.pathsep.join([str(EXAMPLES), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": path},
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout)


def test_pages_lead_to_each_other() -> None:
    assert len(PAGES) == 10
    for page, following in itertools.pairwise(PAGES):
        assert f"({following.name})" in page.read_text()
        assert f"({page.name})" in following.read_text()
