"""What the numbers were measured on, and who else was using it meanwhile."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _run(*command: str) -> str:
    """Returns what `command` prints, or an empty string when it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    return (done.stdout + done.stderr).strip()


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _governor() -> str:
    path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return path.read_text().strip() if path.exists() else "not visible (virtual machine)"


def describe() -> dict[str, str | int]:
    """Returns kernel, processor, cores, memory (MiB), governor and distribution."""
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    release = platform.freedesktop_os_release()
    return {
        "kernel": platform.release(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "memory_mib": memory_kib // 1024,
        "governor": _governor(),
        "distribution": release.get("PRETTY_NAME", "unknown"),
    }


def commit(repository: Path) -> str:
    """Returns the commit of `repository`, with `+changes` when files differ from it."""
    head = _run("git", "-C", str(repository), "rev-parse", "HEAD") or "unknown"
    changed = _run("git", "-C", str(repository), "status", "--porcelain", "--untracked-files=no")
    return f"{head}+changes" if changed else head


_PYTHON_VERSIONS = """
import importlib.metadata as m, json, platform, sys, sysconfig
found = {}
for name in sys.argv[1:]:
    try: found[name] = m.version(name)
    except m.PackageNotFoundError: pass
flags = sysconfig.get_config_var("CONFIG_ARGS") or ""
found["python"] = platform.python_version()
found["python-compiler"] = platform.python_compiler()
found["python-pgo"] = str("--enable-optimizations" in flags)
print(json.dumps(found))
"""


def versions(python: str) -> dict[str, str]:
    """Returns the versions of `python`, of the packages it can import, and of the tools."""
    import json

    packages = (
        "tercel uvicorn uvloop httptools granian hypercorn saltare "
        "fastapi starlette pydantic h11 h2 wsproto websockets anyio "
        "spikard robyn litestar blacksheep falcon msgspec orjson"
    )
    found: dict[str, str] = json.loads(_run(python, "-c", _PYTHON_VERSIONS, *packages.split()))
    found["nginx"] = _run("nginx", "-v").rpartition("/")[2]
    found["h2o"] = _run("h2o", "-v").partition("\n")[0].removeprefix("h2o version ")
    found["wrk"] = _run("wrk", "-v").partition("\n")[0].partition(" [")[0].removeprefix("wrk ")
    found["curl"] = _run("curl", "--version").partition(" (")[0].removeprefix("curl ")
    found["nghttpd"] = _run("nghttpd", "--version").rpartition("/")[2]
    found["openssl"] = _run("openssl", "version").split(" ")[1]
    found["valgrind"] = _run("valgrind", "--version").removeprefix("valgrind-")
    return found


@dataclass(frozen=True)
class CoreTimes:
    """Busy and stolen time of each core since boot, in seconds (/proc/stat, 10 ms ticks)."""

    busy: tuple[float, ...]
    stolen: tuple[float, ...]

    @staticmethod
    def now() -> CoreTimes:
        """Reads /proc/stat."""
        busy, stolen = [], []
        for line in Path("/proc/stat").read_text().splitlines():
            if line.startswith("cpu") and line[3].isdigit():
                user, nice, system, _, _, irq, softirq, steal = map(int, line.split()[1:9])
                busy.append((user + nice + system + irq + softirq) / _TICKS_PER_S)
                stolen.append(steal / _TICKS_PER_S)
        return CoreTimes(tuple(busy), tuple(stolen))

    def busy_since(self, before: CoreTimes, core: int) -> float:
        """Returns the seconds that `core` was busy since `before`, stolen time included."""
        return (self.busy[core] - before.busy[core]) + (self.stolen[core] - before.stolen[core])
