"""Holds what the engine's stores say against what its senders were promised.

Nothing here knows how the engine works. The ledger says what was sent and acknowledged; PostgreSQL
and the companion say what took effect; the reference fold says what that should add up to.
"""

import math
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import aggregates
import packed_state
import reference_fold
import stores
from engine import Engine
from ledger import Ledger, Sent
from visits import Visitor

DRAIN_SECONDS_MAX = 90
FRESH_SECONDS_MAX = 5
# How far the corrected time may be from the sender's own: both clocks are this machine's, so only
# the transit of the fastest of a window's requests can come between them.
CLOCK_MILLISECONDS_MAX = 5000
SUM_TOLERANCE = 1e-9
EXAMPLES_MAX = 5
NOTHING = (0.0, 0.0, 0)
REDIS_FIELDS = {"score", "band", "profile", "confidence", "likelihood", "model", "updated", "seen",
                "state", "pos", "likelihood_low", "likelihood_high", "likelihood_by"}
Sums = dict[str, tuple[float, float, int]]


@dataclass
class Row:
    """One row of heliograph.event."""

    visitor: str
    session: str
    window: str
    n: int
    type: str
    name: str
    occurred_milliseconds: int
    received_milliseconds: int
    consent: int
    properties: dict
    partition: int
    offset: int


@dataclass
class Verdict:
    """Checks by name: how many things were looked at, and what was wrong with some."""

    checks: list[dict] = field(default_factory=list)
    figures: dict = field(default_factory=dict)

    def add(self, name: str, looked_at: int, wrong: list[str], least: int = 1) -> None:
        """A check that looked at fewer than `least` things proves nothing, so it fails."""
        wrong = list(wrong)
        if looked_at < least:
            wrong.append(f"vacuous: looked at {looked_at}, at least {least} expected")
        self.checks.append({"check": name, "looked_at": looked_at, "wrong": len(wrong),
                            "examples": wrong[:EXAMPLES_MAX], "passed": not wrong})

    @property
    def passed(self) -> bool:
        return all(check["passed"] for check in self.checks)

    def print(self, name: str) -> None:
        print()
        for check in self.checks:
            mark = "ok  " if check["passed"] else "FAIL"
            print(f"  {mark} {check['check']:<46} {check['looked_at']:>9} looked at, "
                  f"{check['wrong']} wrong")
            for example in check["examples"]:
                print(f"         {example}")
        for figure, value in self.figures.items():
            print(f"       {figure:<46} {value}")
        good = sum(check["passed"] for check in self.checks)
        print(f"\n{name}: {good} passed, {len(self.checks) - good} failed")


def read_rows(address: str) -> list[Row]:
    rows = stores.query(address, """
        SELECT visitor_id, session_id, window_id, n, type, coalesce(name, ''),
               round(extract(epoch FROM occurred_at) * 1000)::bigint,
               round(extract(epoch FROM received_at) * 1000)::bigint,
               consent, properties, partition, journal_offset
        FROM heliograph.event WHERE site = 'demo'""")
    return [Row(*row) for row in rows]


def wait_for_rows(engine: Engine, ledger: Ledger) -> tuple[float, int]:
    """Waits until every acknowledged event has a row, or the count stands still at the deadline."""
    expected = len(ledger.acknowledged())
    began = time.monotonic()
    count = -1
    while time.monotonic() - began < DRAIN_SECONDS_MAX:
        try:
            address = engine.addresses()["postgres"]
            count = stores.query(address, "SELECT count(DISTINCT (window_id, n))"
                                 " FROM heliograph.event WHERE site = 'demo'")[0][0]
        except Exception as error:  # the store may be on its way back
            print(f"    waiting for PostgreSQL: {error}")
        if count >= expected:
            break
        time.sleep(0.5)
    return time.monotonic() - began, count


def judge_events(verdict: Verdict, ledger: Ledger, rows: list[Row], acknowledged_min: int) -> None:
    """Every promise kept once, nothing that nobody sent, nothing changed."""
    counts = Counter((row.window, row.n) for row in rows)
    acknowledged = ledger.acknowledged()
    verdict.add("acknowledged events are there",
                len(acknowledged), [str(key) for key in acknowledged if key not in counts],
                acknowledged_min)
    verdict.add("no event is there twice", len(counts),
                [f"{key}: {count} rows" for key, count in counts.items() if count > 1])
    verdict.add("no event is there that nobody sent", len(counts),
                [str(key) for key in counts if key not in ledger.events])
    changed, moved = [], []
    for row in rows:
        sent = ledger.events.get((row.window, row.n))
        if sent is None:
            continue
        changed += [f"{(row.window, row.n)}: {text}" for text in differences(sent, row)]
        delta = row.occurred_milliseconds - sent.client_milliseconds
        if not -2 <= delta <= CLOCK_MILLISECONDS_MAX:
            moved.append(f"{(row.window, row.n)}: moved by {delta} ms")
    verdict.add("no event is altered", len(rows), changed)
    verdict.add("event times are the senders' times", len(rows), moved)


def split_enrichment(row: Row) -> tuple[dict, dict]:
    """The properties as they were sent, and what the engine says of a page view's source."""
    names = {"ch", "so", "me", "ca", "cx", "ct", "te", "ck"} if row.type == "pv" else set()
    return ({key: value for key, value in row.properties.items() if key not in names},
            {key: value for key, value in row.properties.items() if key in names})


def differences(sent: Sent, row: Row) -> list[str]:
    """What is not as it was sent. The name of a custom event has a column of its own."""
    found = []
    expected = dict(sent.fields)
    if row.name and "name" not in row.properties:
        expected.pop("name", None)
    for label, theirs, ours in [
        ("type", row.type, sent.type), ("name", row.name, sent.name),
        ("session", row.session, sent.session), ("consent", row.consent, sent.consent),
        ("visitor", row.visitor, sent.visitor or row.visitor),
    ]:
        if theirs != ours:
            found.append(f"{label} is {theirs!r}, was {ours!r}")
    stored, added = split_enrichment(row)
    for key in expected.keys() | stored.keys():
        if expected.get(key) != stored.get(key):
            found.append(f"{key} is {stored.get(key)!r}, was {expected.get(key)!r}")
    named = re.search(r"[?&]utm_source=([\w-]+)", str(expected.get("u", "")))
    if row.type == "pv" and ("ch" not in added
                             or named and added.get("so") != named.group(1).lower()):
        found.append(f"the source of {expected.get('u')!r} is {added!r}")
    return found


def judge_sessions(verdict: Verdict, address: str, rows: list[Row]) -> None:
    """Each session's row says what its events add up to."""
    expected: dict[str, list] = defaultdict(lambda: [0, 0, math.inf, -math.inf])
    for row in rows:
        session = expected[row.session]
        session[0] += 1
        session[1] += row.type == "pv"
        session[2] = min(session[2], row.occurred_milliseconds)
        session[3] = max(session[3], row.occurred_milliseconds)
    found = {row[0]: list(row[1:]) for row in stores.query(address, """
        SELECT session_id, events, page_views,
               round(extract(epoch FROM started_at) * 1000)::bigint,
               round(extract(epoch FROM ended_at) * 1000)::bigint
        FROM heliograph.session WHERE site = 'demo'""")}
    wrong = [f"{key}: row says {found.get(key)}, events say {expected.get(key)}"
             for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)]
    verdict.add("session rows equal the sum of their events", len(expected), wrong)


def judge_sums(verdict: Verdict, engine: Engine, ledger: Ledger, rows: list[Row]) -> None:
    """The engine's decayed sums equal an independent fold, over the rows and over the ledger."""
    from_rows = reference_fold.fold(_observed(row, row.properties, row.name) for row in rows)
    from_ledger = reference_fold.fold(
        _observed(row, sent.fields, sent.name) for row in rows
        if (sent := ledger.events.get((row.window, row.n))))
    in_redis = read_states(verdict, engine, list(from_rows))
    compared = len(in_redis) * len(reference_fold.HALF_LIFE_SECONDS)
    verdict.add("sums in Redis equal the fold over the rows", compared,
                unequal_sums(in_redis, from_rows))
    verdict.add("sums in Redis equal the fold over the ledger", compared,
                unequal_sums(in_redis, from_ledger))
    told = read_companion(engine, list(from_rows))
    verdict.add("the companion tells the same sums", len(told), unequal_sums(told, from_rows),
                len(from_rows))


def read_states(verdict: Verdict, engine: Engine, visitors: list[str]) -> dict[str, Sums]:
    """The sums that Redis holds; each visitor's hash must have all its fields."""
    redis = stores.Redis(engine.addresses()["redis"])
    found, wrong = {}, []
    for visitor in visitors:
        missing = REDIS_FIELDS - redis.visitor(visitor).keys()
        if missing:
            wrong.append(f"{visitor}: no {', '.join(sorted(missing))}")
        else:
            found[visitor] = packed_state.sums(redis.state(visitor))
    redis.close()
    verdict.add("every visitor's score is in Redis", len(visitors), wrong)
    return found


def read_companion(engine: Engine, visitors: list[str]) -> dict[str, Sums]:
    told = {}
    for visitor in visitors:
        try:
            answer = stores.companion_visitor(engine, visitor)
        except OSError as error:
            print(f"    the companion does not answer: {error}")
            return told
        if answer:
            told[visitor] = answer["sums"]
    return told


def unequal_sums(theirs: dict[str, Sums], ours: dict[str, Sums]) -> list[str]:
    return [f"{visitor} {signal}: {text}"
            for visitor, sums in theirs.items() for signal in reference_fold.HALF_LIFE_SECONDS
            if (text := unequal(signal, sums.get(signal, NOTHING),
                                ours.get(visitor, {}).get(signal, NOTHING)))]


def _observed(row: Row, properties: dict, name: str) -> reference_fold.Event:
    return reference_fold.Event(
        visitor=row.visitor, session=row.session, window=row.window, n=row.n, type=row.type,
        name=name, occurred_milliseconds=row.occurred_milliseconds, consent=row.consent,
        properties=properties, order=(row.partition, row.offset, row.n))


def unequal(signal: str, theirs, ours) -> str | None:
    """Both pairs of sums moved to the later of their moments, then compared."""
    moment = max(theirs[2], ours[2])
    for label, index in (("S", 0), ("W", 1)):
        a = reference_fold.moved(signal, theirs[index], theirs[2], moment)
        b = reference_fold.moved(signal, ours[index], ours[2], moment)
        if abs(a - b) > SUM_TOLERANCE * max(1.0, abs(a), abs(b)):
            return f"{label} is {a!r}, should be {b!r}"
    return None


def judge_fresh(verdict: Verdict, engine: Engine, ledger: Ledger) -> None:
    """After all that, a new visitor's event still reaches both stores at once."""
    from traffic import Connection
    visitor = Visitor(time.time_ns())
    visitor.consent = 7
    batch = visitor.next_batch()
    ledger.issue(batch.events)
    began = time.monotonic()
    status, _ = Connection(engine.ingest_port).post("/v1/e", batch.body())
    ledger.answer(batch.events, status, time.monotonic() - began, False)
    found, seconds = False, 0.0
    redis = stores.Redis(engine.addresses()["redis"])
    while not found and seconds < FRESH_SECONDS_MAX:
        found = "score" in redis.visitor(visitor.device) and stores.query(
            engine.addresses()["postgres"],
            "SELECT count(*) FROM heliograph.event WHERE visitor_id = %s", (visitor.device,)
        )[0][0] == len(batch.events)
        seconds = time.monotonic() - began
    redis.close()
    verdict.add(f"a fresh event goes through within {FRESH_SECONDS_MAX} s", 1,
                [] if found else [f"answered {status}, not in both stores after {seconds:.1f} s"])


def judge_all(verdict: Verdict, engine: Engine, ledger: Ledger, acknowledged_min: int) -> None:
    """The whole judgement; the senders have stopped and the engine is up."""
    judge_fresh(verdict, engine, ledger)
    seconds, _ = wait_for_rows(engine, ledger)
    verdict.figures["rows caught up after (s)"] = round(seconds, 1)
    address = engine.addresses()["postgres"]
    rows = read_rows(address)
    judge_events(verdict, ledger, rows, acknowledged_min)
    judge_sessions(verdict, address, rows)
    judge_sums(verdict, engine, ledger, rows)
    aggregates.check(verdict, engine, ledger)
    bad = {status: count for status, count in ledger.statuses.items()
           if status.startswith("4") and status not in ("408", "425", "429") or status == "500"}
    verdict.add("no batch is refused", sum(ledger.statuses.values()),
                [f"{count} × {status}" for status, count in bad.items()])
    verdict.figures |= {
        "events acknowledged": len(ledger.acknowledged()), "events sent": len(ledger.events),
        "rows": len(rows), "visitors": len({row.visitor for row in rows}),
        "batches acknowledged": ledger.batches_acknowledged,
        "repeats acknowledged": ledger.repeats_acknowledged, "retries": ledger.retries,
        "slowest acknowledgement (ms)": round(ledger.latency_seconds_max * 1000),
        "answers": dict(sorted(ledger.statuses.items())),
    }
