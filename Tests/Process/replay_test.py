#!/usr/bin/python3
"""What is refused can be found, traced, mended and brought in once.

    replay_test.py --binary .build/release/heliograph

Starts an engine of its own, sends beacons that it must refuse, looks for them through the companion,
changes the sites' settings, replays, and counts the rows in PostgreSQL.
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
import psycopg2  # noqa: E402
from checks import Checks  # noqa: E402
from engine import Engine, EngineError  # noqa: E402

SITES = """sites:
  - name: shop
    keys: [{keys}]
    origins: [{origins}]
    consent: {{ default: 1 }}
    automation: count
"""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
WAIT_SECONDS_MAX = 30


class Scene:
    """An engine, its database, and the beacons that are sent to it."""

    def __init__(self, binary: str):
        self.engine = Engine(binary, settings=SITES.format(keys="key_shop",
                                                           origins='"https://shop.example"'))
        self.engine.start()
        self.database = psycopg2.connect(self.engine.addresses()["postgres"])
        self.database.autocommit = True

    def rows(self, query: str, *values):
        with self.database.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()

    def count(self, table: str) -> int:
        return self.rows(f"SELECT count(*) FROM heliograph.{table}")[0][0]

    def wait(self, name: str, is_so) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not is_so():
            if time.monotonic() > deadline:
                raise EngineError(f"waited in vain for: {name}")
            time.sleep(0.05)

    def beacon(self, window: str, numbers, key="key_shop", kind="pv", consent=63) -> bytes:
        now = int(time.time() * 1000)
        events = [{"t": kind, "n": number, "o": 900, "p": 1, "u": "https://shop.example/"}
                  for number in numbers]
        return json.dumps({"v": 1, "k": key, "st": now, "mt": 1000, "w": window,
                           "d": "device-0123456789abcd", "s": "session-0123456789ab",
                           "c": consent, "e": events}).encode()

    def post(self, body: bytes, path="/v1/e", origin="https://shop.example", **headers) -> int:
        fields = {"Content-Type": "text/plain", "User-Agent": AGENT, **headers}
        if origin:
            fields["Origin"] = origin
        request = urllib.request.Request(self.engine.ingest + path, data=body, headers=fields)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def get(self, path: str):
        try:
            with urllib.request.urlopen(self.engine.companion_request(path), timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def trace(self, event: str):
        return self.get(f"/api/v1/events/{urllib.parse.quote(event)}/trace?site=shop")

    def replay(self, *options: str):
        done = subprocess.run(
            [str(self.engine.binary), "replay", "--rejected", "--json", "--data",
             str(self.engine.data), *options], capture_output=True, text=True, check=False)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, {"error": done.stdout + done.stderr}

    def restart(self, keys: str, origins: str) -> None:
        """The fix: other settings, and the same data."""
        self.engine.stop()
        text = self.engine.config.read_text()
        self.engine.config.write_text(
            text[:text.index("sites:")] + SITES.format(keys=keys, origins=origins))
        self.engine.start()
        self.database = psycopg2.connect(self.engine.addresses()["postgres"])
        self.database.autocommit = True


def stages(document) -> dict:
    return {stage["stage"]: stage for stage in document.get("stages", [])}


def taken_events_are_traced(scene: Scene, checks: Checks) -> None:
    checks.check("a good beacon is taken", scene.post(scene.beacon("window-good-0123456789", [1]))
                 == 204)
    status, document = scene.trace("window-good-0123456789-1")
    checks.check("found at once, stored or not", status == 200, document)
    scene.wait("the event in PostgreSQL", lambda: scene.count("event") == 1)
    scene.wait("the event scored", lambda: stages(
        scene.trace("window-good-0123456789-1")[1])["scored"]["state"] == "done")
    status, document = scene.trace("window-good-0123456789-1")
    found = stages(document)
    checks.check("every stage is there", list(found) == [
        "received", "journaled", "deduplicated", "enriched", "scored", "stored", "delivered"], found)
    checks.check("stored", found["stored"]["state"] == "done" and document["state"] == "stored")
    checks.check("delivered says why not", "destination" in found["delivered"]["reason"])
    status, document = scene.trace("window-nobody-0123456789-1")
    checks.check("an unknown event is a problem", status == 404
                 and document["code"] == "not-found" and "PostgreSQL" in document["detail"], document)
    checks.check("an impossible id is refused", scene.trace("a b")[0] == 400)


def refused_things_are_kept(scene: Scene, checks: Checks) -> None:
    unknown = scene.beacon("window-unknown-0123456789", [1, 2], key="key_new")
    checks.check("an unknown key is refused", scene.post(unknown) == 403)
    foreign = scene.beacon("window-foreign-0123456789", [1])
    checks.check("a foreign origin is refused",
                 scene.post(foreign, origin="https://other.example") == 403)
    mixed = json.loads(scene.beacon("window-mixed-0123456789", [1, 2]))
    mixed["e"][1] = {"t": "zz", "n": 2, "o": 5, "note": "write to jane@example.com"}
    checks.check("one bad event harms itself alone",
                 scene.post(json.dumps(mixed).encode()) == 204)
    checks.check("noise is refused", scene.post(b'{"v":1,\x00\xff') == 400)
    silent = scene.beacon("window-silent-0123456789", [1], key="key_new", consent=0)
    checks.check("no consent, unknown key", scene.post(silent) == 403)
    scene.wait("five refusals in PostgreSQL", lambda: scene.count("rejected_event") == 5)
    reasons = dict(scene.rows("SELECT reason, count(*) FROM heliograph.rejected_event GROUP BY 1"))
    checks.check("each with its reason", reasons == {
        "key-unknown": 2, "origin-not-allowed": 1, "event-type-unknown": 1,
        "json-malformed": 1} or reasons == {
        "key-unknown": 2, "origin-not-allowed": 1, "event-type-unknown": 1,
        "utf8-invalid": 1}, reasons)
    bodies = b"".join(bytes(row[0]) for row in scene.rows(
        "SELECT bytes FROM heliograph.rejected_event"))
    checks.check("no address is kept in the clear", b"jane@example.com" not in bodies)
    checks.check("nothing of who did not agree", b"window-silent" not in bodies)


def the_list_is_read_in_pages(scene: Scene, checks: Checks) -> None:
    found, cursor, pages = [], "", 0
    while True:
        status, page = scene.get(f"/api/v1/rejected?limit=2{cursor}")
        checks.check("a page", status == 200, page)
        found += page["items"]
        pages += 1
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    times = [item["received_at"] for item in found]
    checks.check("all, once, newest first", pages == 3 and times == sorted(times, reverse=True)
                 and len({item["id"] for item in found}) == 5, found)
    checks.check("by reason", len(scene.get("/api/v1/rejected?reason=key-unknown")[1]["items"]) == 2)
    checks.check("by site", {item["site"] for item in scene.get(
        "/api/v1/rejected?site=shop")[1]["items"]} == {"shop"})
    checks.check("a made-up cursor is refused",
                 scene.get("/api/v1/rejected?cursor=AAAA")[1].get("code") == "invalid-cursor")
    bad = next(item for item in found if item["reason"] == "event-type-unknown")
    status, one = scene.get(f"/api/v1/rejected/{bad['id']}")
    body = json.loads(one["body"])
    checks.check("one with its bytes: the bad event in a beacon of its own",
                 [event["n"] for event in body["e"]] == [2] and one["masked"], one)
    status, document = scene.trace("window-mixed-0123456789-2")
    checks.check("its trace says why", status == 200 and document["state"] == "rejected"
                 and "event-type-unknown" in stages(document)["validated"]["reason"], document)


def a_replay_brings_each_in_once(scene: Scene, checks: Checks) -> None:
    before = scene.count("event")
    received = dict(scene.rows(
        "SELECT reason, received_at FROM heliograph.rejected_event WHERE flags & 16 = 0"))
    code, result = scene.replay("--dry-run")
    checks.check("a dry run sends nothing", code == 0 and result["replayed"] == 3
                 and scene.count("event") == before, result)
    code, result = scene.replay()
    checks.check("without a fix everything is refused again",
                 code == 2 and result["refused"] == 3, result)
    scene.restart("key_shop, key_new", '"https://shop.example", "https://other.example"')
    code, result = scene.replay("--reason", "origin-not-allowed")
    checks.check("by reason", code == 0 and result["reasons"] == {
        "origin-not-allowed": {"accepted": 1}}, result)
    code, result = scene.replay()
    checks.check("the rest", result.get("reasons") == {
        "key-unknown": {"accepted": 1}, "event-type-unknown": {"event-type-unknown": 1}}
        or result.get("reasons") == {"key-unknown": {"accepted": 1},
                                     "event-type-unknown": {"batch-empty": 1}}, result)
    scene.wait("the replayed events", lambda: scene.count("event") == before + 3)
    rows = scene.rows("SELECT window_id, n, received_at, bot FROM heliograph.event "
                      "WHERE window_id IN (%s, %s) ORDER BY 1, 2",
                      "window-unknown-0123456789", "window-foreign-0123456789")
    checks.check("each once, with the time it came first, and no bots", [
        (window, number, at, bot) for window, number, at, bot in rows] == [
        ("window-foreign-0123456789", 1, received["origin-not-allowed"], False),
        ("window-unknown-0123456789", 1, received["key-unknown"], False),
        ("window-unknown-0123456789", 2, received["key-unknown"], False)], rows)
    checks.check("a replay leaves no new refusals", scene.count("rejected_event") == 5)
    code, result = scene.replay("--reason", "key-unknown")
    checks.check("a second replay finds nothing", code == 0 and result["replayed"] == 0, result)
    with scene.database.cursor() as cursor:
        cursor.execute("UPDATE heliograph.rejected_event SET outcome = NULL "
                       "WHERE reason = 'key-unknown' AND flags & 4 <> 0")
    code, result = scene.replay("--reason", "key-unknown")
    time.sleep(1.5)
    checks.check("and if it did, the events are known", scene.count("event") == before + 3, result)


def strangers_choose_no_time(scene: Scene, checks: Checks) -> None:
    old = int(time.time() * 1000) - 5 * 86_400_000
    body = scene.beacon("window-liar-0123456789", [1])
    checks.check("a stranger's header is ignored", scene.post(
        body, **{"X-Heliograph-Received-At": f"{old} {'0' * 64}"}) == 204)
    scene.wait("the stranger's event", lambda: scene.rows(
        "SELECT 1 FROM heliograph.event WHERE window_id = 'window-liar-0123456789'"))
    late = scene.rows("SELECT now() - received_at < interval '1 hour' FROM heliograph.event "
                      "WHERE window_id = 'window-liar-0123456789'")
    checks.check("and the time is now", late == [(True,)], late)
    token = scene.engine.data / "replay-token"
    checks.check("the token is its owner's alone", token.stat().st_mode & 0o777 == 0o600)


def a_sender_may_ask_for_verdicts(scene: Scene, checks: Checks) -> None:
    body = json.loads(scene.beacon("window-debug-0123456789", [1, 2, 3]))
    body["e"][1] = {"t": "zz", "n": 2}

    asked = itertools.count()

    def ask():
        body["w"] = f"window-debug-{next(asked):010}"
        request = urllib.request.Request(
            scene.engine.ingest + "/v1/e", data=json.dumps(body).encode(),
            headers={"X-Heliograph-Debug": "1", "User-Agent": AGENT})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()

    checks.check("a site that is not in debug mode tells nothing", ask() == (204, b""))
    text = scene.engine.config.read_text()
    scene.engine.config.write_text(text + "    debug: true\n")
    scene.wait("the settings reloaded", lambda: ask()[0] == 200)
    results = json.loads(ask()[1])["results"]
    checks.check("a verdict for each event, in order", results == [
        {"id": body["w"] + "-1", "result": "ok"},
        {"id": body["w"] + "-2", "result": "drop", "reason": "event-type-unknown"},
        {"id": body["w"] + "-3", "result": "ok"}], results)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    arguments = parser.parse_args()
    checks = Checks()
    scene = None
    try:
        scene = Scene(arguments.binary)
        for part in (taken_events_are_traced, refused_things_are_kept, the_list_is_read_in_pages,
                     a_replay_brings_each_in_once, strangers_choose_no_time,
                     a_sender_may_ask_for_verdicts):
            part(scene, checks)
            print(f"{part.__name__.replace('_', ' ')}: done")
    except EngineError as error:
        checks.check("the engine", False, str(error))
    finally:
        if scene:
            scene.engine.stop()
            scene.engine.clean_up(keep=checks.failed > 0)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
