#!/usr/bin/python3
"""Files of rows and cards of what needs attention, from a real companion: every kind of export in both
formats holds exactly PostgreSQL's rows, works nothing out in a spreadsheet, comes in parts, and is gone
when it is old, taken away, or somebody in it was erased; cards hold, are put away, and come back.

Starts an engine of its own with two sites.
"""

import argparse
import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Chaos"))

from checks import Checks  # noqa: E402
from companion_access import Api, Command  # noqa: E402
from engine import Engine  # noqa: E402
import http.client  # noqa: E402

CHECKS = Checks()
check = CHECKS.check
SETTINGS = """
sites:
  - {name: shop, keys: [key_shop], origins: ["*"], automation: count, currency: EUR, consent: {default: 63}}
  - {name: blog, keys: [key_blog], origins: ["*"], automation: count, consent: {default: 63}}
"""
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
FORMULAS = ["=1+1", "+2+2", "-3+3", "@SUM(4)", "\t=5+5", "\r=6", " =7+7", "＝8+8", "=HYPERLINK(\"x\")",
            "plain", "with \"quotes\", and\nlines"]
KINDS = {"visitors": "read:visitors", "events": "read:visitors", "conversions": "read:visitors",
         "deliveries": "read:deliveries", "rejected": "read:quality"}
REFUSED = 6


# ---- something to export

def fill(engine: Engine, site: str, people: int) -> list[str]:
    connection = http.client.HTTPConnection("127.0.0.1", engine.ingest_port, timeout=20)
    devices = [f"{site}visitor{number:04d}".ljust(22, "x") for number in range(people)]
    for number, device in enumerate(devices):
        events = [{"n": 1, "p": 1, "o": 900, "t": "pv", "u": f"https://{site}.example/"},
                  {"n": 2, "p": 1, "o": 901, "t": "cu", "name": FORMULAS[number % len(FORMULAS)],
                   "props": {"note": FORMULAS[-number % len(FORMULAS)]}},
                  {"n": 3, "p": 1, "o": 902, "t": "cu", "name": "purchase",
                   "props": {"value": 19.99, "currency": "EUR", "order_id": f"={number}"}}]
        post(connection, site, device, events, 204)
    for number in range(REFUSED):
        post(connection, site, devices[0], [{"n": 90 + number, "p": 1, "o": 1, "t": ""}], 400)
    return devices


def post(connection, site: str, device: str, events: list, wanted: int) -> None:
    beacon = {"v": 1, "k": f"key_{site}", "st": int(time.time() * 1000), "mt": 1000, "q": 1,
              "w": device, "d": device, "s": device, "c": 63, "e": events}
    connection.request("POST", "/v1/e", json.dumps(beacon), {
        "User-Agent": BROWSER, "Origin": f"https://{site}.example"})
    answer = connection.getresponse()
    answer.read()
    check("a beacon is answered as it deserves", answer.status == wanted, answer.status)


def settle(engine: Engine, people: int):
    database = psycopg2.connect(engine.addresses()["postgres"])
    database.autocommit = True
    cursor = database.cursor()
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        cursor.execute("SELECT (SELECT count(*) FROM heliograph.event),"
                       " (SELECT count(*) FROM heliograph.rejected_event)")
        if cursor.fetchone() == (people * 3, 2 * REFUSED):
            break
        time.sleep(0.2)
    else:
        raise SystemExit("the visits did not arrive")
    cursor.execute("INSERT INTO heliograph.delivery (site, destination, conversion_id, visitor_id,"
                   " occurred_at, remark) SELECT site, 'meta', conversion_id, visitor_id, occurred_at,"
                   " '=' || conversion_id FROM heliograph.conversion")
    return cursor


# ---- exports

def fetch(engine: Engine, token: str, path: str, **fields) -> tuple[int, bytes, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", engine.companion_port, timeout=20)
    headers = {"Authorization": f"Bearer {token}"} | {k.replace("_", "-"): v for k, v in fields.items()}
    connection.request("GET", "/api/v1" + path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def order(api: Api, **terms) -> dict:
    status, export, _ = api.ask("POST", "/exports", {"site": "shop", **terms})
    check(f"{terms} is taken", status == 202, export)
    deadline = time.monotonic() + 30
    while export.get("state") in ("waiting", "running") and time.monotonic() < deadline:
        time.sleep(0.05)
        export = api.get(f"/exports/{export['id']}")[1]
    check(f"{terms} is made whole", export.get("state") == "ready" and export["complete"], export)
    return export


TRUTH = {
    "visitors": "SELECT DISTINCT visitor_id FROM heliograph.session WHERE site = 'shop' AND NOT bot",
    "events": "SELECT coalesce(message_id, window_id || '-' || n) FROM heliograph.event"
              " WHERE site = 'shop'",
    "conversions": "SELECT conversion_id FROM heliograph.conversion WHERE site = 'shop'",
    "deliveries": "SELECT delivery_id::text FROM heliograph.delivery WHERE site = 'shop'",
    "rejected": "SELECT partition || '-' || journal_offset FROM heliograph.rejected_event"
                " WHERE site = 'shop'"}


def every_kind(engine: Engine, token: str, cursor) -> dict:
    """Each kind in each format is PostgreSQL's rows, number for number."""
    api, made = Api(engine, token), {}
    for kind, statement in TRUTH.items():
        cursor.execute(statement)
        due = sorted(row[0] for row in cursor.fetchall())
        for form, packed in (("csv", False), ("ndjson", True)):
            export = order(api, kind=kind, format=form, gzip=packed)
            status, body, headers = fetch(engine, token, f"/exports/{export['id']}/file")
            check(f"{kind} as {form} is fetched", status == 200 and len(body) == export["bytes"]
                  and "attachment" in headers["Content-Disposition"], (status, export))
            text = (gzip.decompress(body) if packed else body).decode()
            rows = read_csv(text) if form == "csv" else [json.loads(line) for line in text.splitlines()]
            first = [next(iter(row.values())) for row in rows] if form == "csv" else \
                [row[{"visitors": "visitor", "events": "event", "conversions": "conversion",
                      "deliveries": "delivery", "rejected": "id"}[kind]] for row in rows]
            check(f"{kind} as {form} are all the rows and no others",
                  sorted(first) == due and export["rows"] == len(due) > 0, (len(first), len(due)))
            made[kind, form] = export, body
    return made


def read_csv(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def nothing_is_worked_out(made: dict, is_long: bool) -> None:
    seen = 0
    for (kind, form), (_, body) in made.items():
        for row in read_csv(body.decode()) if form == "csv" else []:
            for name, cell in row.items():
                seen += cell.startswith("'")
                bare = cell.lstrip(" \x00")
                if bare[:1] in "=+@|%＝＋－＠" and bare or cell[:1] in ("\t", "\r", "\n"):
                    check(f"{kind} {name} {cell!r} is guarded", False)
                if cell.startswith("-") and not cell[1:].replace(".", "").isdigit():
                    check(f"{kind} {name} {cell!r} is guarded", False)
    check("what was sent to be worked out was met, guarded", seen >= len(FORMULAS), seen)
    if is_long:
        in_a_spreadsheet(made["events", "csv"][1])


def in_a_spreadsheet(body: bytes) -> None:
    """LibreOffice opens it, and finds no formula in it: saved again as what it is, `of:=` nowhere stands."""
    office = shutil.which("soffice")
    check("LibreOffice is there (apt-get install libreoffice-calc)", bool(office))
    if not office:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("export", body), ("control", b"=1+1,2\r\n")):
            (Path(folder) / f"{name}.csv").write_bytes(text)
            subprocess.run(
                [office, "--headless", f"-env:UserInstallation=file://{folder}/profile",
                 "--infilter=CSV:44,34,76,1", "--convert-to", "fods", "--outdir", folder,
                 f"{folder}/{name}.csv"], check=False, capture_output=True, timeout=120)
            sheet = (Path(folder) / f"{name}.fods").read_text()
            check(f"a spreadsheet works {'out the control' if name == 'control' else 'nothing out'}",
                  ("table:formula=" in sheet) == (name == "control"))


def in_parts(engine: Engine, token: str, export: dict, body: bytes) -> None:
    path = f"/exports/{export['id']}/file"
    middle = len(body) // 2
    got = [fetch(engine, token, path, Range=f"bytes={a}-{b}") for a, b in
           ((0, middle - 1), (middle, ""))]
    check("two halves are the whole", [one[0] for one in got] == [206, 206]
          and got[0][1] + got[1][1] == body and got[1][2]["Content-Range"]
          == f"bytes {middle}-{len(body) - 1}/{len(body)}", [one[2]["Content-Range"] for one in got])
    check("nothing is behind the end",
          fetch(engine, token, path, Range=f"bytes={len(body)}-")[0] == 416)
    changed = fetch(engine, token, path, Range="bytes=0-1", If_Range='"another"')
    check("of another file the whole is given", changed[0] == 200 and changed[1] == body)


def who_may(engine: Engine, command: Command, export: dict) -> None:
    path = f"/exports/{export['id']}/file"
    for scopes, sites, status, code in (
            (["export"], [], 404, "not-found"), (["read:visitors"], [], 403, "scope-missing"),
            (["export", "read:visitors"], ["--site", "blog"], 404, "not-found")):
        words = [word for scope in scopes for word in ("--scope", scope)]
        api = Api(engine, command.create("--name", "some", *words, *sites)["token"])
        found = api.get(path)
        check(f"{scopes} {sites} gets no file", (found[0], found[1]["code"]) == (status, code), found)
        if "export" in scopes:
            check(f"{scopes} {sites} sees none", api.get("/exports")[1]["exports"] == [])
            asked = api.ask("POST", "/exports", {"site": "shop", "kind": "events"})
            check(f"{scopes} {sites} orders none", asked[0] in (403, 404), asked)


def wrong_orders(api: Api) -> None:
    for terms, pointer in (({"kind": "people"}, "/kind"), ({"kind": "events", "format": "xls"}, "/format"),
                           ({"kind": "events", "filter": {"name": "x"}}, "/filter/name"),
                           ({"kind": "events", "range": {"last": "9y"}}, "/range/last"),
                           ({"kind": "events", "more": 1}, "/more")):
        status, told, _ = api.ask("POST", "/exports", {"site": "shop", **terms})
        check(f"{terms} is refused at {pointer}", status == 400
              and told["errors"][0]["pointer"] == pointer, told)


def narrowed(engine: Engine, token: str, cursor) -> None:
    export = order(Api(engine, token), kind="events", filter={"type": "pv"})
    cursor.execute("SELECT count(*) FROM heliograph.event WHERE site = 'shop' AND type = 'pv'")
    check("a filter narrows", export["rows"] == cursor.fetchone()[0], export)


def gone(engine: Engine, token: str, cursor, devices: list[str]) -> None:
    """Consent withdrawn leaves out; erasure takes files back; deleting deletes."""
    api = Api(engine, token)
    cursor.execute("INSERT INTO heliograph.consent_record VALUES (now(), now(), 1, 1, 0, 0, 0, 0, 0,"
                   " 'shop', %s, NULL, '{}')", (devices[1],))
    export = order(api, kind="visitors")
    body = fetch(engine, token, f"/exports/{export['id']}/file")[1].decode()
    check("who has withdrawn consent is left out", devices[1] not in body and devices[2] in body)
    done = subprocess.run(
        [str(engine.binary), "erase", "--data", str(engine.data), "--config", str(engine.config),
         "--site", "shop", "--visitor", devices[2], "--yes"], capture_output=True, text=True, check=False)
    check("somebody is erased", done.returncode == 0, done.stdout + done.stderr)
    status, found = api.get(f"/exports/{export['id']}/file")
    check("a file from before an erasure is gone", (status, found["code"]) == (410, "expired"), found)
    again = order(api, kind="visitors")
    body = fetch(engine, token, f"/exports/{again['id']}/file")[1].decode()
    check("a new one lacks who was erased", devices[2] not in body and devices[3] in body)
    check("deleting works", api.ask("DELETE", f"/exports/{again['id']}")[0] == 200)
    check("and deletes", api.get(f"/exports/{again['id']}")[0] == 404
          and not any(again["id"] in one.name for one in (engine.data / "exports").iterdir()))


def figures_as_files(engine: Engine, token: str) -> None:
    question = {"site": "shop", "metrics": ["events", "revenue"], "dimensions": ["event.name"],
                "range": {"preset": "today"}}
    question["metrics"] = ["events"]
    api = Api(engine, token)
    told = api.ask("POST", "/query", question | {"limit": 1000})[1]
    for form, kind in (("csv", "text/csv"), ("ndjson", "application/x-ndjson")):
        connection = http.client.HTTPConnection("127.0.0.1", engine.companion_port, timeout=20)
        connection.request("POST", "/api/v1/query", json.dumps(question), {
            "Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": kind})
        answer = connection.getresponse()
        text = answer.read().decode()
        rows = read_csv(text) if form == "csv" else [json.loads(line) for line in text.splitlines()]
        due = [[row["d"][0], row["m"][0]] for row in told["rows"]]
        got = [[(row["event.name"] or None), int(row["events"])] for row in rows]
        if form == "csv":
            got = [[name[1:] if name and name.startswith("'") else name, n] for name, n in got]
        check(f"figures as {form} are the answer's", answer.status == 200 and got == due
              and answer.headers["Content-Type"].startswith(kind)
              and answer.headers["HG-Complete"] == "true", (got, due))


# ---- attention

def attention(engine: Engine, owner: Api, cursor) -> None:
    cards = owner.get("/sites/shop/attention")[1]
    by = {card["id"]: card for card in cards["cards"]}
    check("refusals are told", by.get("refusals-up", {}).get("affected") == REFUSED
          and cards["missing"] == [], cards)
    cursor.execute("INSERT INTO heliograph.destination_state VALUES"
                   " ('shop', 'meta', 'stopped', '190', 'token refused', now())")
    cards = owner.get("/sites/shop/attention")[1]["cards"]
    check("what is critical comes first, with its reason", cards[0]["id"] == "destination-down:meta"
          and "token refused" in cards[0]["why"], cards)
    weights = [card["weight"] for card in cards]
    check("by weight", weights == sorted(weights, reverse=True), weights)
    path = "/attention/" + quote("destination-down:meta", safe="")
    status, told, _ = owner.ask("POST", path + "/snooze?site=shop", {"minutes": 5})
    check("a card is snoozed", status == 200 and told["state"] == "snoozed" and bool(told["until"]), told)
    after = owner.get("/sites/shop/attention")[1]
    check("and hidden, and counted", after["put_away"] == 1
          and all(card["id"] != "destination-down:meta" for card in after["cards"]), after)
    check("taken back", owner.ask("DELETE", path + "?site=shop")[0] == 200)
    check("it is back", owner.get("/sites/shop/attention")[1]["cards"][0]["id"]
          == "destination-down:meta")
    status, told, _ = owner.ask("POST", path + "/dismiss?site=shop", {"reason": "known"})
    check("dismissed", status == 200 and told["until"] is None, told)
    status, told, _ = owner.ask("POST", "/attention/refusals-up/done?site=shop", {})
    check("done", status == 200 and told["state"] == "done", told)
    check("all are away", owner.get("/sites/shop/attention")[1]["put_away"] == 2)
    check("what does not hold cannot be put away",
          owner.ask("POST", "/attention/silence/done?site=shop", {})[0] == 404)
    for body, pointer in (({"minutes": 0}, "/minutes"), ({"hours": 1}, "/hours")):
        status, told, _ = owner.ask("POST", path + "/snooze?site=shop", body)
        check(f"{body} is refused", status == 400 and told["errors"][0]["pointer"] == pointer, told)


def noted(owner: Api) -> None:
    actions = {one["action"] for one in owner.get("/audit?limit=200")[1]["items"]}
    check("all of it is in the log", {
        "export-ordered", "export-fetched", "export-removed", "attention-snoozed",
        "attention-dismissed", "attention-done", "attention-taken-back"} <= actions, actions)


def restarted(engine: Engine, export: dict, body: bytes) -> str:
    """The owner's token after it, which is another."""
    engine.stop()
    engine.start()
    token = (engine.data / "companion-token").read_text()
    deadline = time.monotonic() + 20
    found = (0, b"", {})
    while found[0] != 200 and time.monotonic() < deadline:
        found = fetch(engine, token, f"/exports/{export['id']}/file")
        time.sleep(0.1)
    check("files outlive the process", found[1] == body, found[:2])
    check("and are their owner's only", all(
        one.stat().st_mode & 0o077 == 0 for one in (engine.data / "exports").iterdir()))
    return token


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--long", action="store_true", help="open a file in LibreOffice, too")
    arguments = parser.parse_args()
    engine = Engine(arguments.binary, settings=SETTINGS)
    try:
        engine.start()
        token = (engine.data / "companion-token").read_text()
        owner, command = Api(engine, token), Command(engine)
        devices = fill(engine, "shop", 24)
        cursor = settle(engine, 24 + len(fill(engine, "blog", 3)))
        made = every_kind(engine, token, cursor)
        nothing_is_worked_out(made, arguments.long)
        in_parts(engine, token, *made["events", "csv"])
        who_may(engine, command, made["events", "csv"][0])
        wrong_orders(owner)
        narrowed(engine, token, cursor)
        figures_as_files(engine, token)
        attention(engine, owner, cursor)
        token = restarted(engine, *made["events", "ndjson"])
        owner = Api(engine, token)
        gone(engine, token, psycopg2_cursor(engine), devices)
        noted(owner)
    finally:
        engine.stop()
        engine.clean_up(keep=bool(os.environ.get("KEEP")))
    print(f"companion-export: {CHECKS.passed} passed, {CHECKS.failed} failed")
    return 1 if CHECKS.failed else 0


def psycopg2_cursor(engine: Engine):
    database = psycopg2.connect(engine.addresses()["postgres"])
    database.autocommit = True
    return database.cursor()


if __name__ == "__main__":
    sys.exit(main())
