"""Serves the built Hub at /hub/ and passes everything else on to a companion, until the companion
serves it itself: the same headers as Sources/Companion/Hub/README.md asks of it."""

import http.client
import http.server
import pathlib
import socketserver
import threading
import urllib.parse

DIST = pathlib.Path(__file__).resolve().parents[2] / "Sources/Companion/Hub/dist"
POLICY = "; ".join([
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
    "connect-src 'self'", "worker-src 'self'", "form-action 'self'", "base-uri 'none'",
    "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types hub"])
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".html": "text/html; charset=utf-8", ".svg": "image/svg+xml"}
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Handler(http.server.BaseHTTPRequestHandler):
    """One request; `server.companion` is where the rest goes."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path.startswith("/hub/"):
            self.static(path.removeprefix("/hub/") or "index.html")
        else:
            self.forward()

    def do_POST(self):
        self.forward()

    do_HEAD = do_DELETE = do_POST

    def static(self, name):
        file = DIST / name
        if file.parent != DIST or file.suffix not in TYPES or not file.is_file():
            self.answer(404, {}, b"")
            return
        self.answer(200, {
            "Content-Type": TYPES[file.suffix], "Content-Encoding": "gzip",
            "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache"}, DIST.joinpath(name + ".gz").read_bytes())

    def answer(self, status, fields, body):
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def forward(self):
        if self.server.is_away:
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        fields = {name: value for name, value in self.headers.items()
                  if name.lower() not in ("host", "connection", "accept-encoding")}
        connection = http.client.HTTPConnection(self.server.companion, timeout=600)
        try:
            connection.request(self.command, self.path, body, fields)
            answer = connection.getresponse()
        except OSError:
            self.close_connection = True
            return
        kept = {name: value for name, value in answer.getheaders()
                if name.lower() not in HOP_BY_HOP}
        if "event-stream" in (answer.getheader("Content-Type") or ""):
            self.stream(answer, kept)
        else:
            self.answer(answer.status, kept, answer.read())

    def stream(self, answer, fields):
        self.close_connection = True
        self.send_response(answer.status)
        for name, value in {**fields, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.server.streams.append(self)
        try:
            while (part := answer.read1(65_536)) and not self.server.is_away:
                self.wfile.write(part)
                self.wfile.flush()
        except OSError:
            pass
        finally:
            answer.close()
            self.server.streams.remove(self)


class HubServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Runs in a thread of its own. `streams` are the live streams open now; while `is_away` nothing
    but the Hub's own files is answered."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, companion: str):
        super().__init__(("127.0.0.1", 0), Handler)
        self.companion = urllib.parse.urlsplit(companion).netloc
        self.streams = []
        self.is_away = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return self.origin + "/hub/"

    def handle_error(self, *_):
        """A browser that hangs up is no error of ours."""
