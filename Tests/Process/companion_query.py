#!/usr/bin/python3
"""The companion's figures recomputed from the rows by an independent program: every metric by every
dimension that fits it, by time in a zone with summer time, filtered and compared; differences 0.

Starts an engine of its own. Visits come in as beacons; their rows are then moved back over some weeks, so
that there are days, a change of the clock and an earlier range to compare with.
"""

import argparse
import datetime
import http.client
import json
import os
import random
import re
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2
import psycopg2.extras

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Chaos"))

from checks import Checks  # noqa: E402
from engine import Engine  # noqa: E402

CHECKS = Checks()
check = CHECKS.check
ZONE = ZoneInfo("America/New_York")
SETTINGS = """
sites:
  - name: shop
    keys: [key_shop]
    origins: ["*"]
    time_zone: America/New_York
    currency: USD
    automation: count
    consent: {default: 63}
"""
BROWSERS = ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
            "Gecko) Version/17.5 Mobile/15E148 Safari/604.1"]
PAGES = ["/", "/pricing?x=1", "/faq#top", "/pricing", "/a?utm_source=google&utm_medium=cpc&gclid=1",
         "/b?utm_source=letter&utm_medium=email&utm_campaign=spring"]
TIMES = {"event": ["occurred_at", "received_at"], "session": ["started_at", "ended_at"],
         "conversion": ["occurred_at", "received_at"], "score_history": ["at"], "touch": ["at"]}
RNG = random.Random(20261121)


# ---- something to count

def send(engine: Engine, visits: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", engine.ingest_port, timeout=20)
    devices = ["".join(RNG.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=22))
               for _ in range(visits // 2)]
    for number in range(visits):
        session = "".join(RNG.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=22))
        device, events = RNG.choice(devices), []
        for page in range(1, RNG.randint(2, 5)):
            events.append({"t": "pv", "u": "https://shop.example" + RNG.choice(PAGES), "p": page})
        if RNG.random() < 0.4:
            name, value = RNG.choice([("purchase", 19.99), ("purchase", 5), ("lead", 0)])
            events.append({"t": "cu", "name": name, "p": 1,
                           "props": {"value": value, "currency": "USD", "order_id": f"O{number}"}})
        if RNG.random() < 0.3:
            events.append({"t": "cu", "name": "wish's \"odd\"; --", "p": 1, "props": {}})
        for index, event in enumerate(events):
            event |= {"n": index + 1, "o": 900 + index}
        body = {"v": 1, "k": "key_shop", "st": int(time.time() * 1000), "mt": 1000, "q": 1,
                "w": session, "s": session, "d": device, "c": 63, "x": {"l": "en"}, "e": events}
        connection.request("POST", "/v1/e", json.dumps(body), {
            "User-Agent": RNG.choice(BROWSERS), "Origin": "https://shop.example"})
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            raise SystemExit(f"a beacon was refused: {answer.status}")
    refused = {"v": 1, "k": "key_shop", "w": "w", "e": []}
    connection.request("POST", "/v1/e", json.dumps(refused), {"Origin": "https://shop.example"})
    connection.getresponse().read()


def spread(database) -> None:
    """Moves each session to a time of its own within the last 40 days, in whole milliseconds. Its tables
    by day do not reach so far back, so they are made."""
    cursor = database.cursor()
    cursor.execute("SELECT DISTINCT session_id FROM heliograph.event WHERE session_id IS NOT NULL"
                   " ORDER BY 1")
    sessions = [row[0] for row in cursor.fetchall()]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    for day in range(1, 43):
        start = today - datetime.timedelta(days=day)
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS heliograph.event_{start:%Y%m%d} PARTITION OF"
            f" heliograph.event FOR VALUES FROM ('{start}') TO"
            f" ('{start + datetime.timedelta(days=1)}')")
    for session in sessions:
        back = f"{RNG.randint(0, 40 * 86_400)} seconds"
        for table, columns in TIMES.items():
            if table == "score_history":
                continue
            change = ", ".join(f"{column} = {column} - %(back)s::interval" for column in columns)
            cursor.execute(f"UPDATE heliograph.{table} SET {change} WHERE session_id = %(session)s",
                           {"back": back, "session": session})
    cursor.execute("UPDATE heliograph.score_history SET at = at - (random() * 40) * interval '1 day'")
    cursor.execute("UPDATE heliograph.event SET bot = true WHERE session_id = %s", (sessions[0],))
    database.commit()


def settle(engine: Engine, visits: int):
    database = psycopg2.connect(engine.addresses()["postgres"])
    cursor = database.cursor()
    deadline, before = time.monotonic() + 40, None
    while time.monotonic() < deadline:
        cursor.execute("SELECT (SELECT count(DISTINCT session_id) FROM heliograph.event),"
                       " (SELECT count(*) FROM heliograph.score_history),"
                       " (SELECT count(*) FROM heliograph.rejected_event),"
                       " (SELECT count(*) FROM heliograph.conversion)")
        found = cursor.fetchone()
        database.commit()
        if found == before and found[0] == visits and found[2] > 0:
            return database
        before = found
        time.sleep(0.7)
    raise SystemExit(f"the visits did not arrive: {before}")


# ---- the same figures, another way

class Rows:
    """All rows, and what the companion should say about them."""

    def __init__(self, database):
        cursor = database.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        def table(name):
            cursor.execute(f"SELECT * FROM heliograph.{name}")
            return [dict(row) for row in cursor.fetchall()]
        touches = sorted(table("touch"), key=lambda one: (one["at"], one["journal_offset"]))
        first = {}
        for touch in touches:
            first.setdefault((touch["visitor_id"], touch["session_id"]), touch)
        self.bases = {
            "events": [row | {"time": row["occurred_at"]} for row in table("event") if not row["bot"]],
            "sessions": [row | {"time": row["started_at"]} for row in table("session")
                         if not row["bot"] and row["page_views"] > 0],
            "conversions": [row | {"time": row["occurred_at"]} for row in table("conversion")
                            if not row["bot"]],
            "readiness": [row | {"time": row["at"]} for row in table("score_history")
                          if not row["bot"]],
            "deliveries": [row | {"time": row["created_at"]} for row in table("delivery")],
            "intake": [row | {"time": row["received_at"]} for row in table("rejected_event")
                       if row["site"] == "shop"]}
        for base in ("events", "sessions", "conversions"):
            for row in self.bases[base]:
                row["touch"] = first.get((row["visitor_id"], row["session_id"]))

    def value(self, metric: str, rows: dict):
        upper_lower = {"conversion_rate": ("converting_visitors", "visitors"),
                       "aov": ("revenue", "orders"), "revenue_per_visitor": ("revenue", "visitors")}
        if metric in upper_lower:
            upper, lower = (self.value(name, rows) for name in upper_lower[metric])
            return None if upper is None or not lower else float(upper) / float(lower)
        base, formula = METRICS[metric]
        return formula(rows[base])


def distinct(rows) -> int:
    return len({row["visitor_id"] for row in rows})


def mean(values):
    values = list(values)
    return sum(map(float, values)) / len(values) if values else None


def money(rows):
    bought = [row for row in rows if row["name"] == "purchase"]
    return sum(float(row["value"] or 0) for row in bought) if rows else None


METRICS = {
    "visitors": ("events", lambda rows: distinct(row for row in rows if row["type"] == "pv")),
    "page_views": ("events", lambda rows: sum(row["type"] == "pv" for row in rows)),
    "events": ("events", len), "sessions": ("sessions", len),
    "views_per_session": ("sessions", lambda rows: mean(row["page_views"] for row in rows)),
    "single_page_rate": ("sessions", lambda rows: mean(row["page_views"] == 1 for row in rows)),
    "active_time_avg": ("sessions", lambda rows: mean(row["active_milliseconds"] for row in rows)),
    "peak_readiness_avg": ("sessions", lambda rows: mean(row["score_maximum"] for row in rows)),
    "hot_visitors": ("readiness", lambda rows: distinct(r for r in rows if r["band"] == "hot")),
    "warm_visitors": ("readiness", lambda rows: distinct(r for r in rows if r["band"] == "warm")),
    "profile_changes": ("readiness", lambda rows: sum(r["profile_before"] is not None for r in rows)),
    "conversions": ("conversions", len), "converting_visitors": ("conversions", distinct),
    "orders": ("conversions", lambda rows: sum(row["name"] == "purchase" for row in rows)),
    "revenue": ("conversions", money), "deliveries": ("deliveries", len),
    "delivered": ("deliveries", lambda rows: sum(row["state"] == "delivered" for row in rows)),
    "pending": ("deliveries", lambda rows: sum(
        row["state"] in ("pending", "retry", "sending") for row in rows)),
    "dead": ("deliveries", lambda rows: sum(row["state"] == "dead" for row in rows)),
    "in_doubt": ("deliveries", lambda rows: sum(row["state"] == "in_doubt" for row in rows)),
    "rejected": ("intake", len)}


def page(row):
    return re.sub(r"^[a-z]+://[^/?#]*|[?#].*$", "", row["properties"].get("u") or "") or None


DIMENSIONS = {
    "event.type": lambda row: row["type"], "event.name": lambda row: row["name"], "event.page": page,
    "session.channel": lambda row: (row["touch"] or {}).get("channel", "unassigned"),
    "session.source": lambda row: (row["touch"] or {}).get("source"),
    "session.medium": lambda row: (row["touch"] or {}).get("medium"),
    "session.campaign": lambda row: (row["touch"] or {}).get("campaign"),
    "session.device": lambda row: (row["context"] or {}).get("dv"),
    "session.browser": lambda row: (row["context"] or {}).get("br"),
    "session.os": lambda row: (row["context"] or {}).get("os"),
    "session.country": lambda row: (row["context"] or {}).get("co"),
    "visitor.band": lambda row: row["band"], "visitor.profile": lambda row: row["profile"],
    "conversion.name": lambda row: row["name"], "conversion.currency": lambda row: row["currency"],
    "delivery.destination": lambda row: row["destination"],
    "delivery.state": lambda row: row["state"], "delivery.reason": lambda row: row["reason"],
    "intake.reason": lambda row: row["reason"], "intake.format": lambda row: row["format"]}


def bucket(moment: datetime.datetime, grain: str | None, begin: datetime.datetime) -> str | None:
    """The beginning of the bucket, as the companion writes it; the first begins with the range."""
    if grain is None:
        return None
    local = moment.astimezone(ZONE)
    if grain == "hour":
        start = local.replace(minute=0, second=0, microsecond=0)
    else:
        start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if grain == "week":
            start -= datetime.timedelta(days=start.weekday())
        if grain == "month":
            start = start.replace(day=1)
    return max(start, begin.astimezone(ZONE)).isoformat()


# ---- asking and comparing

class Judge:
    def __init__(self, engine: Engine, rows: Rows):
        self.engine, self.rows = engine, rows
        self.compared, self.wrong = 0, []

    def ask(self, **question):
        request = self.engine.companion_request("/api/v1/query")
        request.data = json.dumps({"site": "shop", **question}).encode()
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def groups(self, span: dict, dimensions, grain, keep) -> dict:
        """Rows by group and bucket: groups with a bucket, and all of them without."""
        begin, end = (datetime.datetime.fromisoformat(span[name]) for name in ("from", "to"))
        found = defaultdict(lambda: {base: [] for base in self.rows.bases})
        _ = found[None]
        for base, rows in self.rows.bases.items():
            for row in rows:
                if not begin <= row["time"] < end or not keep(base, row):
                    continue
                found[None][base].append(row)
                try:
                    group = tuple(DIMENSIONS[name](row) for name in dimensions)
                except KeyError:
                    continue
                found[group, bucket(row["time"], grain, begin)][base].append(row)
        return found

    def same(self, where, told, due) -> None:
        self.compared += 1
        if told is None or due is None:
            if told is not due:
                self.wrong.append((where, told, due))
        elif abs(float(told) - float(due)) > 1e-6 * max(1, abs(float(due))):
            self.wrong.append((where, told, due))

    def judge(self, metrics, dimensions=(), grain=None, span=None, compare=None, keep=None, **more):
        question = {"metrics": metrics, "dimensions": list(dimensions), "limit": 1000,
                    "range": span or {"last": "35d", "include_today": True}, **more}
        question |= {"grain": grain} if grain else {}
        question |= {"compare": compare} if compare else {}
        status, told = self.ask(**question)
        check(f"{metrics} by {list(dimensions)} and {grain} is answered", status == 200, told)
        if status != 200:
            return
        keep = keep or (lambda base, row: True)
        spans = [("m", told["meta"]["range"])]
        spans += [("c", told["meta"]["compared"]["range"])] if compare else []
        for name, span in spans:
            due = self.groups(span, dimensions, grain, keep)
            for index, metric in enumerate(metrics):
                self.same((metric, name, "total"), told["totals"][name][index],
                          self.rows.value(metric, due[None]))
            if name == "m":
                self.judge_rows(metrics, dimensions, grain, told, due)

    def judge_rows(self, metrics, dimensions, grain, told, due) -> None:
        seen = set()
        for row in told["rows"]:
            key = (tuple(row["d"]), row.get("t") and same_bucket(row["t"]))
            seen.add(key)
            for index, metric in enumerate(metrics):
                rows = due.get(key, {base: [] for base in self.rows.bases})
                self.same((metric, dimensions, key), row["m"][index], self.rows.value(metric, rows))
        bases = {base for metric in metrics for base in bases_of(metric)}
        missing = [key for key, rows in due.items() if key and any(rows[base] for base in bases)
                   and key not in seen and (dimensions or grain)]
        if missing:
            self.wrong.append((metrics, dimensions, "missing", missing[:3]))


def same_bucket(text: str) -> str:
    return datetime.datetime.fromisoformat(text).astimezone(ZONE).isoformat()


def bases_of(metric: str) -> list[str]:
    return {"conversion_rate": ["conversions", "events"], "aov": ["conversions"],
            "revenue_per_visitor": ["conversions", "events"]}.get(metric) or [METRICS[metric][0]]


def everything(judge: Judge, schema: dict) -> None:
    """Each metric by each dimension that the schema says fits, and by each grain."""
    for metric in schema["metrics"]:
        name = metric["name"]
        for dimension in metric["dimensions"]:
            judge.judge([name], (dimension,))
        for grain in ("hour", "day", "week", "month"):
            span = {"last": "20d"} if grain == "hour" else None
            judge.judge([name], grain=grain, span=span)


def chosen(judge: Judge) -> None:
    """Questions as a dashboard asks them."""
    figures = ["visitors", "sessions", "conversions", "conversion_rate", "revenue", "aov"]
    judge.judge(figures, compare={"to": "previous"}, span={"last": "14d"})
    judge.judge(figures, compare={"to": "previous"}, span={"preset": "today"})
    judge.judge(figures, compare={"to": "previous", "align": "full"}, span={"preset": "month"})
    judge.judge(figures, ("session.channel",), "day", compare={"to": "previous"}, span={"last": "7d"})
    judge.judge(["page_views", "visitors"], ("event.page", "session.device"), "week")
    wanted = {"/", "/pricing"}
    judge.judge(["page_views", "visitors"], ("event.page",),
                filter={"field": "event.page", "op": "in", "values": sorted(wanted)},
                keep=lambda base, row: base != "events" or page(row) in wanted)
    judge.judge(["visitors", "events"], filter={"and": [
        {"not": {"field": "event.type", "op": "in", "values": ["pv"]}},
        {"or": [{"field": "event.name", "op": "contains", "values": ["; --"]},
                {"field": "event.name", "op": "starts_with", "values": ["purch"]}]}]},
        keep=lambda base, row: base != "events" or row["type"] != "pv" and (
            "; --" in (row["name"] or "") or (row["name"] or "").startswith("purch")))
    judge.judge(["sessions", "conversions", "visitors"], ("session.medium",),
                filter={"field": "session.channel", "op": "not_in", "values": ["email"]},
                keep=lambda base, row: base not in ("events", "sessions", "conversions")
                or DIMENSIONS["session.channel"](row) != "email")


def own_days(judge: Judge) -> None:
    """Days that are named are the site's."""
    _, told = judge.ask(metrics=["visitors"], range={"from": "2026-03-07", "to": "2026-03-09"})
    check("named days are the site's", told.get("meta", {}).get("range") == {
        "from": "2026-03-07T00:00:00-05:00", "to": "2026-03-09T00:00:00-04:00"}, told)


def refusals(judge: Judge) -> None:
    base = {"metrics": ["visitors"], "range": {"last": "7d"}}
    for change, status, code in (
            ({"metrics": ["vistors"]}, 400, "unknown-metric"),
            ({"dimensions": ["delivery.state"]}, 422, "incompatible-fields"),
            ({"site": "nope"}, 404, "not-found"), ({"range": {}}, 400, "invalid-range"),
            ({"range": {"last": "700d"}, "grain": "hour"}, 422, "grain-too-fine"),
            ({"where": "1=1"}, 400, "unknown-field")):
        found, told = judge.ask(**{**base, **change})
        check(f"{change} is refused by name", (found, told.get("code")) == (status, code), told)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    visits = 2_000 if arguments.long else 200
    engine = Engine(arguments.binary, settings=SETTINGS)
    try:
        engine.start()
        send(engine, visits)
        database = settle(engine, visits)
        spread(database)
        judge = Judge(engine, Rows(database))
        with urllib.request.urlopen(engine.companion_request("/api/v1/schema"), timeout=10) as answer:
            schema = json.load(answer)
        everything(judge, schema)
        chosen(judge)
        own_days(judge)
        refusals(judge)
        check("every figure is the one of the rows", not judge.wrong and judge.compared > 1_000,
              (judge.compared, len(judge.wrong), judge.wrong[:5]))
        print(f"figures compared: {judge.compared}, differences: {len(judge.wrong)}")
        database.close()
    finally:
        engine.stop()
        engine.clean_up(keep=bool(os.environ.get("KEEP")))
    print(f"companion-query: {CHECKS.passed} passed, {CHECKS.failed} failed")
    return 1 if CHECKS.failed else 0


if __name__ == "__main__":
    sys.exit(main())
