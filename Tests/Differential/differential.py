"""Holds the engine's framing of HTTP requests against h11 and llhttp: whatever we accept, each of
them must frame in the same way, or refuse; and what both refuse, we refuse. See the script `run`
beside this one.

One difference is agreed upon, and counted: httptools takes a request that proposes another
protocol for one without a body. It is told that the proposal is declined (RFC 9110 section 7.8)
and reads on; `peers.py` has the details. We may always be stricter, and close a connection where a
peer would not.
"""

import argparse
import collections
import dataclasses
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

from peers import CLOSED, PEERS, REFUSED, WAITS, Reading, masked
from streams import Maker, llhttp_corpus, own_corpus
from through_socket import Sender

BATCH = 5_000
ENDS = ["idle", "inside a head", "inside a body", "refused", "closed"]
FINDINGS_SHOWN = 10
SOCKET_BATCH = 2_000
RESIDENT_GROWTH_BYTES_MAX = 4 << 20


@dataclasses.dataclass
class OwnRequest:
    method: bytes
    kind: bytes
    target: bytes
    body: bytes
    complete: bool


@dataclasses.dataclass
class OwnReading:
    end: str
    requests: list[OwnRequest]


def frame(framer: str, streams: list[bytes], *options: str) -> list[OwnReading]:
    """What the engine makes of the streams."""
    packed = b"".join(struct.pack("<I", len(stream)) + stream for stream in streams)
    done = subprocess.run([framer, *options], input=packed, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"differential: the framer ended with {done.returncode}: {done.stderr.decode()}")
    readings, position = [], 0
    while position < len(done.stdout):
        readings.append(own_reading(done.stdout, position + 4))
        position += 4 + struct.unpack_from("<I", done.stdout, position)[0]
    if len(readings) != len(streams):
        sys.exit("differential: the framer answered too little")
    return readings


def own_reading(data: bytes, position: int) -> OwnReading:
    end, _, count = struct.unpack_from("<BBH", data, position)
    position += 4
    requests = []
    for _ in range(count):
        flags, _, head_length, body_length = struct.unpack_from("<BIII", data, position)
        position += 13
        head = data[position:position + head_length]
        body = data[position + head_length:position + head_length + body_length]
        position += head_length + body_length
        method, kind, target = head.split(b" ", 2)
        requests.append(OwnRequest(method, kind, target, body, bool(flags & 2)))
    return OwnReading(ENDS[end], requests)


def path_and_query(target: bytes) -> bytes:
    """A target as the engine tells it. RFC 3986 section 3.2: an authority ends at / ? or #."""
    scheme = target.find(b"://")
    if scheme in (4, 5) and target[:1] != b"/":
        rest = target[scheme + 3:]
        ends = [at for at in map(rest.find, (b"/", b"?", b"#")) if at >= 0]
        target = rest[min(ends):] if ends else b""
        if not target.startswith(b"/"):
            target = b"/" + target
    path, _, query = target.partition(b"?")
    return path + b"?" + query


def difference(own: OwnReading, peer: Reading) -> str:
    """How a peer's reading contradicts what we accepted; empty when it does not."""
    for number, request in enumerate(own.requests):
        if number >= len(peer.requests):
            return "" if peer.end in (REFUSED, CLOSED) else "the peer awaits this head's end"
        other = peer.requests[number]
        if other.method != request.method:
            return "method"
        if path_and_query(other.target) != request.target:
            return "target"
        if request.complete and not other.complete:
            return "" if peer.end == REFUSED else "the peer awaits more of a body"
        if other.complete and not request.complete:
            return "the peer ends the body earlier"
        if peer.end == REFUSED and not other.complete:
            return ""
        if other.body != (masked(request.body) if peer.declined_upgrade else request.body):
            return "body"
    if own.end in ("idle", "inside a head") and len(peer.requests) > len(own.requests):
        return "the peer reads a request where we wait"
    return ""


def is_laxer(own: OwnReading, peers: list[Reading]) -> bool:
    """Whether we took a request that every peer refuses: then it is we who are wrong."""
    taken = sum(request.complete for request in own.requests)
    return all(peer.end == REFUSED and taken > sum(request.complete for request in peer.requests)
               for peer in peers)


def check_can_fail(framer: str) -> list[str]:
    """Readings that a faulty parser would give must be found out; names those that are not."""
    stream = (b"POST /v1/e HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
              b"POST /two HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
              b"1\r\nz\r\n0\r\n\r\n")
    faults = {
        "another method": {"method": b"PUT"}, "another target": {"target": b"/v1/f?"},
        "a longer body": {"body": b"abcdeP"}, "a body still open": {"complete": False},
        "a shorter body": {"body": b"abcd"},
    }
    unnoticed = []
    for peer, read in PEERS.items():
        for name, fault in faults.items():
            own = frame(framer, [stream])[0]
            own.requests[0] = dataclasses.replace(own.requests[0], **fault)
            if not difference(own, read(stream)):
                unnoticed.append(f"{peer} did not notice {name}")
        own = frame(framer, [stream])[0]
        if difference(own, read(stream)):
            unnoticed.append(f"{peer} and we differ about a plain stream")
        own.requests.insert(1, own.requests[0])
        if not difference(own, read(stream)):
            unnoticed.append(f"{peer} did not notice a request too many")
        own.requests[1:] = []
        if not difference(own, read(stream)):
            unnoticed.append(f"{peer} did not notice a request that we overlooked")
    return unnoticed


class Tally:
    """What was seen, over all streams."""

    def __init__(self):
        self.counts: collections.Counter = collections.Counter()
        self.findings: list[str] = []

    def take(self, stream: bytes, own: OwnReading, place: str) -> None:
        self.counts["streams"] += 1
        self.counts[f"ours: {own.end}"] += 1
        if not own.requests:
            self.counts["nothing accepted"] += 1
            return
        self.counts["requests accepted"] += len(own.requests)
        readings = {name: read(stream) for name, read in PEERS.items()}
        for name, peer in readings.items():
            self.counts[f"{name} told that its upgrade is declined"] += peer.declined_upgrade
            if found := difference(own, peer):
                self.found(f"{name}: {found}", stream, own, peer, place)
            elif len(peer.requests) < len(own.requests) or peer.end != WAITS:
                self.counts[f"{name} stricter or closing"] += 1
            else:
                self.counts[f"{name} the same"] += 1
        if is_laxer(own, list(readings.values())):
            self.found("both: we take what each of them refuses", stream, own,
                       next(iter(readings.values())), place)

    def found(self, what: str, stream: bytes, own: OwnReading, peer: Reading, place: str) -> None:
        self.counts[f"FRAMED DIFFERENTLY by {what}"] += 1
        self.findings.append(f"{what} ({place})\n  stream {stream!r}\n  ours   {own}\n"
                             f"  peer   {peer}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--framer", required=True)
    parser.add_argument("--long", action="store_true", help="1 000 000 streams, not 20 000")
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus-only", action="store_true")
    parser.add_argument("--through", type=Path, help="send to the engine of this addresses.json")
    return parser.parse_args()


def through_socket(options: argparse.Namespace, corpus: list[bytes], count: int) -> int:
    """Sends the streams to a running engine instead of holding them against the peers."""
    sender, began, resident = Sender(options.through), time.monotonic(), 0
    for batch in range(-(-count // SOCKET_BATCH)):
        maker = Maker(f"{options.seed}/{batch}", corpus)
        streams = [maker.stream() for _ in range(SOCKET_BATCH)]
        for number, own in enumerate(frame(options.framer, streams)):
            sender.send(streams[number], own, f"seed {options.seed}, batch {batch}, {number}")
        sender.finish()
        # The first batch makes the buffers that all others use.
        resident = resident or sender.resident_bytes()
    grown = sender.resident_bytes() - resident
    print("\n".join(sender.faults[:FINDINGS_SHOWN]))
    for name, number in sender.counts.items():
        print(f"{number:10}  {name}")
    print(f"{grown >> 10:10}  KiB that the engine grew by after the first {SOCKET_BATCH}")
    print(f"{time.monotonic() - began:.0f} s")
    bad = len(sender.faults) + (grown > RESIDENT_GROWTH_BYTES_MAX)
    print(f"through-socket: {sender.counts['streams'] - bad} passed, {bad} failed")
    return 1 if bad else 0


def main() -> int:
    options = arguments()
    count = options.count or (1_000_000 if options.long else 20_000)
    shared = Path(os.environ.get("HELIOGRAPH_SHARED") or
                  Path(__file__).resolve().parents[3] / "shared")
    corpus = own_corpus() + llhttp_corpus(shared)
    if options.through:
        return through_socket(options, corpus, options.count or 6_000)
    tally, began = Tally(), time.monotonic()
    tally.findings += check_can_fail(options.framer)
    for number, own in enumerate(frame(options.framer, corpus, "--every-cut")):
        tally.take(corpus[number], own, f"corpus {number}")
    cuts = sum(max(0, len(stream) - 1) for stream in corpus)
    print(f"corpus: {len(corpus)} streams, {cuts} cuts, each read as the whole is")
    for batch in range(0 if options.corpus_only else -(-count // BATCH)):
        maker = Maker(f"{options.seed}/{batch}", corpus)
        streams = [maker.stream() for _ in range(min(BATCH, count - batch * BATCH))]
        for number, own in enumerate(frame(options.framer, streams)):
            tally.take(streams[number], own, f"seed {options.seed}, batch {batch}, {number}")
    return report(tally, time.monotonic() - began)


def report(tally: Tally, seconds: float) -> int:
    for finding in tally.findings[:FINDINGS_SHOWN]:
        print(finding)
    for name, number in sorted(tally.counts.items()):
        print(f"{number:10}  {name}")
    bad = len(tally.findings)
    print(f"{seconds:.0f} s")
    print(f"differential: {tally.counts['streams'] - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
