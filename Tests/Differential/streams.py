"""Where the streams come from: whole requests of our own making, llhttp's cases when they lie
beside the repository, and mutations of both. Everything is decided by the generator's seed."""

import random
import re
from pathlib import Path

METHODS = ["POST"] * 6 + ["GET"] * 4 + ["OPTIONS", "HEAD", "PUT", "DELETE", "PATCH", "CONNECT",
                                        "TRACE", "PURGE", "post", "GE T", "M-SEARCH", "PRI", ""]
TARGETS = ["/v1/e"] * 5 + ["/v1/e?z=1", "/hg.js", "/", "*", "/v1/batch?a=b&c=%20", "//a/b",
                           "http://a/v1/e", "http://a?x=/y", "http://a#/y", "http://a",
                           "https://a:1/",
                           "HTTP://a/", "a:80", "/a#b", "/a b", "/\x7f", "/\xe9", "/?", "?", "",
                           "/a?b?c", "http://a@b/c", "http:///", "/%00", "/a\tb", "/" + "a" * 900]
VERSIONS = ["HTTP/1.1"] * 14 + ["HTTP/1.0", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2",
                                "HTTP/1.10", "http/1.1", "HTTP/11", "HTTP/1.1 ", "", "HTTP/ 1.1"]
HOSTS = ["a"] * 12 + ["shop.example:8600", "", "[::1]:80", "a/b", "a, b", "a b", "\xe9"]
LENGTH_FORMS = ["{}"] * 10 + ["0{}", "+{}", "-{}", " {}\t", "{},{}", "{}, {}", "{}.0", "0x{:x}",
                              "{} {}", "{}\x0b", "00000000000000000000{}", "{}_", "1{}", ""]
CODINGS = ["chunked"] * 10 + ["Chunked", " chunked ", "chunked, chunked", "gzip, chunked",
                              "chunked, gzip", "identity", "chunked;a=b", "xchunked", "\x0bchunked",
                              "chunked,", ",chunked", "chunke", "", "'chunked'", "chun\tked"]
SIZE_FORMS = ["{:x}"] * 12 + ["{:X}", "0{:x}", "000000000000{:x}", "{:x};a=b", "{:x};a", "{:x} ",
                              " {:x}", "+{:x}", "0x{:x}", "{:x};", "{:x};a=\"b\"", "{:x} ;a",
                              "{:x}_", "-{:x}", "{:x}\t", "{:x};a=\x01", "{:x};\ta=b", ""]
NAMES = ["User-Agent", "Origin", "Accept", "Content-Type", "Authorization", "X-A", "Cookie",
         "Accept-Encoding", "Sec-GPC", "Upgrade", "Connection", "Expect", "Trailer", "TE",
         "Content-Encoding", "Proxy-Connection", "Keep-Alive", "Date"]
VALUES = ["a", "", "close", "keep-alive", "Upgrade", "upgrade, close", "websocket", "h2c",
          "100-continue", "100-Continue", "gzip", "https://shop.example", "a\tb", "a, b, c",
          "\x80\xff", "chunked", "5", "text/plain;charset=UTF-8", "HTTP2-Settings", "x" * 300]
BAD_FIELDS = ["X : a", " X: a", "\tX: a", "X", ":a", "X\x00: a", "X: a\x00b", "X: a\rb", "X: a\nb",
              "X: a\r\n b", "X: a\r\n\tb", "X\xe9: a", "(X): a", "X: \x01", "X: \x7f", "X: \x0b",
              "Content-Length : 3", "Content-Length\x00: 3", "Content_Length: 3", "X: a\r",
              "\x0bContent-Length: 3", "Transfer-Encoding\t: chunked", "Host : b", "", "X:a:b"]
ENDS = ["\r\n"] * 60 + ["\n", "\r", "\r\r\n", "\n\r", "\r\n\r\n", " \r\n", "\x0b\r\n", ""]
TRAILERS = ["X-T: a", "Content-Length: 3", "Transfer-Encoding: chunked", "Host: b", " folded",
            "X : a", "X", "X: \x01", "X: a\nY: b", "Connection: close", ":", "X: \xe9"]
BODY = (b'{"v":1,"k":"hg_demo","e":[{"t":"pv","n":1,"u":"https://a/"}]}'
        b"\r\n0\r\n\r\nGET / HTTP/1.1\r\n")
BYTES = b"\r\n\r\n \t\x00\x0b\x0c\x7f\x80\x85\xa0\xff:;,=\"'()/?#*+-_.%0159afxAGPHh\\"


def latin(text: str) -> bytes:
    return text.encode("latin-1")


class Maker:
    """Makes one stream after the other from one seed."""

    def __init__(self, seed: str, corpus: list[bytes]):
        self.random = random.Random(seed)
        self.corpus = corpus

    def stream(self) -> bytes:
        """A stream of one to four requests, mutated or not."""
        chance = self.random.random()
        if chance < 0.2:
            data = self.random.choice(self.corpus)
        else:
            count = self.random.choice((1, 1, 1, 2, 2, 3, 4))
            self.wildness = self.random.choice((0.0, 0.0, 0.01, 0.02, 0.05, 0.15))
            data = b"".join(self.request() for _ in range(count))
        if self.random.random() < 0.4:
            for _ in range(self.random.choice((1, 1, 1, 2, 3))):
                data = self.mutated(data)
        return data

    # ---- by grammar -----------------------------------------------------------------------------

    def pick(self, choices: list) -> str:
        """The first choice is the right one; the others come as often as the stream is wild."""
        if self.random.random() < self.wildness * 3:
            return self.random.choice(choices)
        return choices[0]

    def request(self) -> bytes:
        methods = METHODS if self.random.random() < self.wildness else METHODS[:10]
        lines = [f"{self.random.choice(methods)} {self.pick(TARGETS)} {self.pick(VERSIONS)}"]
        fields = [f"Host: {self.pick(HOSTS)}"]
        for _ in range(self.random.choice((0, 0, 1, 2, 4))):
            fields.append(f"{self.random.choice(NAMES)}:{self.pick([' ', '', '  ', chr(9)])}"
                          f"{self.pick(['a', *VALUES])}")
        body = self.framed(fields)
        if self.random.random() < self.wildness * 2:
            fields.append(self.random.choice(BAD_FIELDS))
        if self.random.random() < self.wildness:
            fields.append(self.random.choice(fields))
        self.random.shuffle(fields)
        head = b"".join(latin(line + self.end()) for line in [*lines, *fields])
        return latin(self.pick(["", "\r\n", "\n", "\r", "\r\n\r\n", " "])) + head + latin(
            self.end()) + body

    def end(self) -> str:
        return self.random.choice(ENDS) if self.random.random() < self.wildness else "\r\n"

    def framed(self, fields: list[str]) -> bytes:
        """A body; what frames it is added to the fields."""
        kind = self.random.random()
        body = BODY[:self.random.choice((0, 1, 2, 5, 10, 16, 60, len(BODY)))]
        data = b""
        if kind < 0.4 or self.random.random() < self.wildness:
            length = len(body) + (self.random.choice((-1, 1, 2, 70)) if
                                  self.random.random() < self.wildness else 0)
            form = self.pick(LENGTH_FORMS)
            fields.append(f"{self.name('Content-Length')}: {form.format(length, length)}")
            data = body
        if kind > 0.7 or self.random.random() < self.wildness:
            fields.append(f"{self.name('Transfer-Encoding')}: {self.pick(CODINGS)}")
            data = self.chunks(body)
        return data

    def name(self, name: str) -> str:
        return self.pick([name, name.lower(), name.upper(), name + " ", "x" + name, name + "\t",
                          name.replace("-", "_"), name[:-1]])

    def chunks(self, body: bytes) -> bytes:
        parts, position = [], 0
        while position < len(body):
            length = min(self.random.choice((1, 3, 15, 16, 17, 40)), len(body) - position)
            size = self.pick(SIZE_FORMS).format(length)
            parts.append(latin(size + self.end()) + body[position:position + length] + latin(
                self.end()))
            position += length
        parts.append(latin(self.pick(["0", "00", "0;a=b", "000000000000000", "0 ", "", "g"]) +
                           self.end()))
        while self.random.random() < 0.1 + self.wildness:
            parts.append(latin(self.pick(TRAILERS) + self.end()))
        return b"".join(parts) + latin(self.end())

    # ---- by bytes -------------------------------------------------------------------------------

    def mutated(self, data: bytes) -> bytes:
        if not data:
            return data
        at = self.random.randrange(len(data))
        kind = self.random.randrange(10)
        byte = bytes((self.random.choice(BYTES),))
        if kind < 2:
            return data[:at] + byte + data[at + 1:]
        if kind < 4:
            return data[:at] + byte + data[at:]
        if kind == 4:
            return data[:at] + data[at + self.random.choice((1, 1, 2, 4)):]
        if kind == 5:
            return data[:at] + bytes((data[at] ^ (1 << self.random.randrange(8)),)) + data[at + 1:]
        return self.mutated_more(data, at, kind)

    def mutated_more(self, data: bytes, at: int, kind: int) -> bytes:
        if kind == 6:
            end = at + self.random.choice((1, 2, 8, 40))
            return data[:end] + data[at:end] + data[end:]
        if kind == 7:
            lines = data.split(b"\r\n")
            here = self.random.randrange(len(lines))
            there = self.random.randrange(len(lines))
            lines[here], lines[there] = lines[there], lines[here]
            return b"\r\n".join(lines)
        if kind == 8:
            other = self.random.choice(self.corpus)
            return data[:at] + other[self.random.randrange(len(other)):]
        if self.random.random() < 0.3:
            return data[:at]
        line = data.find(b"\r\n", at)
        return data if line < 0 else data[:line] + latin(
            self.random.choice(ENDS[60:])) + data[line + 2:]


# ---- the corpus ---------------------------------------------------------------------------------


def own_corpus() -> list[bytes]:
    """Whole streams of our own, one of each kind that the engine takes, and what smugglers send."""
    text = (Path(__file__).parent / "streams.txt").read_text(encoding="utf-8")
    blocks = re.split(r"^# .*\n", text, flags=re.MULTILINE)
    # Each block ends with an empty line that only sets it apart.
    return [unescaped(block.removesuffix("\n")) for block in blocks if block.strip()]


def llhttp_corpus(shared: Path) -> list[bytes]:
    """The inputs of llhttp's request tests, whatever they expect, as they are and with the Host
    that RFC 9112 section 3.2 asks for and llhttp does not."""
    found = []
    for file in sorted((shared / "data/llhttp/test/request").glob("*.md")):
        blocks = re.findall(r"^```http\n(.*?)\n?^```", file.read_text(encoding="utf-8"),
                            flags=re.MULTILINE | re.DOTALL)
        found += [unescaped(block) for block in blocks]
    return [data for one in found if one for data in {one: None, with_host(one): None}]


def with_host(data: bytes) -> bytes:
    if b"\r\nhost:" in data.lower():
        return data
    return re.sub(rb"( HTTP/1\.1\r\n)", rb"\1Host: a\r\n", data)


def unescaped(block: str) -> bytes:
    r"""Line ends become CRLF, a backslash at the end of a line joins it with the next, and
    \r \n \t \f \xHH stand for their bytes."""
    data = block.replace("\\\n", "").replace("\n", "\r\n").encode()
    named = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"f": b"\f"}

    def byte(match: re.Match) -> bytes:
        return named.get(match[1]) or bytes((int(match[1][1:], 16),))

    return re.sub(rb"\\([rntf]|x[0-9a-fA-F]{2})", byte, data)
