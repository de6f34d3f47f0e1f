#!/usr/bin/python3
"""`heliograph demo seed` brings a past in: counted once, told to nobody, believable, only by the owner.

    demo_seed.py --binary .build/release/heliograph [--long]

Starts an engine of its own, whose sites have a paused destination that live conversions queue up for; seeds
one site, seeds it again, cuts a second site's seeding short and takes it up, and asks PostgreSQL, Redis,
the companion and `verify`. --long brings in the default amount and says how long that took.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Chaos"))

from checks import Checks  # noqa: E402
from engine import Engine  # noqa: E402
from stores import Redis, query  # noqa: E402

CHECKS = Checks()
check = CHECKS.check
SITE = """
  - name: {name}
    keys: [key_{name}]
    origins: ["*"]
    automation: count
    conversions: [{{band: hot, as: became_hot}}]
    destinations:
      - {{name: ga, kind: ga4, measurement_id: G-TEST123, api_secret: {{environment: T2}}, paused: true}}
"""
SETTINGS = "sites:" + "".join(SITE.format(name=name) for name in ("demo", "demo-cut", "shop"))
BUYERS = {"fast-mover", "proof-driven", "reassurer", "skeptic", "optimizer", "authority-seeker",
          "experience-first"}
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PAST = "coalesce(flags, 0) & 16384 <> 0"
DAYS, VISITORS = 9, 400
DAYS_DEFAULT = 60
WAIT_SECONDS_MAX = 30


class Scene:
    def __init__(self, binary: str):
        self.engine = Engine(binary, {"T2": "secret"}, settings=SETTINGS)
        self.engine.start()

    def seed(self, *options: str) -> tuple[int, dict | str]:
        done = subprocess.run(self.words(*options), capture_output=True, text=True, timeout=900,
                              cwd=ROOT, env=self.engine.environment, check=False)
        told = json.loads(done.stdout) if done.returncode == 0 else done.stderr
        return done.returncode, told

    def words(self, *options: str) -> list[str]:
        return [str(self.engine.binary), "demo", "seed", "--data", str(self.engine.data), "--config",
                str(self.engine.config), "--json", *options]

    def rows(self, statement: str, *parameters) -> list[tuple]:
        return query(self.engine.addresses()["postgres"], statement, parameters)

    def one(self, statement: str, *parameters):
        return self.rows(statement, *parameters)[0][0]

    def buy(self, site: str, window: str, headers: dict | None = None) -> None:
        now = int(time.time() * 1000)
        event = {"n": 1, "t": "cu", "o": 900, "p": 1, "name": "purchase",
                 "props": {"value": 9, "currency": "EUR", "order_id": window}}
        body = {"v": 1, "k": f"key_{site}", "st": now, "mt": 1000, "w": window, "s": window,
                "d": window, "c": 63, "e": [event]}
        request = urllib.request.Request(
            self.engine.ingest + "/v1/e", json.dumps(body).encode(),
            {"User-Agent": AGENT, "Content-Type": "text/plain", **(headers or {})})
        with urllib.request.urlopen(request, timeout=10) as answer:
            check("a live purchase is taken", answer.status == 204, answer.status)


def until(condition, seconds: float = WAIT_SECONDS_MAX) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return False


def only_the_owner(scene: Scene) -> None:
    """Who has not the token of the data folder writes no past, and nothing that looks like one."""
    week_ago = int(time.time() * 1000) - 7 * 86_400_000
    for index, token in enumerate(("0" * 64, "", "f" * 64 + " history")):
        header = f"{week_ago} {token} history"
        scene.buy("shop", f"stranger-window-0{index}", {"X-Heliograph-Received-At": header})
    check("three live events are stored", until(lambda: scene.one(
        "SELECT count(*) FROM heliograph.event WHERE site = 'shop'") == 3))
    old = scene.one("SELECT count(*) FROM heliograph.event WHERE site = 'shop' AND "
                    f"(received_at < now() - interval '1 hour' OR {PAST})")
    check("none of a stranger's events is in the past", old == 0, old)


def live_sites_are_refused(scene: Scene) -> None:
    status, told = scene.seed("--site", "shop")
    check("a site with visitors of its own is refused", status == 1 and "by themselves" in told,
          (status, told))
    status, told = scene.seed("--site", "nowhere")
    check("an unknown site is named", status == 1 and "no site nowhere" in told, (status, told))
    check("nothing was sent", scene.one(f"SELECT count(*) FROM heliograph.event WHERE {PAST}") == 0)


def counted_once(scene: Scene, options: list[str]) -> dict:
    # A live purchase beside the past: the site of the demo shop may have both.
    scene.buy("demo", "live-window-000001")
    began = time.monotonic()
    status, told = scene.seed(*options)
    seconds = time.monotonic() - began
    if status != 0:
        check("the seed ends well", False, told)
        return {}
    print(f"    {told['events']} events of {told['visits']} visits in {seconds:.1f} s", flush=True)
    stored = scene.rows(f"SELECT count(*), count(DISTINCT (window_id, n)) FROM heliograph.event "
                        f"WHERE site = 'demo' AND {PAST}")[0]
    check("PostgreSQL has what was sent", stored == (told["events"], told["events"]), (stored, told))
    bought = scene.one("SELECT count(*) FROM heliograph.conversion WHERE site = 'demo' AND "
                       "name = 'purchase' AND visitor_id <> 'live-window-000001'")
    check("every order is a conversion", bought == told["purchases"] > 0, (bought, told))
    check("some agreed to nothing", told["events_without_consent"] > 0, told)
    status, again = scene.seed(*options)
    check("a second run sends nothing", status == 0 and not again["is_new"], again)
    now = scene.one(f"SELECT count(*) FROM heliograph.event WHERE site = 'demo' AND {PAST}")
    check("twice is once", now == told["events"] == again["events"], (now, again))
    return told


def told_to_nobody(scene: Scene) -> None:
    check("the live purchase is queued", until(lambda: scene.one(
        "SELECT count(*) FROM heliograph.delivery WHERE site = 'demo' AND conversion_id = "
        "'live-window-000001-1'") == 1))
    others = scene.rows("SELECT conversion_id FROM heliograph.delivery WHERE site <> 'shop' AND "
                        "conversion_id NOT LIKE 'live-window-%%' LIMIT 3")
    check("no delivery of the past", others == [], others)
    hot = scene.one("SELECT count(*) FROM heliograph.conversion WHERE name = 'became_hot' AND "
                    "site = 'demo'")
    check("who became hot in the past is a conversion, and told to nobody", hot > 0, hot)


def believable(scene: Scene, days: int) -> None:
    span = scene.rows("SELECT min(received_at) > now() - make_interval(days => %s), "
                      "max(received_at) <= now(), count(DISTINCT received_at::date) "
                      f"FROM heliograph.event WHERE {PAST}", days + 1)[0]
    check("the past lies in its days", span[:2] == (True, True) and span[2] >= days, span)
    labels = dict(scene.rows(
        "SELECT profile, count(DISTINCT visitor_id) FROM heliograph.score_history "
        "WHERE site = 'demo' GROUP BY profile"))
    check("all seven profiles are among the labels", BUYERS <= set(labels), labels)
    programs = scene.one("SELECT count(*) FROM heliograph.event WHERE site = 'demo' AND bot")
    check("programs are told apart", programs > 0, programs)
    persons = scene.one("SELECT count(*) FROM (SELECT identity FROM heliograph.identity_member "
                        "WHERE site = 'demo' GROUP BY identity HAVING count(*) > 1) persons")
    check("some are known on two devices", persons > 0, persons)
    errors = scene.one("SELECT count(*) FROM heliograph.event WHERE site = 'demo' AND type = 'ps' "
                       "AND (properties #>> '{ck,5}')::int > 0")
    check("a release broke the form", errors > 0, errors)
    channels = scene.one("SELECT count(DISTINCT channel) FROM heliograph.touch WHERE site = 'demo'")
    check("people come by several ways", channels >= 6, channels)


def read_by_all(scene: Scene, days: int) -> None:
    redis = Redis(scene.engine.addresses()["redis"])
    day_ago = (time.time() - 86_400) * 1000
    hot = redis.call("ZREVRANGE", "hg:demo:hot", "0", "-1")
    old = [name for name in hot if int(redis.visitor(name)["updated"]) < day_ago - 60_000]
    check("the hot list is not empty and holds nobody of long ago", hot and not old, (hot, old))
    best = redis.call("ZREVRANGE", "hg:demo:hot", "0", "0", "WITHSCORES")
    check("somebody is close to a decision", float(best[1]) >= 60, best)
    redis.close()
    # How quick long ranges are is another test's to say.
    days = min(days, 14)
    body = {"site": "demo", "metrics": ["visitors", "page_views"], "grain": "day",
            "range": {"last": f"{days + 1}d", "include_today": True}}
    request = urllib.request.Request(
        scene.engine.companion + "/api/v1/query", json.dumps(body).encode(),
        {"Content-Type": "application/json", **scene.engine.companion_headers()})
    with urllib.request.urlopen(request, timeout=10) as answer:
        rows = json.load(answer)["rows"]
    filled = [row for row in rows if all(value and value > 0 for value in row["m"])]
    check("the query has figures for the days", len(filled) >= days - 1, rows)


def cut_short(scene: Scene) -> None:
    """Killed in its midst, the next run brings in the rest, once."""
    options = ["--site", "demo-cut", "--visitors", "600", "--days", "5", "--seed", "3"]
    first = subprocess.Popen(scene.words(*options), cwd=ROOT, env=scene.engine.environment,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stored = f"SELECT count(*) FROM heliograph.event WHERE site = 'demo-cut' AND {PAST}"
    until(lambda: scene.one(stored) > 200)
    first.send_signal(signal.SIGKILL)
    first.wait()
    # Other options do not change what was begun.
    status, told = scene.seed("--site", "demo-cut", "--visitors", "50")
    check("a run that was cut short is taken up", status == 0 and told["visitors"] == 600,
          (status, told))
    found = scene.rows("SELECT count(*), count(DISTINCT (window_id, n)) FROM heliograph.event "
                       f"WHERE site = 'demo-cut' AND {PAST}")[0]
    check("the two runs together count once", status == 0 and found == (told["events"],) * 2,
          (found, told))


def verified(scene: Scene) -> None:
    done = subprocess.run(
        [str(scene.engine.binary), "verify", "--json", "--data", str(scene.engine.data), "--config",
         str(scene.engine.config)], capture_output=True, text=True, timeout=600, cwd=ROOT,
        env=scene.engine.environment, check=False)
    check("verify finds nothing wrong", done.returncode == 0, (done.stdout + done.stderr)[-1500:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    scene = Scene(arguments.binary)
    days = DAYS_DEFAULT if arguments.long else DAYS
    options = [] if arguments.long else ["--days", str(DAYS), "--visitors", str(VISITORS)]
    try:
        only_the_owner(scene)
        live_sites_are_refused(scene)
        if counted_once(scene, options):
            told_to_nobody(scene)
            believable(scene, days)
            read_by_all(scene, days)
            cut_short(scene)
            verified(scene)
    finally:
        scene.engine.stop()
        scene.engine.clean_up(keep=bool(os.environ.get("KEEP")))
    print(f"demo-seed: {CHECKS.passed} passed, {CHECKS.failed} failed")
    return 1 if CHECKS.failed else 0


if __name__ == "__main__":
    sys.exit(main())
