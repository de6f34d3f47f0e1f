"""The two others: what h11 and httptools (llhttp) make of the same bytes, in one form."""

import re
from dataclasses import dataclass, field

import h11
import httptools

UPGRADE = re.compile(rb"(^|\n)upgrade(?=[ \t]*:)", re.IGNORECASE)
# RFC 9112 section 2.2: empty lines before a request should be ignored. h11 refuses them.
LEADING_LINES = re.compile(rb"^(\r\n)+")
# How a reading ends: more bytes are awaited, none are read any more, or they were refused.
WAITS, CLOSED, REFUSED = "waits", "closed", "refused"


@dataclass
class Request:
    """One request as far as it was framed."""

    method: bytes = b""
    target: bytes = b""
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False


@dataclass
class Reading:
    requests: list[Request]
    end: str
    reason: str = ""
    declined_upgrade: bool = False


def read_h11(data: bytes) -> Reading:
    requests: list[Request] = []
    rest = data
    while True:
        # A connection for each request: answering in between would cost more than the parsing.
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(LEADING_LINES.sub(b"", rest))
        try:
            ended = _next_h11(connection, requests)
        except h11.RemoteProtocolError as error:
            return Reading(requests, REFUSED, str(error))
        if not ended:
            return Reading(requests, WAITS)
        # A client that proposed another protocol is told no, and goes on with this one.
        if connection.their_state is h11.MUST_CLOSE or not connection._cstate.keep_alive:
            return Reading(requests, CLOSED)
        rest = connection.trailing_data[0]


def _next_h11(connection: h11.Connection, requests: list[Request]) -> bool:
    """Whether a whole request came."""
    while True:
        event = connection.next_event()
        if type(event) is h11.Request:
            requests.append(Request(event.method, event.target))
        elif type(event) is h11.Data:
            requests[-1].body += event.data
        elif type(event) is h11.EndOfMessage:
            requests[-1].complete = True
            return True
        else:
            return False


class _Events:
    """llhttp's callbacks. It has the request's line before it knows whether the head is right."""

    def __init__(self):
        self.requests: list[Request] = []
        self.open: Request | None = None
        self.parser: httptools.HttpRequestParser | None = None

    def on_message_begin(self):
        self.open = Request()

    def on_url(self, url: bytes):
        self.open.target += url

    def on_headers_complete(self):
        self.open.method = self.parser.get_method()
        self.requests.append(self.open)

    def on_body(self, body: bytes):
        self.open.body += body

    def on_message_complete(self):
        self.open.complete = True


def masked(data: bytes) -> bytes:
    """Without the field by which a client proposes another protocol; as long as before."""
    return UPGRADE.sub(rb"\1x-grade", data)


def read_httptools(data: bytes) -> Reading:
    """httptools takes a request that proposes an upgrade for one without a body, whatever its
    length says, and stops. A server that declines (RFC 9110 section 7.8) reads it as any other
    (RFC 9112 section 6.3), so the proposal is masked and everything read anew."""
    declined = False
    while True:
        events = _Events()
        events.parser = httptools.HttpRequestParser(events)
        try:
            events.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            end = upgrade.args[0]
            changed = masked(data[:end]) + data[end:]
            if changed == data:
                return Reading(events.requests, CLOSED, "a tunnel", declined)
            data, declined = changed, True
            continue
        except httptools.HttpParserError as error:
            return Reading(events.requests, REFUSED, str(error), declined)
        last = events.requests[-1] if events.requests else None
        closes = last and last.complete and not events.parser.should_keep_alive()
        return Reading(events.requests, CLOSED if closes else WAITS, "", declined)


PEERS = {"h11": read_h11, "httptools": read_httptools}
