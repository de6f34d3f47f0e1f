"""What `bench/compare` compares: Heliograph and its peers, each started and stopped for its turn."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import copy_floor

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests" / "Chaos"))
from engine import Engine, EngineError, free_port  # noqa: E402, F401

# A beacon that a peer has to show in Redis before its turn counts for anything.
PROBE = {"d": "probe", "w": "window", "e": [{"n": 1, "t": "pv"}, {"n": 2, "t": "ck"}]}
PEERS = REPOSITORY / "bench" / "peers"
ENVIRONMENT = REPOSITORY / ".build-bench" / "venv"
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 10
POLL_SECONDS = 0.05
PACKAGES = ["fastapi", "uvicorn[standard]", "redis[hiredis]", "orjson"]
DEBIAN = ["nginx", "redis-server", "libnginx-mod-http-lua", "lua-nginx-redis", "lua-cjson"]
MODULES = Path("/usr/lib/nginx/modules")


class Missing(Exception):
    """A program that a subject needs is not there; the text says how to get it."""


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise Missing(f"{name} is not installed: bench/compare --set-up installs it")
    return found


def set_up() -> None:
    """Installs what the peers are made of: Debian's packages, and PyPI's in a folder of their own."""
    if os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *DEBIAN], check=True)
    else:
        print("not root: install yourself", *DEBIAN)
    if not (ENVIRONMENT / "bin" / "uvicorn").exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([str(ENVIRONMENT / "bin" / "pip"), "install", "-q", *PACKAGES], check=True)


class Subject:
    """A server with one port and some processes, in a folder of its own while it runs."""

    name = ""
    title = ""

    def __init__(self):
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="heliograph-peer-"))
        self.running: dict[str, subprocess.Popen] = {}

    def spawn(self, name: str, words: list[str], environment: dict | None = None) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                env={**os.environ, **(environment or {})})

    def launch(self) -> None:
        raise NotImplementedError

    def start(self) -> None:
        self.launch()
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.answers():
                return
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise Missing(f"{self.title}: {name} ended: {self.words(name)}")
            time.sleep(POLL_SECONDS)
        raise Missing(f"{self.title} does not answer")

    def words(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-600:]

    def answers(self) -> bool:
        """Any answer will do, also that there is nothing at this path."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=1).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def arguments(self) -> list[str]:
        """How heliograph-bench finds it."""
        words = ["--server", f"http://127.0.0.1:{self.port}"]
        for name, process in self.running.items():
            words += ["--process", f"{name}={process.pid}"]
        return words

    def copy_rows_per_second(self) -> float | None:
        """What its database takes at best; None where there is none."""
        return None

    def stop(self) -> None:
        for process in reversed(self.running.values()):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn_redis(self) -> str:
        socket = str(self.folder / "redis.sock")
        self.spawn("redis", [program("redis-server"), "--port", "0", "--unixsocket", socket,
                             "--save", "", "--appendonly", "no", "--dir", str(self.folder)])
        deadline = time.monotonic() + START_SECONDS_MAX
        while not os.path.exists(socket) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        # nginx' workers run as another user.
        self.folder.chmod(0o755)
        os.chmod(socket, 0o777)
        return socket


NGINX = """daemon off;
{modules}
worker_processes {workers};
error_log {folder}/error.log error;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_buffer_size 64k;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        {server}
    }}
}}
"""


class Peer(Subject):
    """One that does with a beacon what the others do, and proves it with one."""

    def start(self) -> None:
        super().start()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/e", method="POST",
                                         data=json.dumps(PROBE).encode())
        with urllib.request.urlopen(request, timeout=START_SECONDS_MAX) as answer:
            status = answer.status
        socket = str(self.folder / "redis.sock")
        ask = [program("redis-cli"), "-s", socket, "--raw"]
        found = [subprocess.run([*ask, *words], capture_output=True, text=True, check=True,
                                timeout=START_SECONDS_MAX).stdout.split()
                 for words in (["HMGET", "v:probe", "last", "events"], ["DBSIZE"])]
        # The hash, and a key for each of the two events.
        if (status, found) != (204, [["ck", "2"], ["3"]]):
            raise Missing(f"{self.title} does not do its work: {status}, {found}")


class Floor(Subject):
    name, title = "nginx", "nginx `return 204`"

    def launch(self) -> None:
        self.configure("", "", "location / { return 204; }")

    def configure(self, modules: str, http: str, server: str) -> None:
        path = self.folder / "nginx.conf"
        path.write_text(NGINX.format(modules=modules, workers=os.cpu_count(), folder=self.folder,
                                     port=self.port, http=http, server=server))
        self.spawn("nginx", [program("nginx"), "-c", str(path), "-p", str(self.folder),
                             "-e", str(self.folder / "error.log")])


class Lua(Peer, Floor):
    name, title = "lua", "nginx + Lua + Redis"

    def launch(self) -> None:
        wanted = [MODULES / "ndk_http_module.so", MODULES / "ngx_http_lua_module.so"]
        if not all(path.exists() for path in wanted):
            raise Missing("nginx has no Lua module: bench/compare --set-up installs it")
        socket = self.spawn_redis()
        self.configure(
            "".join(f"load_module {path};\n" for path in wanted),
            'lua_package_path "/usr/share/lua/5.1/?.lua;;";\n'
            'lua_package_cpath "/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;;";',
            f"set $redis_socket {socket};\n"
            "location = / { return 204; }\n"
            f"location /v1/e {{ content_by_lua_file {PEERS}/lua/take.lua; }}")


class FastAPI(Peer):
    name, title = "fastapi", "FastAPI + uvicorn + Redis"

    def launch(self) -> None:
        uvicorn = ENVIRONMENT / "bin" / "uvicorn"
        if not uvicorn.exists():
            raise Missing("uvicorn is not there: bench/compare --set-up installs it")
        socket = self.spawn_redis()
        self.spawn(
            "uvicorn",
            [str(uvicorn), "fastapi_peer:app", "--app-dir", str(PEERS), "--host", "127.0.0.1",
             "--port", str(self.port), "--workers", str(os.cpu_count()), "--loop", "uvloop",
             "--http", "httptools", "--no-access-log", "--log-level", "warning"],
            {"PEER_REDIS": socket, "PYTHONDONTWRITEBYTECODE": "1"})


class Hummingbird(Subject):
    name, title = "hummingbird", "Hummingbird, doing nothing"
    binary = ".build/release/hummingbird-peer"

    def launch(self) -> None:
        if not Path(self.binary).exists():
            raise Missing(f"{self.binary} is not built: "
                          "swift build -c release --product hummingbird-peer")
        self.spawn("hummingbird", [str(Path(self.binary).resolve()), str(self.port)])


class Heliograph:
    """The engine, with stores of its own, under the interface of a subject."""

    name, title = "heliograph", "Heliograph"
    binary = ".build/release/heliograph"
    settings = ""
    wrapper: list[str] = []

    def __init__(self):
        if not Path(self.binary).exists():
            raise Missing(f"{self.binary} is not built: swift build -c release --product heliograph")
        self.engine = Engine(self.binary, settings=self.settings, wrapper=self.wrapper)

    def start(self) -> None:
        self.engine.start()

    def arguments(self) -> list[str]:
        return ["--addresses", str(self.engine.addresses_file), "--saturation-fraction", "0"]

    def copy_rows_per_second(self) -> float:
        return copy_floor.rows_per_second(self.engine.addresses()["postgres"])

    def stop(self) -> None:
        try:
            self.engine.stop()
        finally:
            self.engine.clean_up()


ALL = {subject.name: subject for subject in (Floor, Heliograph, FastAPI, Lua, Hummingbird)}
