#!/usr/bin/python3
"""Shows from the system calls of one run that every 204 followed the fdatasync of its bytes.

    ack_order.py --replies 2000 --binary .build/release/heliograph
    ack_order.py --trace FILE          judges a trace made earlier

The engine runs under strace with HELIOGRAPH_TRACE_POSITIONS=1, which makes each reply name the
segment and the byte behind its batch's record. For each reply the judge finds the write that
carried that byte, and asks for an fdatasync of the same file that began after the write had
returned, and that had returned 0 before the reply's write began. The kernel's page cache makes a
reply that comes too soon invisible to any test that only kills the process; this one sees it.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engine import Engine, EngineError
from judge import Verdict
from traffic import Crowd

CALLS = "pwrite64,pwritev,pwritev2,write,writev,fdatasync,fsync,sendto,sendmsg"
WRITES = {"pwrite64", "pwritev", "pwritev2"}
SYNCS = {"fdatasync", "fsync"}
REPLIES = {"write", "writev", "sendto", "sendmsg"}
# A sender waits for its answer, so a write holds one reply's head: strace must show all of that.
STRING_BYTES_MAX = 1024

LINE = re.compile(r"^(\d+)\s+(?:[\d:.]+\s+)?(.*)$")
CALL = re.compile(r"^(\w+)\(\d+<([^>]*)>,?\s*(.*)$", re.DOTALL)
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
RESULT = re.compile(r"\)\s+= (-?\d+)")
PLACE = re.compile(r"(\d+), (\d+)\)?\s*(?:= -?\d+.*)?$")
VECTOR = re.compile(r"iov_len=(\d+)")
POSITION = re.compile(r"X-Heliograph-Position: (\d+)-(\d+)", re.IGNORECASE)
SEGMENT = re.compile(r"/(\d{10})\.hgj$")


@dataclass
class Write:
    start: int
    end: int
    returned: bool = False


@dataclass
class Sync:
    """One fdatasync: it covers the writes that had returned when it began."""

    covers: list[Write]


@dataclass
class Segment:
    writes: list[Write] = field(default_factory=list)
    durable: set[int] = field(default_factory=set)   # ids of writes that a sync covered


@dataclass
class Call:
    name: str
    path: str
    rest: str
    what: object = None


def written(call: Call) -> tuple[int, int] | None:
    """The bytes of the file that a positioned write names: its start and its end."""
    place = PLACE.search(call.rest.replace("<unfinished ...>", "").strip())
    if place is None:
        return None
    count, offset = int(place.group(1)), int(place.group(2))
    if call.name != "pwrite64":
        count = sum(map(int, VECTOR.findall(call.rest)))
    return offset, offset + count


class Judge:
    """Reads the trace in its order; strace writes a line when a call begins or ends."""

    def __init__(self):
        self.segments: dict[int, Segment] = {}
        self.open: dict[str, Call] = {}
        self.replies = self.positions = self.syncs = 0
        self.early: list[str] = []

    def read(self, lines: Iterable[str]) -> None:
        for number, text in enumerate(lines, 1):
            if match := LINE.match(text.rstrip("\n")):
                self.line(number, match.group(1), match.group(2))

    def line(self, number: int, thread: str, text: str) -> None:
        if resumed := RESUMED.match(text):
            call = self.open.pop(thread, None)
            if call and call.name == resumed.group(1):
                self.end(call, resumed.group(2))
            return
        match = CALL.match(text)
        if not match:
            return
        call = Call(*match.groups())
        unfinished = "<unfinished ...>" in call.rest
        self.begin(number, call)
        if unfinished:
            self.open[thread] = call
        else:
            self.end(call, call.rest)

    def begin(self, number: int, call: Call) -> None:
        segment = self.segment(call.path)
        if call.name in REPLIES and "HTTP/1.1 " in call.rest:
            self.reply(number, call.rest)
        elif segment is not None and call.name in WRITES:
            if place := written(call):
                call.what = Write(*place)
                segment.writes.append(call.what)
        elif segment is not None and call.name in SYNCS:
            call.what = Sync([write for write in segment.writes[-256:] if write.returned])

    def end(self, call: Call, rest: str) -> None:
        result = RESULT.search(rest)
        value = int(result.group(1)) if result else -1
        segment = self.segment(call.path)
        if isinstance(call.what, Write) and value == call.what.end - call.what.start:
            call.what.returned = True
        elif isinstance(call.what, Sync) and segment is not None and value == 0:
            self.syncs += 1
            segment.durable.update(id(write) for write in call.what.covers)

    def reply(self, number: int, text: str) -> None:
        self.replies += len(re.findall(r"HTTP/1\.1 204 ", text))
        for segment, end in POSITION.findall(text):
            self.positions += 1
            if not self.is_durable(int(segment), int(end)):
                self.early.append(f"line {number}: reply for {segment}-{end} before its fdatasync")

    def is_durable(self, number: int, end: int) -> bool:
        """The last write that carried the record's last byte is the one that counts: a segment
        that was zeroed in advance has an earlier write of the same place."""
        segment = self.segments.get(number)
        if segment is None:
            return False
        for write in reversed(segment.writes):
            if write.start < end <= write.end:
                return id(write) in segment.durable
        return False

    def segment(self, path: str) -> Segment | None:
        match = SEGMENT.search(path)
        return self.segments.setdefault(int(match.group(1)), Segment()) if match else None

    def verdict(self, replies_min: int) -> Verdict:
        verdict = Verdict()
        verdict.add("every 204 comes after the fdatasync of its bytes", self.positions,
                    self.early, replies_min)
        verdict.add("every 204 names its position", self.replies,
                    [] if self.replies == self.positions
                    else [f"{self.replies} replies, {self.positions} positions"], replies_min)
        verdict.figures = {"replies": self.replies, "fdatasync calls": self.syncs,
                           "segments": len(self.segments)}
        return verdict


def trace(arguments: argparse.Namespace, engine: Engine) -> None:
    engine.start()
    crowd = Crowd(arguments.seed, engine.ingest_port, senders=8, visitors=100)
    crowd.start()
    deadline = time.monotonic() + arguments.seconds_max
    while crowd.ledger.batches_acknowledged < arguments.replies * 1.05:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    crowd.stop()
    engine.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--replies", type=int, default=2000)
    parser.add_argument("--seconds-max", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trace", help="judge this file instead of making a new trace")
    parser.add_argument("--keep", action="store_true", help="keep the engine's folder")
    arguments = parser.parse_args()
    judge = Judge()
    if arguments.trace:
        with open(arguments.trace, encoding="utf-8", errors="replace") as lines:
            judge.read(lines)
        verdict = judge.verdict(1)
        verdict.print("ack-order")
        return 0 if verdict.passed else 1
    return traced(arguments, judge)


def traced(arguments: argparse.Namespace, judge: Judge) -> int:
    verdict = None
    try:
        engine = Engine(arguments.binary, {"HELIOGRAPH_TRACE_POSITIONS": "1"})
    except EngineError as error:
        sys.exit(f"ack_order: {error}")
    file = engine.folder / "strace.txt"
    engine.wrapper = ["strace", "-f", "-y", "--seccomp-bpf", "-e", f"trace={CALLS}",
                      "-e", "signal=none", "-s", str(STRING_BYTES_MAX), "-o", str(file)]
    try:
        trace(arguments, engine)
        with Path(file).open(encoding="utf-8", errors="replace") as lines:
            judge.read(lines)
        verdict = judge.verdict(arguments.replies)
        verdict.print("ack-order")
    except EngineError as error:
        print(f"\n{error}\n\nack-order: 0 passed, 1 failed")
    finally:
        engine.clean_up(keep=arguments.keep or not (verdict and verdict.passed))
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
