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
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Chaos"))

from checks import Checks  # noqa: E402
from engine import Engine  # noqa: E402
from query_rows import DIMENSIONS, Rows, bases_of, bucket, page, ZONE  # noqa: E402

CHECKS = Checks()
check = CHECKS.check
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
        seen = RNG.random() > 0.1
        for page in range(1, RNG.randint(2, 5) if seen else 1):
            events.append({"t": "pv", "u": "https://shop.example" + RNG.choice(PAGES), "p": page})
        if not seen:
            # An order of somebody who is not seen to have looked at a page.
            device = f"server{number:016d}"
            events.append({"t": "cu", "name": "purchase", "p": 1, "props": {"value": 7.5}})
        if RNG.random() < 0.2:
            events.append({"t": "ck", "p": 1, "ro": "button"})
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
    mark_all(database)


def mark_all(database) -> None:
    """Says of every day that its rows have changed, as the archive does of rows that it writes."""
    database.cursor().execute(
        "INSERT INTO heliograph.rollup_stale (site, quarter) SELECT 'shop', quarter FROM generate_series("
        "date_bin('15 minutes', now() - interval '45 days', 'epoch'), now(), interval '15 minutes')"
        " AS quarter ON CONFLICT (site, quarter) DO UPDATE SET marked_at = now()")
    database.commit()


def send_late(engine: Engine) -> None:
    """A visit of two days ago that is told now."""
    connection = http.client.HTTPConnection("127.0.0.1", engine.ingest_port, timeout=20)
    back = 2 * 86_400_000
    events = [{"t": "pv", "u": "https://shop.example/late", "p": 1, "n": 1, "o": 0},
              {"t": "cu", "name": "purchase", "p": 1, "n": 2, "o": 5,
               "props": {"value": 11.5, "currency": "USD", "order_id": "LATE"}}]
    body = {"v": 1, "k": "key_shop", "st": int(time.time() * 1000), "mt": back, "q": 1,
            "w": "latewindow0123456789ab", "s": "latesession0123456789a",
            "d": "latedevice0123456789ab", "c": 63, "x": {"l": "en"}, "e": events}
    connection.request("POST", "/v1/e", json.dumps(body), {
        "User-Agent": BROWSERS[0], "Origin": "https://shop.example"})
    if connection.getresponse().status >= 300:
        raise SystemExit("the late visit was refused")


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
                          self.rows.told(metric, due[None]))
            if name == "m":
                self.judge_rows(metrics, dimensions, grain, told, due)

    def judge_rows(self, metrics, dimensions, grain, told, due) -> None:
        seen = set()
        for row in told["rows"]:
            key = (tuple(row["d"]), row.get("t") and same_bucket(row["t"]))
            seen.add(key)
            for index, metric in enumerate(metrics):
                rows = due.get(key, {base: [] for base in self.rows.bases})
                self.same((metric, dimensions, key), row["m"][index], self.rows.told(metric, rows))
        bases = {base for metric in metrics for base in bases_of(metric)}
        missing = [key for key, rows in due.items() if key and any(rows[base] for base in bases)
                   and key not in seen and (dimensions or grain)]
        if missing:
            self.wrong.append((metrics, dimensions, "missing", missing[:3]))


def same_bucket(text: str) -> str:
    return datetime.datetime.fromisoformat(text).astimezone(ZONE).isoformat()


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
    judge.judge(["attributed_conversions", "attributed_revenue"], ("session.channel",), "week")
    judge.rows.bases["attribution"] = judge.rows.shares(judge.rows.credits, "linear")
    judge.judge(["attributed_conversions", "attributed_revenue"], ("session.source",),
                attribution={"model": "linear"})
    judge.judge(["sessions", "conversions", "visitors"], ("session.medium",),
                filter={"field": "session.channel", "op": "not_in", "values": ["email"]},
                keep=lambda base, row: base not in ("events", "sessions", "conversions")
                or DIMENSIONS["session.channel"](row) != "email")


def honest(judge: Judge) -> None:
    """Rates of people are shares of them; money says of what; freshness is the rows'."""
    before = datetime.datetime.now(datetime.timezone.utc)
    _, told = judge.ask(metrics=["conversion_rate", "converting_visitors", "visitors", "revenue"],
                        range={"last": "35d", "include_today": True})
    rate, buyers, visitors, _ = told["totals"]["m"]
    check("servers' orders make no rate above what visitors did",
          0 < rate < buyers / visitors and rate <= 1, told["totals"])
    check("money is in cents of dollars", told["columns"][3] == {
        "name": "revenue", "type": "money", "currency": "USD", "minor_digits": 2}, told["columns"])
    meta = told["meta"]
    age = (before - datetime.datetime.fromisoformat(meta["as_of"])).total_seconds()
    check("all that was sent is in the rows, and said to be", -5 < age < 5 and meta["lag_ms"] < 5_000
          and meta["approximate"] == {}, meta)


def several_currencies(judge: Judge, database) -> None:
    cursor = database.cursor()
    cursor.execute("UPDATE heliograph.conversion SET currency = 'JPY' WHERE conversion_id IN (SELECT"
                   " conversion_id FROM heliograph.conversion WHERE name = 'purchase' AND NOT bot"
                   " AND value = 5 ORDER BY 1 LIMIT 3)")
    changed = cursor.rowcount
    mark_all(database)
    question = {"metrics": ["revenue", "orders"], "range": {"last": "42d", "include_today": True}}
    _, told = judge.ask(**question)
    totals = told["totals"]
    check("money of several currencies is not added up", changed == 3 and totals["m"][0] is None
          and totals["by_currency"]["JPY"]["revenue"] == 15 and told["meta"]["warnings"]
          and totals["by_currency"]["USD"]["revenue"] > 0, told)
    _, told = judge.ask(**question, dimensions=["conversion.currency"])
    yen = [row["m"] for row in told["rows"] if row["d"] == ["JPY"]]
    check("each currency has its own minor units", yen == [[15, 3]], told["rows"])


class Filling:
    """Holds off whoever fills days, and waits until all are filled."""
    LOCK = 448378203504

    def __init__(self, engine: Engine):
        self.database = psycopg2.connect(engine.addresses()["postgres"])
        self.database.autocommit = True
        self.cursor = self.database.cursor()
        self.cursor.execute("SELECT pg_advisory_lock(%s)", (self.LOCK,))

    def let(self) -> None:
        self.cursor.execute("SELECT pg_advisory_unlock(%s)", (self.LOCK,))

    def missing(self):
        self.cursor.execute("SELECT heliograph.next_rollup('shop', 'America/New_York')")
        return self.cursor.fetchone()[0]

    def wait(self) -> bool:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.missing() is None:
                return True
            time.sleep(0.2)
        return False


DAY_FIGURES = ["visitors", "new_visitors", "sessions", "bounce_rate", "views_per_session",
               "active_time_avg", "conversion_rate", "revenue", "hot_visitors", "peak_readiness_avg"]
MORE_DAY_FIGURES = ["returning_visitors", "page_views", "events", "single_page_rate", "engagement_rate",
                    "converting_sessions", "conversions", "converting_visitors", "aov", "warm_visitors"]
WITH_TODAY = {"last": "35d", "include_today": True}


def whole_days(judge: Judge, expected: bool) -> None:
    """What whole days can answer is answered by them, once they are filled, with the same figures."""
    for metrics in (DAY_FIGURES, MORE_DAY_FIGURES):
        for grain in (None, "week", "month"):
            judge.judge(metrics, grain=grain, compare={"to": "previous"}, span={"last": "14d"})
    parts = ["sessions", "new_visitors", "bounce_rate", "active_time_avg", "revenue", "aov"]
    for dimension, grain in (("channel", None), ("source", "week"), ("medium", "day"), ("campaign", None)):
        judge.judge(parts, (f"session.{dimension}",), grain, span=WITH_TODAY)
    judge.judge(DAY_FIGURES, compare={"to": "previous"}, span={"preset": "month"})
    days(judge, expected)


def days(judge: Judge, expected: bool | None = True) -> None:
    """Nothing is expected while the first day of a range may have to be filled again."""
    judge.judge(DAY_FIGURES, grain="day", span=WITH_TODAY)
    judge.judge(MORE_DAY_FIGURES, span=WITH_TODAY)
    for span in ({"last": "14d"}, WITH_TODAY):
        _, told = judge.ask(metrics=DAY_FIGURES, range=span)
        check(f"figures of {span} come from {'days' if expected else 'rows'}",
              expected in (None, "days" in told["meta"]["sources"]), told["meta"])


def days_hold(judge: Judge, engine: Engine, database, filling: Filling) -> None:
    """Filled days say the same; late rows and erased persons change them as they change the rows."""
    whole_days(judge, expected=False)
    filling.let()
    check("all days are filled", filling.wait(), filling.missing())
    whole_days(judge, expected=True)
    send_late(engine)
    wait_for(database, "SELECT count(*) FROM heliograph.conversion WHERE order_id = 'LATE'", 1)
    judge.rows = Rows(database)
    database.commit()
    days(judge, None)
    check("the late day is filled again", filling.wait(), filling.missing())
    days(judge)
    cursor = database.cursor()
    cursor.execute("SELECT visitor_id FROM heliograph.rollup_visitor WHERE kinds & 3 = 3 GROUP BY 1"
                   " ORDER BY count(*) DESC, 1 LIMIT 1")
    visitor = cursor.fetchone()[0]
    database.commit()
    subprocess.run([str(engine.binary), "erase", "--site", "shop", "--visitor", visitor, "--yes",
                    "--data", str(engine.data), "--config", str(engine.config)], timeout=120,
                   cwd=ROOT, env=engine.environment, check=True, stdout=subprocess.DEVNULL)
    wait_for(database, "SELECT (SELECT count(*) FROM heliograph.event WHERE visitor_id = %(visitor)s)"
             " + (SELECT count(*) FROM heliograph.rollup_visitor WHERE visitor_id = %(visitor)s)", 0,
             visitor=visitor)
    judge.rows = Rows(database)
    database.commit()
    days(judge, None)
    check("the days of an erased person are filled again", filling.wait(), filling.missing())
    days(judge)


def wait_for(database, statement: str, wanted: int, **values) -> None:
    deadline, found = time.monotonic() + 30, None
    while time.monotonic() < deadline and found != wanted:
        cursor = database.cursor()
        cursor.execute(statement, values)
        found = cursor.fetchone()[0]
        database.commit()
        time.sleep(0.1)
    check(f"{statement[:60]} becomes {wanted}", found == wanted, found)


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
        filling = Filling(engine)
        spread(database)
        judge = Judge(engine, Rows(database))
        with urllib.request.urlopen(engine.companion_request("/api/v1/schema"), timeout=10) as answer:
            schema = json.load(answer)
        everything(judge, schema)
        chosen(judge)
        honest(judge)
        own_days(judge)
        refusals(judge)
        days_hold(judge, engine, database, filling)
        several_currencies(judge, database)
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
