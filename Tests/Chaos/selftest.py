"""The harness's own tests: a judge that cannot find a planted fault is no judge.

    cd Tests/Chaos && /usr/bin/python3 -m unittest selftest
"""

import copy
import itertools
import json
import math
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from collections import Counter
from pathlib import Path

import ack_order
import bulk_judge
import bulk_traffic
import fault_proxy
import faults
import judge
import oracle
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


class BulkJudgeFindsPlantedFaults(unittest.TestCase):
    """The judge of millions: rows as PostgreSQL would hand them over, with one thing wrong."""

    pool = bulk_traffic.Pool(1)

    def setUp(self):
        r = random.Random(2)
        self.windows = {}
        for _ in range(3):
            window = bulk_traffic.Window.open(r)
            window.issued, window.acknowledged = 3, 0b101
            window.counts = bytearray(window.events_issued() + 1)
            self.windows[window.window] = window
        self.rows = [self.row(window, n) for window in self.windows.values()
                     for n in range(1, len(window.counts)) if window.is_acknowledged(n)]

    def row(self, window: bulk_traffic.Window, n: int) -> list:
        sent = window.sent(self.pool, n)
        return [sent.visitor, sent.session, sent.window, n, sent.type, sent.name,
                sent.client_milliseconds, sent.client_milliseconds, sent.consent,
                json.dumps(stored(sent)), 0, n]

    def judged(self, **options) -> tuple[bulk_judge.BulkReader, set[str]]:
        reader = bulk_judge.BulkReader(self.pool, self.windows, set(), set(), **options)
        for row in self.rows:
            reader.read(tuple(row))
        verdict = judge.Verdict()
        bulk_judge.judge_counts(verdict, self.windows, 1)
        bulk_judge.judge_rows(verdict, reader)
        return reader, {check["check"] for check in verdict.checks if not check["passed"]}

    def test_nothing_wrong(self):
        reader, failed = self.judged()
        self.assertEqual(failed, set())
        self.assertEqual(reader.rows, 3 * 2 * bulk_traffic.BATCH_EVENTS)

    def test_lost(self):
        del self.rows[7]
        self.assertEqual(self.judged()[1], {"acknowledged events are there"})

    def test_unacknowledged_may_be_there_or_not(self):
        window = next(iter(self.windows.values()))
        self.rows.append(self.row(window, bulk_traffic.BATCH_EVENTS + 1))
        self.assertEqual(self.judged()[1], set())

    def test_unacknowledged_twice(self):
        window = next(iter(self.windows.values()))
        self.rows += [self.row(window, bulk_traffic.BATCH_EVENTS + 1)] * 2
        self.assertEqual(self.judged()[1], {"no event is there twice"})

    def test_twice(self):
        self.rows.append(self.rows[5])
        self.assertEqual(self.judged()[1], {"no event is there twice"})

    def test_foreign_window_and_number(self):
        for place, value in ((2, "w" * 22), (3, 9999), (3, 0)):
            with self.subTest(place=place, value=value):
                self.setUp()
                self.rows.append([*self.rows[0]])
                self.rows[-1][place] = value
                self.assertEqual(self.judged()[1], {"no event is there that nobody sent"})

    def test_altered_after_the_same_content_was_found_right(self):
        for place, value in ((0, "somebody"), (1, "else"), (4, "xx"), (5, "name"), (8, 1),
                             (9, '{"more": 1}')):
            with self.subTest(place=place):
                self.setUp()
                self.rows.append([*self.rows[0]])
                self.rows[-1][place] = value
                self.assertIn("no event is altered", self.judged()[1])

    def test_contents_of_two_events_exchanged(self):
        one, other = self.rows[3], self.rows[4]
        one[9], other[9] = other[9], one[9]
        self.assertEqual(self.judged()[1], {"no event is altered"})

    def test_moved_in_time(self):
        self.rows[3][6] += 3_600_000
        self.assertEqual(self.judged()[1], {"event times are the senders' times"})
        self.setUp()
        self.rows[3][6] += 3_600_000
        self.assertEqual(self.judged(clock_milliseconds=(0, 3_600_000))[1], set())

    def test_sessions_add_up(self):
        reader, _ = self.judged()
        window = next(iter(self.windows.values()))
        sent = [window.sent(self.pool, n) for n in range(1, len(window.counts))
                if window.is_acknowledged(n)]
        times = [event.client_milliseconds for event in sent]
        self.assertEqual(reader.sessions[window.session],
                         [len(sent), sum(event.type == "pv" for event in sent),
                          min(times), max(times)])

    def test_a_bad_answer_is_one_that_no_client_can_wait_out(self):
        for status, bad in (("204", False), ("503", False), ("429", False), ("refused", False),
                            ("400", True), ("500", True), (bulk_traffic.WITHOUT_RETRY_AFTER, True)):
            self.assertEqual(bulk_judge.is_bad(status), bad, status)


class ProxyDoesWhatItIsTold(unittest.TestCase):
    """Between a client and an echoing server."""

    def setUp(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()
        self.proxy = fault_proxy.FaultProxy("echo", self.server.getsockname(),
                                            fault_proxy.PostgresReplies)
        self.proxy.start()
        self.addCleanup(self.server.close)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    @staticmethod
    def echo(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.proxy.port), 5)
        self.addCleanup(client.close)
        return client

    @staticmethod
    def message(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack(">I", len(body) + 4) + body

    def test_passes_on(self):
        client = self.connect()
        client.sendall(self.message(b"Z", b"I"))
        self.assertEqual(client.recv(100), self.message(b"Z", b"I"))

    def test_swallows_a_commit_and_what_follows_but_nothing_before(self):
        client = self.connect()
        self.proxy.swallows_left = 1
        before = self.message(b"C", b"INSERT 0 1\0")
        commit = self.message(b"C", b"COMMIT\0") + self.message(b"Z", b"I")
        # Also when a message comes in two pieces.
        client.sendall(before[:7])
        time.sleep(0.05)
        client.sendall(before[7:] + commit)
        received = b""
        with self.assertRaises(ConnectionResetError):
            while part := client.recv(100):
                received += part
            raise ConnectionResetError    # an end without a reset will do
        self.assertEqual(received, before[:len(received)])
        self.assertEqual(self.proxy.swallowed, 1)

    def test_cut(self):
        client = self.connect()
        client.sendall(self.message(b"Z", b"I"))
        client.recv(100)
        self.proxy.cut()
        with self.assertRaises(ConnectionResetError):
            client.recv(1)

    def test_blackhole_holds_and_lets_go(self):
        client = self.connect()
        client.settimeout(0.2)
        self.proxy.blackholed = True
        client.sendall(self.message(b"Z", b"I"))
        with self.assertRaises(TimeoutError):
            client.recv(100)
        self.proxy.heal()
        client.settimeout(5)
        self.assertEqual(client.recv(100), self.message(b"Z", b"I"))

    def test_copy_is_cut_in_its_middle(self):
        client = self.connect()
        client.sendall(self.message(b"G", b"\0\0\0"))
        client.recv(100)
        called = threading.Event()
        self.proxy.in_next_copy = called.set
        client.sendall(self.message(b"d", b"x" * 1000))
        self.assertTrue(called.wait(5))
        self.assertEqual(self.proxy.copies_cut, 1)


class OracleFailsWhenNothingHappened(unittest.TestCase):
    def test_every_kind_is_in_every_pass(self):
        kinds = faults.every_fault(True, True)
        for seed in range(20):
            steps = oracle.schedule(kinds, 3, random.Random(seed))
            counted = Counter(fault.name for step in steps for fault in step)
            self.assertEqual(set(counted.values()), {3})
            self.assertEqual(len(counted), len(kinds))
            for step in steps:
                self.assertEqual(len({fault.place for fault in step}), len(step))

    def test_the_same_seed_is_the_same_schedule(self):
        kinds = faults.every_fault(True, True)
        first, again = (oracle.schedule(kinds, 2, random.Random(9)) for _ in range(2))
        self.assertEqual(first, again)

    def test_a_fault_that_was_not_hit_fails_the_run(self):
        kinds = faults.every_fault(False, False)
        log = oracle.Log()
        for fault in kinds[1:]:
            log.hits[fault.name] += 1
        verdict = judge.Verdict(figures={"repeats acknowledged": 9})
        oracle.judge_worth(verdict, kinds, log)
        failed = {check["check"] for check in verdict.checks if not check["passed"]}
        self.assertEqual(failed, {"every kind of fault was hit",
                                  "events were acknowledged under faults"})


if __name__ == "__main__":
    unittest.main()
