"""What the figures were measured on."""

import os
import platform
import re
import subprocess
import time
from pathlib import Path

from subjects import ENVIRONMENT, REPOSITORY, program


def _output(words: list[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).strip()


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1).strip() if found else "unknown"


def _version(name: str, flag: str, pattern: str) -> str:
    try:
        return _first(pattern, _output([program(name), flag]))
    except Exception:  # what is not installed has no version, and is not measured either
        return "not installed"


def toolchain() -> str:
    """Of Swift, as thresholds are filed: major.minor.patch-architecture."""
    return _version("swift", "--version", r"Swift version (\S+)") + "-" + platform.machine()


def _python_packages() -> dict[str, str]:
    lines = _output([str(ENVIRONMENT / "bin" / "pip"), "list", "--format", "freeze"]).splitlines()
    wanted = {"fastapi", "uvicorn", "redis", "hiredis", "uvloop", "httptools", "orjson"}
    pairs = (line.split("==") for line in lines if "==" in line)
    return {f"{name} (PyPI)": version for name, version in pairs if name in wanted}


def describe() -> dict:
    memory = Path("/proc/meminfo").read_text()
    processor = _first(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    commit = _output(["git", "-C", str(REPOSITORY), "rev-parse", "--short=12", "HEAD"])
    changed = _output(["git", "-C", str(REPOSITORY), "status", "--porcelain", "-uno"])
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": commit + (" with changes" if changed else ""),
        "cores": os.cpu_count(),
        "processor": processor,
        "memory_gib": round(int(_first(r"MemTotal:\s*(\d+)", memory)) / 1048576, 1),
        "kernel": platform.release(),
        "system": _first(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text()),
        "load_average_at_start": round(os.getloadavg()[0], 2),
        "versions": {
            "swift": _version("swift", "--version", r"Swift version (\S+)"),
            "nginx": _version("nginx", "-v", r"nginx/(\S+)"),
            "redis": _version("redis-server", "--version", r"v=(\S+)"),
            "postgresql": _version("psql", "--version", r"([\d.]+)"),
            **_python_packages(),
        },
    }
