"""Senders for millions of events: processes instead of threads, a byte in the ledger per batch.

The contents of all events come from one pool that is made from the seed, so that what any event
of any window should hold can be told afterwards without having kept it: `Pool.entry(window, n)`.
Windows are short and many, as tabs are; each has one visitor. A sender writes a line into its
ledger file when a window is finished, which is what the judge reads (`read_ledgers`).
"""

import gzip
import json
import math
import multiprocessing
import random
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ledger import Sent
from traffic import GIVE_UP_SHARE, GZIP_SHARE, REPEAT_SHARE, RETRY_SECONDS, TRIES_MAX, Connection
from visits import MIX, WINDOW_AGE_MILLISECONDS, uuid7

POOL_ENTRIES = 4096
# Odd, so that every entry's turn comes: neighbours in a window have contents far apart.
POOL_STEP = 2654435761
BATCH_EVENTS = 48
BATCHES_PER_WINDOW = (4, 14)
OPEN_WINDOWS = 40
# Events of a window lie up to this long behind its beginning, and come in no order at all.
SPREAD_MILLISECONDS = WINDOW_AGE_MILLISECONDS - 600_000
SPREAD_STEP = 7_919_003
# Without storage on the device all visitors of one address are one; the small test has those.
CONSENTS, CONSENT_WEIGHTS = [7, 23, 3], [80, 15, 5]
# Batches of a sender that wait to be sent again, when each is sent several times.
AGAIN_KEPT = 120
COUNTERS = ("events", "batches", "repeats", "retries", "windows")
WITHOUT_RETRY_AFTER = "503 without Retry-After"
# Answers are counted by the phase that the test is in, and by how long they took: each bucket is
# 5 % wider than the one before, from 10 µs to 20 s. The first two of a phase count 2xx and others.
PHASES = 4
BUCKET_SECONDS, BUCKET_GROWTH, BUCKETS = 1e-5, 1.05, 300
PHASE_SLOTS = 2 + BUCKETS


class Pool:
    """The contents of events, and which event has which. `without` leaves types of events out."""

    def __init__(self, seed: int, without: str = ""):
        r = random.Random(f"pool-{seed}")
        self.entries: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        mix = [kind for kind in MIX if kind[0] not in without.split()]
        for _ in range(POOL_ENTRIES):
            kind, make, _ = r.choices(mix, [weight for _, _, weight in mix])[0]
            fields = make(r)
            self.entries.append((kind, fields))
            self.texts.append(json.dumps({"t": kind, **fields}, separators=(",", ":"))[1:])

    @staticmethod
    def entry(salt: int, n: int) -> int:
        return (salt + n * POOL_STEP) % POOL_ENTRIES


@dataclass
class Window:
    """What one tab sends: `batches` times 48 events, numbered from 1."""

    window: str
    device: str
    session: str
    consent: int
    origin: int         # epoch milliseconds
    salt: int
    batches: int
    issued: int = 0     # batches that were tried at all
    acknowledged: int = 0   # a bit for each batch
    counts: bytearray = field(default_factory=bytearray)    # the judge's: rows of each event

    @classmethod
    def open(cls, r: random.Random) -> "Window":
        return cls(uuid7(r), uuid7(r), uuid7(r), r.choices(CONSENTS, CONSENT_WEIGHTS)[0],
                   int(time.time() * 1000) - WINDOW_AGE_MILLISECONDS, r.getrandbits(32),
                   r.randint(*BATCHES_PER_WINDOW))

    def offset_milliseconds(self, n: int) -> int:
        return 1000 + n * SPREAD_STEP % SPREAD_MILLISECONDS

    def sent(self, pool: Pool, n: int) -> Sent:
        kind, fields = pool.entries[pool.entry(self.salt, n)]
        return Sent(self.window, n, self.device, self.session, self.consent, kind,
                    fields.get("name", ""), fields, self.origin + self.offset_milliseconds(n),
                    self.is_acknowledged(n))

    def is_acknowledged(self, n: int) -> bool:
        return bool(self.acknowledged >> (n - 1) // BATCH_EVENTS & 1)

    def events_issued(self) -> int:
        return self.issued * BATCH_EVENTS

    def line(self) -> str:
        return json.dumps([self.window, self.device, self.session, self.consent, self.origin,
                           self.salt, self.batches, self.issued, self.acknowledged]) + "\n"


@dataclass
class BulkBatch:
    window: Window
    number: int     # from 0
    head: str
    events: str

    def body(self) -> bytes:
        now = int(time.time() * 1000)
        return (f'{self.head},"st":{now},"mt":{now - self.window.origin},'
                f'"e":[{self.events}]}}').encode()


def make_batch(pool: Pool, window: Window, r: random.Random) -> BulkBatch:
    number, first = window.issued, window.issued * BATCH_EVENTS + 1
    head = {"v": 1, "k": "hg_demo", "b": uuid7(r), "w": window.window, "q": number + 1,
            "s": window.session, "c": window.consent, "d": window.device}
    if number == 0:
        head["x"] = {"l": "en-GB", "z": 60, "vw": 1280, "vh": 800, "pr": 1, "in": 1}
    events = ",".join(
        f'{{"n":{n},"o":{window.offset_milliseconds(n)},"p":{n // 5 + 1},'
        f'{pool.texts[pool.entry(window.salt, n)]}'
        for n in range(first, first + BATCH_EVENTS))
    return BulkBatch(window, number, json.dumps(head, separators=(",", ":"))[:-1], events)


class BulkSender:
    """One process: sends the batches of its own windows, one at a time, until told to stop."""

    def __init__(self, number: int, seed: int, port: int, ledger: Path, shared: "Shared",
                 pause: float, without: str = "", copies: int = 0):
        self.copies = copies
        self.again: list[list] = []     # batches and how often they are still to be sent again
        self.random = random.Random(f"bulk-{seed}-{number}")
        self.pool = Pool(seed, without)
        self.connection = Connection(port)
        self.ledger = ledger.open("a", encoding="utf-8")
        self.counters, self.answers, self.phase = shared.counters, shared.answers, shared.phase
        self.pause_seconds = pause
        self.statuses: Counter[str] = Counter()
        self.refusals: list[str] = []
        self.slowest_seconds = 0.0
        self.windows = [Window.open(self.random) for _ in range(OPEN_WINDOWS)]
        self.recent: deque[BulkBatch] = deque(maxlen=60)

    def run(self, stopping) -> None:
        while not stopping.is_set():
            self.next_batch(stopping)
            if self.copies:
                self.send_copies(AGAIN_KEPT, stopping)
            elif self.recent and self.random.random() < REPEAT_SHARE:
                self.send(self.random.choice(self.recent), True, stopping)
            if self.pause_seconds:
                time.sleep(self.pause_seconds)
        self.send_copies(0, stopping)
        for window in self.windows:
            self.ledger.write(window.line())
        self.ledger.write(json.dumps({
            "statuses": self.statuses, "refusals": self.refusals,
            "slowest": self.slowest_seconds, **dict(zip(COUNTERS, self.counters))}) + "\n")
        self.ledger.close()

    def next_batch(self, stopping) -> None:
        place = self.random.randrange(OPEN_WINDOWS)
        window = self.windows[place]
        batch = make_batch(self.pool, window, self.random)
        window.issued += 1
        if self.send(batch, False, stopping):
            self.recent.append(batch)
            if self.copies:
                self.again.append([batch, self.copies])
        if window.issued == window.batches:
            self.ledger.write(window.line())
            self.counters[4] += 1
            self.windows[place] = Window.open(self.random)

    def send_copies(self, kept: int, stopping) -> None:
        """Sends batches again until no more than `kept` wait, each over a connection of its own."""
        while len(self.again) > kept:
            place = self.random.randrange(len(self.again))
            batch, left = self.again[place]
            self.connection.close()
            self.send(batch, True, stopping)
            if left > 1:
                self.again[place][1] = left - 1
            else:
                self.again[place] = self.again[-1]
                self.again.pop()

    def send(self, batch: BulkBatch, repeat: bool, stopping) -> bool:
        """Tries until an answer comes, as the SDK does; true when it was acknowledged."""
        for attempt in range(TRIES_MAX):
            self.counters[3] += attempt > 0
            status = self.attempt(batch)
            self.statuses[status] += 1
            if status in ("200", "204"):
                self.promised(batch, repeat)
                return True
            if status.startswith("4") and status not in ("408", "425", "429"):
                return False
            if stopping.is_set() or self.random.random() < GIVE_UP_SHARE / 10:
                return False
            time.sleep(RETRY_SECONDS * (1 + self.random.random()))
        return False

    def attempt(self, batch: BulkBatch) -> str:
        body = batch.body()
        zipped = self.random.random() < GZIP_SHARE
        began = time.monotonic()
        status, answer = self.connection.post(
            "/v1/e?z=1" if zipped else "/v1/e", gzip.compress(body, 1) if zipped else body)
        self.answered(status, answer, time.monotonic() - began)
        return status

    def answered(self, status: str, answer: bytes, seconds: float) -> None:
        slot = self.phase.value * PHASE_SLOTS
        if status in ("200", "204"):
            self.slowest_seconds = max(self.slowest_seconds, seconds)
            self.answers[slot] += 1
            self.answers[slot + 2 + bucket(seconds)] += 1
            return
        self.answers[slot + 1] += 1
        if status == "503" and b"\r\nretry-after: " not in answer.lower():
            self.statuses[WITHOUT_RETRY_AFTER] += 1
        if status.startswith("4") and status != "429" and len(self.refusals) < 5:
            self.refusals.append(answer.decode(errors="replace")[-400:])

    def promised(self, batch: BulkBatch, repeat: bool) -> None:
        batch.window.acknowledged |= 1 << batch.number
        if repeat:
            self.counters[2] += 1
        else:
            self.counters[0] += BATCH_EVENTS
            self.counters[1] += 1


@dataclass
class Shared:
    """What a sender tells its parent while it runs; written by the sender only, but the phase."""

    counters: object
    answers: object
    phase: object


def bucket(seconds: float) -> int:
    return min(BUCKETS - 1, max(0, int(math.log(max(seconds, BUCKET_SECONDS) / BUCKET_SECONDS)
                                       / math.log(BUCKET_GROWTH))))


def send_all(number: int, seed: int, port: int, ledger: Path, shared: Shared, stopping,
             pause: float, without: str, copies: int) -> None:
    BulkSender(number, seed, port, ledger, shared, pause, without, copies).run(stopping)


class BulkCrowd:
    """The sender processes of a test and what they count.

    A forked sender would hold connections of the proxies open that are meant to be cut: spawned."""

    def __init__(self, seed: int, port: int, folder: Path, senders: int = 3, pause: float = 0.0,
                 without: str = "", copies: int = 0):
        context = multiprocessing.get_context("spawn")
        self.stopping = context.Event()
        self.phase = context.Value("i", 0, lock=False)
        self.shared = [Shared(context.Array("Q", len(COUNTERS), lock=False),
                              context.Array("Q", PHASES * PHASE_SLOTS, lock=False), self.phase)
                       for _ in range(senders)]
        self.ledgers = [folder / f"ledger-{number}.jsonl" for number in range(senders)]
        self.processes = [
            context.Process(target=send_all, daemon=True, args=(
                number, seed, port, self.ledgers[number], self.shared[number], self.stopping,
                pause, without, copies))
            for number in range(senders)]

    def start(self) -> None:
        for process in self.processes:
            process.start()

    def stop(self) -> None:
        self.stopping.set()
        for process in self.processes:
            process.join(90)

    def abandon(self) -> None:
        """Ends whatever still sends: nobody asks for its story any more."""
        for process in self.processes:
            if process.is_alive():
                process.kill()

    def events(self) -> int:
        return sum(shared.counters[0] for shared in self.shared)

    def batches(self) -> int:
        return sum(shared.counters[1] for shared in self.shared)

    def enter(self, phase: int) -> None:
        """Answers from here on count for another phase."""
        self.phase.value = phase

    def answers(self, phase: int) -> tuple[int, int]:
        """Answers of a phase that acknowledge, and others."""
        slot = phase * PHASE_SLOTS
        return (sum(shared.answers[slot] for shared in self.shared),
                sum(shared.answers[slot + 1] for shared in self.shared))

    def latency_seconds(self, phase: int, part: float) -> float:
        """What such a part of a phase's acknowledgements was not slower than."""
        slot = phase * PHASE_SLOTS
        left = part * self.answers(phase)[0]
        for place in range(BUCKETS):
            left -= sum(shared.answers[slot + 2 + place] for shared in self.shared)
            if left <= 0:
                return BUCKET_SECONDS * BUCKET_GROWTH ** (place + 1)
        return math.inf

    def all_ended_well(self) -> bool:
        return all(process.exitcode == 0 for process in self.processes)


def read_ledgers(files: list[Path]) -> tuple[dict[str, Window], list[dict]]:
    """Every window that was opened, and each sender's last words."""
    windows, ends = {}, []
    for values in _lines(files):
        if isinstance(values, dict):
            ends.append(values)
            continue
        window = Window(*values)
        window.counts = bytearray(window.events_issued() + 1)
        windows[window.window] = window
    return windows, ends


def _lines(files: list[Path]) -> Iterator:
    for file in files:
        with file.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
