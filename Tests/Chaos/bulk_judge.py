"""Judges millions of events: one pass over the rows, every id, every content, every session.

Signal sums are compared for a sample of the visitors (`SAMPLE_VISITORS`), all else for every event.
"""

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import aggregates
import stores
from bulk_traffic import BATCH_EVENTS, WITHOUT_RETRY_AFTER, BulkCrowd, Pool, Window
from definitions import PROFILING
from engine import Engine
from judge import (CLOCK_MILLISECONDS_MAX, EXAMPLES_MAX, Row, Verdict, differences, judge_fresh,
                   judge_sums)
from ledger import Ledger

SAMPLE_VISITORS = 400
ROWS_PER_FETCH = 20_000
DRAIN_SECONDS_MAX = 1800
COUNT_MAX = 255
RESYNC_SECONDS_MAX = 15
FAR_MILLISECONDS = 2 * 86_400_000
COLUMNS = """visitor_id, session_id, window_id, n, type, coalesce(name, ''),
    round(extract(epoch FROM occurred_at) * 1000)::bigint,
    round(extract(epoch FROM received_at) * 1000)::bigint,
    consent, properties::text, partition, journal_offset"""


class Faults:
    """How many of a kind there are, and the first few."""

    def __init__(self):
        self.count = 0
        self.examples: list[str] = []

    def add(self, text: str) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(text)

    def listed(self) -> list[str]:
        more = self.count - len(self.examples)
        return self.examples + ["…"] * more


@dataclass
class BulkReader:
    """Reads rows one after the other; what it keeps is a byte per event and a total per session."""

    pool: Pool
    windows: dict[str, Window]
    sample: set[str]                # visitors whose rows are kept
    ignored: set[str]               # windows of the judge's own probe
    # How far the engine's wall clock was moved while it took events, backwards and forwards.
    clock_milliseconds: tuple[int, int] = (0, 0)
    rows: int = 0
    # Visitors whose events the engine's clock put years apart: their sums are nothing but rounding.
    far: set[str] = field(default_factory=set)
    kept: list[Row] = field(default_factory=list)
    sessions: dict[str, list] = field(default_factory=dict)
    # Properties seen and found right, by the pool's entry: the same text needs no second look.
    known: dict[tuple[int, str], dict] = field(default_factory=dict)
    foreign: Faults = field(default_factory=Faults)
    altered: Faults = field(default_factory=Faults)
    moved: Faults = field(default_factory=Faults)

    def read(self, values: tuple) -> None:
        window = self.windows.get(values[2])
        if window is None or not 0 < values[3] < len(window.counts):
            if values[2] not in self.ignored:
                self.foreign.add(f"{values[2]}-{values[3]}")
            return
        self.rows += 1
        n = values[3]
        window.counts[n] = min(window.counts[n] + 1, COUNT_MAX)
        self.content(window, n, values)
        occurred = values[6]
        delta = occurred - window.origin - window.offset_milliseconds(n)
        back, ahead = self.clock_milliseconds
        if not back - 2 <= delta <= ahead + CLOCK_MILLISECONDS_MAX:
            self.moved.add(f"{window.window}-{n}: moved by {delta} ms")
        if abs(delta) > FAR_MILLISECONDS:
            self.far.add(values[0])
        self.session(values[1], values[4] == "pv", occurred)

    def content(self, window: Window, n: int, values: tuple) -> None:
        entry = Pool.entry(window.salt, n)
        key = (entry, values[9])
        kind, fields = self.pool.entries[entry]
        right = (values[0] == window.device and values[1] == window.session
                 and values[8] == window.consent and values[4] == kind
                 and values[5] == fields.get("name", "") and key in self.known)
        if right and values[0] not in self.sample:
            return
        row = Row(*values[:9], self.known.get(key) or json.loads(values[9]), *values[10:])
        wrong = differences(window.sent(self.pool, n), row)
        if wrong:
            self.altered.add(f"{window.window}-{n}: {wrong[0]}")
        else:
            self.known[key] = row.properties
        if values[0] in self.sample:
            self.kept.append(row)

    def session(self, session: str, is_page_view: bool, occurred: int) -> None:
        found = self.sessions.get(session)
        if found is None:
            self.sessions[session] = [1, int(is_page_view), occurred, occurred]
            return
        found[0] += 1
        found[1] += is_page_view
        if occurred < found[2]:
            found[2] = occurred
        elif occurred > found[3]:
            found[3] = occurred


def read_all(address: str, reader: BulkReader) -> None:
    """A cursor of the server's, so that the rows never stand in memory together."""
    connection = stores.psycopg2.connect(address)
    try:
        with connection.cursor("rows") as cursor:
            cursor.itersize = ROWS_PER_FETCH
            cursor.execute(f"SELECT {COLUMNS} FROM heliograph.event WHERE site = 'demo'")
            for values in cursor:
                reader.read(values)
    finally:
        connection.close()


def wait_for_count(engine: Engine, expected: int) -> float:
    """Waits until there are as many rows as promises, or as many as there will be."""
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_SECONDS_MAX:
        asked = time.monotonic()
        try:
            count = stores.query(engine.addresses()["postgres"],
                                 "SELECT count(*) FROM heliograph.event WHERE site = 'demo'")[0][0]
            if count >= expected:
                break
            print(f"    {count} of {expected} rows are there", flush=True)
        except Exception as error:  # the store may be on its way back
            print(f"    waiting for PostgreSQL: {error}", flush=True)
        # Counting takes its time too, of the server that is to catch up.
        time.sleep(max(1, 5 * (time.monotonic() - asked)))
    return time.monotonic() - began


def judge_counts(verdict: Verdict, windows: dict[str, Window], acknowledged_min: int) -> int:
    """Every acknowledged event once, others at most once. Returns how many are acknowledged."""
    lost, doubled, acknowledged, known = Faults(), Faults(), 0, 0
    for window in windows.values():
        for n in range(1, len(window.counts)):
            count = window.counts[n]
            promised = window.is_acknowledged(n)
            acknowledged += promised
            known += count > 0
            if promised and not count:
                lost.add(f"{window.window}-{n}")
            if count > 1:
                doubled.add(f"{window.window}-{n}: {count} rows")
    verdict.add("acknowledged events are there", acknowledged, lost.listed(), acknowledged_min)
    verdict.add("no event is there twice", known, doubled.listed())
    return acknowledged


def judge_rows(verdict: Verdict, reader: BulkReader) -> None:
    verdict.add("no event is there that nobody sent", reader.rows, reader.foreign.listed())
    verdict.add("no event is altered", reader.rows, reader.altered.listed())
    verdict.add("event times are the senders' times", reader.rows, reader.moved.listed())


def judge_session_rows(verdict: Verdict, address: str, reader: BulkReader) -> None:
    found = {row[0]: list(row[1:]) for row in stores.query(address, """
        SELECT session_id, events, page_views,
               round(extract(epoch FROM started_at) * 1000)::bigint,
               round(extract(epoch FROM ended_at) * 1000)::bigint
        FROM heliograph.session WHERE site = 'demo'""")}
    wrong = [f"{key}: row says {found.get(key)}, events say {expected}"
             for key, expected in reader.sessions.items() if found.get(key) != expected]
    verdict.add("session rows equal the sum of their events", len(reader.sessions), wrong)


def judge_presence(verdict: Verdict, engine: Engine, windows: dict[str, Window]) -> None:
    """Every visitor whose consent allows a profile has a score in Redis, from 0 to 100.

    A Redis that was emptied is noticed within ten seconds, so as long is waited."""
    visitors = [window.device for window in windows.values()
                if window.consent & PROFILING and window.acknowledged]
    redis = stores.Redis(engine.addresses()["redis"], 30)
    deadline = time.monotonic() + RESYNC_SECONDS_MAX
    while (missing := without_score(redis, visitors)).listed() and time.monotonic() < deadline:
        time.sleep(0.5)
    redis.close()
    verdict.add("every visitor has a score in Redis", len(visitors), missing.listed())


def without_score(redis: stores.Redis, visitors: list[str]) -> Faults:
    missing = Faults()
    for visitor in visitors:
        score = redis.call("HGET", f"hg:demo:v:{{{visitor}}}", "score")
        if score is None or not 0 <= float(score) <= 100:
            missing.add(f"{visitor}: {score}")
    return missing


def judge_bulk(verdict: Verdict, engine: Engine, seed: int, windows: dict[str, Window],
               acknowledged_min: int, clock_milliseconds: tuple[int, int] = (0, 0),
               without: str = "", ignored: set[str] = frozenset(),
               live_minutes: bool = True) -> None:
    """The whole judgement; the senders have stopped and the engine is up.

    `ignored` are windows that a test has sent itself and judges itself."""
    expected = sum(w.acknowledged.bit_count() for w in windows.values()) * BATCH_EVENTS
    verdict.figures["rows caught up after (s)"] = round(wait_for_count(engine, expected), 1)
    probe = Ledger()
    judge_fresh(verdict, engine, probe)
    # Windows, so visitors, in an order of the seed's: who is looked at closely is not the engine's.
    profiled = [w.device for w in windows.values() if w.consent & PROFILING and w.acknowledged]
    chosen = random.Random(f"sample-{seed}").sample(profiled, min(SAMPLE_VISITORS, len(profiled)))
    probed = {key[0] for key in probe.events} | ignored
    reader = BulkReader(Pool(seed, without), windows, set(chosen), probed, clock_milliseconds)
    address = engine.addresses()["postgres"]
    began = time.monotonic()
    read_all(address, reader)
    verdict.figures["rows read in (s)"] = round(time.monotonic() - began, 1)
    verdict.figures["events acknowledged"] = judge_counts(verdict, windows, acknowledged_min)
    judge_rows(verdict, reader)
    judge_session_rows(verdict, address, reader)
    judge_presence(verdict, engine, windows)
    if live_minutes:
        aggregates.check_rows(verdict, engine)
    reader.kept = [row for row in reader.kept if row.visitor not in reader.far]
    judge_sums(verdict, engine, sampled_ledger(reader, windows), reader.kept)
    verdict.figures |= {"rows": reader.rows, "visitors": len(windows),
                        "visitors whose sums were compared": len({*chosen} - reader.far)}


def judge_senders(verdict: Verdict, crowd: BulkCrowd, ends: list[dict]) -> None:
    """The senders lived to the end, and were refused only in ways that a client can wait out."""
    verdict.add("every sender told its story to the end", len(ends),
                [] if crowd.all_ended_well() else ["a sender died"], len(crowd.processes))
    answers: Counter[str] = Counter()
    for end in ends:
        answers.update(end["statuses"])
    bad = [f"{count} × {status}" for status, count in answers.items() if is_bad(status)]
    verdict.add("no batch is refused for good", sum(answers.values()),
                bad + [text for end in ends for text in end["refusals"]][:3])
    verdict.figures |= {
        "answers": dict(answers), "repeats acknowledged": sum(end["repeats"] for end in ends),
        "slowest acknowledgement (ms)": round(1000 * max(end["slowest"] for end in ends))}


def is_bad(status: str) -> bool:
    if status in ("500", WITHOUT_RETRY_AFTER):
        return True
    return status.startswith("4") and status not in ("408", "425", "429")


def sampled_ledger(reader: BulkReader, windows: dict[str, Window]) -> Ledger:
    ledger = Ledger()
    for row in reader.kept:
        ledger.events[(row.window, row.n)] = windows[row.window].sent(reader.pool, row.n)
    return ledger
