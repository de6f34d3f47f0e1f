"""Stands between a browser and a companion, so that a test can count the live streams and take the
companion away; everything else passes as it is."""

import http.client
import http.server
import socket
import socketserver
import threading
import urllib.parse

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Handler(http.server.BaseHTTPRequestHandler):
    """One request; `server.companion` is where the rest goes."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.forward()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

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
                  if name.lower() not in ("host", "connection")}
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
            self.stream(connection.sock, answer, kept)
        else:
            self.answer(answer.status, kept, answer.read())

    def hang_up_with_the_reader(self, upstream):
        """A tab that was closed is noticed at once, not with the next byte for it."""
        try:
            self.connection.recv(1)
            upstream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def stream(self, upstream, answer, fields):
        self.close_connection = True
        threading.Thread(
            target=self.hang_up_with_the_reader, args=(upstream,), daemon=True).start()
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


class HubProxy(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Runs in a thread of its own. `streams` are the live streams open now; while `is_away` nothing
    is answered."""

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
