"""Runs heliograph-bench and reads what it found."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BINARY = ".build/release/heliograph-bench"
# What a run may take beyond its phases: starting, connecting, waiting for folds to settle.
SPARE_SECONDS = 60


class LoadError(Exception):
    """heliograph-bench gave no report; the text has its last words."""


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def run(words: list[str], seconds_max: float, wrapper: list[str] | None = None,
        binary: str = BINARY) -> dict:
    """The report of one run; `seconds_max` is what its phases and the stores may take."""
    with tempfile.TemporaryDirectory(prefix="heliograph-load-") as folder:
        path = Path(folder) / "report.json"
        command = [*(wrapper or []), binary, *words, "--json", str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False,
                                  timeout=seconds_max + SPARE_SECONDS)
        except subprocess.TimeoutExpired:
            raise LoadError(f"no end after {seconds_max + SPARE_SECONDS:.0f} s: "
                            f"{' '.join(command)}") from None
        if not path.exists():
            raise LoadError(f"{' '.join(command)}: {done.stderr[-800:]}")
        report = json.loads(path.read_text())
    report["command"] = "heliograph-bench " + " ".join(
        word for word in words if not word.startswith("/tmp/"))
    return report
