"""Inserts code of `examples/` and results of `bench/` into the Markdown files.

So no document shows code that nobody ran, or a number that nobody measured.

A line `<!-- code: PATH -->` or `<!-- code: PATH#REGION -->` stands before a fenced block, and the
block is replaced by that file or region. A region is what stands between the lines `[REGION]` and
`[/REGION]` in a comment of the file, without its common indentation. In README.md and docs/guide/
every block of Python must have such a line.

What stands between the lines `<!-- numbers: bench/results/NAME.json#PART -->` and
`<!-- /numbers -->` is replaced by that part of `bench/report.py`'s report of the result.

Links between files of the repository have to lead somewhere, and the files that the first comment
of a header or the docstring of a test names have to exist.

    tools/sync_docs.py            rewrites the files that differ
    tools/sync_docs.py --check    changes nothing; exits 1 and names what differs
"""

import argparse
import ast
import json
import re
import sys
import textwrap
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))

import report  # noqa: E402

MARKED_BLOCK = re.compile(
    r"(?P<marker><!-- code: (?P<path>[\w./-]+)(?:#(?P<region>[\w-]+))? -->\n)"
    r"(?P<open>```[\w+-]*\n)(?P<code>.*?)(?P<close>^```$)",
    re.MULTILINE | re.DOTALL,
)
MARKED_NUMBERS = re.compile(
    r"(?P<marker><!-- numbers: (?P<path>[\w./-]+)#(?P<part>\w+) -->\n)"
    r".*?(?P<close>^<!-- /numbers -->$)",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
# A file by its name or the end of its path, perhaps with a * in it. Those of CPython are not here.
NAMED_FILE = re.compile(r"(?<![\w/])(?!asyncio/)[\w.*/-]*\w\.(?:cc|h|md|py|txt)\b")
PYTHON_BLOCK = re.compile(r"^```python\n", re.MULTILINE)


class DocumentError(Exception):
    """A marker names something that is not there. The text says what and where."""


def region_of(path: str, region: str | None) -> str:
    """Returns the code that a marker names, ending with a newline.

    Raises:
        DocumentError: there is no such file, or no such region in it.
    """
    file = ROOT / path
    if not path.startswith("examples/") or not file.is_file():
        raise DocumentError(f"{path} is not a file in examples/")
    text = file.read_text()
    if region is None:
        return text
    found = re.search(
        rf"^[^\n]*\[{re.escape(region)}\][^\n]*\n(.*?)^[^\n]*\[/{re.escape(region)}\]",
        text,
        re.MULTILINE | re.DOTALL,
    )
    if found is None:
        raise DocumentError(f"{path} has no region [{region}] ... [/{region}]")
    return textwrap.dedent(found[1]).strip("\n") + "\n"


def numbers_of(path: str, part: str) -> str:
    """Returns a part of the report of a result, ending with a newline.

    Raises:
        DocumentError: there is no such result, or no such part.
    """
    file = ROOT / path
    if not path.startswith("bench/results/") or not file.is_file():
        raise DocumentError(f"{path} is not a file in bench/results/")
    if part not in report.PARTS:
        raise DocumentError(f"a report has no part {part}, only {', '.join(report.PARTS)}")
    return report.PARTS[part](json.loads(file.read_text())) + "\n"


def synced(text: str) -> str:
    """Returns `text` with every marked block replaced by what its marker names."""

    def insert_code(block: re.Match[str]) -> str:
        code = region_of(block["path"], block["region"])
        return block["marker"] + block["open"] + code + block["close"]

    def insert_numbers(block: re.Match[str]) -> str:
        return block["marker"] + numbers_of(block["path"], block["part"]) + block["close"]

    return MARKED_NUMBERS.sub(insert_numbers, MARKED_BLOCK.sub(insert_code, text))


def unmarked_blocks(text: str) -> list[int]:
    """Returns the line numbers of Python blocks that no marker stands before."""
    marked = {block.start("open") for block in MARKED_BLOCK.finditer(text)}
    return [
        text.count("\n", 0, block.start()) + 1
        for block in PYTHON_BLOCK.finditer(text)
        if block.start() not in marked
    ]


def dead_links(document: Path, text: str) -> list[str]:
    """Returns the relative links of `text` that name nothing in the repository."""
    return [link for link in LINK.findall(text) if not (document.parent / link).exists()]


def first_comment(source: str) -> str:
    """Returns the comment that a C++ file begins with."""
    found = re.match(r"(//.*\n)*", source)
    return found[0] if found else ""


def missing_files() -> list[str]:
    """Returns a sentence for each name of a file that stands in a header or test and is none."""
    folders = ("bench", "cpp", "docs", "examples", "python", "src", "tests", "tools")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.*")]
    paths = [f"/{file.relative_to(ROOT).as_posix()}" for file in [*files, *ROOT.glob("*.*")]]
    names = {path.rpartition("/")[2] for path in paths}

    def exists(name: str) -> bool:
        return name in names or any(fnmatch(path, f"*/{name}") for path in paths)

    def described() -> list[tuple[Path, str]]:
        headers = [file for file in files if file.suffix == ".h"]
        tests = sorted((ROOT / "tests").rglob("*.py"))
        return [
            *[(file, first_comment(file.read_text())) for file in sorted(headers)],
            *[(file, ast.get_docstring(ast.parse(file.read_text())) or "") for file in tests],
        ]

    return [
        f"{file.relative_to(ROOT).as_posix()}: names {name}, which does not exist"
        for file, text in described()
        for name in NAMED_FILE.findall(text)
        if not exists(name)
    ]


def documents() -> list[Path]:
    """Returns the Markdown files of the repository: at its top and in its folders of documents."""
    found = [*ROOT.glob("*.md")]
    for folder in ("docs", "examples", "tests", "bench"):
        found += (ROOT / folder).rglob("*.md")
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(description="Inserts code and numbers into the documents.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing, exit 1 on differences"
    )
    check = parser.parse_args().check

    problems = []
    for document in documents():
        name = document.relative_to(ROOT).as_posix()
        text = document.read_text()
        if name == "README.md" or name.startswith("docs/guide/"):
            problems += [
                f"{name}:{line}: a block of Python without <!-- code: examples/... -->"
                for line in unmarked_blocks(text)
            ]
        problems += [f"{name}: dead link to {link}" for link in dead_links(document, text)]
        try:
            wanted = synced(text)
        except DocumentError as error:
            problems.append(f"{name}: {error}")
            continue
        if wanted == text:
            continue
        if check:
            problems.append(f'{name}: code or numbers differ; run "make fmt"')
        else:
            document.write_text(wanted)
            print(f"updated {name}")
    problems += missing_files()
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
