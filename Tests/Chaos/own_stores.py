"""A Redis and a PostgreSQL of the test's own, which it may kill, freeze and set back at will.

They are set up as the engine sets up its private ones. The engine reaches them through proxies and
the judge directly.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import stores
from fault_proxy import FaultProxy, PostgresReplies, RedisReplies

READY_SECONDS_MAX = 60
POSTGRES_USER = "postgres"
REDIS_SETTINGS = """port 0
unixsocket "{folder}/redis.sock"
unixsocketperm 700
daemonize no
dir "{folder}"
logfile "{folder}/redis.log"
databases 1
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
hash-max-listpack-value 1024
auto-aof-rewrite-percentage 0
"""
POSTGRES_SETTINGS = """listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 50
shared_buffers = 128MB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
jit = off
timezone = 'UTC'
lc_messages = 'C'
"""


class StoreError(Exception):
    """A store of the test's own did not start."""


class OwnServer:
    """A process that is started, killed, frozen, and started again over the same files."""

    def __init__(self, folder: Path, name: str):
        self.folder = folder
        self.name = name
        self.process: subprocess.Popen | None = None

    def launch(self, command: list[str]) -> None:
        with (self.folder / "server.out").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, cwd=self.folder,
                                            start_new_session=True)

    def wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        trouble = "never asked"
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.start_process()
            try:
                return self.ask()
            except Exception as error:  # any trouble means: not yet
                trouble = str(error).strip()
                time.sleep(0.05)
        raise StoreError(f"{self.name} does not answer in {READY_SECONDS_MAX} s: {trouble}")

    def start(self) -> None:
        if not self.process or self.process.poll() is not None:
            self.start_process()
        self.wait()

    def pids(self) -> list[int]:
        return [self.process.pid, *children(self.process.pid)]

    def send(self, what: signal.Signals) -> None:
        for pid in self.pids():
            try:
                os.kill(pid, what)
            except ProcessLookupError:
                pass

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.send(signal.SIGKILL)
            self.process.wait()


class OwnRedis(OwnServer):
    def __init__(self, folder: Path):
        super().__init__(folder, "Redis")
        folder.mkdir()
        (folder / "redis.conf").write_text(REDIS_SETTINGS.format(folder=folder))
        self.url = f"unix://{folder}/redis.sock"

    def start_process(self) -> None:
        self.launch(["redis-server", str(self.folder / "redis.conf")])

    def ask(self) -> None:
        client = stores.Redis(self.url)
        try:
            client.call("PING")
        finally:
            client.close()

    def flush(self) -> None:
        client = stores.Redis(self.url)
        client.call("FLUSHALL")
        client.close()

    def snapshot(self) -> None:
        """Keeps what is on disk now. The file that is being written to may end in half a command,
        as it does after a power cut; Redis reads up to there."""
        kept = self.folder / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.folder / "appendonlydir", kept)

    def restore(self) -> None:
        """Dies, and comes back as it was at the last snapshot."""
        self.kill()
        shutil.rmtree(self.folder / "appendonlydir")
        shutil.copytree(self.folder / "kept", self.folder / "appendonlydir")
        self.start()


class OwnPostgres(OwnServer):
    def __init__(self, folder: Path):
        super().__init__(folder, "PostgreSQL")
        folder.mkdir()
        self.data = folder / "data"
        self.address = f"host='{folder}' port=5432 user=heliograph dbname=postgres"
        if os.geteuid() == 0:
            user = pwd.getpwnam(POSTGRES_USER)
            os.chown(folder, user.pw_uid, user.pw_gid)
        subprocess.run([*self.as_user(), program("initdb"), f"--pgdata={self.data}",
                        "--username=heliograph", "--auth=trust", "--encoding=UTF8",
                        "--locale=C", "--no-instructions", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd=folder)
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(POSTGRES_SETTINGS.format(folder=folder))

    def as_user(self) -> list[str]:
        """PostgreSQL refuses root."""
        if os.geteuid() != 0:
            return []
        return ["setpriv", f"--reuid={POSTGRES_USER}", f"--regid={POSTGRES_USER}",
                "--init-groups", "--"]

    def start_process(self) -> None:
        self.launch(["nice", "-n", "5", *self.as_user(), program("postgres"),
                     "-D", str(self.data)])

    def ask(self) -> None:
        stores.query(self.address, "SELECT 1")


class Stores:
    """Both stores, each behind a proxy, and what an engine's settings say of them."""

    def __init__(self, folder: Path):
        self.redis = OwnRedis(folder / "redis")
        self.postgres = OwnPostgres(folder / "postgres")
        self.redis_proxy = FaultProxy("Redis", f"{self.redis.folder}/redis.sock", RedisReplies)
        self.postgres_proxy = FaultProxy(
            "PostgreSQL", f"{self.postgres.folder}/.s.PGSQL.5432", PostgresReplies)

    def start(self) -> None:
        for server in (self.redis, self.postgres):
            server.start()
        for proxy in (self.redis_proxy, self.postgres_proxy):
            proxy.start()

    def settings(self) -> str:
        return (f"redis:\n  url: redis://127.0.0.1:{self.redis_proxy.port}/0\n"
                "postgres:\n  url: postgresql://heliograph@127.0.0.1:"
                f"{self.postgres_proxy.port}/postgres?sslmode=disable&gssencmode=disable\n")

    def direct(self) -> dict[str, str]:
        """Where the judge finds them, past the proxies."""
        return {"redis": self.redis.url, "postgres": self.postgres.address}

    def heal(self) -> None:
        for server in (self.redis, self.postgres):
            if server.process and server.process.poll() is None:
                server.send(signal.SIGCONT)
            server.start()
        for proxy in (self.redis_proxy, self.postgres_proxy):
            proxy.heal()

    def end(self) -> None:
        for server in (self.redis, self.postgres):
            server.kill()


def program(name: str) -> str:
    found = shutil.which(name)
    if found:
        return found
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).is_file():
            return str(folder / name)
    raise StoreError(f"{name} was not found: run ./deploy/setup test")


def children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            stat = (entry / "stat").read_text() if entry.name.isdigit() else ""
        except OSError:
            continue
        if stat and int(stat.rpartition(")")[2].split()[1]) == parent:
            found.append(int(entry.name))
    return found
