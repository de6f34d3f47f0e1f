#!/usr/bin/python3
"""Rounds of the oracle with fresh seeds, for hours; goes on where it was left.

    long_run.py --hours 8 --folder var/chaos [--seed S] [--passes P] --binary FILE

After each round the state is written, so that Ctrl-C, a reboot or a full terminal costs one round
at most; the same command goes on. `report.md` and `report.json` in the folder hold what all rounds
together showed: promises kept, what was looked at, and how often each fault was hit.
"""

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

from oracle import FAULT_SECONDS, perform_round

STATE, REPORT, REPORT_DATA = "state.json", "report.md", "report.json"


class Diary:
    """What the rounds so far have shown, on disk."""

    def __init__(self, folder: Path, seed: int | None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / STATE
        self.state = {"seed": seed or int(time.time()), "seconds": 0.0, "rounds": []}
        if self.file.exists():
            found = json.loads(self.file.read_text())
            if seed not in (None, found["seed"]):
                sys.exit(f"long_run: {self.file} is of seed {found['seed']}: "
                         "leave --seed out to go on, or take another --folder")
            self.state = found

    def next_seed(self) -> int:
        return self.state["seed"] * 1000 + len(self.state["rounds"])

    def write(self, verdict, seed: int, seconds: float) -> None:
        self.state["seconds"] += seconds
        self.state["rounds"].append({
            "seed": seed, "seconds": round(seconds, 1),
            "passed": bool(verdict and verdict.passed),
            "checks": verdict.checks if verdict else [],
            "figures": verdict.figures if verdict else {}})
        for name, text in ((STATE, json.dumps(self.state)),
                           (REPORT_DATA, json.dumps(self.totals(), indent=1)),
                           (REPORT, self.page())):
            unfinished = self.folder / f"{name}.new"
            unfinished.write_text(text)
            os.replace(unfinished, self.folder / name)

    def totals(self) -> dict:
        checks: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        faults: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for this in self.state["rounds"]:
            for check in this["checks"]:
                checks[check["check"]][0] += check["looked_at"]
                checks[check["check"]][1] += check["wrong"]
            for name, found in this["figures"].get("faults by kind", {}).items():
                for place, count in enumerate(found.values()):
                    faults[name][place] += count
        rounds = self.state["rounds"]
        return {
            "seed": self.state["seed"], "hours": round(self.state["seconds"] / 3600, 2),
            "rounds": len(rounds), "rounds failed": [r["seed"] for r in rounds if not r["passed"]],
            "slowest acknowledgement (ms)": max(
                (r["figures"].get("slowest acknowledgement (ms)", 0) for r in rounds), default=0),
            "longest until ready again (s)": max(
                (r["figures"].get("ready again, longest (s)") or 0 for r in rounds), default=0),
            "checks": {name: {"looked at": count, "wrong": wrong}
                       for name, (count, wrong) in checks.items()},
            "faults": {name: {"hit": hit, "not hit": missed, "events acknowledged": events}
                       for name, (hit, missed, events) in sorted(faults.items())},
        }

    def page(self) -> str:
        totals = self.totals()
        hits = sum(fault["hit"] for fault in totals["faults"].values())
        lines = [
            "# Chaos report", "",
            f"{totals['rounds']} rounds in {totals['hours']} hours from seed {totals['seed']}, "
            f"{hits} faults, {len(totals['rounds failed'])} rounds failed"
            + (f" (seeds {totals['rounds failed']})" if totals["rounds failed"] else "") + ".", "",
            f"Longest until ready again {totals['longest until ready again (s)']} s, slowest "
            f"acknowledgement {totals['slowest acknowledgement (ms)']} ms.", "",
            "| promise | looked at | wrong |", "|---|---:|---:|"]
        lines += [f"| {name} | {found['looked at']} | {found['wrong']} |"
                  for name, found in totals["checks"].items()]
        lines += ["", "| fault | hit | not hit | events acknowledged meanwhile |",
                  "|---|---:|---:|---:|"]
        lines += [f"| {name} | {found['hit']} | {found['not hit']} "
                  f"| {found['events acknowledged']} |" for name, found in totals["faults"].items()]
        return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--hours", type=float, required=True, help="in all, earlier runs included")
    parser.add_argument("--folder", type=Path, default=Path("var/chaos"))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--passes", type=int, default=2, help="of every fault in a round")
    parser.add_argument("--fault-seconds", type=float, nargs=2, default=FAULT_SECONDS)
    parser.set_defaults(keep=False, json=None)
    arguments = parser.parse_args()
    diary = Diary(arguments.folder, arguments.seed)
    while diary.state["seconds"] < arguments.hours * 3600:
        seed, began = diary.next_seed(), time.monotonic()
        print(f"\nround {len(diary.state['rounds']) + 1}, seed {seed}, "
              f"{diary.state['seconds'] / 3600:.2f} of {arguments.hours} hours", flush=True)
        verdict, _ = perform_round(arguments, seed)
        diary.write(verdict, seed, time.monotonic() - began)
    failed = diary.totals()["rounds failed"]
    print(f"\n{diary.folder / REPORT} is written; "
          f"{len(diary.state['rounds']) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nlong_run: the same command goes on from the last finished round")
        sys.exit(130)
