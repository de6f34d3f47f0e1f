#!/usr/bin/python3
"""What conversions teach reaches the scores, and is the same however the engine lived.

    learned_likelihood.py --binary .build/release/heliograph

Sessions of a shop where, against the rule, readers of the blog buy and visitors of the checkout do not.
The engine's clock is moved along by the chaos tests' shim; in between the engine is killed, and goes on
with another number of workers. Redis must come to answer by what was learned, `verify` must find every
edition as a fold in one piece makes it, and `rebuild` must write the same likelihoods again.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from disks import WallClock, may_compile  # noqa: E402
from traffic import Connection  # noqa: E402
from verify_rebuild import Scene  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
MINUTE = 60_000
RULES = {"landmarks": "[3]", "horizon": "10m", "merge_every": "10m", "believed_from": "[40, 10]"}
SESSIONS, ROUNDS = 8, 48
# An edition that the rounds lead to for certain, made of enough sessions to be believed.
LEARNED_BY = 5
FIELDS = ("likelihood", "likelihood_low", "likelihood_high", "likelihood_by", "model")


def identifier(*parts: str) -> str:
    """Twenty-two characters of base64url that stand for the parts, the same in every run."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Story(Scene):
    """An engine that learns quickly."""

    def __init__(self, arguments: argparse.Namespace):
        super().__init__(arguments)
        text = (ROOT / "config/scoring.yaml").read_text()
        for key, value in RULES.items():
            text = re.sub(rf"(\n  {key}:) .*", rf"\1 {value}", text)
        self.scoring = self.engine.folder / "scoring.yaml"
        self.scoring.write_text(text)
        self.workers(3)
        self.clock = WallClock(self.engine.folder)
        self.engine.environment |= self.clock.environment()
        self.now = int(time.time() * 1000)
        self.clock.stop_at(self.now)
        # The newest round of visitors.
        self.latest = ROUNDS - 1

    def workers(self, count: int) -> None:
        self.engine.write_settings(f"workers: {count}\nscoring:\n  file: {self.scoring}\n")

    # ---- traffic ------------------------------------------------------------------------------------

    def visit(self, line: Connection, name: str, page: str, buys: bool) -> None:
        views = [{"n": n, "t": "pv", "o": n, "p": n, "u": f"https://shop.example/{page}/{n}"}
                 for n in (1, 2, 3)]
        self.send(line, name, 1, views)
        if buys:
            self.send(line, name, 2, [{"n": 4, "t": "cu", "o": 9, "p": 3, "name": "purchase"}])

    def send(self, line: Connection, name: str, number: int, events: list) -> None:
        batch = {"v": 1, "k": "hg_demo", "b": identifier(name, str(number)), "st": self.now, "mt": 9,
                 "w": identifier("window", name), "q": number, "d": identifier(name),
                 "s": identifier("session", name), "c": 7, "e": events}
        status, said = line.post("/v1/e", json.dumps(batch).encode())
        if status not in ("200", "202", "204"):
            raise SystemExit(f"the engine did not take a beacon: {status} {said!r}")

    def live(self, rounds: range) -> None:
        line = Connection(self.engine.ingest_port)
        for number in rounds:
            for session in range(SESSIONS):
                reads = session % 2 == 0
                self.visit(line, f"v{number}-{session}", "blog" if reads else "checkout", reads)
            self.now += 3 * MINUTE
            self.clock.stop_at(self.now)
        line.close()

    # ---- what came of it ----------------------------------------------------------------------------

    def editions(self) -> list[int]:
        found = (self.engine.data / "checkpoints").glob("learned-*.hgc")
        return sorted(int(path.stem.split("-")[1]) for path in found)

    def wait_for(self, edition: int) -> None:
        """An engine that is kept waiting learns several editions at once, and writes the last."""
        deadline = time.monotonic() + 60
        while max(self.editions(), default=0) < edition and time.monotonic() < deadline:
            time.sleep(0.1)
        self.checks.check(f"edition {edition} of what was learned is on the disk",
                          max(self.editions(), default=0) >= edition, self.editions())

    def answer_by(self, edition: int) -> None:
        """Workers take an edition up at their next look; new visitors are then told by it."""
        for self.latest in range(ROUNDS, ROUNDS + 8):
            self.live(range(self.latest, self.latest + 1))
            self.settle()
            told = self.likelihoods()
            models = [told[self.key(session)][-1] for session in (0, 1)]
            if all(int(model.partition("+")[2] or 0) >= edition for model in models):
                return

    def key(self, session: int) -> str:
        return f"hg:demo:v:{{{identifier(f'v{self.latest}-{session}')}}}"

    def likelihoods(self) -> dict[str, tuple]:
        redis = self.redis()
        found = {key: tuple(redis.call("HGET", key, field) for field in FIELDS)
                 for key in redis.call("KEYS", "hg:demo:v:{*}")}
        redis.close()
        return found

    def answers(self) -> None:
        told = self.likelihoods()
        last = {session: told[self.key(session)] for session in (0, 1)}
        sound = all(float(low) <= float(middle) <= float(high) and by in ("learned", "thin")
                    for middle, low, high, by, _ in told.values())
        self.checks.check(f"{len(told)} visitors have a likelihood within its bounds", sound, told)
        self.checks.check("it is what was learned, and says by which edition",
                          all(by == "learned" and int(model.partition("+")[2] or 0) >= LEARNED_BY
                              for *_, by, model in last.values()),
                          last)
        question = self.engine.companion_request(
            f"/api/v1/visitors/{identifier(f'v{self.latest}-1')}?site=demo")
        with urllib.request.urlopen(question, timeout=30) as answer:
            shown = json.load(answer)
        self.checks.check("the companion shows the same",
                          [shown["likelihood"], shown["likelihood_low"], shown["likelihood_high"]]
                          == [float(text) for text in last[1][:3]]
                          and (shown["likelihood_by"], shown["model"]) == last[1][3:],
                          (shown, last[1]))

    def expect_same(self, name: str) -> None:
        report = self.expect_clean(name)
        part = next(part for part in report["parts"] if part["name"].startswith("editions"))
        self.checks.check(f"{part['compared']} editions are those of a fold in one piece",
                          part["compared"] >= max(1, len(self.editions()) - 1), part)

    def tell(self) -> None:
        self.engine.start()
        self.live(range(0, 18))
        self.wait_for(1)
        self.engine.kill()
        self.workers(1)
        self.engine.start()
        self.live(range(18, 30))
        self.engine.kill()
        self.workers(2)
        self.engine.start()
        self.live(range(30, ROUNDS))
        self.wait_for(LEARNED_BY)
        self.answer_by(LEARNED_BY)
        self.answers()
        self.expect_same("killed twice, with 3, 1 and 2 workers")
        self.engine.stop()
        status, said = self.command("rebuild")
        self.checks.check("rebuild ends well", status == 0, said)
        self.expect_same("rebuilt")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.set_defaults(seconds=0, seed=1)
    arguments = parser.parse_args()
    if not may_compile():
        print("left out: the engine's clock cannot be moved without a C compiler")
        return 0
    story = Story(arguments)
    try:
        story.tell()
    finally:
        story.engine.clean_up(keep=story.checks.failed > 0)
    print(f"{story.checks.passed} checks passed, {story.checks.failed} failed")
    return 1 if story.checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
