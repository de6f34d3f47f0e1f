"""A backup of an engine whose stores have passwords: where the passwords may be, and where not."""

import json
import os
import subprocess
import time
from pathlib import Path

from engine import REPOSITORY, Engine
from judge import Verdict

SETTINGS = "settings/"


def judge_backup(verdict: Verdict, engine: Engine, secrets: dict[str, str]) -> None:
    """Passwords are in the settings that the manifest marks, and neither in a process nor printed."""
    target = engine.folder / "backup"
    process = subprocess.Popen(
        [str(engine.binary), "backup", "--to", str(target), "--data", str(engine.data), "--config",
         str(engine.config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=REPOSITORY)
    seen: dict[str, bytes] = {}
    while process.poll() is None:
        seen |= shown_by_tools()
        time.sleep(0.002)
    seen["output"] = process.stdout.read()
    wrong = [] if process.returncode == 0 else [f"status {process.returncode}: {seen['output']!r}"]
    if not any("pg_dump" in name for name in seen):
        wrong.append("pg_dump was not seen at work")
    if wrong:
        verdict.add("backup keeps passwords to itself", 0, wrong)
        return
    manifest = json.loads((target / "manifest.json").read_text())
    marked = {file["path"] for file in manifest["files"] if file["secret"]}
    seen |= {str(path.relative_to(target)): path.read_bytes()
             for path in target.rglob("*") if path.is_file()}
    wrong += [f"{place} in {name}" for name, text in seen.items() if name not in marked
              for place, secret in secrets.items() if secret.encode() in text]
    kept = b"".join(text for name, text in seen.items()
                    if name.startswith(SETTINGS) and name in marked)
    if not any(secret.encode() in kept for secret in secrets.values()):
        wrong.append("the settings with the passwords are not in the backup, or not marked")
    verdict.add("backup keeps passwords to itself", len(seen), wrong, 10)


def shown_by_tools() -> dict[str, bytes]:
    """Command lines and environments of PostgreSQL's tools that run now."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if not os.readlink(entry / "exe").endswith("/pg_dump"):
                continue
            for name in ("cmdline", "environ"):
                found[f"{name} of pg_dump {entry.name}"] = (entry / name).read_bytes()
        except OSError:
            continue
    return found
