#!/usr/bin/python3
"""What forwarders do when destinations, databases and they themselves fail.

    scenarios.py --binary HELIOGRAPH [--long] [--only NAME]… [--conversions N]

Real PostgreSQL, the real `heliograph forward`, and a strict mock of the platforms. Each scenario
prints its figures; the last line counts them.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import desk  # noqa: F401  (its scenarios join the list)
import trust  # noqa: F401
from mock import Mock
from world import PIXEL, REPOSITORY, SCENARIOS, Failed, World, check, scenario

@scenario
def poisoned(world: World, long: bool) -> str:
    """a: one event in a hundred is one that only the platform refuses."""
    count = 10_000 if long else 2_000
    world.destination("shop", "meta")
    ids = world.add(count)
    world.mock.poison = set(ids[::100])
    world.start()
    world.settled(count, 180 if long else 60)
    states = world.states()
    bad = len(world.mock.poison)
    check(states == {"delivered": count - bad, "dead": bad}, f"{states}")
    doubts = world.ask("SELECT coalesce(sum(doubts), 0)::int FROM heliograph.delivery")[0][0]
    extra = sum(world.mock.taken.values()) - len(world.mock.taken)
    check(extra <= doubts, f"{extra} second copies with {doubts} doubts")
    reasons = world.ask("""SELECT DISTINCT code, reason FROM heliograph.delivery
        WHERE state = 'dead'""")
    check(reasons == [("100/2804019", "a thing that Meta will not have")], f"{reasons}")
    return (f"{count - bad} delivered, {extra} twice, {bad} dead with their reason, "
            f"{len(world.mock.requests)} requests ({count // 50} would do without poison)")


@scenario
def commit_then_reset(world: World, long: bool) -> str:
    """b: the platform takes a request and the answer is lost."""
    world.destination("shop", "meta")
    world.mock.fail("commit-then-reset", times=1)
    ids = world.add(20)
    world.start()
    world.settled(20, 30)
    check(world.states() == {"delivered": 20}, f"{world.states()}")
    copies = {world.mock.came.get((PIXEL, "Purchase", one)) for one in ids}
    check(copies == {2}, f"copies per id: {copies}")
    flagged = world.ask("SELECT count(*) FROM heliograph.delivery WHERE doubts = 1 AND attempts = 2")
    check(flagged == [(20,)], f"flagged: {flagged}")
    return "20 sent exactly twice under the same ids, each marked with one doubt"


@scenario
def killed(world: World, long: bool) -> str:
    """c: forwarders die between sending and hearing, at any moment."""
    count, kills = (20_000, 25) if long else (4_000, 6)
    world.destination("shop", "meta")
    world.mock.fail("status", status=503, probability=0.02)
    world.mock.fail("commit-then-delay", seconds=0.05, probability=0.03)
    world.add(count)
    for _ in range(kills):
        process = world.start()
        time.sleep(world.random.uniform(0.2, 1.6))
        world.kill(process)
    world.start()
    world.settled(count, 240)
    return copies_are_explained(world, count) + f", {kills} kills"


def copies_are_explained(world: World, count: int) -> str:
    """Everything came at least once, and more often only as its doubts allow."""
    states = world.states()
    check(states.get("delivered", 0) == count, f"{states}")
    rows = world.ask("SELECT conversion_id, doubts FROM heliograph.delivery")
    extra = doubts = 0
    for one, doubted in rows:
        copies = world.mock.taken.get((PIXEL, "Purchase", one), 0)
        check(copies >= 1, f"{one} was never taken")
        check(copies - 1 <= doubted, f"{one} was taken {copies} times with {doubted} doubts")
        extra += copies - 1
        doubts += doubted
    return f"{count} delivered, {extra} second copies, {doubts} doubts"


@scenario
def down_for_days(world: World, long: bool) -> str:
    """d: nobody answers for eight days."""
    world.destination("shop", "meta")
    world.mock.down = True
    world.add(100)
    shim = build_clock_shim(world)
    process = world.start(LD_PRELOAD=shim, HELIOGRAPH_TEST_CLOCK=str(world.folder / "clock"))
    world.wait(lambda: world.ask("SELECT 1 FROM heliograph.delivery WHERE attempts > 0"), 20,
               "a first attempt")
    shift = 8 * 86_400
    (world.folder / "clock").write_bytes((shift * 1000).to_bytes(8, "little", signed=True))
    world.mock.rules.shift = shift
    young = world.add(50, prefix="young")
    world.mock.heal()
    world.settled(150, 60)
    states = world.states()
    check(states == {"expired": 100, "delivered": 50}, f"{states}")
    check(all(("young" in key[2]) for key in world.mock.taken), "something too old was sent")
    check(len(world.mock.taken) == len(young), "a young one is missing")
    world.kill(process)
    return "100 older than seven days expired unsent, 50 young ones delivered"


def build_clock_shim(world: World) -> str:
    shim = world.folder / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(shim),
                    str(REPOSITORY / "Tests/Chaos/clock_shim.c")], check=True)
    return str(shim)


@scenario
def token_revoked(world: World, long: bool) -> str:
    """e: credentials are refused, and stay refused through restarts, until there are others."""
    world.destination("shop", "meta")
    world.mock.rules.token = "another-token-than-the-forwarder-has"
    world.add(500)
    process = world.start()
    world.wait(lambda: world.mock.requests, 20, "a first request")
    time.sleep(2)
    asked = len(world.mock.requests)
    check(asked <= 4, f"{asked} requests")
    time.sleep(5)
    world.kill(process)
    world.start()
    time.sleep(5)
    check(len(world.mock.requests) == asked, "it asked again with the same credentials")
    kept = sum(world.states().get(state, 0) for state in ("pending", "retry", "sending"))
    check(kept == 500, f"{world.states()}")
    (world.folder / "token").write_text(world.mock.rules.token + "\n")
    world.settled(500, 60)
    check(world.states() == {"delivered": 500}, f"{world.states()}")
    return f"{asked} requests on their way when refused, none after, 500 kept and then delivered"


@scenario
def rate_limited(world: World, long: bool) -> str:
    """f: one pixel is to rest; another is not touched by that."""
    pause = 300 if long else 12
    usage = ('{"1":[{"type":"ads_management","call_count":100,"total_cputime":1,"total_time":1,'
             '"estimated_time_to_regain_access":%d}]}' % (pause // 60))
    hint = {"X-Business-Use-Case-Usage": usage} if long else {"Retry-After": str(pause)}
    other = "987654321098765"
    world.destination("shop", "meta")
    world.destination("shop", "second", pixel=other)
    world.mock.fail("meta-error", place=PIXEL, times=1, code=80004, status=400,
                    headers=hint)
    world.add(100, names=("meta", "second"))
    world.start()
    world.settled(100, 30, "second")
    first = world.wait(lambda: [one.at for one in world.mock.requests if one.place == PIXEL], 10,
                       "the request that is refused")[0]
    world.settled(100, pause + 60)
    times = [one.at - first for one in world.mock.requests if one.place == PIXEL][1:]
    on_way = [one for one in times if one < 2]
    check(min((one for one in times if one >= 2), default=0) >= pause - 1, f"{times[:5]}")
    check(len(on_way) <= 3, f"{len(on_way)} more on their way")
    return f"rested {min(one for one in times if one >= 2):.0f} s of {pause}, the other pixel went on"


@scenario
def consent_withdrawn(world: World, long: bool) -> str:
    """g: consent is taken back while deliveries wait."""
    world.destination("shop", "meta", paused=True)
    gone = world.add(50, prefix="gone")
    world.add(50, prefix="stays")
    denied = world.add(50, prefix="denied", consent=1)
    world.mock.forbidden = set(gone) | set(denied)
    if not withdraw(world, "gone"):
        raise Failed("there is no heliograph.consent_record yet")
    world.sites["shop"][0]["paused"] = False
    world.write_settings()
    world.start()
    world.settled(150, 30)
    check(world.states() == {"cancelled": 100, "delivered": 50}, f"{world.states()}")
    check(not world.mock.violations, f"{world.mock.violations[:3]}")
    return "50 withdrawn and 50 never granted: none sent; 50 sent"


def withdraw(world: World, prefix: str) -> bool:
    if world.ask("SELECT to_regclass('heliograph.consent_record') IS NULL") == [(True,)]:
        return False
    columns = dict(world.ask("""SELECT column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'heliograph' AND table_name = 'consent_record'
            AND is_nullable = 'NO' AND column_default IS NULL"""))
    zero = {"text": "''", "smallint": "0", "integer": "0", "bigint": "0", "boolean": "false",
            "bytea": "''", "jsonb": "'{}'", "timestamp with time zone": "now()"}
    given = {"site": "'shop'", "visitor_id": "visitor_id", "at": "now()"}
    names = sorted(columns)
    world.ask(f"""INSERT INTO heliograph.consent_record ({', '.join(names)})
        SELECT {', '.join(given.get(name, zero[columns[name]]) for name in names)}
        FROM heliograph.conversion WHERE visitor_id LIKE 'visitor-{prefix}-%%'""")
    return True


@scenario
def skewed_clocks(world: World, long: bool) -> str:
    """h: senders' clocks were a day off; what lies in the future is not sent."""
    world.destination("shop", "meta")
    world.add(50, prefix="past", age_seconds=86_400)
    world.add(50, prefix="future", age_seconds=-86_400)
    world.add(50, prefix="near", age_seconds=-120)
    world.start()
    world.settled(150, 30)
    check(world.states() == {"delivered": 100, "dead": 50}, f"{world.states()}")
    check(not world.mock.violations, f"{world.mock.violations[:3]}")
    return "a day back: 50 sent; two minutes ahead: 50 sent as of now; a day ahead: 50 refused here"


@scenario
def slow_neighbour(world: World, long: bool) -> str:
    """i: a destination that never answers does not slow another one."""
    other = "987654321098765"
    world.destination("shop", "meta")
    count = 5_000
    world.add(count)
    world.start()
    begun = time.monotonic()
    world.settled(count, 300)
    alone = time.monotonic() - begun
    world.destination("shop", "second", pixel=other)
    world.mock.fail("never", place=other, seconds=8)
    world.add(count, prefix="d", names=("meta", "second"))
    begun = time.monotonic()
    world.settled(2 * count, 300)
    beside = time.monotonic() - begun
    check(beside < alone * 3 + 5, f"{alone:.1f} s alone, {beside:.1f} s beside one that hangs")
    check(world.states("second").get("delivered", 0) == 0, "the hanging one took something")
    return f"{count} in {alone:.1f} s alone, in {beside:.1f} s beside one that hangs"


@scenario
def secrets_stay(world: World, long: bool) -> str:
    """j: neither tokens nor what is known of visitors is in logs, database rows or the log of outcomes."""
    world.destination("shop", "meta")
    world.mock.fail("status", status=500, probability=0.3, times=6,
                    body="secret-echo " + world.mock.rules.token)
    world.mock.fail("meta-error", code=190, subcode=463, times=1, title="token no good")
    world.add(200)
    world.start()
    world.wait(lambda: "stopped" in world.log.read_text(), 40, "a stop in the log")
    (world.folder / "token").write_text("fresh-token-of-the-test\n")
    world.mock.rules.token = "fresh-token-of-the-test"
    world.settled(200, 60)
    world.stop()
    found = []
    texts = [b"token-of-the-test", b"8.8.8.8", b"Mozilla/5.0 (X11)", b"fb.1."]
    places = [world.log, *(world.data / "deliveries").iterdir()]
    dump = "\n".join(row[0] for row in world.ask("SELECT d::text FROM heliograph.delivery AS d"))
    for place, content in [(one.name, one.read_bytes()) for one in places] + [("rows", dump.encode())]:
        found += [f"{text!r} in {place}" for text in texts if text in content]
    check(not found, "; ".join(found))
    return f"{len(places)} files and 200 rows searched for {len(texts)} texts: 0 hits"


@scenario
def rolled_back(world: World, long: bool) -> str:
    """The database is set back to what it was before anything was sent."""
    world.destination("shop", "meta")
    world.add(300)
    world.ask("CREATE TABLE public.kept AS SELECT * FROM heliograph.delivery")
    world.mock.fail("commit-then-delay", seconds=20, times=1)
    process = world.start()
    world.wait(lambda: len(world.mock.taken) >= 290, 30, "nearly everything taken")
    time.sleep(1)
    world.kill(process)
    world.ask("DELETE FROM heliograph.delivery")
    world.ask("""INSERT INTO heliograph.delivery OVERRIDING SYSTEM VALUE
        SELECT * FROM public.kept ORDER BY delivery_id DESC""")
    taken = dict(world.mock.taken)
    world.mock.heal()
    world.start()
    world.settled(300, 60)
    states = world.states()
    check(world.mock.taken == taken, "something was sent a second time")
    held = world.ask("""SELECT count(*) FROM heliograph.delivery
        WHERE state = 'held' AND reason = 'database-rolled-back'""")[0][0]
    check(states == {"delivered": 300 - held, "held": held} and held > 0, f"{states}")
    return f"{300 - held} known as delivered and written back, {held} unproved and held, 0 sent again"


@scenario
def storm(world: World, long: bool, count: int = 0) -> str:
    """Everything at once: kills, ambiguous resets, 5 % of 5xx, rate limits, two forwarders."""
    count = count or (100_000 if long else 10_000)
    world.destination("shop", "meta")
    granted = count - count // 20
    denied_ids = world.add(count // 20, prefix="denied", consent=1)
    world.mock.forbidden = set(denied_ids)
    world.mock.fail("meta-error", code=4, status=400, times=2, probability=0.01,
                    headers={"Retry-After": "20" if long else "2"})
    world.mock.fail("commit-then-reset", probability=0.02)
    world.mock.fail("reset", probability=0.01)
    world.mock.fail("status", status=503, probability=0.05)
    for part in range(0, granted, 10_000):
        world.add(min(10_000, granted - part), prefix=f"s{part}")
    ends = threading.Event()
    kills = [0]

    def chaos() -> None:
        pair = [world.start(), world.start()]
        while not ends.wait(world.random.uniform(1, 6)):
            which = world.random.randrange(2)
            world.kill(pair[which])
            kills[0] += 1
            pair[which] = world.start()

    thread = threading.Thread(target=chaos)
    begun = time.monotonic()
    thread.start()
    try:
        world.settled(int(count * 0.9), 1_500 if long else 300)
    finally:
        ends.set()
        thread.join()
    world.settled(count, 600)
    seconds = time.monotonic() - begun
    states = world.states()
    check(sum(states.values()) == count, f"{states}")
    check(states.get("cancelled") == count // 20, f"{states}")
    extra = doubts = lost = 0
    for one, state, doubted in world.ask(
            "SELECT conversion_id, state, doubts FROM heliograph.delivery WHERE state <> 'cancelled'"):
        copies = world.mock.taken.get((PIXEL, "Purchase", one), 0)
        check(copies - 1 <= doubted, f"{one} was taken {copies} times with {doubted} doubts")
        check(state != "delivered" or copies >= 1, f"{one} is called delivered and never came")
        lost += state != "delivered"
        extra += max(0, copies - 1)
        doubts += doubted
    check(not world.mock.violations, f"{world.mock.violations[:3]}")
    unexplained = world.ask("""SELECT count(*) FROM heliograph.delivery
        WHERE state NOT IN ('delivered', 'cancelled') AND code IS NULL AND reason IS NULL""")[0][0]
    check(unexplained == 0, f"{unexplained} without a reason")
    return (f"{count} in {seconds:.0f} s through {kills[0]} kills: {states}; {extra} second copies, "
            f"{doubts} doubts, {lost} not delivered, 0 without consent")


def run(name: str, options) -> bool:
    folder = Path(tempfile.mkdtemp(prefix=f"hg-{name}-"))
    folder.chmod(0o755)
    world = None
    begun = time.monotonic()
    try:
        world = World(folder, str(Path(options.binary).resolve()), Mock(seed=options.seed))
        extra = {"count": options.conversions} if name == "storm" else {}
        figures = SCENARIOS[name](world, options.long, **extra)
        print(f"ok   {name} ({time.monotonic() - begun:.0f} s): {figures}", flush=True)
        return True
    except Failed as failure:
        print(f"FAIL {name} ({time.monotonic() - begun:.0f} s): {failure}", flush=True)
        return False
    finally:
        if world:
            world.close()
            world.mock.close()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--binary", required=True)
    options.add_argument("--long", action="store_true")
    options.add_argument("--keep", action="store_true", help="leave the folders behind")
    options.add_argument("--only", action="append", choices=sorted(SCENARIOS))
    options.add_argument("--conversions", type=int, default=0, help="of the storm")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    results = [run(name, given) for name in given.only or SCENARIOS]
    print(f"delivery: {sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
