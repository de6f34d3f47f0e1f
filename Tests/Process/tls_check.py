#!/usr/bin/python3
"""The port with TLS of a real engine: curl, openssl and Python post beacons over it, every name gets
its certificate, certificates change without a restart, and what is old or broken is refused.

    tls_check.py --binary .build/release/heliograph
    tls_check.py --binary … --scan COMMAND…     runs a scanner at {port} instead of the tests
"""

import argparse
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from engine import Engine, free_port  # noqa: E402

WAIT_SECONDS_MAX = 20
HALF_OPEN = 300
HALF_OPEN_SECONDS_MAX = 12
BINARY = ".build/release/heliograph"
PROXY_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def run(words: list[str], text: str = "") -> str:
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False,
                          timeout=WAIT_SECONDS_MAX * 2, errors="replace")
    return done.stdout + done.stderr


class Certificates:
    """Certificates in files of a folder, made anew at will."""

    def __init__(self, folder: Path):
        self.folder = folder

    def path(self, host: str, kind: str) -> Path:
        return self.folder / f"{host}.{kind}"

    def make(self, host: str, algorithm: str = "ec", into: str | None = None) -> None:
        options = (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "ec"
                   else ["rsa:2048"])
        name = into or host
        run(["openssl", "req", "-x509", "-newkey", *options, "-nodes", "-days", "60",
             "-keyout", str(self.path(name, "key")), "-out", str(self.path(name, "pem")),
             "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host},DNS:*.{host}"])


def beacon(number: int = 1) -> bytes:
    now = int(time.time() * 1000)
    window = f"w{time.monotonic_ns():021d}"[:22]
    return json.dumps({"v": 1, "k": "hg_demo", "st": now, "mt": 1_000, "w": window, "q": 1,
                       "d": window, "c": 7, "e": [{"t": "pv", "n": number, "o": 900, "p": 1,
                                                   "u": "https://a.example/"}]}).encode()


def post(body: bytes) -> bytes:
    return (f"POST /v1/e HTTP/1.1\r\nHost: a.example\r\nContent-Length: {len(body)}\r\n\r\n"
            .encode() + body)


class TLSPort(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heliograph-tls-"))
        cls.certificates = Certificates(cls.folder)
        cls.certificates.make("a.example")
        cls.certificates.make("b.example", "rsa")
        cls.port = free_port()
        cls.engine = Engine(BINARY)
        cls.configure()
        cls.engine.start()

    @classmethod
    def tearDownClass(cls):
        cls.engine.stop()
        log = cls.engine.log.read_text(errors="replace")
        cls.engine.clean_up()
        shutil.rmtree(cls.folder)
        if "PRIVATE KEY" in log or "BEGIN" in log:
            raise AssertionError("the log holds parts of a key")

    @classmethod
    def configure(cls, more: str = "", proxied: bool = False) -> None:
        lines = "".join(
            f"      - certificate: {cls.certificates.path(host, 'pem')}\n"
            f"        key: {cls.certificates.path(host, 'key')}\n"
            for host in ("a.example", "b.example"))
        cls.engine.config.write_text(
            f"ingest:\n  port: {cls.engine.ingest_port}\n  tls:\n    port: {cls.port}\n"
            f"    proxy_protocol: {str(proxied).lower()}\n    certificates:\n{lines}{more}"
            f"companion:\n  port: {cls.engine.companion_port}\n")

    # ---- clients -----------------------------------------------------------------------------

    def connect(self, name: str = "a.example", before: bytes = b"",
                **options) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        for key, value in options.items():
            getattr(context, key)(value)
        plain = socket.create_connection(("127.0.0.1", self.port), WAIT_SECONDS_MAX)
        if before:
            plain.sendall(before)
        return context.wrap_socket(plain, server_hostname=name)

    def serial(self, name: str = "a.example") -> str:
        """The certificate that a new connection gets, by its fingerprint."""
        with self.connect(name) as connection:
            return ssl.DER_cert_to_PEM_cert(connection.getpeercert(True))

    def s_client(self, *options: str, text: str = "Q\n") -> str:
        return run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *options], text)

    def wait_for(self, condition) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.engine.last_words())
            time.sleep(0.05)

    # ---- served ------------------------------------------------------------------------------

    def test_curl_posts_with_verification(self):
        for host in ("a.example", "www.b.example"):
            authority = host.removeprefix("www.")
            status = run(["curl", "-sS", "--http1.1", "--cacert",
                          str(self.certificates.path(authority, "pem")), "--resolve",
                          f"{host}:{self.port}:127.0.0.1", "-o", "/dev/null",
                          "-w", "%{http_code} %{http_version}", "--data-binary", "@-",
                          f"https://{host}:{self.port}/v1/e"], beacon().decode())
            self.assertEqual(status, "204 1.1")

    def test_many_beacons_on_one_connection(self):
        with self.connect() as connection:
            for number in range(1, 201):
                connection.sendall(post(beacon(number)))
                self.assertIn(b" 204 ", connection.recv(4_096))

    def test_bytes_one_by_one_and_requests_joined(self):
        with self.connect() as connection:
            for byte in post(beacon()):
                connection.sendall(bytes([byte]))
            self.assertIn(b" 204 ", connection.recv(4_096))
            connection.sendall(post(beacon()) * 5)
            text = b""
            while text.count(b" 204 ") < 5:
                part = connection.recv(65_536)
                self.assertTrue(part)
                text += part

    def test_a_script_comes_whole(self):
        with self.connect() as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            text = b""
            while part := connection.recv(65_536):
                text += part
        head, body = text.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.assertEqual(len(body), length)

    def test_sessions_are_resumed(self):
        text = self.s_client("-tls1_2", "-reconnect")
        self.assertGreaterEqual(text.count("Reused, TLSv1.2"), 3)

    def test_the_plain_port_serves_too(self):
        with socket.create_connection(("127.0.0.1", self.engine.ingest_port), 20) as plain:
            plain.sendall(post(beacon()))
            self.assertIn(b" 204 ", plain.recv(4_096))

    # ---- refused -----------------------------------------------------------------------------

    def test_old_versions_are_refused(self):
        for version in ("-tls1", "-tls1_1"):
            text = self.s_client(version, "-cipher", "ALL:@SECLEVEL=0")
            self.assertIn("alert protocol version", text)

    def test_only_http_1_1_is_chosen(self):
        self.assertIn("ALPN protocol: http/1.1", self.s_client("-alpn", "h2,http/1.1"))
        self.assertIn("alert no application protocol", self.s_client("-alpn", "h2"))
        self.assertIn("No ALPN negotiated", self.s_client())

    def test_renegotiation_is_refused(self):
        text = self.s_client("-tls1_2", text="R\n")
        self.assertIn("no renegotiation", text)

    def test_compression_is_off(self):
        self.assertIn("Compression: NONE", self.s_client("-tls1_2"))

    def test_plain_http_is_refused(self):
        with socket.create_connection(("127.0.0.1", self.port), WAIT_SECONDS_MAX) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1 200", plain.recv(4_096))

    def test_half_open_handshakes_go(self):
        """Silent ones and ones that begin; beacons are taken meanwhile."""
        began = time.monotonic()
        opened = [socket.create_connection(("127.0.0.1", self.port), WAIT_SECONDS_MAX)
                  for _ in range(HALF_OPEN)]
        for one in opened[::2]:
            one.sendall(b"\x16\x03\x01\x02\x00\x01")
        self.test_many_beacons_on_one_connection()
        for one in opened:
            try:
                self.assertEqual(one.recv(1), b"")
            except ConnectionResetError:
                pass
            one.close()
        self.assertLess(time.monotonic() - began, HALF_OPEN_SECONDS_MAX)

    # ---- reload ------------------------------------------------------------------------------

    def test_certificates_change_without_a_restart(self):
        old = self.serial()
        with self.connect() as connection:
            connection.sendall(post(beacon()))
            self.assertIn(b" 204 ", connection.recv(4_096))
            self.certificates.make("a.example")
            # Files that changed are noticed; a signal says it at once.
            os.kill(self.engine.process.pid, signal.SIGHUP)
            self.wait_for(lambda: self.serial() != old)
            # Whoever is connected notices nothing.
            connection.sendall(post(beacon()))
            self.assertIn(b" 204 ", connection.recv(4_096))
        self.assertIn("CN = b.example", self.s_client("-servername", "b.example"))

    def test_a_broken_key_changes_nothing(self):
        before = self.serial("b.example")
        key = self.certificates.path("b.example", "key")
        kept = key.read_text()
        key.write_text(self.certificates.path("a.example", "key").read_text())
        os.kill(self.engine.process.pid, signal.SIGHUP)
        self.wait_for(lambda: f"{self.engine.config}:9: " in self.engine.last_words(50))
        self.assertEqual(self.serial("b.example"), before)
        key.write_text(kept)

    def test_z_behind_a_proxy(self):
        """Last: the engine is started anew for it."""
        self.engine.stop()
        self.configure(proxied=True)
        self.engine.start()
        header = PROXY_SIGNATURE + struct.pack("!BBH4s4sHH", 0x21, 0x11, 12,
                                               bytes([203, 0, 113, 9]), bytes(4), 1, 2)
        with self.connect(before=header) as connection:
            connection.sendall(post(beacon()))
            self.assertIn(b" 204 ", connection.recv(4_096))
        with self.assertRaises((ssl.SSLError, OSError)):
            self.connect()


def scan(command: list[str]) -> int:
    TLSPort.setUpClass()
    try:
        words = [word.format(port=TLSPort.port) for word in command]
        return subprocess.run(words, check=False).returncode
    finally:
        TLSPort.tearDownClass()


def main() -> int:
    global BINARY
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=BINARY)
    parser.add_argument("--scan", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    BINARY = arguments.binary
    if arguments.scan:
        return scan(arguments.scan)
    result = unittest.main(argv=[sys.argv[0]], exit=False, verbosity=2).result
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
