#!/usr/bin/python3
"""deploy/heliograph.service and deploy/Dockerfile: shut in, and still enough for the engine to run.

    service_unit.py --binary .build/release/heliograph

systemd does not run here as a rule, so its parts are tried one by one: systemd-analyze judges and
verifies the unit; the engine runs with what the unit denies denied (no new privileges, no memory that
is writable and executable, no core files) and is asked to be ready, as Type=notify wants it; every
system call that it and its servers make is in the unit's filter; what the program is linked with is
what the container installs.
"""

import argparse
import ctypes
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))

from engine import REPOSITORY, Engine, EngineError  # noqa: E402
from judge import Verdict, wait_for_rows  # noqa: E402
from traffic import Crowd  # noqa: E402

UNIT = REPOSITORY / "deploy" / "heliograph.service"
DOCKERFILE = REPOSITORY / "deploy" / "Dockerfile"
EXPOSURE_MAX = 2.0
# prctl(2); the second since Linux 6.3, elsewhere it changes nothing.
NO_NEW_PRIVILEGES, REFUSE_EXEC_GAIN = 38, 65

# Made so often that tracing them would take most of the test's time; taken for made.
COMMON_CALLS = {"read", "write", "pread64", "pwrite64", "lseek", "openat", "close", "fstat",
                "newfstatat", "mmap", "munmap", "futex", "epoll_wait", "epoll_ctl", "recvfrom",
                "sendto", "rt_sigprocmask", "rt_sigaction", "clock_nanosleep", "fdatasync",
                "readlink", "brk", "getdents64", "mprotect"}


def run_tool(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def check_unit(verdict: Verdict, binary: Path) -> None:
    if not shutil.which("systemd-analyze"):
        print("    systemd-analyze is not here: the unit is not judged by it")
        return
    result = run_tool("systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
    exposure = float(found.group(1)) if found else 10.0
    verdict.add("systemd-analyze security", 1,
                [] if exposure <= EXPOSURE_MAX else [f"{exposure}: {result.stderr}"])
    verdict.figures["exposure"] = exposure
    with tempfile.TemporaryDirectory() as folder:
        # The program is not installed here: everything else is as it is.
        text = UNIT.read_text().replace("/usr/local/lib/heliograph/heliograph", str(binary))
        copy = Path(folder) / UNIT.name
        copy.write_text(text)
        result = run_tool("systemd-analyze", "verify", "--man=no", str(copy))
        said = [line for line in (result.stdout + result.stderr).splitlines()
                if UNIT.name in line]
    verdict.add("systemd-analyze verify", 1, said)


# ---- the sandbox -------------------------------------------------------------------------------

def shut_in() -> None:
    """What the unit says, as far as a process can do it to itself. Runs in the child."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.prctl(REFUSE_EXEC_GAIN, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)


class ShutIn(Engine):
    """An engine that is started as the unit starts it, and says when it is ready."""

    def __init__(self, binary: str, trace: Path | None):
        wrapper = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", str(trace), "-e",
                   "trace=!" + ",".join(sorted(COMMON_CALLS)), "-e", "signal=none",
                   "--"] if trace else []
        super().__init__(binary, wrapper=wrapper)
        self.folder.chmod(0o755)
        self.said = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.said.bind("\0heliograph-test-" + self.folder.name)
        self.said.settimeout(30)
        self.environment["NOTIFY_SOCKET"] = "@heliograph-test-" + self.folder.name

    def launch(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, str(self.binary), "up", "--config", str(self.config), "--data",
                 str(self.data)], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=self.environment, cwd=REPOSITORY, start_new_session=True, preexec_fn=shut_in)
        self.starts += 1


def check_sandbox(verdict: Verdict, binary: str) -> None:
    engine = ShutIn(binary, None)
    try:
        engine.start()
        told = engine.said.recv(256)
        verdict.add("says that it is ready", 1, [] if told == b"READY=1" else [str(told)])
        crowd = Crowd(1, engine.ingest_port, senders=2, visitors=50, pause_seconds=0.002)
        crowd.start()
        time.sleep(3)
        crowd.stop()
        _, count = wait_for_rows(engine, crowd.ledger)
        wanted = len(crowd.ledger.acknowledged())
        verdict.add("takes events while shut in", wanted,
                    [] if count == wanted else [f"{count} rows of {wanted} events"], 100)
        status = Path(f"/proc/{engine.process.pid}/status").read_text()
        verdict.add("without new privileges", 1,
                    [] if re.search(r"NoNewPrivs:\s+1", status) else ["NoNewPrivs is 0"])
        verdict.add("stops when told", 1,
                    [f"took {seconds:.1f} s"] if (seconds := engine.stop()) > 10 else [])
        verdict.add("ended in an orderly way", 1,
                    [] if engine.process.returncode == 0 else [str(engine.process.returncode)])
    finally:
        engine.said.close()
        engine.clean_up(keep=not verdict.passed)


def allowed_calls() -> set[str] | None:
    """The calls that the unit's filter lets through, by systemd's own lists."""
    if not shutil.which("systemd-analyze"):
        return None
    filters = re.findall(r"^SystemCallFilter=(~?)(.*)$", UNIT.read_text(), re.MULTILINE)
    calls: set[str] = set()
    for denies, names in filters:
        listed = set().union(*(group(name) for name in names.split()))
        calls = calls - listed if denies else calls | listed
    return calls


def group(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    found: set[str] = set()
    for line in run_tool("systemd-analyze", "syscall-filter", name).stdout.splitlines()[1:]:
        entry = line.strip()
        if entry and not entry.startswith("#"):
            found |= group(entry)
    return found


def check_calls(verdict: Verdict, binary: str) -> None:
    """Calls that the unit refuses fail with EPERM: none that matters may be among them."""
    allowed = allowed_calls()
    if allowed is None or not shutil.which("strace"):
        print("    systemd-analyze or strace is not here: system calls are not compared")
        return
    # strace sees the programs through /proc as well, so the trace lies outside.
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "calls"
        engine = ShutIn(binary, trace)
        try:
            engine.start()
            crowd = Crowd(2, engine.ingest_port, senders=1, visitors=20, pause_seconds=0.02)
            crowd.start()
            time.sleep(2)
            crowd.stop()
            engine.stop()
        finally:
            engine.said.close()
            engine.clean_up()
        made = {found.group(1) for line in trace.read_text(errors="replace").splitlines()
                if (found := re.match(r"\d+ +(?:<\.\.\. )?([a-z_0-9]+)(?:\(| resumed)", line))}
    # As root the private PostgreSQL is started as its own user; the unit's engine is not root.
    as_root = {"setuid", "setgid", "setgroups", "setresuid", "setresgid", "chown", "fchown",
               "fchownat", "setreuid", "setregid", "capset"}
    made |= COMMON_CALLS
    refused = made - allowed - (as_root if os.geteuid() == 0 else set())
    verdict.add("every system call is in the unit's filter", len(made),
                [f"{call} would be refused" for call in sorted(refused)], 40)


# ---- the container -----------------------------------------------------------------------------

def check_container(verdict: Verdict, binary: Path) -> None:
    text = DOCKERFILE.read_text()
    wrong, looked = [], 0
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        for source in line.split():
            looked += 1
            if not (REPOSITORY / source).exists():
                wrong.append(f"COPY {source}: not in the repository")
    stages = re.findall(r"apt-get install.*?\n(.*?)&& rm -rf", text, re.DOTALL)
    packages = [set(re.findall(r"[a-z0-9.+-]{3,}", stage)) - {"rm", "-rf"} for stage in stages]
    if is_the_containers_system():
        for package in set().union(*packages):
            looked += 1
            if run_tool("apt-cache", "show", package).returncode != 0:
                wrong.append(f"no package {package} is known here")
        wrong += unpackaged_libraries(binary, packages[-1])
    else:
        print("    not Debian 12 with package lists: the container's packages are not looked up")
    with tempfile.TemporaryDirectory() as folder:
        settings = run_tool(str(binary), "config", "check",
                            str(container_settings(Path(folder))))
    if settings.returncode != 0:
        wrong.append(f"deploy/container.yaml: {settings.stderr}")
    verdict.add("container: files, packages, libraries, settings", looked, wrong, 6)
    check_health(verdict, text)


def is_the_containers_system() -> bool:
    """Packages have other names elsewhere."""
    system = Path("/etc/os-release").read_text()
    return ("ID=debian" in system and 'VERSION_ID="12"' in system
            and any(Path("/var/lib/apt/lists").glob("*Packages*")))


def container_settings(folder: Path) -> Path:
    """The container's settings beside the files that it puts beside them."""
    for name in ("deploy/container.yaml", "config/scoring.yaml", "config/bots.yaml"):
        shutil.copy(REPOSITORY / name, folder)
    return folder / "container.yaml"


def unpackaged_libraries(binary: Path, installed: set[str]) -> list[str]:
    """Libraries that the program itself asks for and no package of the list brings."""
    needed = re.findall(r"NEEDED\s+(\S+)", run_tool("objdump", "-p", str(binary)).stdout)
    linked = dict(re.findall(r"(\S+) => (\S+) ", run_tool("ldd", str(binary)).stdout))
    wrong = []
    for library in needed:
        path = linked.get(library, "")
        # Swift's own are linked in statically there; these belong to every Debian.
        if "/swift/" in path or re.match(r"(libc|libm|libgcc_s|ld-linux\S*)\.so", library):
            continue
        # Debian's packages name files as they were before /lib became /usr/lib.
        real = os.path.realpath(path)
        owner = "".join(run_tool("dpkg", "-S", name).stdout
                        for name in (real, real.removeprefix("/usr"))).split(":")[0]
        if owner not in installed:
            wrong.append(f"{library} comes with {owner or 'no package'}, which is not installed")
    return wrong


def check_health(verdict: Verdict, text: str) -> None:
    """The health check's own command, against ports that answer 200, 503, and not at all."""
    command = json.loads("[" + re.search(r"HEALTHCHECK.*?CMD \[(.*?)\]\n", text, re.DOTALL)
                         .group(1).replace("\\\n", "") + "]")
    wrong = []
    for status, expected in (("200 OK", 0), ("503 Service Unavailable", 1), (None, 1)):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            if status:
                listener.listen()
            changed = [part.replace("/8600", f"/{port}") for part in command]
            process = subprocess.Popen(changed, stderr=subprocess.DEVNULL)
            if status:
                connection, _ = listener.accept()
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(4096)
                connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
                connection.close()
                if not request.startswith(b"GET /readyz HTTP/1.1\r\nHost: "):
                    wrong.append(f"asked {request[:60]!r}")
            if (process.wait(10) != 0) != (expected != 0):
                wrong.append(f"{status}: exit status {process.returncode}")
    verdict.add("the health check tells ready from not", 3, wrong, 3)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    arguments = parser.parse_args()
    binary = Path(arguments.binary).resolve()
    verdict = Verdict()
    try:
        check_unit(verdict, binary)
        check_sandbox(verdict, str(binary))
        check_calls(verdict, str(binary))
        check_container(verdict, binary)
        verdict.print("service")
    except EngineError as error:
        print(f"\n{error}\n\nservice: 0 passed, 1 failed")
        return 1
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
