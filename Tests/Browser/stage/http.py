"""As much of HTTP/1.1 as a server of test pages and a forwarding tap need, on asyncio."""
import asyncio
from dataclasses import dataclass, field

HEAD_BYTES_MAX = 64 * 1024
REASONS = {200: "OK", 204: "No Content", 302: "Found", 400: "Bad Request", 404: "Not Found",
           413: "Payload Too Large", 429: "Too Many Requests", 503: "Service Unavailable"}


@dataclass
class Request:
    method: str
    target: str
    headers: list
    body: bytes

    @property
    def path(self):
        return self.target.split("?")[0]

    @property
    def host(self):
        return self.header("host").split(":")[0]

    def header(self, name):
        return next((value for known, value in self.headers if known.lower() == name), "")


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: list = field(default_factory=list)

    def encoded(self):
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in self.headers
                  if name.lower() not in ("content-length", "connection", "transfer-encoding")]
        if self.status != 204:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


async def read_head(reader):
    """The first line and the headers, or None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines if ": " in line]
    return first, headers


def length_in(headers):
    return next((int(value) for name, value in headers if name.lower() == "content-length"), None)


async def serve(reader, writer, answer_to):
    """Answers a connection's requests; `answer_to` gives an Answer, or None to cut it."""
    try:
        while head := await read_head(reader):
            first, headers = head
            method, target, _ = first.split(" ", 2)
            body = await reader.readexactly(length_in(headers) or 0)
            answer = await answer_to(Request(method, target, headers, body))
            if answer is None:
                break
            writer.write(answer.encoded())
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def forward(request, port):
    """The answer of the server at a port of the loopback address to the same request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=HEAD_BYTES_MAX)
    try:
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in request.headers
                  if name.lower() != "connection"]
        lines.append("Connection: close")
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + request.body)
        head = await read_head(reader)
        if head is None:
            return None
        status, length = int(head[0].split(" ")[1]), length_in(head[1])
        if status == 204 or length == 0:
            body = b""
        else:
            body = await (reader.read() if length is None else reader.readexactly(length))
        return Answer(status, body, head[1])
    finally:
        writer.close()
