"""The harness's own tests: a judge that cannot find a planted fault is no judge.

    cd Tests/Chaos && /usr/bin/python3 -m unittest selftest
"""

import copy
import itertools
import math
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from collections import Counter
from pathlib import Path

import ack_order
import aggregates
import judge
import reference_fold
import stores
from ledger import Ledger
from traffic import Connection, Crowd
from visits import Visitor


def told(seed: int = 1, batches: int = 30) -> tuple[Ledger, list[judge.Row]]:
    """A ledger and the rows of an engine that did everything right."""
    ledger, rows = Ledger(), []
    visitor = Visitor(seed)
    visitor.consent = 7
    for offset in range(1, batches + 1):
        batch = visitor.next_batch()
        ledger.issue(batch.events)
        ledger.answer(batch.events, "204", 0.001, False)
        rows += [judge.Row(event.visitor, event.session, event.window, event.n, event.type,
                           event.name, event.client_milliseconds, event.client_milliseconds,
                           event.consent, stored(event), 0, offset)
                 for event in batch.events]
    return ledger, rows


def stored(event) -> dict:
    """The properties as an engine stores them: a page view with its source."""
    source = {"ch": "unassigned", "so": "news"} if event.type == "pv" else {}
    return {**copy.deepcopy(event.fields), **source}


class JudgeFindsPlantedFaults(unittest.TestCase):
    def failed(self, ledger: Ledger, rows: list[judge.Row]) -> set[str]:
        verdict = judge.Verdict()
        judge.judge_events(verdict, ledger, rows, 1)
        return {check["check"] for check in verdict.checks if not check["passed"]}

    def test_nothing_wrong(self):
        self.assertEqual(self.failed(*told()), set())

    def test_wrong_source(self):
        ledger, rows = told()
        view = next(row for row in rows if row.type == "pv")
        view.properties["so"] = "elsewhere"
        self.assertEqual(self.failed(ledger, rows), {"no event is altered"})

    def test_lost(self):
        ledger, rows = told()
        self.assertEqual(self.failed(ledger, rows[1:]), {"acknowledged events are there"})

    def test_unacknowledged_may_be_missing(self):
        ledger, rows = told()
        ledger.events[(rows[0].window, rows[0].n)].acknowledged = False
        self.assertEqual(self.failed(ledger, rows[1:]), set())

    def test_twice(self):
        ledger, rows = told()
        self.assertEqual(self.failed(ledger, rows + rows[:1]), {"no event is there twice"})

    def test_foreign(self):
        ledger, rows = told()
        alien = copy.deepcopy(rows[0])
        alien.n = 99999
        self.assertEqual(self.failed(ledger, [*rows, alien]),
                         {"no event is there that nobody sent"})

    def test_altered(self):
        ledger, rows = told()
        rows[3].properties["extra"] = 1
        self.assertEqual(self.failed(ledger, rows), {"no event is altered"})

    def test_moved_in_time(self):
        ledger, rows = told()
        rows[3].occurred_milliseconds += 60_000
        self.assertEqual(self.failed(ledger, rows), {"event times are the senders' times"})

    def test_vacuous(self):
        verdict = judge.Verdict()
        judge.judge_events(verdict, Ledger(), [], 1)
        self.assertFalse(verdict.passed)

    def test_sums_that_differ(self):
        self.assertIsNone(judge.unequal("cta_hover", (1.0, 2.0, 1000), (1.0, 2.0, 1000)))
        self.assertIsNotNone(judge.unequal("cta_hover", (1.0, 2.0, 1000), (1.00001, 2.0, 1000)))
        later = 1000 + 12 * 3600 * 1000
        self.assertIsNone(judge.unequal("cta_hover", (1.0, 2.0, 1000), (0.5, 1.0, later)))


class LiveMinutesAreJudged(unittest.TestCase):
    """Redis as an engine leaves it that did everything right, and then with a fault in it."""

    def setUp(self):
        ledger, rows = told(batches=200)
        start = rows[0].received_milliseconds
        self.events = [
            aggregates.Counted(row.window, row.n, row.visitor, row.session, row.type, row.name,
                               start + row.offset * 700, row.consent, False, row.properties,
                               (row.partition, row.offset)) for row in rows]
        self.rows = aggregates.expected(self.events)
        self.sent = aggregates.expected(aggregates.as_sent(self.events, ledger))
        self.redis = copy.deepcopy(self.rows)
        self.minute = min(self.redis)

    def failed(self, immortal: tuple = ()) -> set[str]:
        verdict = judge.Verdict()
        aggregates.judge(verdict, self.redis, self.rows, self.sent, list(immortal))
        return {check["check"] for check in verdict.checks if not check["passed"]}

    BOTH = {"live minutes equal the rows", "live minutes equal the ledger"}

    def test_nothing_wrong(self):
        self.assertEqual(self.failed(), set())
        self.assertGreater(len(self.redis), 1)

    def test_counted_twice(self):
        for name in ("events", "page_views", "sessions", "visitors", "profiled", "conversions",
                     "value_thousandths"):
            with self.subTest(name):
                self.redis[self.minute][name] += 1
                self.assertEqual(self.failed(), self.BOTH)
                self.redis[self.minute][name] -= 1

    def test_lost_minute(self):
        del self.redis[self.minute]
        self.assertEqual(self.failed(), self.BOTH)

    def test_minute_of_nobody(self):
        self.redis[1] = aggregates.empty() | {"events": 1}
        self.assertEqual(self.failed(), self.BOTH)

    def test_another_page_or_channel(self):
        for part in ("pages", "channels"):
            with self.subTest(part):
                self.redis[self.minute][part]["elsewhere"] = 1
                self.assertEqual(self.failed(), self.BOTH)
                del self.redis[self.minute][part]["elsewhere"]

    def test_rows_that_are_not_what_was_sent(self):
        view = next(event for event in self.events if event.type == "pv")
        view.properties["u"] = "https://shop.example/elsewhere"
        self.rows = self.redis = aggregates.expected(self.events)
        self.assertEqual(self.failed(), {"live minutes equal the ledger"})

    def test_never_ends(self):
        self.assertEqual(self.failed(("hg:demo:agg:1: TTL -1",)),
                         {"live minutes end by themselves"})

    def test_vacuous(self):
        self.redis, self.rows, self.sent = {}, {}, {}
        self.assertEqual(len(self.failed()), 3)

    def test_fields_add_up(self):
        values = ['{"events":2,"visitors":1,"cold":1,"pages":{"/":1}}',
                  '{"events":1,"visitors":1,"hot":1,"pages":{"/":1,"/a":1}}']
        minute = aggregates.summed(values)
        self.assertEqual((minute["events"], minute["profiled"]), (3, 2))
        self.assertEqual(minute["pages"], {"/": 2, "/a": 1})


class FoldIsOrderFree(unittest.TestCase):
    def test_shuffled_events_give_the_same_sums(self):
        events = []
        for seed in range(20):
            _, rows = told(seed, 20)
            events += [judge._observed(row, row.properties, row.name) for row in rows]
        first = reference_fold.fold(events)
        seen = set()
        for seed in range(5):
            random.Random(seed).shuffle(events)
            again = reference_fold.fold(events)
            self.assertEqual(first.keys(), again.keys())
            for visitor, signal in itertools.product(first, reference_fold.ORDER_FREE):
                ours = first[visitor].get(signal, (0.0, 0.0, 0))
                theirs = again[visitor].get(signal, (0.0, 0.0, 0))
                self.assertIsNone(judge.unequal(signal, theirs, ours))
                if ours[0]:
                    seen.add(signal)
        # A fold that yields nothing would be free of order too.
        self.assertEqual(set(reference_fold.ORDER_FREE) - seen,
                         set(reference_fold.ORDER_FREE) & reference_fold.NEEDS_INFERENCE)

    def test_one_observation_halves_in_a_half_life(self):
        event = reference_fold.Event(
            visitor="a", session="s", window="w", n=1, type="ps", name="", consent=7,
            occurred_milliseconds=0, properties={"ct": [[0, 1000, 1, 0, 0]]}, order=(0, 1, 1))
        total, _, moment = reference_fold.fold([event])["a"]["cta_hover"]
        self.assertTrue(math.isclose(total, 1.0))
        half = reference_fold.moved("cta_hover", total, moment, moment + 12 * 3600 * 1000)
        self.assertTrue(math.isclose(half, 0.5))

    def test_no_consent_no_sums(self):
        _, rows = told()
        events = [judge._observed(row, row.properties, row.name) for row in rows]
        for event in events:
            event.consent = 1
        self.assertFalse(any(reference_fold.fold(events).values()))


def trace_line(thread: int, text: str) -> str:
    return f"{thread} {text}\n"


WRITE = 'pwrite64(9</d/journal/0000000001.hgj>, "HGR1"..., 512, 4096) = 512'
SYNC = "fdatasync(9</d/journal/0000000001.hgj>) = 0"
REPLY = ('write(12<socket:[7]>, "HTTP/1.1 204 No Content\\r\\n'
         'X-Heliograph-Position: 0000000001-4608\\r\\n\\r\\n", 80) = 80')


class AckOrderJudgesTraces(unittest.TestCase):
    def early(self, *texts: str) -> int:
        reader = ack_order.Judge()
        reader.read(trace_line(1, text) if not text[0].isdigit() else text + "\n"
                    for text in texts)
        self.assertEqual(reader.positions, 1)
        return len(reader.early)

    def test_in_order(self):
        self.assertEqual(self.early(WRITE, SYNC, REPLY), 0)

    def test_reply_before_sync(self):
        self.assertEqual(self.early(WRITE, REPLY, SYNC), 1)

    def test_reply_without_sync(self):
        self.assertEqual(self.early(WRITE, REPLY), 1)

    def test_failed_sync(self):
        self.assertEqual(self.early(WRITE, SYNC.replace("= 0", "= -1 EIO (error)"), REPLY), 1)

    def test_sync_of_another_file(self):
        self.assertEqual(self.early(WRITE, SYNC.replace("0001.hgj", "0002.hgj"), REPLY), 1)

    def test_sync_that_began_before_the_write(self):
        self.assertEqual(self.early(
            "2 fdatasync(9</d/journal/0000000001.hgj> <unfinished ...>", WRITE,
            "2 <... fdatasync resumed>) = 0", REPLY), 1)

    def test_sync_still_running(self):
        self.assertEqual(self.early(
            WRITE, "2 fdatasync(9</d/journal/0000000001.hgj> <unfinished ...>", REPLY,
            "2 <... fdatasync resumed>) = 0"), 1)

    def test_split_calls_in_order(self):
        self.assertEqual(self.early(
            '2 pwrite64(9</d/journal/0000000001.hgj>, "HGR1"..., 512, 4096 <unfinished ...>',
            "2 <... pwrite64 resumed>) = 512",
            "2 fdatasync(9</d/journal/0000000001.hgj> <unfinished ...>",
            "2 <... fdatasync resumed>) = 0", REPLY), 0)

    def test_zeroes_written_in_advance_do_not_count(self):
        zeroes = 'pwrite64(9</d/journal/0000000001.hgj>, "\\0\\0"..., 65536, 0) = 65536'
        self.assertEqual(self.early(zeroes, SYNC, WRITE, REPLY), 1)

    def test_vectors(self):
        vector = ('pwritev(9</d/journal/0000000001.hgj>, [{iov_base="HGR1"..., iov_len=256}, '
                  '{iov_base="x"..., iov_len=256}], 2, 4096) = 512')
        self.assertEqual(self.early(vector, SYNC, REPLY), 0)

    def test_partial_write(self):
        self.assertEqual(self.early(WRITE.replace("= 512", "= 100"), SYNC, REPLY), 1)


class Listener:
    """A stand-in for ingest: answers as told, in turn, on every connection."""

    def __init__(self, answers: list[bytes | None]):
        self.answers = itertools.cycle(answers)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.requests = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        received = b""
        with connection:
            while True:
                head, found, rest = received.partition(b"\r\n\r\n")
                length = int(head.rpartition(b": ")[2]) if found else 0
                if found and len(rest) >= length:
                    received = rest[length:]
                    self.requests += 1
                    answer = next(self.answers)
                    if answer is None:
                        return
                    connection.sendall(answer)
                    continue
                try:
                    part = connection.recv(65536)
                except OSError:
                    return
                if not part:
                    return
                received += part


NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}"


class SendersKeepTheirPromises(unittest.TestCase):
    def crowd(self, answers: list[bytes | None]) -> Crowd:
        listener = Listener(answers)
        crowd = Crowd(1, listener.port, senders=2, visitors=8, pause_seconds=0.001)
        crowd.start()
        time.sleep(0.6)
        crowd.stop()
        listener.socket.close()
        return crowd

    def test_answers_become_acknowledgements(self):
        ledger = self.crowd([NO_CONTENT]).ledger
        self.assertEqual(set(ledger.statuses), {"204"})
        self.assertEqual(len(ledger.acknowledged()), len(ledger.events))
        self.assertGreater(ledger.repeats_acknowledged, 0)

    def test_busy_and_cut_connections_are_tried_again(self):
        ledger = self.crowd([NO_CONTENT, BUSY, NO_CONTENT, None]).ledger
        self.assertEqual(set(ledger.statuses), {"204", "503", "broken"})
        self.assertGreater(ledger.retries, 0)

    def test_nobody_home(self):
        connection = Connection(1)
        self.assertEqual(connection.post("/v1/e", b"{}")[0], "refused")


class VisitsSpeakTheWireFormat(unittest.TestCase):
    def test_numbers_are_never_used_twice(self):
        visitor = Visitor(3)
        keys = Counter()
        for _ in range(500):
            batch = visitor.next_batch()
            keys.update((event.window, event.n) for event in batch.events)
            self.assertLess(len(batch.body()), 48 * 1024)
        self.assertEqual(keys.most_common(1)[0][1], 1)

    def test_repeated_batches_differ_in_send_time_only(self):
        batch = Visitor(4).next_batch()
        first = batch.body()
        time.sleep(0.005)
        second = batch.body()
        self.assertNotEqual(first, second)
        self.assertEqual(first.partition(b'"e":')[2], second.partition(b'"e":')[2])


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class RedisClient(unittest.TestCase):
    def test_round_trip(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "redis.sock")
            server = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "",
                 "--dir", folder], stdout=subprocess.DEVNULL)
            try:
                while not path.exists():
                    time.sleep(0.01)
                client = stores.Redis(f"unix://{path}")
                client.call("HSET", "hg:demo:v:{a}", "score", "5.7", "band", "cold")
                self.assertEqual(client.visitor("a"), {"score": "5.7", "band": "cold"})
                self.assertEqual(client.visitor("b"), {})
                self.assertEqual(client.pid(), server.pid)
                with self.assertRaises(RuntimeError):
                    client.call("NOSUCH")
                client.close()
            finally:
                server.terminate()
                server.wait()


if __name__ == "__main__":
    unittest.main()
