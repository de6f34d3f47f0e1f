"""A small disk for the engine's files, which a test may fill; and a clock that it may set."""

import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

MIB = 1 << 20
SHIM = Path(__file__).resolve().parent / "clock_shim.c"
STANDS_STILL = -(1 << 63)


class SmallDisk:
    """A file system in memory. Needs to be root, or sudo that does not ask."""

    def __init__(self, mebibytes: int):
        self.folder = Path(tempfile.mkdtemp(prefix="heliograph-disk-"))
        self.folder.chmod(0o755)
        subprocess.run([*as_root(), "mount", "-t", "tmpfs", "-o",
                        f"size={mebibytes}m,mode=0755,uid={os.geteuid()}", "none",
                        str(self.folder)], check=True)
        self.ballast = self.folder / "ballast"

    def free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, leave_bytes: int) -> None:
        """Takes all room but so much, whatever the engine has taken meanwhile."""
        grow = self.free() - leave_bytes
        if grow <= 0:
            return
        with self.ballast.open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), grow)

    def clear(self) -> None:
        self.ballast.unlink(missing_ok=True)

    def end(self) -> None:
        subprocess.run([*as_root(), "umount", "-l", str(self.folder)], check=False)
        self.folder.rmdir()


def as_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo", "-n"]


def may_mount() -> bool:
    """Tried out, because a container's root may not."""
    try:
        SmallDisk(1).end()
        return True
    except (OSError, subprocess.CalledProcessError):
        return False


class WallClock:
    """The wall clock of one engine, moved by hand; its monotonic clock goes on."""

    def __init__(self, folder: Path):
        self.file = folder / "clock"
        self.library = folder / "clock.so"
        self.set(0)
        compiler = shutil.which("cc") or shutil.which("clang")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", str(self.library), str(SHIM)],
                       check=True)

    def set(self, milliseconds: int) -> None:
        """How far the engine's clock is ahead of ours."""
        self._write(milliseconds)

    def stop_at(self, epoch_milliseconds: int) -> None:
        self._write(STANDS_STILL + epoch_milliseconds)

    def _write(self, value: int) -> None:
        # In place: the engine has the file's page mapped.
        with open(os.open(self.file, os.O_CREAT | os.O_WRONLY, 0o644), "wb") as file:
            file.write(struct.pack("<q", value))

    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "HELIOGRAPH_TEST_CLOCK": str(self.file)}


def may_compile() -> bool:
    return bool(shutil.which("cc") or shutil.which("clang"))
