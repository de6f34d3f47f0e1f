"""A loopback stand-in for the engine: takes beacons, judges them, serves the SDK and the shop."""
import pathlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import wire

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ROOT / "Sources" / "Companion" / "Pages"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript",
         ".svg": "image/svg+xml"}


class Collector:
    """Everything that came in. The handlers' threads write; `lock` owns every list."""

    def __init__(self):
        self.lock = threading.Condition()
        self.accepted = []
        self.refused = []
        self.violations = []
        self.answers = []
        self.pages = {}
        self.ingest_server = self._serve(IngestHandler)
        self.shop_server = self._serve(ShopHandler)
        self.ingest = "http://127.0.0.1:%d" % self.ingest_server.server_port
        self.shop = "http://127.0.0.1:%d" % self.shop_server.server_port

    def _serve(self, handler):
        bound = type("Bound", (handler,), {"collector": self})
        server = Server(("127.0.0.1", 0), bound)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def answer_next_with(self, *answers):
        """The next beacons get these (status, Retry-After or None) instead of 204."""
        with self.lock:
            self.answers = list(answers)

    def take(self, body, content_type):
        """The status for a beacon, and its Retry-After."""
        with self.lock:
            self.lock.notify_all()
            try:
                batch = wire.check_batch(body, content_type)
            except (wire.Violation, ValueError) as error:
                self.violations.append(f"{error} in {body[:400]!r}")
                return 400, None
            if self.answers:
                self.refused.append(batch)
                return self.answers.pop(0)
            self.accepted.append(batch)
            return 204, None

    def events(self, kind=None):
        with self.lock:
            every = [event for batch in self.accepted for event in batch["e"]]
        return [event for event in every if kind is None or event["t"] == kind]

    def wait_for(self, condition, seconds=20):
        """Waits until `condition()` holds; returns whether it came to hold."""
        with self.lock:
            return self.lock.wait_for(condition, timeout=seconds)

    def close(self):
        for server in (self.ingest_server, self.shop_server):
            server.shutdown()
            server.server_close()


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        # A browser that closes cuts its connections: nothing to tell.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class QuietHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    collector = None

    def log_message(self, *_):
        """Says nothing: the tests speak."""

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class IngestHandler(QuietHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, retry_after = self.collector.take(body, self.headers.get("Content-Type", ""))
        headers = [("Access-Control-Allow-Origin", "*"),
                   ("Access-Control-Expose-Headers", "Retry-After")]
        if retry_after is not None:
            headers.append(("Retry-After", str(retry_after)))
        self.reply(status, headers=headers)

    def do_GET(self):
        script = ROOT / "sdk-js" / "dist" / "hg.js"
        self.reply(200, script.read_bytes(), [("Content-Type", "text/javascript")])


class ShopHandler(QuietHandler):
    def do_GET(self):
        path = self.path.split("?")[0]
        if path in self.collector.pages:
            return self.page(self.collector.pages[path].encode())
        name = "index.html" if path in ("/demo", "/demo/") else path.rsplit("/", 1)[-1]
        file = PAGES / "demo" / name
        if not file.is_file():
            return self.reply(404)
        if file.suffix == ".html":
            return self.page(file.read_bytes())
        return self.reply(200, file.read_bytes(), [("Content-Type", TYPES[file.suffix])])

    def page(self, body):
        body = body.replace(b"{{ingest}}", self.collector.ingest.encode())
        self.reply(200, body, [("Content-Type", TYPES[".html"])])
