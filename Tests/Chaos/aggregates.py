"""Holds the live aggregates in Redis against the rows in PostgreSQL and against the ledger.

`hg:<site>:agg:<minutes since 1970>` is a hash with a field per partition. Its values are absolute, so
the sums over the fields must be what the events of that minute (of received_at) add up to, after
whatever happened to the engine and its stores.
"""

import json
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlsplit

import stores

SETTLE_SECONDS_MAX = 15
# 49 hours after it began; tests set the engine's clock, but not Redis', ahead by an hour.
LIFE_SECONDS_MAX = 50 * 3600 + 60
SESSIONS_REMEMBERED = 4
# Of what the traffic sends, the one that config/scoring.yaml calls a conversion.
CONVERSION = "purchase"
PROFILING = 4
COUNTERS = ("events", "page_views", "sessions", "visitors", "conversions", "value_thousandths",
            "automated_events", "other_page_views")
BANDS = ("cold", "warm", "hot")
Minutes = dict[int, dict]


@dataclass
class Counted:
    """An event as it counts: when it came, and what it was."""

    window: str
    n: int
    visitor: str
    session: str
    type: str
    name: str
    received_milliseconds: int
    consent: int
    is_automated: bool
    properties: dict
    place: tuple[int, int]      # partition and offset: one record, and records in their order


def empty() -> dict:
    return {name: 0 for name in COUNTERS} | {"profiled": 0, "channels": {}, "pages": {}}


def read_events(address: str, site: str = "demo") -> list[Counted]:
    rows = stores.query(address, """
        SELECT window_id, n, visitor_id, session_id, type, coalesce(name, ''),
               round(extract(epoch FROM received_at) * 1000)::bigint, consent, bot, properties,
               partition, journal_offset
        FROM heliograph.event WHERE site = %s""", (site,))
    return [Counted(*row[:10], place=(row[10], row[11])) for row in rows]


def as_sent(events: list[Counted], ledger) -> list[Counted]:
    """The same events as their senders know them; the channel is the engine's own finding."""
    told = []
    for event in events:
        sent = ledger.events.get((event.window, event.n))
        if sent is None:
            continue
        channel = {key: event.properties[key] for key in ("ch",) if key in event.properties}
        told.append(Counted(event.window, event.n, event.visitor, sent.session, sent.type,
                            sent.name, event.received_milliseconds, sent.consent,
                            event.is_automated, {**sent.fields, **channel}, event.place))
    return told


def expected(events: list[Counted]) -> Minutes:
    """What the events add up to, minute by minute."""
    minutes: Minutes = defaultdict(empty)
    records = defaultdict(list)
    for event in events:
        records[event.place].append(event)
    visitors, profiled, sessions = defaultdict(set), defaultdict(set), defaultdict(list)
    for _, record in sorted(records.items()):
        record.sort(key=lambda event: event.n)
        first = record[0]
        number = first.received_milliseconds // 60_000
        minute = minutes[number]
        if first.is_automated:
            minute["automated_events"] += len(record)
            continue
        count_events(minute, record)
        visitors[number].add(first.visitor)
        if first.consent & PROFILING:
            profiled[number].add(first.visitor)
        if first.session not in sessions[first.visitor]:
            sessions[first.visitor] = sessions[first.visitor][1 - SESSIONS_REMEMBERED:]
            sessions[first.visitor].append(first.session)
            minute["sessions"] += 1
            views = [event for event in record if event.type == "pv"]
            channel = views[0].properties.get("ch", "unassigned") if views else "unassigned"
            add(minute["channels"], channel, 1)
    for number, minute in minutes.items():
        minute["visitors"] = len(visitors[number])
        minute["profiled"] = len(profiled[number])
    return dict(minutes)


def count_events(minute: dict, record: list[Counted]) -> None:
    minute["events"] += len(record)
    for event in record:
        if event.type == "pv":
            minute["page_views"] += 1
            path = urlsplit(event.properties.get("u", "")).path.rstrip("/") or "/"
            add(minute["pages"], path, 1)
        elif event.type == "cu" and event.name == CONVERSION:
            minute["conversions"] += 1
            value = event.properties.get("props", {}).get("value", 0)
            minute["value_thousandths"] += round(value * 1000)


def add(counts: dict, key: str, number: int) -> None:
    counts[key] = counts.get(key, 0) + number


def in_redis(address: str, site: str = "demo") -> tuple[Minutes, list[str]]:
    """The sums over each minute's fields, and the minutes that nobody would ever remove."""
    redis = stores.Redis(address)
    prefix = f"hg:{site}:agg:"
    minutes: Minutes = {}
    immortal = []
    for key in redis.call("KEYS", prefix + "*"):
        minutes[int(key.removeprefix(prefix))] = summed(redis.call("HVALS", key))
        if not 0 < redis.call("TTL", key) <= LIFE_SECONDS_MAX:
            immortal.append(f"{key}: TTL {redis.call('TTL', key)}")
    redis.close()
    return minutes, immortal


def summed(values: list[str]) -> dict:
    minute = empty()
    for value in map(json.loads, values):
        for name in COUNTERS:
            minute[name] += value.get(name, 0)
        minute["profiled"] += sum(value.get(band, 0) for band in BANDS)
        for part in ("channels", "pages"):
            for key, number in value.get(part, {}).items():
                add(minute[part], key, number)
    return minute


def in_companion(engine, last: int, site: str = "demo") -> Minutes:
    question = engine.companion_request(f"/api/v1/sites/{site}/live/minutes?last={last}")
    with urllib.request.urlopen(question, timeout=10) as answer:
        return {minute["minute"]: minute for minute in json.load(answer)["minutes"]}


def differences(theirs: Minutes, ours: Minutes) -> list[str]:
    return [f"minute {number} {name}: {a} in Redis, should be {b}"
            for number in sorted(theirs.keys() | ours.keys())
            for name in empty()
            if (a := theirs.get(number, empty())[name]) != (b := ours.get(number, empty())[name])]


def check(verdict, engine, ledger) -> None:
    """To be called when the senders have stopped and every row is there. Redis follows within a
    moment, so it is looked at until it agrees, or until it had long enough."""
    addresses = engine.addresses()
    events = read_events(addresses["postgres"])
    ours = expected(events)
    began = time.monotonic()
    while True:
        theirs, immortal = in_redis(addresses["redis"])
        wrong = differences(theirs, ours)
        if not wrong or time.monotonic() - began > SETTLE_SECONDS_MAX:
            break
        time.sleep(0.2)
    verdict.figures["live minutes right after (s)"] = round(time.monotonic() - began, 1)
    judge(verdict, theirs, ours, expected(as_sent(events, ledger)), immortal)
    judge_companion(verdict, engine, theirs)
    verdict.figures["live minutes compared"] = len(ours)


def check_rows(verdict, engine, site: str = "demo") -> None:
    """The same for more rows than fit in memory: what PostgreSQL itself can add up."""
    addresses = engine.addresses()
    rows = stores.query(addresses["postgres"], """
        SELECT floor(extract(epoch FROM received_at) / 60)::bigint,
               count(*) FILTER (WHERE NOT bot),
               count(*) FILTER (WHERE NOT bot AND type = 'pv'),
               count(DISTINCT visitor_id) FILTER (WHERE NOT bot),
               count(*) FILTER (WHERE NOT bot AND type = 'cu' AND name = %s),
               count(*) FILTER (WHERE bot)
        FROM heliograph.event WHERE site = %s GROUP BY 1""", (CONVERSION, site))
    names = ("events", "page_views", "visitors", "conversions", "automated_events")
    ours = {row[0]: dict(zip(names, row[1:])) for row in rows}
    began = time.monotonic()
    while True:
        found, immortal = in_redis(addresses["redis"], site)
        theirs = {number: {name: minute[name] for name in names}
                  for number, minute in found.items()}
        if theirs == ours or time.monotonic() - began > SETTLE_SECONDS_MAX:
            break
        time.sleep(0.5)
    wrong = [f"minute {number}: {theirs.get(number)} in Redis, should be {ours.get(number)}"
             for number in sorted(theirs.keys() | ours.keys())
             if theirs.get(number) != ours.get(number)]
    verdict.add("live minutes equal the rows", sum(minute["events"] for minute in theirs.values()),
                wrong)
    verdict.add("live minutes end by themselves", len(theirs), immortal)
    verdict.figures["live minutes compared"] = len(ours)


def judge(verdict, theirs: Minutes, rows: Minutes, sent: Minutes, immortal: list[str]) -> None:
    looked_at = sum(minute["events"] for minute in theirs.values())
    verdict.add("live minutes equal the rows", looked_at, differences(theirs, rows))
    verdict.add("live minutes equal the ledger", looked_at, differences(theirs, sent))
    verdict.add("live minutes end by themselves", len(theirs), immortal)


def judge_companion(verdict, engine, theirs: Minutes) -> None:
    now = int(time.time()) // 60
    told = in_companion(engine, 180)
    recent = {number: minute for number, minute in theirs.items() if number > now - 178}
    wrong = [f"minute {number} {name}: {told.get(number, {}).get(name)}, should be {minute[name]}"
             for number, minute in recent.items()
             for name in ("events", "page_views", "sessions", "visitors", "conversions")
             if told.get(number, {}).get(name) != minute[name]]
    verdict.add("the companion tells the same minutes", len(recent), wrong)
