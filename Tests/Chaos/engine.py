"""A running engine in a folder of its own: started, killed, restarted and stopped by a test."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import stores

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 10
# The scoring file and the SDK are found from here, as they are when a person starts the engine.
REPOSITORY = Path(__file__).resolve().parents[2]
SYSTEM_FOLDER = Path("/var/lib/heliograph")
REFUSED = re.compile(r'^heliograph_requests_refused_total\{reason="([^"]+)"\} (\d+)', re.MULTILINE)
FOLDER_PREFIX = "heliograph-chaos-"


class EngineError(Exception):
    """The engine did not do what a test needs to go on; the text says what to look at."""


def free_port() -> int:
    """A port that is free now. Ports stay the same over restarts, as a site's address does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Engine:
    """One engine with its own folder, ports, and private Redis and PostgreSQL."""

    def __init__(self, binary: str, environment: dict[str, str] | None = None,
                 wrapper: list[str] | None = None, settings: str = ""):
        self.binary = Path(binary).resolve()
        if not self.binary.is_file():
            raise EngineError(f"no engine at {self.binary}: "
                              "build it with 'swift build -c release --product heliograph'")
        self.folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
        # PostgreSQL runs as another user when the test runs as root and must reach its socket.
        self.folder.chmod(0o755)
        self.data = self.folder / "var"
        self.log = self.folder / "engine.log"
        self.ingest_port = free_port()
        self.companion_port = free_port()
        self.config = self.folder / "heliograph.yaml"
        self.write_settings(settings)
        self.environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no", **(environment or {})}
        self.wrapper = wrapper or []
        self.process: subprocess.Popen | None = None
        self.starts = 0
        # Addresses of stores that are not the engine's own, for the judge.
        self.direct: dict[str, str] = {}
        self.postgres_folder: Path | None = None

    def write_settings(self, settings: str) -> None:
        self.config.write_text(f"ingest:\n  port: {self.ingest_port}\n"
                               f"companion:\n  port: {self.companion_port}\n{settings}")

    # ---- starting -------------------------------------------------------------------------------

    def launch(self) -> None:
        """Starts the program and returns at once."""
        command = [*self.wrapper, str(self.binary), "up", "--config", str(self.config),
                   "--data", str(self.data)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=self.environment, cwd=REPOSITORY, start_new_session=True)
        self.starts += 1

    def start(self) -> float:
        """Starts the program, waits until it is ready, and returns how long that took."""
        began = time.monotonic()
        self.launch()
        self.wait_ready()
        return time.monotonic() - began

    def wait_ready(self, seconds: float = READY_SECONDS_MAX) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process and self.process.poll() is not None:
                raise EngineError(f"the engine exited with {self.process.returncode} while "
                                  f"starting; its last words:\n{self.last_words()}")
            if self.is_current() and self.status("/readyz") == 200:
                self.find_postgres_folder()
                return
            time.sleep(0.02)
        raise EngineError(f"not ready within {seconds} s; its last words:\n{self.last_words()}")

    def is_current(self) -> bool:
        """Whether addresses.json is of the process that runs now, not of the one before."""
        try:
            pid = self.addresses()["pid"]
        except (OSError, ValueError, KeyError):
            return False
        return bool(self.process) and (bool(self.wrapper) or pid == self.process.pid)

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.ingest + path, timeout=1) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def refusals(self, *reasons: str) -> int:
        """Requests that this process has refused for one of the reasons."""
        try:
            with urllib.request.urlopen(self.ingest + "/metrics", timeout=2) as answer:
                text = answer.read().decode()
        except OSError:
            return 0
        return sum(int(count) for reason, count in REFUSED.findall(text) if reason in reasons)

    # ---- where things are -----------------------------------------------------------------------

    @property
    def ingest(self) -> str:
        return f"http://127.0.0.1:{self.ingest_port}"

    @property
    def companion(self) -> str:
        return f"http://127.0.0.1:{self.companion_port}"

    def companion_request(self, path: str) -> urllib.request.Request:
        """A question to the companion with the token of whoever runs the engine."""
        return urllib.request.Request(self.companion + path, headers=self.companion_headers())

    def companion_headers(self) -> dict[str, str]:
        token = (self.data / "companion-token").read_text()
        return {"Authorization": f"Bearer {token}"}

    @property
    def addresses_file(self) -> Path:
        return self.data / "addresses.json"

    def addresses(self) -> dict:
        return {**json.loads(self.addresses_file.read_text()), **self.direct}

    def last_words(self, lines: int = 25) -> str:
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    # ---- ending ---------------------------------------------------------------------------------

    def kill(self) -> None:
        """The end that no program can prepare for. Its private stores go on running."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> float:
        """Asks the engine to drain and leave; returns how long it took."""
        if not self.process or self.process.poll() is not None:
            return 0.0
        began = time.monotonic()
        pid = self.addresses()["pid"] if self.wrapper else self.process.pid
        os.kill(pid, signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX + 5)
        except subprocess.TimeoutExpired:
            raise EngineError(f"still running {STOP_SECONDS_MAX + 5} s after SIGTERM; "
                              f"its last words:\n{self.last_words()}") from None
        return time.monotonic() - began

    def clean_up(self, keep: bool = False) -> None:
        """Ends whatever still runs for this folder, and removes the folder unless kept."""
        self.kill()
        for pid in self.private_servers():
            _end(pid)
        if keep:
            print(f"kept for a look: {self.folder}")
            return
        for postgres in self.system_folders():
            shutil.rmtree(postgres, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def private_servers(self) -> list[int]:
        """The Redis and PostgreSQL servers whose working folder belongs to this engine."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                folder = os.readlink(entry / "cwd")
            except OSError:
                continue
            is_server = "redis-server" in command or "postgres" in command
            if is_server and any(folder == str(root) or folder.startswith(f"{root}/")
                                 for root in [self.folder, *self.system_folders()]):
                found.append(int(entry.name))
        return found

    def system_folders(self) -> list[Path]:
        """PostgreSQL's folder outside ours: where its data goes when root starts the engine."""
        return [self.postgres_folder] if self.postgres_folder else []

    def find_postgres_folder(self) -> None:
        if self.postgres_folder or self.direct or not SYSTEM_FOLDER.is_dir():
            return
        data = Path(stores.query(self.addresses()["postgres"], "SHOW data_directory")[0][0])
        if data.is_relative_to(SYSTEM_FOLDER):
            self.postgres_folder = SYSTEM_FOLDER / data.relative_to(SYSTEM_FOLDER).parts[0]


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
