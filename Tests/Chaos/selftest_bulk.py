"""The self-tests of what judges millions of events, of the proxies, and of the oracle's schedule.

    cd Tests/Chaos && /usr/bin/python3 -m unittest selftest_bulk
"""

import json
import random
import socket
import struct
import threading
import time
import unittest
from collections import Counter

import bulk_judge
import bulk_traffic
import fault_proxy
import faults
import judge
import oracle
from selftest import stored


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
