"""The official Python clients, and what else servers send, against the real engine and its answers.

    clients.py --binary ENGINE

First every client, with and without gzip, sends events of every call: each must be in PostgreSQL
once, flush() must return, and no error may be reported; also when every other answer is lost on its
way, so that the client sends again what was taken. Then each of the engine's refusals, recorded
from the engine, is given to each client: those that no repetition can mend must not be repeated, those
that pass must be, and an event that is taken in the end must not be reported as lost.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))

import stores  # noqa: E402
from answers import Forgetter, Repeater, provoke  # noqa: E402
from engine import Engine  # noqa: E402
from officials import Official  # noqa: E402
from wire_formats import Checks, Formats  # noqa: E402

SETTINGS = """
sites:
  - name: demo
    keys: [hg_demo]
    origins: ["*"]
    consent:
      default: 63
  - name: closed
    keys: [hg_closed]
    origins: ["https://shop.example"]
  - name: masked
    keys: [hg_masked]
    origins: ["*"]
    automation: mask
  - name: slow
    keys: [hg_slow]
    origins: ["*"]
    limits:
      events_per_second: 1
      events_burst: 1
"""
# The smallest journal there may be: it is full after a few large requests.
SMALL_JOURNAL = """
journal:
  segment_bytes: 4194304
  disk_budget_bytes: 12582912
"""
EVENTS = 250
RETRIES = 2
STORED_SECONDS_MAX = 20

failures = 0


def check(holds: bool, what: str, detail: str = "") -> None:
    global failures
    print(f"  {'ok  ' if holds else 'FAIL'} {what}{'' if holds else ': ' + detail}")
    failures += not holds


# ---- against the engine -----------------------------------------------------------------------


def against_engine(engine) -> None:
    for maker in Official.makers:
        for gzip in (False, True):
            print(f"{maker}, gzip {'on' if gzip else 'off'}")
            official = Official(maker, engine.ingest, gzip=gzip)
            official.send_mixture(EVENTS)
            official.flush()
            check(not official.errors, "no error is reported", str(official.errors[:2]))
            check_stored(engine, official.sent)


def against_losses(engine) -> None:
    for maker in Official.makers:
        print(f"{maker}, every other answer lost")
        forgetter = Forgetter(engine.ingest)
        official = Official(maker, forgetter.base, upload_size=50)
        official.send_mixture(EVENTS)
        official.flush()
        forgetter.close()
        check(not official.errors, "no error is reported", str(official.errors[:2]))
        resent = len(forgetter.attempts) > len(set(forgetter.ids()))
        check(resent, "batches were sent again", f"{len(forgetter.attempts)} requests")
        check_stored(engine, official.sent)


def check_stored(engine, sent: list[str]) -> None:
    conninfo = engine.addresses()["postgres"]
    deadline = time.monotonic() + STORED_SECONDS_MAX
    while True:
        rows = stores.query(
            conninfo, "SELECT message_id, count(*) FROM heliograph.event "
            "WHERE message_id = ANY(%s) GROUP BY message_id", [sent])
        found = dict(rows)
        if len(found) == len(set(sent)) or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    missing = set(sent) - set(found)
    repeated = [identifier for identifier, count in found.items() if count != 1]
    check(not missing and len(found) == EVENTS, f"all {EVENTS} events are stored",
          f"{len(missing)} are missing")
    check(not repeated, "each of them once", f"{len(repeated)} more than once")


def check_rows(engine) -> None:
    """What the mapping promises, looked up for all clients together."""
    print("what is stored")
    conninfo = engine.addresses()["postgres"]
    kinds = dict(stores.query(
        conninfo, "SELECT type || coalesce(':' || name, ''), count(*) FROM heliograph.event "
        "WHERE site = 'demo' GROUP BY 1"))
    expected = {"id", "pv", "cu:$screen", "cu:$group", "cu:Order Completed"}
    check(set(kinds) == expected, "every call has its type", str(kinds))
    leaks = stores.query(
        conninfo, "SELECT count(*) FROM heliograph.event WHERE properties::text LIKE '%%@%%'", [])
    check(leaks[0][0] == 0, "no e-mail address is in a row", f"{leaks[0][0]} rows")


# ---- against its answers -----------------------------------------------------------------------

# Attempts with two retries allowed. Segment's client counts no attempt that was told when to come
# again, so it is watched for as many as are told.
FINAL = {400: 1, 401: 1, 413: 1}


def against_answers(answers: dict[int, bytes]) -> None:
    for maker in Official.makers:
        for gzip in (False, True):
            print(f"{maker}, gzip {'on' if gzip else 'off'}, against each answer")
            for status, attempts in FINAL.items():
                check_final(maker, gzip, status, attempts, answers)
            for status in (429, 503):
                check_temporary(maker, gzip, status, answers)
    print("an answer that stays 503 or 429")
    for status in (429, 503):
        check_given_up(status, answers)


def send_one(maker: str, gzip: bool, script: list[bytes]):
    repeater = Repeater(script)
    official = Official(maker, repeater.base, gzip=gzip, retries=RETRIES)
    official.client.track("u", "x")
    official.flush()
    repeater.close()
    return repeater, official


def check_final(maker, gzip, status, attempts, answers) -> None:
    repeater, official = send_one(maker, gzip, [answers[status]])
    check(len(repeater.attempts) == attempts, f"{status} is not repeated",
          f"{len(repeater.attempts)} attempts")
    check(len(official.errors) == 1 and "KeyError" not in official.errors[0],
          f"{status} is reported as what it is", str(official.errors))


def check_temporary(maker, gzip, status, answers) -> None:
    repeater, official = send_one(maker, gzip, [answers[status], answers[status], answers[200]])
    check(len(repeater.attempts) == 3, f"{status} is repeated until it is taken",
          f"{len(repeater.attempts)} attempts")
    check(not official.errors, f"{status}, taken in the end, is no error", str(official.errors))
    ids = repeater.ids()
    check(len(set(ids)) == 1, f"{status}: each attempt has the same message id", str(ids))
    if maker == "segment":
        waits = [b - a for a, b in zip(repeater.attempts, repeater.attempts[1:])]
        wanted = retry_after(answers[status])
        check(min(waits) >= wanted * 0.95, f"{status} is repeated when Retry-After says so",
              f"{waits} instead of {wanted} s")


def check_given_up(status, answers) -> None:
    repeater, official = send_one("rudder", True, [answers[status]])
    check(len(repeater.attempts) == RETRIES + 1, f"rudder gives {status} up after its retries",
          f"{len(repeater.attempts)} attempts")
    check(len(official.errors) == 1 and "KeyError" not in official.errors[0],
          f"rudder reports {status} as what it is", str(official.errors))


def retry_after(answer: bytes) -> int:
    for line in answer.split(b"\r\n"):
        if line.lower().startswith(b"retry-after:"):
            return int(line.split(b":")[1])
    raise AssertionError("a temporary answer without Retry-After")


def provoke_all(engine) -> dict[int, bytes]:
    full = Engine(str(engine.binary), settings=SMALL_JOURNAL)
    try:
        full.start()
        return provoke(engine, full)
    finally:
        full.clean_up()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    engine = Engine(parser.parse_args().binary, settings=SETTINGS)
    global failures
    try:
        engine.start()
        against_engine(engine)
        against_losses(engine)
        check_rows(engine)
        formats = Checks()
        Formats(engine, formats).run()
        failures += formats.failures
        answers = provoke_all(engine)
    finally:
        engine.clean_up()
    against_answers(answers)
    print(f"clients: {'all hold' if failures == 0 else f'{failures} do not hold'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
