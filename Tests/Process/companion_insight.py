#!/usr/bin/python3
"""Funnels, sections, forms, clicks in vain, landing pages and goals, held against the raw rows by a program
of its own.

    companion_insight.py --binary .build/release/heliograph

Starts an engine, seeds a past into one site and sends hand-made visits to another: chains that cross the
window, steps of the same moment, summaries whose lists are no lists.
"""

import argparse
import datetime
import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import psycopg2
import psycopg2.extras

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Chaos"))

from checks import Checks  # noqa: E402
from engine import Engine  # noqa: E402
from insight_rows import Told, funnel, path_of  # noqa: E402

CHECKS = Checks()
check = CHECKS.check
SETTINGS = """
sites:
  - {name: demo, keys: [key_demo], origins: ["*"], currency: EUR, time_zone: Europe/Berlin}
  - {name: hand, keys: [key_hand], origins: ["*"], automation: count, consent: {default: 63}}
"""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/17.5 Mobile/15E148 Safari/604.1")
RANGE = {"last": "28d", "include_today": True}
MONTH = {"preset": "month"}


class Scene:
    def __init__(self, binary: str):
        self.engine = Engine(binary, settings=SETTINGS)
        self.engine.start()
        self.compared, self.wrong = 0, []

    def ask(self, method: str, path: str, body=None, headers=None) -> tuple[int, dict]:
        request = self.engine.companion_request("/api/v1" + path)
        request.method = method
        if headers is not None:
            request.headers = headers
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def rows(self, site: str) -> list[dict]:
        """Events, and conversions behind the events that they were found in."""
        with psycopg2.connect(self.engine.addresses()["postgres"]) as database:
            cursor = database.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
            cursor.execute("SELECT * FROM heliograph.event WHERE site = %s AND NOT bot", (site,))
            rows = [dict(row) for row in cursor.fetchall()]
            cursor.execute("SELECT *, 'conversion' AS type FROM heliograph.conversion WHERE site = %s"
                           " AND NOT bot", (site,))
            return rows + [dict(row) | {"n": float("inf")} for row in cursor.fetchall()]

    def same(self, where, told, due) -> None:
        self.compared += 1
        if told is None or due is None:
            if told is not due:
                self.wrong.append((where, told, due))
        elif abs(float(told) - float(due)) > 1e-6 * max(1, abs(float(due))):
            self.wrong.append((where, told, due))


def span(meta: dict) -> tuple:
    return tuple(datetime.datetime.fromisoformat(meta["range"][name]) for name in ("from", "to"))


# ---- something to look at

def seed(scene: Scene) -> None:
    words = [str(scene.engine.binary), "demo", "seed", "--data", str(scene.engine.data), "--config",
             str(scene.engine.config), "--json", "--days", "9", "--visitors", "400"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, cwd=ROOT, check=False,
                          env=scene.engine.environment)
    check("a past is seeded", done.returncode == 0, done.stderr)


def send(scene: Scene, name: str, events: list[tuple], agent: str = AGENT) -> None:
    """Events as (seconds ago, members) of a visitor and tab called `name`, on its first page view unless
    `p` says another."""
    now = int(time.time() * 1000)
    oldest = max(ago for ago, _ in events)
    told = [{"n": number + 1, "p": 1, "o": int((oldest - ago) * 1000), **members}
            for number, (ago, members) in enumerate(events)]
    key = (name + "-" * 22)[:22]
    body = {"v": 1, "k": "key_hand", "st": now, "mt": int(oldest * 1000), "q": 1, "w": key, "s": key,
            "d": key, "c": 63, "x": {"l": "en"}, "e": told}
    connection = http.client.HTTPConnection("127.0.0.1", scene.engine.ingest_port, timeout=20)
    connection.request("POST", "/v1/e", json.dumps(body), {
        "User-Agent": agent, "Origin": "https://hand.example"})
    answer = connection.getresponse()
    check(f"{name} is taken", answer.status == 204, (answer.status, answer.read()[:200]))
    connection.close()


def view(path: str, page: int = 1) -> dict:
    return {"t": "pv", "u": f"https://hand.example{path}", "p": page}


def told(name: str, **properties) -> dict:
    return {"t": "cu", "name": name, "props": properties}


def form(phase: int, *fields: list, name: str = "order") -> dict:
    return {"t": "fm", "f": name, "ph": phase, "ff": list(fields), "cp": 50, "sb": int(phase == 3)}


def visits(scene: Scene) -> None:
    hour = 3_600
    send(scene, "straight", [(100, view("/a%25?x=1")), (90, view("/b", 2)), (80, told("wish")),
                             (70, told("purchase", value=5, currency="EUR"))])
    send(scene, "backwards", [(100, told("wish")), (90, view("/b")), (80, view("/a", 2))])
    # The first chain is too old when the last step comes, the second is not.
    send(scene, "twice", [(9 * hour, view("/a")), (8 * hour, view("/b", 2)), (4 * hour, view("/a", 3)),
                          (3 * hour, view("/b", 4)), (2 * hour, told("wish"))])
    send(scene, "late", [(30 * hour, view("/a")), (2 * hour, view("/b", 2))])
    send(scene, "between", [(60, view("/a")), (50, view("/c", 2)), (40, view("/b", 3))])
    send(scene, "moment", [(60, view("/a")), (60, view("/b", 2)), (60, told("wish"))])
    send(scene, "again", [(60, view("/a")), (55, view("/a", 2)), (50, view("/b", 3)), (45, view("/b", 4))],
         PHONE)
    send(scene, "signs", [(60, view("/a_b")), (50, view("/axb", 2)), (40, view("/b[1]?", 3))])
    looks = [[0, "intro", 1, 4000, 90, 40, 2, 0], [1, "price", 1, 2500, 60, 20, 0, 1]]
    send(scene, "reader", [
        (60, view("/long")), (50, {"t": "ps", "q": 1, "S": looks, "ck": [5, 4, 2, 1, 1, 0, 300, 200]}),
        (40, {"t": "ps", "q": 2, "S": [[0, "intro", 0, 1500, 100, 40, 1, 2]], "ck": [1, 1, 0, 0, 0, 1]}),
        (30, {"t": "ck", "a": "Zoom", "g": "img", "f": 16}), (29, {"t": "ck", "a": "Buy", "g": "a", "f": 41}),
        (28, {"t": "ck", "a": "Buy", "g": "a", "f": 1})])
    send(scene, "skimmer", [(60, view("/long")), (40, {
        "t": "ps", "q": 1, "S": [[0, "intro", 1, 700, 30, 40, 0, 0]], "ck": [0, 0, 0, 0, 0, 0]}),
        (30, {"t": "ck", "a": "Zoom", "g": "img", "f": 16})], PHONE)
    send(scene, "filler", [(60, view("/form")), (50, form(1, ["name", 300, 2000, 9, 0, 0, 0])),
                           (40, form(2, ["mail", 200, 5000, 20, 1, 0, 2], ["name", 0, 500, 2, 0, 1, 0])),
                           (30, form(3, ["mail", 0, 100, 1, 0, 1, 0]))])
    send(scene, "leaver", [(60, view("/form")), (50, form(1, ["name", 300, 2500, 9, 0, 0, 0])),
                           (40, form(4, ["mail", 200, 7000, 20, 0, 0, 1]))])
    send(scene, "unsure", [(60, view("/form")), (50, form(1, ["name", 1, 1, 1, 0, 0, 0], name="other"))])
    send(scene, "hostile", [(60, view("/long")), (40, {"t": "ps", "q": 1, "S": "no list", "ck": {"3": 9}}),
                            (30, {"t": "fm", "f": "order", "ph": 4, "ff": [7, ["name", "x", None]]}),
                            (20, {"t": "ck", "a": "'; --", "g": "%", "f": 8})])


def settle(scene: Scene, people: int) -> None:
    deadline, before = time.monotonic() + 40, None
    while time.monotonic() < deadline:
        rows = scene.rows("hand")
        if len(rows) == before and len({row["visitor_id"] for row in rows}) >= people:
            return
        before = len(rows)
        time.sleep(0.5)
    raise SystemExit(f"the visits did not arrive: {before} rows")


# ---- funnels

DEMO_STEPS = [[{"page": "*"}], [{"page": "/demo/p*"}],
              [{"conversion": "add_to_cart"}, {"event": "select_plan"}], [{"form": "checkout"}],
              [{"form": "checkout", "phase": "submitted"}], [{"conversion": "purchase"}]]
HAND_STEPS = [[{"page": "/a*"}], [{"page": "/b"}], [{"event": "wish"}], [{"conversion": "purchase"}]]
FUNNELS = [
    ("demo", DEMO_STEPS, "7d", "any_between"), ("demo", DEMO_STEPS, "30m", "any_between"),
    ("demo", DEMO_STEPS[:2] + DEMO_STEPS[3:5], "24h", "strict"),
    ("demo", [[{"page": "*"}]] * 8, "90d", "any_between"), ("demo", [[{"page": "*"}]] * 4, "1h", "strict"),
    ("demo", [[{"conversion": "purchase"}], [{"page": "*"}]], "28d", "any_between"),
    ("demo", [[{"page": "/nowhere"}], [{"page": "*"}]], "7d", "any_between"),
    ("hand", HAND_STEPS, "7d", "any_between"), ("hand", HAND_STEPS, "3h", "any_between"),
    ("hand", HAND_STEPS[:3], "7d", "strict"), ("hand", HAND_STEPS[:2], "28h", "any_between"),
    ("hand", [[{"page": "/a_b"}]], "7d", "any_between"), ("hand", [[{"page": "/b[1]"}]], "7d", "any_between"),
    ("hand", [[{"form": "order"}], [{"form": "order", "phase": "submitted"}]], "30m", "strict"),
]


def funnels(scene: Scene, rows: dict[str, list]) -> None:
    unit = {"m": 60, "h": 3_600, "d": 86_400}
    for site, steps, window, order in FUNNELS:
        body = {"site": site, "steps": steps, "window": window, "order": order, "range": RANGE}
        judge_funnel(scene, rows[site], body, int(window[:-1]) * unit[window[-1]])
    phones = {"field": "session.device", "op": "in", "values": ["phone"]}
    body = {"site": "hand", "steps": HAND_STEPS[:2], "range": RANGE, "filter": phones}
    judge_funnel(scene, rows["hand"], body, 7 * 86_400,
                 keep=lambda row: (row["context"] or {}).get("dv") == "phone")
    begin, end = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=ago)
                  for ago in (5, 3))
    span = {"from": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "to": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    judge_funnel(scene, rows["demo"], {"site": "demo", "steps": DEMO_STEPS, "range": span}, 7 * 86_400)


def judge_funnel(scene: Scene, rows: list, body: dict, window: int, keep=None) -> None:
    status, answer = scene.ask("POST", "/funnel", body)
    check(f"{len(body['steps'])} steps {body.get('window')} {body.get('order')} are answered", status == 200,
          answer)
    if status != 200:
        return
    begin, end = span(answer["meta"])
    due = funnel(rows, body["steps"], begin, end, window, body.get("order") == "strict", keep)
    for index, (step, (visitors, wait, total)) in enumerate(zip(answer["steps"], due, strict=True)):
        where = (json.dumps(body["steps"]), body.get("window"), body.get("order"), index)
        scene.same(where + ("visitors",), step["visitors"], visitors)
        scene.same(where + ("median",), step["median_ms"], wait if index else None)
        scene.same(where + ("total",), step["median_total_ms"], total if index else None)
        rate = visitors / due[0][0] if due[0][0] else None
        scene.same(where + ("overall",), step["overall_rate"], rate)
        before = due[index - 1][0] if index else 0
        scene.same(where + ("step",), step["step_rate"], visitors / before if before else None)


def by_hand(scene: Scene) -> None:
    """What can be counted without any program."""
    ask = lambda **more: [step["visitors"] for step in scene.ask("POST", "/funnel", {
        "site": "hand", "range": RANGE, "steps": HAND_STEPS[:3], **more})[1]["steps"]]
    # straight, backwards, twice, late, between, moment, again, signs; in order: all but backwards, signs.
    check("seven days", ask() == [8, 6, 3], ask())
    check("three hours: the second chain holds, late's does not", ask(window="3h") == [8, 5, 3],
          ask(window="3h"))
    check("an hour and a half of it does not", ask(window="90m") == [8, 5, 2], ask(window="90m"))
    check("nothing between", ask(order="strict") == [8, 5, 3], ask(order="strict"))


def funnel_refusals(scene: Scene) -> None:
    good = {"site": "hand", "steps": HAND_STEPS, "range": RANGE}
    for change, status, code, pointer in (
            ({"steps": []}, 400, "invalid-field", "/steps"),
            ({"steps": [[{"page": "*"}]] * 9}, 400, "invalid-field", "/steps"),
            ({"steps": [[]]}, 400, "invalid-field", "/steps/0"),
            ({"steps": [[{"page": "*"}] * 11]}, 400, "invalid-field", "/steps/0"),
            ({"steps": [[{"page": "a", "event": "b"}]]}, 400, "invalid-field", "/steps/0/0"),
            ({"steps": [[{"sql": "b"}]]}, 400, "unknown-field", "/steps/0/0/sql"),
            ({"steps": [[{"page": "a\0b"}]]}, 400, "invalid-field", "/steps/0/0"),
            ({"steps": [[{"page": "a", "phase": "begun"}]]}, 400, "invalid-field", "/steps/0/0/phase"),
            ({"window": "91d"}, 400, "invalid-field", "/window"),
            ({"window": "0d"}, 400, "invalid-field", "/window"),
            ({"order": "loose"}, 400, "invalid-field", "/order"),
            ({"order": "strict"}, 422, "incompatible-fields", "/order"),
            ({"filter": {"field": "delivery.state", "op": "is_null"}}, 422, "incompatible-fields", "/filter"),
            ({"range": {}}, 400, "invalid-range", "/range"), ({"x": 1}, 400, "unknown-field", "/x")):
        found, answer = scene.ask("POST", "/funnel", good | change)
        errors = answer.get("errors", [{}])
        check(f"{json.dumps(change)[:60]} is refused by name and place",
              (found, answer.get("code"), errors[0].get("pointer")) == (status, code, pointer), answer)
    check("a site that is not there", scene.ask("POST", "/funnel", good | {"site": "no"})[0] == 404)


# ---- sections, forms, clicks in vain

def outlines(scene: Scene, rows: dict[str, list]) -> None:
    for site, device in (("demo", None), ("demo", "phone"), ("hand", None), ("hand", "desktop")):
        query = "last=28d&include_today=true" + (f"&device={device}" if device else "")
        status, first = scene.ask("GET", f"/sites/{site}/heatmap?{query}")
        check(f"{site} has pages", status == 200 and len(first["pages"]) > 3, first)
        told = Told(rows[site], *span(first["meta"]), device)
        views = sorted((-list(told.views.values()).count(path), path)
                       for path in set(told.views.values()) if path)
        check(f"{site}'s pages are in their order", [(-count, path) for count, path in views] == [
            (one["page_views"], one["page"]) for one in first["pages"]], first["pages"][:3])
        check("without a page the most seen one is told", first["page"] == views[0][1], first["page"])
        for page in [one["page"] for one in first["pages"]][:12]:
            _, answer = scene.ask("GET", f"/sites/{site}/heatmap?{query}&page={urllib.parse.quote(page)}")
            judge_page(scene, (site, device, page), answer, told)
        judge_vain(scene, (site, device), scene.ask("GET", f"/sites/{site}/friction?{query}")[1]["items"],
                   told.vain())
        judge_forms(scene, (site, device), scene.ask("GET", f"/sites/{site}/forms?{query}")[1]["forms"], told)


def judge_page(scene: Scene, where, answer: dict, told: Told) -> None:
    due = told.page(answer["page"])
    for name in ("visitors", "page_views", "observed_page_views", "clicks"):
        scene.same((where, name), answer[name], due[name])
    for name, value in due["friction"].items():
        scene.same((where, name), answer["friction"][name], value)
    found = {(one["place"], one["category"]): one for one in answer["sections"]}
    scene.same((where, "sections", sorted(found), sorted(due["sections"])),
               found.keys() == due["sections"].keys(), True)
    all_dwell = sum(one["dwell_ms"] for one in due["sections"].values())
    for key, one in due["sections"].items():
        for name, value in one.items():
            scene.same((where, key, name), found.get(key, {}).get(name), value)
        scene.same((where, key, "share"), found.get(key, {}).get("dwell_share"),
                   one["dwell_ms"] / all_dwell if all_dwell else None)
    judge_vain(scene, where, answer["elements"], told.vain(answer["page"]))


def judge_vain(scene: Scene, where, items: list, due: dict) -> None:
    found = {(one["page"], one["element"], one["tag"]): one for one in items}
    scene.same((where, "elements"), found.keys() == due.keys(), True)
    for key, one in due.items():
        for name, value in one.items():
            scene.same((where, key, name), found.get(key, {}).get(name), value)
    order = [one["rage"] + one["dead"] + one["error"] for one in items]
    scene.same((where, "most first"), order == sorted(order, reverse=True), True)


def judge_forms(scene: Scene, where, forms: list, told: Told) -> None:
    due, fields = told.fields()
    scene.same((where, "forms"), {one["form"] for one in forms} == due.keys(), True)
    for one in forms:
        for name in ("visitors", "begun", "submitted"):
            scene.same((where, one["form"], name), one[name], due[one["form"]][name])
        scene.same((where, one["form"], "fields"), {field["field"] for field in one["fields"]} == {
            name for form, name in fields if form == one["form"]}, True)
        for field in one["fields"]:
            own = fields[one["form"], field["field"]]
            for name in ("reached", "errors", "with_errors", "returns", "corrections", "left_here"):
                scene.same((where, one["form"], field["field"], name), field[name], own[name])
            scene.same((where, one["form"], field["field"], "time"), field["time_avg_ms"],
                       own["time"] / max(1, own["reached"]))


def forms_by_hand(scene: Scene) -> None:
    forms = {one["form"]: one for one in scene.ask("GET", "/sites/hand/forms")[1]["forms"]}
    order = forms["order"]
    fields = {one["field"]: one for one in order["fields"]}
    check("uses and those submitted", (order["begun"], order["submitted"]) == (3, 1), order)
    check("where they left", (fields["mail"]["left_here"], fields["name"]["left_here"]) == (1, 1), fields)
    check("errors and returns", (fields["mail"]["errors"], fields["mail"]["returns"],
                                 fields["name"]["returns"]) == (3, 1, 1), fields)
    for path in ("forms?last=x", "heatmap?page=", "friction?include_today=maybe&last=7d", "forms?page=x"):
        status, answer = scene.ask("GET", f"/sites/hand/{path}")
        check(f"{path} is refused", status == 400, answer)


def seeded_fully(scene: Scene) -> None:
    """A newcomer's Hub has something on each of these cards."""
    _, friction = scene.ask("GET", "/sites/demo/friction")
    kinds = {name for one in friction["items"] for name in ("rage", "dead", "error") if one[name]}
    check("the past has clicks in vain of each kind", kinds == {"rage", "dead", "error"}, friction)
    _, forms = scene.ask("GET", "/sites/demo/forms")
    checkout = {one["form"]: one for one in forms["forms"]}["checkout"]
    check("and a form that some leave", 0 < checkout["submitted"] < checkout["begun"]
          and len(checkout["fields"]) == 5, checkout)
    check("at its worst field", any(one["left_here"] and one["errors"] for one in checkout["fields"]),
          checkout)


# ---- landing pages

def landing(scene: Scene, rows: list) -> None:
    _, answer = scene.ask("POST", "/query", {
        "site": "demo", "metrics": ["sessions", "session_conversion_rate", "new_visitors"], "limit": 1000,
        "dimensions": ["session.landing_page"], "range": RANGE})
    begin, end = span(answer["meta"])
    first, started, converted = {}, {}, {row["session_id"] for row in rows if row["type"] == "conversion"}
    for row in sorted((row for row in rows if row["type"] == "pv"), key=lambda row: (
            row["occurred_at"], row["journal_offset"], row["n"])):
        first.setdefault(row["session_id"], path_of(row))
    with psycopg2.connect(scene.engine.addresses()["postgres"]) as database, database.cursor() as cursor:
        cursor.execute("SELECT session_id, started_at FROM heliograph.session WHERE site = 'demo' AND NOT bot"
                       " AND page_views > 0")
        started = dict(cursor.fetchall())
    own = {session: first[session] for session, at in started.items() if begin <= at < end}
    found = {row["d"][0]: row["m"] for row in answer["rows"]}
    check("landing pages are the first pages", found.keys() == set(own.values()) and len(found) > 3, found)
    for page, (sessions, rate, _) in found.items():
        mine = [session for session, one in own.items() if one == page]
        scene.same(("landing", page), sessions, len(mine))
        scene.same(("landing", page, "rate"), rate, sum(one in converted for one in mine) / len(mine))
    total = sum(row["m"][2] for row in answer["rows"])
    scene.same(("landing", "new visitors"), total, answer["totals"]["m"][2])


# ---- goals

def goals(scene: Scene) -> None:
    check("no goals at first", scene.ask("GET", "/goals?site=demo") == (200, {"goals": []}))
    for metric, period, target in (("page_views", "month", 5000), ("revenue", "month", 100_000),
                                   ("conversion_rate", "year", 0.05), ("visitors", "week", 12.5),
                                   ("orders", "day", 3)):
        status, answer = scene.ask("PUT", f"/goals/{metric}/{period}?site=demo", {"target": target})
        check(f"a goal of {metric} is set", status == 200 and answer["target"] == target, answer)
    scene.ask("PUT", "/goals/orders/day?site=demo", {"target": 4})
    _, told = scene.ask("GET", "/goals?site=demo")
    found = {(one["metric"], one["period"]): one for one in told["goals"]}
    check("all are listed, each once", len(told["goals"]) == 5
          and found["orders", "day"]["target"] == 4, told)
    _, month = scene.ask("POST", "/query", {"site": "demo", "metrics": ["page_views", "revenue"],
                                            "range": MONTH})
    begin, end = span(month["meta"])
    part = (time.time() - begin.timestamp()) / (end - begin).total_seconds()
    for index, metric in enumerate(("page_views", "revenue")):
        one = found[metric, "month"]
        check(f"{metric} says what /query says", one["value"] == month["totals"]["m"][index] > 0, one)
        check(f"{metric} is expected to grow evenly",
              abs(one["expected"] / one["target"] - part) < 0.001, one)
        check(f"{metric}'s pace follows",
              abs(one["pace"] - (one["value"] / one["expected"] - 1)) < 1e-5, one)
    rate = found["conversion_rate", "year"]
    check("a rate is to be held throughout", rate["expected"] == rate["target"], rate)
    check("money says of what", found["revenue", "month"]["currency"] == "EUR", found["revenue", "month"])
    check("another site has none", scene.ask("GET", "/goals?site=hand")[1]["goals"] == [])
    check("one is removed", scene.ask("DELETE", "/goals/orders/day?site=demo") == (200, {"removed": True}))
    check("once", scene.ask("DELETE", "/goals/orders/day?site=demo") == (200, {"removed": False}))
    _, log = scene.ask("GET", "/audit?limit=10")
    actions = [(one["action"], one["subject"]) for one in log["items"]]
    check("who did it is noted", ("goal-removed", "demo orders day") in actions
          and ("goal-set", "demo revenue month") in actions, actions)


def goal_refusals(scene: Scene) -> None:
    for path, body, status in (
            ("/goals/nothing/month", {"target": 1}, 404), ("/goals/visitors/decade", {"target": 1}, 404),
            ("/goals/visitors/month", {"target": 0}, 400), ("/goals/visitors/month", {"target": -1}, 400),
            ("/goals/visitors/month", {"target": "5"}, 400), ("/goals/visitors/month", {}, 400),
            ("/goals/visitors/month", {"target": 1e16}, 400),
            ("/goals/visitors/month", {"target": True}, 400),
            ("/goals/conversion_rate/month", {"target": 5}, 400),
            ("/goals/visitors/month", {"target": 1, "x": 1}, 400)):
        found, answer = scene.ask("PUT", path + "?site=hand", body)
        check(f"{path} {body} is refused", found == status, answer)
    _, schema = scene.ask("GET", "/schema")
    names = [one["name"] for one in schema["metrics"]][:11]
    statuses = [scene.ask("PUT", f"/goals/{name}/year?site=hand", {"target": 0.5})[0] for name in names]
    check("a period has at most ten", statuses == [200] * 10 + [409], statuses)
    again = scene.ask("PUT", f"/goals/{names[0]}/year?site=hand", {"target": 0.25})
    check("of which each may be changed", again[0] == 200, again)
    changes_of_pages(scene)


def changes_of_pages(scene: Scene) -> None:
    """A browser's session changes goals from our own pages only."""
    token = (scene.engine.data / "companion-token").read_text().strip()
    request = urllib.request.Request(
        scene.engine.companion + "/api/v1/session", json.dumps({"token": token}).encode(),
        {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        own = json.load(answer)["csrf"]
    path, body = "/goals/visitors/month?site=hand", {"target": 7}
    good = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin", "X-HG-CSRF": own}
    for missing in ("X-HG-CSRF", "Sec-Fetch-Site"):
        less = {name: value for name, value in good.items() if name != missing}
        for method in ("PUT", "DELETE"):
            status, told = scene.ask(method, path, body if method == "PUT" else None, less)
            check(f"{method} without {missing} is refused", status == 403, told)
    foreign = scene.ask("PUT", path, body, good | {"Sec-Fetch-Site": "cross-site"})
    check("another site's page is refused", foreign[0] == 403, foreign)
    check("our own page is not", scene.ask("PUT", path, body, good)[0] == 200)
    _, told = scene.ask("GET", "/goals?site=hand")
    own = [one["target"] for one in told["goals"] if one["period"] == "month"]
    check("and nothing came of the others", own == [7], told)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    arguments = parser.parse_args()
    scene = Scene(arguments.binary)
    try:
        visits(scene)
        seed(scene)
        settle(scene, 14)
        rows = {site: scene.rows(site) for site in ("demo", "hand")}
        funnels(scene, rows)
        by_hand(scene)
        funnel_refusals(scene)
        outlines(scene, rows)
        forms_by_hand(scene)
        seeded_fully(scene)
        landing(scene, rows["demo"])
        goals(scene)
        goal_refusals(scene)
        check("every figure is the one of the rows", not scene.wrong and scene.compared > 1_000,
              (scene.compared, len(scene.wrong), scene.wrong[:5]))
        print(f"figures compared: {scene.compared}, differences: {len(scene.wrong)}")
    finally:
        scene.engine.stop()
        scene.engine.clean_up()
    print(f"companion-insight: {CHECKS.passed} passed, {CHECKS.failed} failed")
    return 1 if CHECKS.failed else 0


if __name__ == "__main__":
    sys.exit(main())
