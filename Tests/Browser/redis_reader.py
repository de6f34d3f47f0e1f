"""Reads hashes from Redis over a socket; all that the journey needs of the protocol."""
import socket
import urllib.parse


class Redis:
    """A connection to `redis://[:password@]host:port[/database]`, `unix:///path` or a path."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "redis":
            self.socket = socket.create_connection((parts.hostname, parts.port or 6379), 10)
        else:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(10)
            self.socket.connect(parts.path)
        self.stream = self.socket.makefile("rb")
        if parts.password:
            self.command("AUTH", parts.password)
        database = parts.path.strip("/") if parts.scheme == "redis" else ""
        if database:
            self.command("SELECT", database)

    def command(self, *words):
        request = b"*%d\r\n" % len(words)
        for word in (str(word).encode() for word in words):
            request += b"$%d\r\n%s\r\n" % (len(word), word)
        self.socket.sendall(request)
        return self.reply()

    def reply(self):
        line = self.stream.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.stream.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest

    def hash(self, key):
        """The fields of a hash as text; packed ones are replaced where they are no text."""
        flat = self.command("HGETALL", key)
        texts = [value.decode("utf-8", "replace") for value in flat]
        return dict(zip(texts[::2], texts[1::2]))
