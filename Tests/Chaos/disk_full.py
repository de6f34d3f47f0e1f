#!/usr/bin/python3
"""Fills the engine's disk under load: refused with 503 and Retry-After, nothing acknowledged lost.

    disk_full.py --form file-system     others take the room; accepted again ≤ 5 s after they leave
    disk_full.py --form budget          PostgreSQL is away until the journal's budget is spent

The first needs to be root (it mounts a small file system in memory). Its traffic holds nothing that
would be taken to the last: the engine must find out by itself that there is room again. The second
watches the order in which batches are refused: page summaries of unknown visitors, then what is
ordinary, conversions last.
"""

import sys
import time
from dataclasses import dataclass, field

import stores
from disks import MIB, SmallDisk, may_mount
from judge import Verdict
from scene import SETTINGS, Scene, arguments_parser, perform
from traffic import Connection
from visits import Visitor, page_summary, page_view

DISK_MEBIBYTES = 128
FREE_AT_FIRST_BYTES = 20 * MIB
FULL_SECONDS = 6
ACCEPTED_AGAIN_SECONDS_MAX = 5
WAIT_SECONDS_MAX = 180
JOURNAL = "journal:\n  segment_bytes: 4194304\n  disk_budget_bytes: "
BUDGETS = {"file-system": 1 << 30, "budget": 32 * MIB}
# What the senders leave out, and their pause: in the first form they send nothing that is taken to
# the last, in the second nothing else, or they would never spend the last of the budget.
LEFT_OUT = {"file-system": "cu", "budget": "pv ps ck fm nv"}
PAUSE_SECONDS = {"file-system": 0.02, "budget": 0.004}
CLASSES = ("summaries", "ordinary", "conversions")


@dataclass
class Probes:
    """Single batches of each class from visitors that nobody has seen, one after the other."""

    port: int
    classes: tuple[str, ...] = CLASSES
    sent: dict[str, str] = field(default_factory=dict)      # window: status
    last: dict[str, str] = field(default_factory=dict)      # class: its latest status
    refused_first: list[str] = field(default_factory=list)  # classes as their first refusal came

    def send_each(self) -> None:
        for name in self.classes:
            status = self.send(name)
            self.last[name] = status
            if status == "503" and name not in self.refused_first:
                self.refused_first.append(name)

    def send(self, name: str) -> str:
        visitor = Visitor(time.time_ns())
        visitor.consent = 7
        batch = visitor.next_batch()
        r = visitor.random
        content = {"summaries": ("ps", page_summary(r)), "ordinary": ("pv", page_view(r)),
                   "conversions": ("cu", {"name": "purchase", "props": {"value": 1}})}[name]
        batch.list = [{"n": 1, "t": content[0], "o": 1000, "p": 1, **content[1]}]
        status, _ = Connection(self.port).post("/v1/e", batch.body())
        self.sent[visitor.window] = status
        return status

    def judge(self, verdict: Verdict, address: str) -> None:
        rows = dict(stores.query(
            address, "SELECT window_id, count(*) FROM heliograph.event WHERE window_id = ANY(%s)"
            " GROUP BY 1", (list(self.sent),)))
        acknowledged = [w for w, status in self.sent.items() if status == "204"]
        verdict.add("acknowledged probes are there once", len(acknowledged),
                    [w for w in acknowledged if rows.get(w) != 1], 10)
        verdict.add("refused probes are nowhere", len(self.sent) - len(acknowledged),
                    [w for w, status in self.sent.items() if status == "503" and w in rows], 10)


def wait_for(probes: Probes, happened) -> float:
    began = time.monotonic()
    while not happened() and time.monotonic() - began < WAIT_SECONDS_MAX:
        probes.send_each()
        time.sleep(0.05)
    return time.monotonic() - began


def all_are(probes: Probes, status: str) -> bool:
    return len(probes.last) == len(probes.classes) and set(probes.last.values()) == {status}


def fill_file_system(scene: Scene, verdict: Verdict, probes: Probes, disk: SmallDisk) -> None:
    # With PostgreSQL there, the engine would make room by letting go of what it has stored.
    scene.stores.postgres.kill()
    disk.fill(FREE_AT_FIRST_BYTES)
    scene.crowd.enter(1)
    seconds = wait_for(probes, lambda: probes.last.get("ordinary") == "503")
    scene.say(f"full after {seconds:.1f} s, {disk.free() // MIB} MiB are left")
    disk.fill(1 * MIB)
    scene.crowd.enter(2)
    time.sleep(FULL_SECONDS)
    judge_full(scene, verdict)
    disk.clear()
    scene.crowd.enter(3)
    judge_again(scene, verdict, wait_for(probes, lambda: probes.last.get("ordinary") == "204"))
    scene.stores.postgres.start()


def spend_budget(scene: Scene, verdict: Verdict, probes: Probes, _) -> None:
    scene.stores.postgres.kill()
    scene.crowd.enter(1)
    seconds = wait_for(probes, lambda: all_are(probes, "503"))
    scene.say(f"spent after {seconds:.1f} s; refused in this order: {probes.refused_first}")
    verdict.add("what is missed least is refused first", len(probes.refused_first),
                [] if tuple(probes.refused_first) == CLASSES else [str(probes.refused_first)],
                len(CLASSES))
    scene.crowd.enter(2)
    time.sleep(FULL_SECONDS)
    judge_full(scene, verdict)
    scene.stores.postgres.start()
    scene.crowd.enter(3)
    came_back = time.monotonic()
    wait_for(probes, lambda: all_are(probes, "204"))
    seconds = time.monotonic() - came_back
    verdict.figures["everything accepted again after PostgreSQL came back (s)"] = round(seconds, 1)
    verdict.add("everything is accepted again", 1, [] if all_are(probes, "204") else
                [f"after {seconds:.0f} s: {probes.last}"])


def judge_full(scene: Scene, verdict: Verdict) -> None:
    good, bad = scene.crowd.answers(2)
    verdict.figures["while it was full"] = f"{good} acknowledged, {bad} refused"
    # The journal's last segment may still have room for a moment.
    verdict.add("beacons are refused while it is full", bad, [], 10)
    verdict.add("readiness says no", 1, [] if scene.engine.status("/readyz") == 503 else
                [str(scene.engine.status("/readyz"))])
    verdict.add("the engine lives", 1,
                [] if scene.engine.process.poll() is None else ["it has ended"])


def judge_again(scene: Scene, verdict: Verdict, seconds: float) -> None:
    scene.say(f"accepted again after {seconds:.1f} s")
    verdict.figures["accepted again after (s)"] = round(seconds, 2)
    verdict.add(f"accepted again within {ACCEPTED_AGAIN_SECONDS_MAX} s of room", 1,
                [] if seconds <= ACCEPTED_AGAIN_SECONDS_MAX else [f"{seconds:.1f} s"])


def main() -> int:
    parser = arguments_parser(__doc__)
    parser.add_argument("--form", choices=BUDGETS, required=True)
    arguments = parser.parse_args()
    on_disk = arguments.form == "file-system"
    if on_disk and not may_mount():
        print("disk_full: left out: no small disk may be mounted here")
        return 0
    disk = SmallDisk(DISK_MEBIBYTES) if on_disk else None
    scene = Scene(arguments.binary, arguments.seed, pause=PAUSE_SECONDS[arguments.form],
                  settings=f"{SETTINGS}{JOURNAL}{BUDGETS[arguments.form]}\n",
                  data=disk.folder / "var" if disk else None, without=LEFT_OUT[arguments.form])

    def act(scene: Scene, verdict: Verdict) -> None:
        probes = Probes(scene.engine.ingest_port, CLASSES[:2] if on_disk else CLASSES)
        time.sleep(2)
        (fill_file_system if on_disk else spend_budget)(scene, verdict, probes, disk)
        time.sleep(3)
        scene.quiet()
        scene.judge(verdict, 1000, ignored=set(probes.sent))
        probes.judge(verdict, scene.stores.postgres.address)

    try:
        verdict = perform(f"disk-full-{arguments.form}", arguments, scene, act)
    finally:
        if disk:
            disk.end()
    return 0 if verdict and verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
