#!/usr/bin/python3
"""Backup under load, loss of everything, restore: what was acknowledged is there, once.

    backup_test.py --binary .build/release/heliograph [--seed N] [--long]

Senders post real traffic. While they do, `heliograph backup` runs; they go on for a while, then the
engine, its Redis and its PostgreSQL are killed and every file of theirs is removed. The backup is
restored to the same place and the engine started. Everything that was acknowledged before the
backup began must be there. Then the senders' side sends again every batch it ever sent, as clients
with a queue of their own would: what the backup had counts as repeats, what came later counts for the
first time. At the end the whole judgement of the chaos tests is held: each acknowledged event exactly
once, in rows, in sessions, and in every visitor's sums.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))

import stores  # noqa: E402
from engine import REPOSITORY, Engine, EngineError, _end  # noqa: E402
from judge import Verdict, judge_all  # noqa: E402
from traffic import Connection, Crowd, Sender  # noqa: E402

SETTINGS = "journal:\n  segment_bytes: 4194304\ncheckpoint_seconds: 10\n"
# Long enough before the backup for checkpoints to be there.
LOAD_SECONDS = (12, 3)
PAUSE_SECONDS = 0.01


class Recorder(Sender):
    """A sender that remembers every batch, as a client with a durable queue does."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.sent = []

    def send(self, batch, repeat=False):
        if not repeat:
            self.sent.append(batch)
        return super().send(batch, repeat)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--long", action="store_true", help="a minute of load on either side")
    return parser.parse_args()


def crowd_of_recorders(seed: int, port: int) -> Crowd:
    crowd = Crowd(seed, port, senders=6, visitors=300)
    crowd.senders = [Recorder(number, seed, port, crowd.ledger, 50, PAUSE_SECONDS)
                     for number in range(6)]
    return crowd


def command(engine: Engine, *arguments: str) -> dict:
    """Runs a command of the engine's program and returns what it says as JSON."""
    result = subprocess.run(
        [str(engine.binary), *arguments, "--config", str(engine.config), "--json"],
        capture_output=True, text=True, timeout=120, check=False, cwd=REPOSITORY)
    if result.returncode != 0:
        raise EngineError(f"{arguments[0]} ended with {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)


def refuse(engine: Engine, *arguments: str) -> str:
    """Runs a command that must refuse; returns what it says, or nothing when it did not."""
    result = subprocess.run([str(engine.binary), *arguments, "--config", str(engine.config)],
                            capture_output=True, text=True, timeout=120, check=False,
                            cwd=REPOSITORY)
    return result.stderr if result.returncode == 1 else ""


def lose_everything(engine: Engine) -> None:
    """The machine's disk is gone: no process, no file of the engine is left."""
    engine.kill()
    for pid in engine.private_servers():
        _end(pid)
    time.sleep(0.2)
    shutil.rmtree(engine.data)
    for folder in engine.system_folders():
        shutil.rmtree(folder, ignore_errors=True)


def rows(engine: Engine) -> set[tuple[str, int]]:
    found = stores.query(engine.addresses()["postgres"],
                         "SELECT window_id, n FROM heliograph.event WHERE site = 'demo'")
    return {(window, number) for window, number in found}


def wait_until_caught_up(engine: Engine, wanted: set) -> set:
    """The rows of what the journal holds come a moment after the start; then nothing comes."""
    deadline = time.monotonic() + 30
    found, last = rows(engine), set()
    while time.monotonic() < deadline and not (wanted <= found and found == last):
        time.sleep(0.7)
        found, last = rows(engine), found
    return found


def send_again(crowd: Crowd, port: int) -> None:
    """Every batch, acknowledged or not, over one connection."""
    connection = Connection(port)
    for sender in crowd.senders:
        sender.connection = connection
        for batch in sender.sent:
            Sender.send(sender, batch, repeat=True)
    connection.close()


def check_refusals(verdict: Verdict, engine: Engine, backup: Path) -> None:
    """What must not work: a second backup into the folder, a damaged backup, a folder in use."""
    texts = [refuse(engine, "backup", "--to", str(backup), "--data", str(engine.data))]
    texts.append(refuse(engine, "restore", "--from", str(backup), "--data", str(engine.data)))
    hurt = backup.with_name("hurt")
    shutil.copytree(backup, hurt)
    segment = sorted((hurt / "journal").glob("*.hgj"))[0]
    with segment.open("r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 1]))
    elsewhere = engine.folder / "elsewhere"
    texts.append(refuse(engine, "restore", "--from", str(hurt), "--data", str(elsewhere)))
    (hurt / "manifest.json").unlink()
    texts.append(refuse(engine, "restore", "--from", str(hurt), "--data", str(elsewhere)))
    verdict.add("refused: folder not empty, data in use, damage, no manifest", len(texts),
                [f"refusal {index} did not come" for index, text in enumerate(texts) if not text]
                + (["a refused restore left files"] if elsewhere.exists() else []))
    shutil.rmtree(hurt)
    check_half_restored(verdict, engine)


def check_half_restored(verdict: Verdict, engine: Engine) -> None:
    """No engine starts on a folder that a restore has not finished."""
    half = engine.folder / "half"
    half.mkdir()
    (half / "restore-unfinished").touch()
    said = refuse(engine, "up", "--data", str(half))
    verdict.add("no start on a folder half restored", 1,
                [] if "a restore into the data folder" in said else [f"it said {said!r}"])


def check_manifest(verdict: Verdict, backup: Path) -> None:
    """Every file is named with its digest, secrets are marked, nobody else may look."""
    manifest = json.loads((backup / "manifest.json").read_text())
    named = {file["path"] for file in manifest["files"]}
    found = {str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file()}
    wrong = [f"not in the manifest: {path}" for path in found - named - {"manifest.json"}]
    sums = "".join(f"{file['sha256']}  {file['path']}\n" for file in manifest["files"])
    check = subprocess.run(["sha256sum", "--check", "--quiet"], input=sums, text=True,
                           cwd=backup, capture_output=True, check=False)
    wrong += check.stdout.splitlines()
    wrong += [f"{path} may be read by others" for path in [backup, *backup.rglob("*")]
              if path.stat().st_mode & 0o077]
    secret = {file["path"] for file in manifest["files"] if file["secret"]}
    if "pseudonym.key" not in secret:
        wrong.append("pseudonym.key is not marked as secret")
    verdict.add("manifest: all files, their digests, secrets, modes", len(named), wrong, 10)


def run(arguments: argparse.Namespace, engine: Engine, backup: Path) -> Verdict:
    before_seconds, after_seconds = (60, 30) if arguments.long else LOAD_SECONDS
    print(f"backup_test: seed {arguments.seed}; engine in {engine.folder}")
    engine.start()
    verdict = Verdict()
    crowd = crowd_of_recorders(arguments.seed, engine.ingest_port)
    crowd.start()
    try:
        time.sleep(before_seconds)
        before = crowd.ledger.acknowledged()
        summary = command(engine, "backup", "--to", str(backup), "--data", str(engine.data))
        at_end = crowd.ledger.acknowledged()
        time.sleep(after_seconds)
    finally:
        # The loss comes in the middle of the load: nobody is told.
        later = crowd.ledger.acknowledged() - at_end
        lose_everything(engine)
        for sender in crowd.senders:
            sender.stopping.set()
            sender.giving_up.set()
        crowd.stop()
    check_manifest(verdict, backup)

    began = time.monotonic()
    restored = command(engine, "restore", "--from", str(backup), "--data", str(engine.data))
    restore_seconds = time.monotonic() - began
    ready_seconds = engine.start()
    found = wait_until_caught_up(engine, before)
    verdict.add("acknowledged before the backup began, there after", len(before),
                [str(key) for key in before - found], 500)
    lost = crowd.ledger.acknowledged() - found
    verdict.add("later events are gone, as they must be", len(later), [], 100)
    if not lost & later:
        verdict.add("the loss was a loss", 0, ["nothing that came later is missing"])
    check_refusals(verdict, engine, backup)

    send_again(crowd, engine.ingest_port)
    judge_all(verdict, engine, crowd.ledger, len(before))
    after = rows(engine)
    verdict.add("what was lost and sent again counts", len(lost),
                [str(key) for key in lost - after], 100)
    engine.stop()
    check = subprocess.run([str(engine.binary), "journal", "verify", "--data", str(engine.data)],
                           capture_output=True, text=True, check=False)
    verdict.add("journal verify is clean after all this", 1,
                [] if check.returncode == 0 else [check.stdout[-300:]])
    verdict.figures |= {
        "backup under load (s)": summary["milliseconds"] / 1000,
        "backup (files, bytes)": (summary["files"], summary["bytes"]),
        "acknowledged during the backup, in it": len((at_end - before) & found),
        "acknowledged during the backup, not in it": len((at_end - before) - found),
        "RPO: acknowledged before the backup, lost": len(before - found),
        "restore (s)": round(restore_seconds, 2),
        "start after it (s)": round(ready_seconds, 2),
        "RTO: restore and start (s)": round(restore_seconds + ready_seconds, 2),
        "records restored": restored["records"],
    }
    return verdict


def main() -> int:
    arguments = parse()
    try:
        engine = Engine(arguments.binary, settings=SETTINGS)
    except EngineError as error:
        sys.exit(f"backup_test: {error}")
    backups = Path(tempfile.mkdtemp(prefix="heliograph-backup-"))
    verdict = None
    try:
        verdict = run(arguments, engine, backups / "first")
        verdict.print("backup")
    except EngineError as error:
        print(f"\n{error}\n\nbackup: 0 passed, 1 failed")
    finally:
        passed = bool(verdict and verdict.passed)
        engine.clean_up(keep=not passed)
        if passed:
            shutil.rmtree(backups, ignore_errors=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
