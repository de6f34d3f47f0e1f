#!/usr/bin/python3
"""A hundred canaries, a hundred forgeries: no secret is told, no line of the log is made up.

    secrets_and_logs.py --binary .build/release/heliograph

The engine runs on a Redis and a PostgreSQL that want passwords, logs everything it can (`trace`),
and is sent canaries where secrets travel: headers, cookies, tokens, queries, page addresses, bodies
that cannot be read, settings with mistakes. Then everything that it wrote, answered or shows to other
processes is searched for them: log, metrics, answers, rejected events, journal, states, Redis' and
PostgreSQL's files, command lines and environments. Canaries that belong into rows are looked for
too, so that the search is known to find. Then texts with line ends, escapes, NUL, broken UTF-8,
U+2028 and bidirectional controls are sent wherever something could come to be logged: one event is
one line.
"""

import argparse
import base64
import gzip
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))

import stores  # noqa: E402
from backup_secrets import judge_backup  # noqa: E402
from engine import REPOSITORY, Engine, EngineError, free_port  # noqa: E402
from judge import Verdict  # noqa: E402
from repository_secrets import judge_repository  # noqa: E402

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CANARIES_MIN = 100
ATTACKS_MIN = 100
# A line as the text form writes it; what a terminal shows at the start is on standard output.
TEXT_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [a-z]+ +[^ ]+: ")
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f"
                       "\u202a-\u202e\u2066-\u2069\ufeff]")
MARK = "FORGEDLINE"
HOSTILE = [f"a\r\n{MARK} b", f"a\n{MARK}", f"a\r{MARK}", f"\x1b[31m{MARK}\x1b[0m",
           f"\x1b]0;{MARK}\x07",
           f"a\x00{MARK}", f"a\u2028{MARK}", f"a\u2029{MARK}", f"\u202e{MARK}\u202c",
           f"\u2066{MARK}\u2069", f"\x85{MARK}", f"\x9b31m{MARK}", f"\x08\x08{MARK}", f"\x7f{MARK}"]

# They hold what opens the engine, and are their owner's alone.
KEY_FILES = ("addresses.json", "replay-token", "companion-token", "pseudonym.key")


class Canaries:
    """Texts that occur nowhere else, by the place that they were put in."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.secret: dict[str, str] = {}
        # Places of secrets that may be kept, masked like personal data, for the operator to look at.
        self.kept: set[str] = set()
        self.welcome: dict[str, str] = {}

    def _make(self) -> str:
        return "cnry" + "".join(self.random.choices("bcdfghjklmnpqrstvwxz", k=20))

    def hide(self, place: str) -> str:
        """One that must be found nowhere."""
        name, number = place, 2
        while name in self.secret:
            name, number = f"{place} #{number}", number + 1
        return self.secret.setdefault(name, self._make())

    def show(self, place: str) -> str:
        """One that must be found where events are kept."""
        return self.welcome.setdefault(place, self._make())


class Servers:
    """A Redis that wants a password, and an engine whose private PostgreSQL is lent to another."""

    def __init__(self, binary: str, password: str):
        self.folder = tempfile.TemporaryDirectory(prefix="heliograph-secrets-")
        self.port = free_port()
        self.lender = Engine(binary)
        self.redis = subprocess.Popen(["redis-server", "-"], stdin=subprocess.PIPE,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      cwd=self.folder.name)
        self.redis.stdin.write(f"port {self.port}\nbind 127.0.0.1\nrequirepass {password}\n"
                               "appendonly yes\nmaxmemory-policy noeviction\n"
                               f"dir {self.folder.name}\n".encode())
        self.redis.stdin.close()

    def stop(self, keep: bool) -> None:
        self.redis.kill()
        self.redis.wait()
        self.lender.clean_up(keep)
        self.folder.cleanup()


def settings(servers: Servers, canaries: Canaries, password: str) -> str:
    """Stores with passwords; everything is logged."""
    conninfo = servers.lender.addresses()["postgres"]
    secret = canaries.hide("settings: password of PostgreSQL")
    return (f"redis:\n  url: 'redis://:{password}@127.0.0.1:{servers.port}/0'\n"
            f"postgres:\n  url: \"{conninfo} password='{secret}'\"\n"
            "log:\n  level: trace\n")


# ---- sending -----------------------------------------------------------------------------------

class Sender:
    """Raw requests, so that nothing is escaped on the way. Answers are kept to be searched."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.answers: list[bytes] = []
        self.count = 0

    def raw(self, port: int, request: bytes) -> bytes:
        self.count += 1
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    answer += part
        except OSError:
            pass
        self.answers.append(answer)
        return answer

    def request(self, path: str | bytes, body: bytes = b"", headers: dict | None = None,
                method: str = "POST", port: int | None = None) -> bytes:
        fields = {"Host": "127.0.0.1", "User-Agent": BROWSER, "Accept-Language": "en",
                  "Content-Type": "text/plain", "Connection": "close", **(headers or {})}
        path = path.encode("utf-8", "surrogatepass") if isinstance(path, str) else path
        head = method.encode() + b" " + path + b" HTTP/1.1\r\n"
        for name, value in fields.items():
            value = value if isinstance(value, bytes) else value.encode()
            head += name.encode() + b": " + value + b"\r\n"
        if method == "POST":
            head += f"Content-Length: {len(body)}\r\n".encode()
        return self.raw(port or self.engine.ingest_port, head + b"\r\n" + body)


def identifier(r: random.Random) -> str:
    return "".join(r.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ", k=22))


def beacon(r: random.Random, events: list[dict], **changes) -> bytes:
    now = int(time.time() * 1000)
    body = {"v": 1, "k": "hg_demo", "w": identifier(r), "d": identifier(r), "s": identifier(r),
            "c": 63, "st": now, "mt": 5000, "e": events, **changes}
    return json.dumps(body).encode()


def event(kind: str = "pv", **fields) -> dict:
    return {"n": 1, "t": kind, "o": 4000, "p": 1, **fields}


def send_secrets(sender: Sender, canaries: Canaries) -> None:
    """Secrets where browsers, proxies and careless people put them."""
    r = canaries.random
    page = event(u="https://shop.example/")
    for name in ("Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "X-Auth-Token",
                 "X-Csrf-Token", "X-Amz-Security-Token", "Referer", "Via", "X-Unknown"):
        for path in ("/v1/e", "/v1/batch", "/nowhere"):
            secret = canaries.hide(f"header {name} to {path}")
            value = {"Authorization": "Bearer " + secret, "Cookie": "session=" + secret,
                     "Referer": f"https://shop.example/?token={secret}"}.get(name, secret)
            sender.request(path, beacon(r, [page]), {name: value})
    for path in ("/v1/e", "/v1/events", "/metrics", "/readyz", "/hg.js", "/nowhere", "/"):
        for method in ("POST", "GET"):
            secret = canaries.hide(f"query of {method} {path}")
            sender.request(f"{path}?token={secret}", beacon(r, [page]), method=method)
    for key in ("password", "token", "access_token", "sid", "code", "email", "auth", "key"):
        secret = canaries.hide(f"page address ?{key}=")
        url = f"https://shop.example/a?{key}={secret}&utm_source=news#{secret}"
        sender.request("/v1/e", beacon(r, [event(u=url, r=url)]))
        secret = canaries.hide(f"page address of a user with {key}")
        sender.request("/v1/e", beacon(r, [event(u=f"https://me:{secret}@shop.example/")]))
    send_broken(sender, canaries)
    send_to_companion(sender, canaries)


def send_broken(sender: Sender, canaries: Canaries) -> None:
    """Bodies that cannot be read: the answer says where and why, never what."""
    for number, shape in enumerate(["{%s", '{"v":1,"k":"%s', '{"v":%s}', '["%s"', '{"%s":1,}',
                                    '{"v":1,"k":"hg_demo","e":[{"t":"%s"', "%s", '{"e":{"%s":0}}']):
        secret = canaries.hide(f"body that is no JSON {number}")
        # What was refused is kept with its bytes; those are content, like that of an event.
        canaries.kept.add(f"body that is no JSON {number}")
        sender.request("/v1/e", (shape % secret).encode())
    secret = canaries.hide("body that is no gzip")
    sender.request("/v1/e?z=1", secret.encode())
    secret = canaries.hide("gzip of no JSON")
    canaries.kept.add("gzip of no JSON")
    sender.request("/v1/e?z=1", gzip.compress(secret.encode()))
    for number, head in enumerate([b"GET /%s HTTP/9.9\r\n\r\n", b"%s / HTTP/1.1\r\nHost: a\r\n\r\n",
                                   b"GET / HTTP/1.1\r\n%s\r\n\r\n",
                              b"GET / HTTP/1.1\r\nHost: a b %s\r\n\r\n",
                                   b"GET / HTTP/1.1\r\nA: \x01%s\r\n\r\n", b"\x16\x03\x01%s"]):
        secret = canaries.hide(f"request that is no HTTP {number}")
        sender.raw(sender.engine.ingest_port, head.replace(b"%s", secret.encode()))


def send_to_companion(sender: Sender, canaries: Canaries) -> None:
    port = sender.engine.companion_port
    for path in ("/api/v1/rejected", "/api/v1/visitors/x", "/", "/demo/", "/api/v1/nowhere"):
        for name in ("Authorization", "Cookie", "X-Api-Key"):
            secret = canaries.hide(f"companion: header {name} to {path}")
            sender.request(path, headers={name: "Bearer " + secret}, method="GET", port=port)
        secret = canaries.hide(f"companion: query of {path}")
        sender.request(f"{path}?site=demo&token={secret}", method="GET", port=port)


def send_welcome(sender: Sender, canaries: Canaries) -> None:
    """What the site's own events say is kept; this proves that the search below finds things."""
    r = canaries.random
    text = canaries.show("property of a custom event")
    sender.request("/v1/e", beacon(r, [event("cu", name="note", props={"text": text})]))
    path = canaries.show("path of a page")
    sender.request("/v1/e", beacon(r, [event(u=f"https://shop.example/{path}")]))


# ---- searching ---------------------------------------------------------------------------------

def forms(secret: str) -> list[bytes]:
    """The text itself, reversed hexadecimal, and base64 at its three alignments."""
    raw = secret.encode()
    found = [raw, raw.hex().encode()]
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw)
        found.append(encoded[lead + 1 + (lead > 0):-4])
    return found


def gather(engine: Engine, servers: Servers, sender: Sender) -> dict[str, bytes]:
    """Everything that the engine wrote, answered, or shows of itself, by place."""
    places = {"log": engine.log.read_bytes(), "answers": b"\n".join(sender.answers)}
    for page in ("/metrics", "/readyz", "/healthz"):
        with urllib.request.urlopen(engine.ingest + page, timeout=5) as answer:
            places[page] = answer.read()
    rejected = urllib.request.urlopen(
        engine.companion_request("/api/v1/rejected?site=demo&limit=200"), timeout=5).read()
    places["rejected events in the API"] = rejected
    for path in engine.data.rglob("*"):
        if path.is_file() and path.name not in KEY_FILES:
            places[f"file {path.relative_to(engine.data)}"] = path.read_bytes()
    for path in Path(servers.folder.name).rglob("*"):
        if path.is_file():
            places[f"Redis' file {path.name}"] = path.read_bytes()
    places["log of PostgreSQL"] = b"".join(
        path.read_bytes() for root in servers.lender.system_folders() + [servers.lender.data]
        for path in root.glob("postgres.log"))
    address = engine.addresses()["postgres"]
    for table in ("event", "rejected_event", "session", "score_history", "refused_row"):
        text = stores.query(address, f"SELECT row_to_json(t)::text FROM heliograph.{table} AS t")
        places[f"rows of {table}"] = "\n".join(row[0] for row in text).encode()
        if "bytes" in places[f"rows of {table}"].decode():
            column = "row_bytes" if table == "refused_row" else "bytes"
            raw = stores.query(address, f"SELECT {column} FROM heliograph.{table}")
            places[f"rows of {table}"] += b"\n".join(bytes(row[0]) for row in raw)
    return places


def processes(engine: Engine, servers: Servers) -> dict[str, bytes]:
    """Command lines and environments of the engine and of every server that works for it."""
    found = {}
    pids = [engine.process.pid, servers.lender.process.pid, servers.redis.pid,
            *engine.private_servers(), *servers.lender.private_servers()]
    for pid in pids:
        for name in ("cmdline", "environ"):
            try:
                found[f"{name} of process {pid}"] = Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                continue
    return found


def is_where_refused_lies(place: str) -> bool:
    return place.endswith(".hgj") or "rejected" in place


def judge_secrets(verdict: Verdict, canaries: Canaries, places: dict[str, bytes]) -> None:
    wrong = [f"{where}: {place}" for where, text in places.items()
             for place, secret in canaries.secret.items()
             if not (place in canaries.kept and is_where_refused_lies(where))
             and any(form in text for form in forms(secret))]
    verdict.add("secrets are told nowhere", len(canaries.secret), wrong, CANARIES_MIN)
    kept = b"".join(text for where, text in places.items() if where.startswith("rows of event"))
    journal = b"".join(text for where, text in places.items() if where.endswith(".hgj"))
    missing = [f"{place} in {name}" for place, text in canaries.welcome.items()
               for name, store in (("rows", kept), ("journal", journal))
               if text.encode() not in store]
    verdict.add("what belongs into rows and journal is found", len(canaries.welcome), missing, 2)
    told = [where for where in ("log", "answers", "/metrics") for text in canaries.welcome.values()
            if text.encode() in places[where]]
    verdict.add("events' content is in no log, answer or metric", len(canaries.welcome), told)


def judge_files(verdict: Verdict, engine: Engine) -> None:
    """Files with passwords, keys and visitors' data are their owner's alone."""
    wrong, looked = [], 0
    for name in KEY_FILES:
        looked += 1
        mode = (engine.data / name).stat().st_mode & 0o777
        if mode & 0o077:
            wrong.append(f"{name} has mode {mode:o}")
    for path in [*(engine.data / "journal").iterdir(), *(engine.data / "checkpoints").iterdir()]:
        looked += 1
        if path.stat().st_mode & 0o007:
            wrong.append(f"{path.name} may be read by everybody")
    verdict.add("files are for their owner", looked, wrong, 4)
    limits = Path(f"/proc/{engine.process.pid}/limits").read_text()
    core = re.search(r"Max core file size +(\S+) +(\S+)", limits)
    verdict.add("no core dumps", 1, [] if core and core.groups() == ("0", "0") else [str(core)])


def judge_settings(verdict: Verdict, engine: Engine, canaries: Canaries, servers: Servers) -> None:
    """Settings with mistakes are named by line, never with the secret in them."""
    password = canaries.hide("settings with a mistake")
    cases = [f"redis:\n  url: 'redis://:{password}@:nowhere'\n",
             f"redis:\n  url: 'ftp://{password}@a'\n", f"postgres:\n  url: '{password}'\n",
             f"redis:\n  url: ['{password}']\n", f"postgres:\n  url: {{a: {password}}}\n",
             f"postgres:\n  url: 'postgresql://u:{password}@h/d'\n  urll: {password}\n"]
    wrong, looked = [], 0
    file = engine.folder / "mistaken.yaml"
    for case in cases:
        file.write_text(case)
        result = subprocess.run([str(engine.binary), "config", "check", str(file)], timeout=20,
                                capture_output=True, text=True, check=False, cwd=REPOSITORY)
        looked += 1
        if result.returncode == 0 or password in result.stdout + result.stderr:
            wrong.append(f"{case!r}: {result.returncode} {result.stdout + result.stderr}")
    # Stores that are not there: what is said about them while the engine waits.
    file.write_text(f"ingest:\n  port: 0\ncompanion:\n  port: 0\nlog:\n  level: trace\n"
                    f"redis:\n  url: 'redis://:{password}@127.0.0.1:1/0'\n"
                    f"postgres:\n  url: 'postgresql://u:{password}@127.0.0.1:1/d'\n")
    waiting = subprocess.Popen(
        [str(engine.binary), "up", "--config", str(file), "--data", str(engine.folder / "away")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=REPOSITORY)
    time.sleep(2.5)
    waiting.kill()
    said = waiting.communicate()[0].decode(errors="replace")
    looked += 1
    if password in said or "waiting for PostgreSQL" not in said:
        wrong.append(f"stores that are away: {said[-400:]}")
    verdict.add("settings with mistakes keep their secrets", looked, wrong, 7)


def judge_output(verdict: Verdict, servers: Servers, canaries: Canaries,
                 redis_password: str) -> None:
    """`up --json` on a terminal or in a journal of the system: passwords are not printed."""
    lender = servers.lender
    file = lender.folder / "own.yaml"
    file.write_text("ingest:\n  port: 0\ncompanion:\n  port: 0\n"
                    + settings(servers, canaries, redis_password).split("log:")[0])
    data = lender.folder / "json"
    process = subprocess.Popen(
        [str(lender.binary), "up", "--json", "--config", str(file), "--data", str(data)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=REPOSITORY)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (data / "addresses.json").exists():
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    said = process.communicate()[0].decode(errors="replace")
    wrong = [place for place, secret in canaries.secret.items() if secret in said]
    if '"ingest"' not in said:
        wrong.append(f"no addresses were printed: {said[-300:]}")
    verdict.add("up --json prints no password", 1, wrong)


# ---- forged lines ------------------------------------------------------------------------------

def send_forgeries(sender: Sender, r: random.Random) -> None:
    port = sender.engine.companion_port
    for text in HOSTILE:
        raw = text.encode() + b"\xff\xfe"
        sender.request("/v1/e", beacon(r, [event(u="https://shop.example/")]),
                       {"User-Agent": raw, "Origin": raw, "Referer": raw})
        sender.request("/v1/e", beacon(r, [event(u=text, ti=text)], k=text))
        sender.request("/v1/e", beacon(r, [event("cu", name=text, props={text: text})], w=text))
        sender.request("/v1/e", beacon(r, [event("id", uid=text, traits={text: text})], d=text))
        sender.request(b"/v1/" + raw, b"{}")
        sender.request("/v1/events?k=hg_demo", json.dumps({"id": text, "name": text}).encode())
        sender.request("/v1/track", json.dumps({"messageId": text, "event": text}).encode(),
                       {"Authorization": "Basic " + base64.b64encode(raw + b":").decode()})
        sender.request("/p.gif?k=hg_demo&e=" + quote(text), method="GET")
        for path in (f"/api/v1/visitors/{quote(text)}?site={quote(text)}",
                     f"/api/v1/events/{quote(text)}/trace?site=demo", f"/{quote(text)}"):
            sender.request(path, method="GET", port=port, headers={"X-Request-Id": text.strip()})
        sender.raw(port, b"GET /" + raw + b" HTTP/1.1\r\nHost: " + raw + b"\r\n\r\n")
        sender.raw(sender.engine.ingest_port, b"GET / HTTP/1.1\r\n" + raw + b": a\r\n\r\n")


def forge_settings(engine: Engine) -> None:
    """A reload of settings whose texts hold what a line must not: the log names what is wrong."""
    good = engine.config.read_text()
    for text in ("\\e[31m" + MARK, "\\n" + MARK, "\\u2028" + MARK, "\\u202e" + MARK):
        engine.config.write_text(good + f'workers: "a{text}"\n"key{text}": 1\n')
        engine.process.send_signal(signal.SIGHUP)
        time.sleep(0.4)
    engine.config.write_text(good)
    engine.process.send_signal(signal.SIGHUP)
    time.sleep(0.4)


def judge_lines(verdict: Verdict, engine: Engine, attacks: int) -> None:
    """Every line of the log is one of the engine's own making."""
    raw = engine.log.read_bytes()
    text = raw.decode("utf-8", "surrogateescape")
    # What a person sees at the start, on standard output, ends with this.
    start = text.index("\n", text.find("/welcome#"))
    banner = {line for line in text[:start].split("\n") if not TEXT_LINE.match(line)}
    lines = [line for line in text.split("\n") if line and line not in banner]
    wrong = [f"no line of ours: {line[:120]!r}" for line in lines if not TEXT_LINE.match(line)]
    wrong += [f"holds {found.group()!r}: {line[:120]!r}" for line in lines
              if (found := FORBIDDEN.search(line))]
    wrong += [f"begins with the mark: {line[:80]!r}" for line in lines if line.startswith(MARK)]
    verdict.add("attacks on lines were sent", attacks, [], ATTACKS_MIN)
    verdict.add("one event is one line of the log", len(lines), wrong, 10)
    verdict.add("some attacks came to be logged", sum(MARK in line for line in lines), [], 4)


def run(engine: Engine, servers: Servers, canaries: Canaries, password: str) -> Verdict:
    verdict = Verdict()
    sender = Sender(engine)
    send_secrets(sender, canaries)
    send_welcome(sender, canaries)
    forgeries = sender.count
    send_forgeries(sender, canaries.random)
    forgeries = sender.count - forgeries
    forge_settings(engine)
    time.sleep(2)
    canaries.secret["companion's token"] = (engine.data / "companion-token").read_text()
    canaries.secret["replay token"] = (engine.data / "replay-token").read_text()
    canaries.secret["pseudonym key"] = (engine.data / "pseudonym.key").read_bytes().hex()
    judge_secrets(verdict, canaries, gather(engine, servers, sender) | processes(engine, servers))
    judge_files(verdict, engine)
    judge_lines(verdict, engine, forgeries)
    judge_backup(verdict, engine, {place: text for place, text in canaries.secret.items()
                                   if place.startswith("settings: password")})
    judge_settings(verdict, engine, canaries, servers)
    engine.stop()
    judge_output(verdict, servers, canaries, password)
    judge_repository(verdict)
    verdict.figures |= {"canaries": len(canaries.secret), "requests": sender.count,
                        "forgeries": forgeries}
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"secrets: seed {arguments.seed}")
    canaries = Canaries(arguments.seed)
    password = canaries.hide("settings: password of Redis")
    servers = Servers(arguments.binary, password)
    verdict = engine = None
    try:
        servers.lender.start()
        engine = Engine(arguments.binary, settings=settings(servers, canaries, password))
        # The lender's engine must not write to the same rows.
        servers.lender.kill()
        engine.start()
        verdict = run(engine, servers, canaries, password)
        verdict.print("secrets")
    except EngineError as error:
        print(f"\n{error}\n\nsecrets: 0 passed, 1 failed")
    finally:
        passed = bool(verdict and verdict.passed)
        if engine:
            engine.clean_up(keep=not passed)
        servers.stop(keep=not passed)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
