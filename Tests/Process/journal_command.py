#!/usr/bin/python3
"""`heliograph journal inspect|verify|export` on a engine's journal: running, stopped, damaged.

    journal_command.py --binary .build/release/heliograph
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))

import stores  # noqa: E402
from engine import Engine, EngineError  # noqa: E402
from judge import Verdict, wait_for_rows  # noqa: E402
from traffic import Connection, Crowd  # noqa: E402

SETTINGS = "journal:\n  segment_bytes: 4194304\ncheckpoint_seconds: 10\n"
LOAD_SECONDS = 11
LOOKS = 8
HEADER_BYTES = 4096
RECORD_MAGIC = b"HGR1"


class Journal:
    """The commands on one data folder."""

    def __init__(self, binary: Path, data: Path):
        self.binary, self.data = binary, data

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([str(self.binary), "journal", *arguments, "--data", str(self.data)],
                              capture_output=True, text=True, timeout=60, check=False)

    def verify(self) -> tuple[int, dict]:
        result = self.run("verify", "--json")
        return result.returncode, json.loads(result.stdout or "{}")

    def export(self, *arguments: str) -> list[dict]:
        result = self.run("export", *arguments)
        if result.returncode != 0:
            raise EngineError(f"export {arguments} ended with {result.returncode}: {result.stderr}")
        return [json.loads(line) for line in result.stdout.splitlines()]


def beside_a_running_engine(verdict: Verdict, journal: Journal) -> None:
    """While groups are written, no look may call anything damaged, and none may go backwards."""
    wrong, last, records = [], 0, 0
    for look in range(LOOKS):
        status, found = journal.verify()
        if status != 0 or not found["clean"]:
            wrong.append(f"look {look}: status {status}, {found.get('damage')}")
        if found.get("last_sequence", 0) < last:
            wrong.append(f"look {look}: went back to {found['last_sequence']} from {last}")
        last = found.get("last_sequence", 0)
        records = found.get("records", 0)
    lines = journal.export("--limit", "500")
    if [line["sequence"] for line in lines] != list(range(1, 501)):
        wrong.append("export beside the engine: not the first 500 records")
    verdict.add("beside a running engine everything is clean", records, wrong, 1000)


def check_export(verdict: Verdict, journal: Journal, engine: Engine, ledger) -> None:
    """The events in the lines are those that were sent, each once where it is no repeat."""
    lines = journal.export()
    taken = [(line["window"], event["n"]) for line in lines if line["kind"] == "slice"
             for event in line["events"] if not event.get("repeat")]
    acknowledged = ledger.acknowledged()
    wrong = [f"{key} is not in the export" for key in acknowledged - set(taken)]
    if len(set(taken)) != len(taken):
        wrong.append(f"{len(taken) - len(set(taken))} events are there twice")
    sent = ledger.events
    for line in lines:
        for event in line.get("events", []):
            original = sent.get((line["window"], event["n"]))
            if original and original.type != event["type"]:
                wrong.append(f"{line['window']}-{event['n']}: type {event['type']}")
    offsets = {(row[0], row[1]) for row in stores.query(
        engine.addresses()["postgres"], "SELECT partition, journal_offset FROM heliograph.event")}
    named = {(line["partition"], line["offset"]) for line in lines}
    wrong += [f"row of {place}: no such record" for place in offsets - named]
    verdict.add("export has every event that was acknowledged", len(taken), wrong, 500)
    check_filters(verdict, journal, lines)


def check_filters(verdict: Verdict, journal: Journal, lines: list[dict]) -> None:
    middle = lines[len(lines) // 2]
    cases = {
        ("--from", "100", "--to", "120"): lambda line: 100 <= line["sequence"] <= 120,
        ("--from", middle["received_at"]):
            lambda line: line["received_at"] >= middle["received_at"],
        ("--to", middle["received_at"]): lambda line: line["received_at"] < middle["received_at"],
        ("--partition", str(middle["partition"])):
            lambda line: line["partition"] == middle["partition"],
        ("--visitor", middle.get("visitor", "-")):
            lambda line: line.get("visitor") == middle.get("visitor"),
        ("--site", "nobody"): lambda line: False,
        ("--from", str(lines[-1]["sequence"] + 1)): lambda line: False,
    }
    wrong, looked = [], 0
    for arguments, wanted in cases.items():
        found = [line["sequence"] for line in journal.export(*arguments)]
        expected = [line["sequence"] for line in lines if wanted(line)]
        looked += len(expected)
        if found != expected:
            wrong.append(f"{arguments}: {len(found)} records, {len(expected)} expected")
    for bad in [("--from", "yesterday"), ("--limit", "0"), ("--partition", "256")]:
        if journal.run("export", *bad).returncode != 64:
            wrong.append(f"{bad} was taken")
    verdict.add("filters of export", looked, wrong, 100)


def check_inspect(verdict: Verdict, journal: Journal) -> None:
    found = json.loads(journal.run("inspect", "--json", "--partitions").stdout)
    wrong = []
    if sum(part["records"] for part in found["partitions"]) != found["records"]:
        wrong.append("partitions do not add up to the records")
    if sum(segment["records"] for segment in found["segments"]) != found["records"]:
        wrong.append("segments do not add up to the records")
    if found["damage_count"] or found["checkpoints"]["damaged"]:
        wrong.append("damage in a journal that is whole")
    if not found["checkpoints"]["files"] or not found["deduplication"]["sequences"]:
        wrong.append("no checkpoints were found")
    text = journal.run("inspect", "--partitions").stdout
    wrong += [f"the table does not name {segment['file']}" for segment in found["segments"]
              if segment["file"] not in text]
    verdict.add("inspect adds up", found["records"], wrong, 500)


# ---- damage ------------------------------------------------------------------------------------

def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x55
    path.write_bytes(content)


def records(path: Path) -> list[tuple[int, int]]:
    """Place and length of each record, read by this test alone."""
    content, found, place = path.read_bytes(), [], HEADER_BYTES
    while content[place:place + 4] == RECORD_MAGIC:
        length = struct.unpack_from("<I", content, place + 4)[0]
        found.append((place, length))
        place += length
    return found


def damages(folder: Path) -> list[tuple[str, callable, set]]:
    """What is done to a copy, and the reasons that one of must be named, with file and byte."""
    segments = sorted((folder / "journal").glob("*.hgj"))
    first, last = segments[0], segments[-1]
    place, length = records(first)[40]
    checkpoint = sorted((folder / "checkpoints").glob("*.hgc"))[0]
    names = [segment.name for segment in segments]
    return [
        ("payload", lambda c: flip(c / "journal" / names[0], place + 70),
         {("payload", names[0], place)}),
        ("header", lambda c: flip(c / "journal" / names[0], place + 9),
         {("recordHeader", names[0], place)}),
        ("segment header", lambda c: flip(c / "journal" / names[0], 100),
         {("segmentHeader", names[0], 0)}),
        ("cut", lambda c: os.truncate(c / "journal" / names[0], place + length // 2),
         {("lostTail", names[0], place)}),
        ("emptied tail", lambda c: os.truncate(c / "journal" / names[0], place),
         {("lostTail", names[0], place)}),
        ("missing", lambda c: (c / "journal" / names[1]).unlink(),
         {("missingSegment", f"segment {int(names[1][:10])}", 0)}),
        ("torn end", lambda c: flip(c / "journal" / names[-1], records(last)[-1][0] + 3),
         {("tornTail", names[-1], records(last)[-1][0])}),
        ("checkpoint", lambda c: flip(c / "checkpoints" / checkpoint.name, 40), set()),
    ]


def check_damage(verdict: Verdict, journal: Journal) -> None:
    """Each damage is named with its file and byte; the files are not touched."""
    copy = journal.data.parent / "hurt"
    wrong, looked = [], 0
    for name, hurt, expected in damages(journal.data):
        shutil.rmtree(copy, ignore_errors=True)
        for part in ("journal", "checkpoints"):
            shutil.copytree(journal.data / part, copy / part)
        hurt(copy)
        before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
        status, found = Journal(journal.binary, copy).verify()
        looked += 1
        named = {(place["reason"], place["file"], place["from"]) for place in found["damage"]}
        if status != 1 or not expected <= named:
            wrong.append(f"{name}: status {status}, named {sorted(named)[:4]}, not {expected}")
        if name == "checkpoint" and len(found["damaged_checkpoints"]) != 1:
            wrong.append(f"checkpoint: {found['damaged_checkpoints']}")
        if before != {path: path.stat().st_mtime_ns for path in copy.rglob("*")}:
            wrong.append(f"{name}: verify has changed the folder")
    shutil.rmtree(copy)
    verdict.add("damage is named by file and byte", looked, wrong, 8)


def check_unreadable(verdict: Verdict, journal: Journal) -> None:
    """Status 2 and a way out, where there is nothing to read."""
    wrong = []
    for command in ("inspect", "verify", "export"):
        result = Journal(journal.binary, journal.data / "nowhere").run(command)
        if result.returncode != 2 or "--data" not in result.stderr:
            wrong.append(f"{command}: status {result.returncode}: {result.stderr}")
    newer = journal.data.parent / "newer"
    (newer / "journal").mkdir(parents=True)
    first = sorted((journal.data / "journal").glob("*.hgj"))[0]
    content = bytearray(first.read_bytes()[:HEADER_BYTES])
    content[4] = 99
    content[4092:4096] = struct.pack("<I", crc32c(content[:4092]))
    (newer / "journal" / first.name).write_bytes(content)
    result = Journal(journal.binary, newer).run("verify")
    if result.returncode != 2 or "version 99" not in result.stderr:
        wrong.append(f"newer version: status {result.returncode}: {result.stderr}")
    shutil.rmtree(newer)
    verdict.add("what cannot be read is told apart", 4, wrong, 4)


def crc32c(content: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def refuse_one(engine: Engine) -> None:
    """A record of a refused event, with line ends where a line must not end."""
    body = json.dumps({"v": 1, "k": "hg_demo", "w": "w" * 22, "c": 7, "st": 1, "mt": 1,
                       "e": [{"n": 1, "t": "zz", "o": 1, "x": "a\nb\u2028c"}]}, indent=1)
    Connection(engine.ingest_port).post("/v1/e", body.encode())


PRETTY = {"lines": ["a\nb", "c\r\nd", "\u2028"],
          "deep": {"x": [1, 2.5, None, True]}, "quote": "\"\\"}


def send_pretty(engine: Engine) -> None:
    """An event whose JSON has line ends between its tokens, as no SDK writes it."""
    now = int(time.time() * 1000)
    body = json.dumps({"v": 1, "k": "hg_demo", "w": "AaH9xJRMe8SGOY-QpFQj5A",
                       "d": "AaH9xJRMfTqpMnBEFSQ_dA", "s": "AaH9xJRMf9ma8xHrwTupUg",
                       "c": 7, "st": now, "mt": 5000,
                       "e": [{"n": 1, "t": "cu", "o": 4000, "p": 1, "name": "pretty",
                              "props": PRETTY}]}, indent=2).replace("\n", "\r\n")
    Connection(engine.ingest_port).post("/v1/e", body.encode())


def check_pretty(verdict: Verdict, lines: list[dict]) -> None:
    found = [event["properties"].get("props", event["properties"]) for line in lines
             for event in line.get("events", []) if event.get("name") == "pretty"]
    verdict.add("line ends in JSON do not end a line", len(found),
                [] if found == [PRETTY] else [str(found)])


def run(engine: Engine) -> Verdict:
    verdict = Verdict()
    engine.start()
    journal = Journal(engine.binary, engine.data)
    crowd = Crowd(7, engine.ingest_port, senders=4, visitors=100)
    crowd.start()
    try:
        time.sleep(LOAD_SECONDS)
        deadline = time.monotonic() + 30
        while len(list((engine.data / "journal").glob("*.hgj"))) < 3 and (
                time.monotonic() < deadline):
            time.sleep(0.5)
        beside_a_running_engine(verdict, journal)
    finally:
        crowd.stop()
    refuse_one(engine)
    send_pretty(engine)
    wait_for_rows(engine, crowd.ledger)
    check_export(verdict, journal, engine, crowd.ledger)
    lines = journal.export()
    check_pretty(verdict, lines)
    rejected = [line for line in lines if line["kind"] == "rejected"]
    verdict.add("what was refused is exported", len(rejected),
                [] if all("reason" in line for line in rejected) else ["without its reason"])
    engine.stop()
    # A start after a stop writes the deduplication state, at the latest a minute later.
    save_deduplication(engine, journal)
    check_inspect(verdict, journal)
    status, _ = journal.verify()
    verdict.add("after a stop everything is clean", 1, [f"status {status}"] if status else [])
    check_damage(verdict, journal)
    check_unreadable(verdict, journal)
    return verdict


def save_deduplication(engine: Engine, journal: Journal) -> None:
    if not list((journal.data / "journal").glob("dedup-*.hgc")):
        raise EngineError("the engine stopped without a deduplication state")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    arguments = parser.parse_args()
    try:
        engine = Engine(arguments.binary, settings=SETTINGS)
    except EngineError as error:
        sys.exit(f"journal_command: {error}")
    verdict = None
    try:
        verdict = run(engine)
        verdict.print("journal-command")
    except EngineError as error:
        print(f"\n{error}\n\njournal-command: 0 passed, 1 failed")
    finally:
        engine.clean_up(keep=not (verdict and verdict.passed))
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
