#!/usr/bin/python3
"""`heliograph verify` finds what differs, and `heliograph rebuild` brings the scores back.

    verify_rebuild.py --binary .build/release/heliograph [--seconds N] [--seed N]

Visitors behave as the chaos tests' do. The stores are verified while they come, then damage is done to
each store by hand and must be found; then Redis, checkpoints and the journal's beginning are taken away
in turn, and what is rebuilt must be what was there, byte for byte.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "Chaos"), str(TESTS / "Process")]
from checks import Checks  # noqa: E402
from engine import Engine, EngineError  # noqa: E402
from stores import Redis, postgres, query  # noqa: E402
from traffic import Connection, Crowd  # noqa: E402

# The smallest segments there may be, so that the journal has several of them.
SETTINGS = "journal:\n  segment_bytes: 4194304\n"
# How long traffic may take to fill the first segment.
FILL_SECONDS_MAX = 120


class Scene:
    """An engine, and the commands that are run on its data folder."""

    def __init__(self, arguments: argparse.Namespace):
        self.engine = Engine(arguments.binary, settings=SETTINGS)
        self.checks = Checks(tells_all=True)
        self.seconds = arguments.seconds
        self.seed = arguments.seed

    def command(self, *words: str) -> tuple[int, dict]:
        """The exit status and the JSON of a command on the engine's data."""
        done = subprocess.run(
            [str(self.engine.binary), *words, "--json", "--data", str(self.engine.data),
             "--config", str(self.engine.config)],
            capture_output=True, text=True, timeout=300, cwd=Path(__file__).resolve().parents[2],
            env=self.engine.environment)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, {"said": done.stdout + done.stderr}

    def verify(self, *words: str) -> tuple[int, dict]:
        return self.command("verify", *words)

    def expect_clean(self, name: str, *words: str) -> dict:
        status, report = self.verify(*words)
        compared = sum(part["compared"] for part in report.get("parts", []))
        self.checks.check(f"{name}: clean, {compared} things compared, folded from "
                          f"{report.get('folded_from')}", status == 0 and compared > 100, report)
        return report

    def expect_found(self, name: str, part_name: str) -> None:
        status, report = self.verify()
        different = [part["name"] for part in report.get("parts", []) if part["different"]]
        self.checks.check(f"{name}: found in '{part_name}'",
                          status == 1 and part_name in different, (status, different, report))

    # ---- the stores -------------------------------------------------------------------------------

    def redis(self) -> Redis:
        return Redis(self.engine.addresses()["redis"])

    def states(self) -> dict[str, tuple]:
        """What Redis holds of every visitor."""
        redis = self.redis()
        keys = sorted(redis.call("KEYS", "hg:*:v:{*}"))
        found = {key: tuple(redis.call_bytes("HMGET", key, "state", "score", "band", "profile"))
                 for key in keys}
        redis.close()
        return found

    def segments(self) -> list[Path]:
        return sorted((self.engine.data / "journal").glob("*.hgj"))

    def run_sql(self, statement: str) -> None:
        connection = postgres(self.engine.addresses()["postgres"])
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    def settle(self) -> None:
        """Waits until PostgreSQL has taken everything."""
        for _ in range(200):
            before = query(self.engine.addresses()["postgres"],
                           'SELECT sum("offset") FROM heliograph.position')
            time.sleep(0.5)
            if query(self.engine.addresses()["postgres"],
                     'SELECT sum("offset") FROM heliograph.position') == before:
                return

    # ---- the story --------------------------------------------------------------------------------

    def fill(self) -> None:
        crowd = Crowd(self.seed, self.engine.ingest_port, senders=4, visitors=200)
        crowd.start()
        time.sleep(self.seconds / 2)
        self.expect_clean("verified under load")
        time.sleep(self.seconds / 2)
        deadline = time.monotonic() + FILL_SECONDS_MAX
        while len(self.segments()) < 2 and time.monotonic() < deadline:
            time.sleep(0.5)
        time.sleep(1)
        crowd.stop()
        self.withdraw(crowd)
        self.checks.check("events were acknowledged", len(crowd.ledger.acknowledged()) > 500,
                          crowd.ledger.statuses)

    def withdraw(self, crowd: Crowd) -> None:
        """Some visitors take back every consent: their scores go, and no rebuild may bring them back."""
        gone = [visitor for sender in crowd.senders for visitor in sender.visitors
                if visitor.consent in (7, 23)][:5]
        answers = []
        for visitor in gone:
            now = int(time.time() * 1000)
            visitor.n += 1
            visitor.q += 1
            body = {"v": 1, "k": "hg_demo", "b": visitor.device, "w": visitor.window, "q": visitor.q,
                    "s": visitor.session, "c": visitor.consent, "d": visitor.device, "st": now,
                    "mt": now - visitor.origin,
                    "e": [{"n": visitor.n, "t": "cs", "o": now - visitor.origin, "p": 1, "bits": 0}]}
            answers.append(Connection(self.engine.ingest_port).post(
                "/v1/e", json.dumps(body).encode())[0])
        time.sleep(1)
        redis = self.redis()
        left = [visitor.device for visitor in gone
                if redis.call("EXISTS", f"hg:demo:v:{{{visitor.device}}}")]
        redis.close()
        self.checks.check("withdrawn scores are gone", not left and set(answers) == {"204"},
                          (left, answers))

    def damage(self) -> None:
        """Each fault is found, and undone: the row that is played with is kept in a table of its own."""
        day = query(self.engine.addresses()["postgres"],
                    "SELECT tableoid::regclass::text FROM heliograph.event LIMIT 1")[0][0]
        self.run_sql(f"CREATE TABLE saved AS SELECT * FROM {day} WHERE type = 'ps' LIMIT 1")
        same = f"saved.window_id = {day}.window_id AND saved.n = {day}.n"
        remove = f"DELETE FROM {day} USING saved WHERE {same}"
        put_back = f"INSERT INTO {day} SELECT * FROM saved"
        self.run_sql(remove)
        self.expect_found("a row that was deleted", "event rows")
        self.run_sql(put_back)
        self.expect_clean("the row put back")
        self.run_sql(put_back)
        self.expect_found("a row that is there twice", "ids stored once")
        self.run_sql(f"{remove}; {put_back}")
        self.run_sql(f"UPDATE {day} SET properties = {day}.properties || '{{\"sc\": [1]}}' "
                     f"FROM saved WHERE {same}")
        self.expect_found("a row whose properties were altered", "event rows")
        self.run_sql(f"{remove}; {put_back}; DROP TABLE saved")
        change = ("UPDATE heliograph.session SET events = events {} WHERE session_id = "
                  "(SELECT min(session_id) FROM heliograph.session)")
        self.run_sql(change.format("+ 1"))
        self.expect_found("a session that was counted up", "session rows")
        self.run_sql(change.format("- 1"))

    def damage_redis(self) -> None:
        redis = self.redis()
        key = sorted(redis.call("KEYS", "hg:*:v:{*}"))[0]
        redis.call("HSET", key, "score", "99.9")
        self.expect_found("a score that was altered", "visitors in Redis")
        minute = sorted(redis.call("KEYS", "hg:demo:agg:*"))[-1]
        partition, share = redis.call("HGETALL", minute)[:2]
        redis.call("HSET", minute, partition, share.replace('"events":', '"events":1'))
        self.expect_found("a minute that was counted up", "live minutes in Redis")
        redis.call("UNLINK", minute)
        self.expect_found("a minute that was deleted", "live minutes in Redis")
        redis.call("UNLINK", key)
        self.expect_found("a visitor that was deleted", "visitors in Redis")
        redis.close()
        status, report = self.command("rebuild")
        self.checks.check("the running engine writes Redis anew", status == 0, report)
        self.expect_clean("after the renewal")

    def rebuild(self, name: str, before: dict, *words: str) -> dict:
        status, report = self.command("rebuild", *words)
        self.checks.check(f"rebuilt {name}: {report.get('visitors_written')} visitors from "
                          f"{report.get('records')} records ({report.get('records_from_rows')} from "
                          f"rows)", status == 0 and report.get("visitors_written", 0) > 50, report)
        self.engine.start()
        after = self.states()
        differing = [key for key in before.keys() | after.keys()
                     if before.get(key) != after.get(key)]
        self.checks.check(f"rebuilt {name}: {len(after)} visitors as they were, byte for byte",
                          not differing, differing[:3])
        return report

    def lose_everything_but(self, before: dict) -> None:
        checkpoints = self.engine.data / "checkpoints"
        self.engine.stop()
        self.rebuild("from checkpoints and journal", before)
        self.engine.stop()
        for file in checkpoints.glob("p*.hgc"):
            file.unlink()
        report = self.rebuild("from the journal alone", before, "--from", "journal")
        self.checks.check("nothing was missing", report.get("lost") == [], report)
        self.engine.stop()
        segments = self.segments()
        self.checks.check("the journal has several segments", len(segments) > 1, segments)
        for segment in segments[:len(segments) // 2]:
            segment.unlink()
        for file in checkpoints.glob("p*.hgc"):
            file.unlink()
        report = self.rebuild("from rows and what is left of the journal", before)
        self.checks.check("rows were folded", report.get("records_from_rows", 0) > 50, report)
        self.expect_clean("from rows", "--from-rows")

    def score_otherwise(self) -> None:
        """The past by another scoring file, beside the live scores, which stay as they are."""
        before = self.states()
        status, same = self.command("replay", "--scoring", "config/scoring.yaml", "--into", "same")
        bands = same.get("bands", {})
        self.checks.check(
            f"the same file gives the same scores: {same.get('compared')} visitors",
            status == 0 and same.get("compared", 0) > 50 and same["difference_maximum"] == 0
            and all(len(set(change.split(" to "))) == 1 for change in bands), same)
        other = self.engine.folder / "other.yaml"
        text = Path("config/scoring.yaml").read_text()
        other.write_text(text.replace("intercept: -", "intercept: -1"))
        status, different = self.command("replay", "--scoring", str(other), "--into", "other-1")
        self.checks.check(f"another file gives other scores, {different.get('difference_maximum')}",
                          status == 0 and different.get("difference_maximum", 0) > 1, different)
        self.checks.check("live scores are as they were", self.states() == before)
        redis = self.redis()
        kept = len(redis.call("KEYS", "shadow:other-1:hg:demo:v:*"))
        self.command("replay", "--into", "other-1", "--remove")
        left = len(redis.call("KEYS", "shadow:other-1:*"))
        redis.close()
        self.checks.check("shadow scores lie beside and can be removed", kept > 50 and left == 0,
                          (kept, left))
        self.command("replay", "--into", "same", "--remove")

    def play(self) -> None:
        self.engine.start()
        self.fill()
        self.settle()
        self.expect_clean("at rest")
        self.damage()
        self.damage_redis()
        self.score_otherwise()
        before = self.states()
        self.engine.stop()
        self.expect_clean("with the engine stopped")
        self.engine.start()
        self.lose_everything_but(before)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"verify_rebuild: seed {arguments.seed}")
    try:
        scene = Scene(arguments)
    except EngineError as error:
        sys.exit(f"verify_rebuild: {error}")
    try:
        scene.play()
    except EngineError as error:
        scene.checks.check("the engine does its part", False, str(error))
    finally:
        scene.engine.clean_up()
    print(f"verify-rebuild: {scene.checks.passed} passed, {scene.checks.failed} failed")
    return 0 if scene.checks.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
