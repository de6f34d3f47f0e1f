#!/usr/bin/python3
"""Persons are erased under load, the engine is killed meanwhile, and no byte of them is left.

    erase_drill.py --binary .build/release/heliograph [--long] [--kills N] [--seed N]

Visitors come, some with events that are refused, some as users. Then some are erased while others
go on, and the engine is killed at any instant. In the end every byte of PostgreSQL's folder, of
Redis' files and of a dump of what it holds, of the journal, checkpoints and logs is looked
through for the ids of those erased; receipts must verify, and scores and counters of the others
be what they were. Then rows from long ago must go, the engine is rebuilt, and brought back from a
backup that knew them: they must stay gone.
"""

import argparse
import json
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

CHAOS = Path(__file__).resolve().parents[1] / "Chaos"
sys.path[:0] = [str(CHAOS), str(Path(__file__).resolve().parent)]

from checks import Checks  # noqa: E402
from clients import beacon, identifier, post  # noqa: E402
from engine import Engine, EngineError  # noqa: E402
from stores import Redis, postgres, query  # noqa: E402

SETTINGS = ("memory:\n  visitors_mib: 16\ncheckpoint_seconds: 10\n"
            "journal:\n  segment_bytes: 4194304\n")
PIPELINE = 64
WAIT_SECONDS_MAX = 600


def send(port: int, bodies: list[bytes], path: str = "/v1/e") -> int:
    """Posts many bodies on one connection; how many were answered 2xx."""
    taken = 0
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        for start in range(0, len(bodies), PIPELINE):
            group = bodies[start:start + PIPELINE]
            connection.sendall(b"".join(post(body, path) for body in group))
            answers = b""
            while answers.count(b"HTTP/1.1 ") < len(group) or not answers.endswith(b"\r\n\r\n"):
                received = connection.recv(1 << 16)
                if not received:
                    raise OSError("the engine hung up")
                answers += received
            taken += answers.count(b"HTTP/1.1 20")
    return taken


def send_one(port: int, body: dict, path: str = "/v1/e") -> int:
    """Posts one body; the status of the answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(),
                                     {"Content-Type": "text/plain", "User-Agent": "Mozilla/5.0"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


class Load(threading.Thread):
    """Visitors who go on browsing, whatever happens to the engine."""

    def __init__(self, port: int, visitors: list[str], seed: int):
        super().__init__(daemon=True)
        self.port, self.visitors = port, visitors
        self.source = random.Random(seed)
        self.ends = threading.Event()
        self.taken = 0

    def run(self) -> None:
        while not self.ends.is_set():
            some = self.source.sample(self.visitors, 16)
            try:
                self.taken += send(self.port, [
                    beacon(self.source, "hg_demo", 2, visitor) for visitor in some])
            except OSError:
                time.sleep(0.2)
            time.sleep(0.02)

    def end(self) -> None:
        self.ends.set()
        self.join()


class Drill:
    """An engine, those who are erased, those who go on, and those who have left."""

    def __init__(self, arguments: argparse.Namespace):
        self.engine = Engine(arguments.binary, settings=SETTINGS)
        self.checks = Checks(tells_all=True)
        self.source = random.Random(arguments.seed)
        self.kills = arguments.kills
        erased, others = (1_000, 99_000) if arguments.long else (20, 1_980)
        everybody = [identifier(self.source) for _ in range(erased + others)]
        self.erased, self.others = everybody[:erased], everybody[erased:]
        self.busy = self.others[:max(64, others // 20)]
        self.quiet = self.others[len(self.busy):]
        self.users = {f"user-{identifier(self.source)}": visitor for visitor in self.erased[:3]}
        self.needles = self.erased + [f"user:{user}" for user in self.users]
        self.minutes: dict[str, str] = {}
        self.before: dict[str, tuple] = {}
        self.backup = self.engine.folder.with_name(self.engine.folder.name + "-backup")

    def command(self, *words: str, data: Path | None = None) -> tuple[int, str]:
        done = subprocess.run(
            [str(self.engine.binary), *words, "--data", str(data or self.engine.data),
             "--config", str(self.engine.config)], capture_output=True, text=True, timeout=900,
            cwd=CHAOS.parents[1], env=self.engine.environment, check=False)
        return done.returncode, done.stdout + ("" if done.stdout else done.stderr)

    def redis(self) -> Redis:
        return Redis(self.engine.addresses()["redis"], timeout_seconds=60)

    def rows(self, statement: str, parameters: tuple = ()) -> list[tuple]:
        return query(self.engine.addresses()["postgres"], statement, parameters)

    def settle(self) -> None:
        """Waits until PostgreSQL and Redis have what was acknowledged."""
        last = None
        for _ in range(600):
            now = self.rows('SELECT sum("offset") FROM heliograph.position')
            if now == last:
                break
            last = now
            time.sleep(1)
        time.sleep(1)

    # ---- the story ------------------------------------------------------------------------------

    def fill(self) -> None:
        everybody = self.erased + self.others
        self.source.shuffle(everybody)
        port = self.engine.ingest_port
        taken = send(port, [beacon(self.source, "hg_demo", 3, visitor) for visitor in everybody])
        self.checks.check(f"{len(everybody)} visitors came", taken == len(everybody), taken)
        for visitor in self.erased[:10]:
            body = json.loads(beacon(self.source, "hg_demo", 1, visitor))
            body["e"].append({"t": "xx", "n": 2, "o": 1, "p": 1})
            body["e"].append({"t": "cu", "n": 3, "o": 1, "p": 1, "nm": 7, "note": visitor})
            send_one(port, body)
        for user, visitor in self.users.items():
            event = {"id": identifier(self.source), "name": "signup", "user": user,
                     "anonymous": visitor, "consent": 63, "type": "track", "anonymousId": visitor}
            send_one(port, event, "/v1/events?k=hg_demo")
        self.settle()
        found = self.rows("SELECT count(DISTINCT visitor_id) FROM heliograph.event "
                          "WHERE visitor_id = ANY (%s)", (self.erased,))[0][0]
        self.checks.check("rows of those who will be erased", found == len(self.erased), found)

    def remember(self) -> None:
        """What must stay as it is."""
        redis = self.redis()
        # Everything came before the minute that is compared last ends.
        time.sleep(61 - time.time() % 60)
        for visitor in self.quiet:
            self.before[visitor] = tuple(redis.call_bytes(
                "HMGET", f"hg:demo:v:{{{visitor}}}", "score", "band", "state", "pos"))
        minute = int(time.time() // 60)
        for key in redis.call("KEYS", "hg:demo:agg:*"):
            if int(key.rsplit(":", 1)[1]) < minute:
                self.minutes[key] = sorted(redis.call("HGETALL", key))
        self.rows_before = self.count_quiet()

    def count_quiet(self) -> list[tuple]:
        return self.rows("SELECT count(*), sum(journal_offset) FROM heliograph.event "
                         "WHERE visitor_id = ANY (%s)", (self.quiet,))

    def erase(self) -> list[Path]:
        """Erases everybody in several requests while others go on and the engine is killed."""
        load = Load(self.engine.ingest_port, self.busy, 7)
        load.start()
        began = time.monotonic()
        thirds = [self.erased[3:len(self.erased) // 2], self.erased[len(self.erased) // 2:]]
        processes = []
        for number, part in enumerate(thirds):
            names = self.engine.folder / f"names-{number}"
            names.write_text("\n".join(part) + "\n")
            processes.append(self.begin("--visitors-from", str(names)))
        processes += [self.begin("--user", user) for user in self.users]
        for _ in range(self.kills):
            time.sleep(self.source.uniform(0.1, 4))
            self.engine.kill()
            self.engine.start()
        for process in processes:
            process.wait(WAIT_SECONDS_MAX)
        folder = self.engine.data / "erasures"
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while list(folder.glob("*.json")) and time.monotonic() < deadline:
            time.sleep(0.2)
        taken = time.monotonic() - began
        load.end()
        receipts = sorted((self.engine.data / "receipts").glob("*.json"))
        self.checks.check(f"{len(self.erased)} erased in {taken:.1f} s through {self.kills} kills, "
                          f"{load.taken} batches of others taken meanwhile",
                          len(receipts) == 5 and not list(folder.iterdir()),
                          (receipts, list(folder.iterdir()), self.engine.last_words(5)))
        for number in range(len(thirds)):
            (self.engine.folder / f"names-{number}").unlink()
        return receipts

    def begin(self, *words: str) -> subprocess.Popen:
        return subprocess.Popen(
            [str(self.engine.binary), "erase", "--site", "demo", *words, "--yes", "--json",
             "--data", str(self.engine.data), "--config", str(self.engine.config)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=CHAOS.parents[1],
            env=self.engine.environment)

    def expect_gone(self, when: str) -> None:
        self.settle()
        redis = self.redis()
        live = [visitor for visitor in self.erased
                if redis.call("EXISTS", f"hg:demo:v:{{{visitor}}}")
                or redis.call("ZSCORE", "hg:demo:hot", visitor)]
        rows = self.rows("SELECT store, sum(rows) FROM heliograph.count_subjects('demo', %s) "
                         "GROUP BY 1 HAVING sum(rows) > 0", (self.erased,))
        self.checks.check(f"{when}: nobody in Redis", not live, live[:3])
        self.checks.check(f"{when}: no rows", not rows, rows)

    def expect_others(self, when: str) -> None:
        redis = self.redis()
        changed = [visitor for visitor, old in self.before.items() if old != tuple(
            redis.call_bytes("HMGET", f"hg:demo:v:{{{visitor}}}", "score", "band", "state", "pos"))]
        self.checks.check(f"{when}: scores of {len(self.before)} others as they were",
                          not changed, changed[:3])
        minutes = {key: sorted(redis.call("HGETALL", key)) for key in self.minutes}
        self.checks.check(f"{when}: {len(minutes)} live minutes as they were",
                          minutes == self.minutes, None)
        self.checks.check(f"{when}: rows of others as they were",
                          self.count_quiet() == self.rows_before, self.count_quiet())

    def scan(self, when: str) -> None:
        """Looks for every id in every byte."""
        redis = self.redis()
        redis.call("CONFIG", "SET", "rdbcompression", "no")
        redis.call("SAVE")
        names = self.backup.with_name("needles")
        names.write_text("\n".join(self.needles) + "\n")
        folders = [self.engine.folder, *self.engine.system_folders()]
        size = sum(file.stat().st_size for folder in folders for file in folder.rglob("*")
                   if file.is_file())
        found = subprocess.run(
            ["grep", "--recursive", "--text", "--fixed-strings", "--count", f"--file={names}",
             "--devices=skip", *map(str, folders)], capture_output=True, text=True, check=False)
        names.unlink()
        traces = [f"{line} {self.relation(line)}" for line in found.stdout.splitlines()
                  if not line.endswith(":0")]
        self.checks.check(f"{when}: no trace of {len(self.needles)} ids in {size / 1e6:.0f} MB",
                          not traces, traces[:20])
        (self.engine.data / "redis" / "dump.rdb").unlink(missing_ok=True)

    def relation(self, line: str) -> str:
        """The table or index that a file of PostgreSQL's belongs to."""
        found = re.search(r"/base/\d+/(\d+)", line)
        if not found:
            return ""
        name = str(self.rows("SELECT oid::regclass::text FROM pg_class WHERE relfilenode = %s",
                             (found.group(1),)))
        if "pg_statistic" in name:
            name += str(self.rows(
                "SELECT tablename, attname FROM pg_stats WHERE EXISTS (SELECT 1 FROM unnest(%s) id "
                "WHERE concat(most_common_vals, histogram_bounds) LIKE '%%' || id || '%%')",
                (self.needles,)))
        return name

    def expect_refused(self) -> None:
        before = self.dropped()
        bodies = [beacon(self.source, "hg_demo", 2, visitor) for visitor in self.erased]
        taken = send(self.engine.ingest_port, bodies)
        time.sleep(1)
        self.checks.check("late events are answered, dropped and counted as erased",
                          taken == len(bodies) and self.dropped() - before == 2 * len(bodies),
                          (taken, self.dropped() - before))

    def dropped(self) -> int:
        with urllib.request.urlopen(f"{self.engine.ingest}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = re.search(r'^heliograph_events_dropped_total\{[^}]*reason="erased"[^}]*\} (\d+)',
                          text, re.MULTILINE)
        return int(found.group(1)) if found else 0

    def expect_receipts(self, receipts: list[Path]) -> None:
        for receipt in receipts:
            status, text = self.command("erase", "verify", str(receipt), "--json")
            if status != 0:
                break
        self.checks.check("every receipt verifies, and nothing is found again", status == 0, text)
        body = json.loads(receipts[0].read_text())
        remaining = sum(json.loads(path.read_text())["receipt"]["remaining"] for path in receipts)
        missed = [line for path in receipts
                  for line in json.loads(path.read_text())["receipt"]["not_done"]]
        print("      " + ", ".join(f"{found['store']} {found['count']}"
                                   for found in body["receipt"]["found"]), flush=True)
        self.checks.check("receipts tell of nothing left undone", not remaining and not missed,
                          (remaining, missed))
        forged = self.engine.folder / "forged.json"
        body["receipt"]["remaining"] = 1
        forged.write_text(json.dumps(body))
        status, _ = self.command("erase", "verify", str(forged))
        self.checks.check("a receipt that was changed does not verify", status == 1, status)
        forged.unlink()

    def expect_clean(self, when: str) -> None:
        status, text = self.command("verify", "--json")
        self.checks.check(f"{when}: heliograph verify finds nothing wrong", status == 0, text)

    def expect_sound_journal(self) -> None:
        done = subprocess.run(
            [str(self.engine.binary), "journal", "verify", "--data", str(self.engine.data)],
            capture_output=True, text=True, check=False)
        status, text = done.returncode, done.stdout + done.stderr
        self.checks.check("the journal is sound", status == 0, text)

    def age(self) -> None:
        """Rows from long ago, which nobody may keep: named, and taken away when asked."""
        old = "'2020-01-01 12:00+00'::timestamptz"
        for statement in (
                "CREATE TABLE heliograph.event_20200101 PARTITION OF heliograph.event "
                "FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-01-02 00:00:00+00')",
                f"INSERT INTO heliograph.event (n, occurred_at, received_at, journal_offset, page, "
                f"partition, consent, bot, site, visitor_id, type, properties) VALUES "
                f"(1, {old}, {old}, 0, 1, 0, 7, false, 'demo', 'old', 'pv', '{{}}')",
                f"INSERT INTO heliograph.session VALUES "
                f"('demo', 'old', 'old', {old}, {old}, 1, 1, 0, 0, false)",
                f"INSERT INTO heliograph.score_history VALUES "
                f"({old}, 0, 1, 1, 1, 0, false, 'demo', 'old', 'cold', 'undetermined', 'first')"):
            self.run_sql(statement)
        status, text = self.command("retention")
        self.checks.check("rows that are too old are named",
                          status == 1 and text.count("TOO OLD") == 3, text)
        status, text = self.command("retention", "--apply")
        self.checks.check("rows that were too old are gone", status == 0, text)

    def run_sql(self, statement: str) -> None:
        connection = postgres(self.engine.addresses()["postgres"])
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    def rebuild(self) -> None:
        self.engine.stop()
        status, text = self.command("rebuild", "--json")
        self.checks.check("rebuilt", status == 0, text)
        self.engine.start()
        self.expect_gone("rebuilt")
        self.expect_clean("rebuilt")

    def restore(self) -> None:
        """The backup is older than the erasures: the list that was kept makes them again."""
        self.engine.stop()
        kept = self.engine.folder / "kept.hge"
        shutil.copy(self.engine.data / "erasures.hge", kept)
        for folder in [self.engine.data, *self.engine.system_folders()]:
            shutil.rmtree(folder)
        status, text = self.command("restore", "--from", str(self.backup), "--erasures", str(kept))
        self.checks.check("restored", status == 0, text)
        self.engine.start()
        self.expect_gone("restored")
        self.scan("restored")

    def run(self) -> None:
        self.engine.start()
        self.fill()
        self.remember()
        status, text = self.command("backup", "--to", str(self.backup))
        self.checks.check("a backup that knows them", status == 0, text)
        status, text = self.command("export", "--site", "demo", "--visitor", self.erased[0])
        self.checks.check("export tells of event, session, score and journal", status == 0 and all(
            f'"{store}"' in text for store in ("heliograph.event", "heliograph.session", "redis",
                                               "journal")), text)
        status, text = self.command("erase", "--site", "demo", "--visitor", self.erased[0],
                                    "--dry-run", "--json")
        self.checks.check("a dry run counts and erases nothing",
                          status == 0 and '"heliograph.event"' in text, text)
        receipts = self.erase()
        self.expect_refused()
        self.expect_gone("erased")
        self.expect_others("erased")
        self.scan("erased")
        self.expect_receipts(receipts)
        self.expect_sound_journal()
        self.expect_clean("erased")
        self.age()
        self.engine.kill()
        self.engine.start()
        self.expect_gone("killed and started")
        self.rebuild()
        self.restore()

    def clean_up(self, keep: bool) -> None:
        shutil.rmtree(self.backup, ignore_errors=True)
        self.engine.clean_up(keep=keep)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--long", action="store_true", help="1 000 of 100 000 visitors")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"erase_drill: seed {arguments.seed}", flush=True)
    drill, passed, failed = None, 0, 1
    try:
        drill = Drill(arguments)
        drill.run()
        passed, failed = drill.checks.passed, drill.checks.failed
    except (EngineError, OSError, subprocess.TimeoutExpired) as error:
        print(f"erase_drill: {error}")
        failed = (drill.checks.failed if drill else 0) + 1
    finally:
        if drill:
            drill.clean_up(keep=failed > 0)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
