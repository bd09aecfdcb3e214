"""The library of shaky.c, which makes system calls of a server fail."""

import subprocess
from pathlib import Path


def compile_shaky(folder: Path) -> Path:
    """Compiles it into `folder`, and returns what to put into $LD_PRELOAD."""
    library = folder / "shaky.so"
    source = Path(__file__).parent / "shaky.c"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"],
        check=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin"},
    )
    return library
