#!/usr/bin/python3
"""Scores explain themselves, and another scoring file comes in without a restart.

    scores_explained.py --binary .build/release/heliograph [--seconds N] [--seed N]

Visitors behave as the chaos tests' do. Explanations of the command and of the companion must agree and
add up; history must tell its terms; then the weights change under load, a broken file follows and one
with other half-lives, and `verify` must find live run and refolding equal, before and after `rebuild`.
"""

import argparse
import json
import math
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Chaos"))
from engine import EngineError  # noqa: E402
from stores import query  # noqa: E402
from traffic import Crowd  # noqa: E402
from verify_rebuild import SETTINGS, Scene  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
# A file that changed is looked at every second, and workers stop for it within a tenth.
RELOAD_SECONDS_MAX = 20


class Story(Scene):
    """An engine whose scoring file may be changed."""

    def __init__(self, arguments: argparse.Namespace):
        super().__init__(arguments)
        self.scoring = self.engine.folder / "scoring.yaml"
        self.text = (ROOT / "config/scoring.yaml").read_text()
        self.scoring.write_text(self.text)
        self.engine.write_settings(f"{SETTINGS}scoring:\n  file: {self.scoring}\n")

    def get(self, path: str) -> dict:
        question = self.engine.companion_request(f"/api/v1{path}")
        with urllib.request.urlopen(question, timeout=30) as answer:
            return json.load(answer)

    def crowd(self) -> Crowd:
        crowd = Crowd(self.seed, self.engine.ingest_port, senders=2, visitors=60)
        crowd.start()
        return crowd

    def visitors(self) -> list[str]:
        redis = self.redis()
        keys = sorted(redis.call("KEYS", "hg:demo:v:{*}"))
        redis.close()
        return [key[len("hg:demo:v:{"):-1] for key in keys]

    # ---- why ----------------------------------------------------------------------------------------

    def explain(self) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        for visitor in self.visitors()[:4]:
            status, said = self.command("score", "explain", visitor, "--site", "demo", "--at", at)
            shown = self.get(f"/visitors/{visitor}/explain?site=demo&at={at}")
            self.checks.check("command and companion explain alike", status == 0 and said == shown,
                              (said, shown))
            parts = [part["log_odds"] for part in shown["contributions"]]
            whole = shown["base"] + math.fsum(parts)
            score = 100 / (1 + math.exp(-shown["sum"]))
            self.checks.check(f"{len(parts)} terms make the {shown['score']:.1f}",
                              abs(whole - shown["sum"]) < 1e-9
                              and abs(score - shown["score"]) < 1e-9, shown)
        pair = self.visitors()[:2]
        status, both = self.command("score", "explain", *pair, "--site", "demo", "--at", at)
        status_2, turned = self.command("score", "explain", *pair[::-1], "--site", "demo",
                                        "--at", at)
        self.checks.check("two visitors as one, whoever is named first",
                          (status, status_2) == (0, 0)
                          and abs(both["score"] - turned["score"]) < 1e-9, (both, turned))

    def look_back(self) -> None:
        """What was explained for a moment of the past is what history kept then."""
        rows = query(self.engine.addresses()["postgres"],
                     "SELECT visitor_id, to_char(at, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), score "
                     "FROM heliograph.score_history WHERE NOT bot AND reason <> 'session' "
                     "ORDER BY at LIMIT 3")
        for visitor, at, score in rows:
            status, said = self.command("score", "explain", visitor, "--site", "demo", "--at", at)
            self.checks.check(f"the past is explained: {score:.4f}",
                              status == 0 and abs(said["score"] - score) < 1e-9, (said, score))

    def history(self) -> None:
        rows = query(self.engine.addresses()["postgres"],
                     "SELECT count(*), count(*) FILTER (WHERE jsonb_array_length(terms) > 0), "
                     "count(model) FROM heliograph.score_history")
        count, with_terms, with_model = rows[0]
        self.checks.check(f"{count} points of history tell model and terms",
                          count > 50 and with_terms > count / 2 and with_model == count, rows)
        visitor = self.get(f"/visitors/{self.visitors()[0]}?site=demo")
        self.checks.check("the visitor's document has its trend", "trend" in visitor, visitor)
        past = self.get(f"/visitors/{self.visitors()[0]}/history?site=demo")["history"]
        self.checks.check("the companion has the history", past and "terms" in past[0], past)

    # ---- another file -------------------------------------------------------------------------------

    def entries(self) -> list[dict]:
        return json.loads((self.engine.data / "models.json").read_text())

    def wait(self, name: str, is_so) -> None:
        deadline = time.monotonic() + RELOAD_SECONDS_MAX
        while not is_so() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.checks.check(name, is_so(), self.engine.last_words())

    def models(self) -> set:
        redis = self.redis()
        found = {redis.call("HGET", key, "model").split("+")[0]
                 for key in redis.call("KEYS", "hg:demo:v:{*}")}
        redis.close()
        return found

    def change_weights(self) -> None:
        crowd = self.crowd()
        time.sleep(1)
        self.scoring.write_text(self.text.replace("intercept: -2.8", "intercept: -1.4"))
        self.wait("another model comes in under load", lambda: len(self.entries()) == 2)
        newest = self.entries()[-1]["model"]
        self.wait("every score in Redis is the new model's", lambda: self.models() == {newest})
        time.sleep(self.seconds / 2)
        crowd.stop()
        self.settle()
        self.expect_clean("two models")
        found = query(self.engine.addresses()["postgres"],
                      "SELECT count(DISTINCT model) FROM heliograph.score_history")
        self.checks.check("history tells both models", found[0][0] == 2, found)

    def break_it(self) -> None:
        self.scoring.write_text(self.text.replace("hot: 60", "hot: sixty"))
        self.wait("a broken file is named with its line",
                  lambda: f"{self.scoring}:" in self.engine.log.read_text())
        changed = self.text.replace("scroll_velocity: { half_life: 2h",
                                    "scroll_velocity: { half_life: 3h")
        self.scoring.write_text(changed)
        self.wait("other half-lives wait for a start",
                  lambda: "restart to bring" in self.engine.log.read_text())
        self.checks.check("the model stayed", len(self.entries()) == 2)
        self.scoring.write_text(self.text.replace("intercept: -2.8", "intercept: -1.4"))

    def refold(self) -> None:
        before = self.states()
        self.engine.stop()
        self.expect_clean("with the engine stopped")
        self.rebuild("from the journal by both models", before, "--from", "journal")
        self.engine.stop()
        self.scoring.write_text(self.text.replace("intercept: -2.8", "intercept: -2.0"))
        self.engine.start()
        self.wait("a file that changed meanwhile comes in with the start",
                  lambda: len(self.entries()) == 3)
        newest = self.entries()[-1]["model"]
        self.wait("and so do the scores", lambda: self.models() == {newest})
        self.expect_clean("three models")

    def compare(self) -> None:
        other = self.engine.folder / "other.yaml"
        other.write_text(self.text.replace("intercept: -2.8", "intercept: -1.0"))
        status, same = self.command("score", "compare", "--with", str(self.scoring))
        self.checks.check("a file agrees with itself",
                          status == 0 and same["difference_maximum"] == 0
                          and same["visitors"] > 20, same)
        status, apart = self.command("score", "compare", "--with", str(other),
                                     "--horizon-hours", "1", "--landmark", "2")
        self.checks.check(f"another does not: {apart.get('difference_mean')} points",
                          status == 0 and apart["difference_mean"] > 1, apart)
        status, days = self.command("score", "backtest", "--with", str(other))
        self.checks.check("the past is tested", status == 0 and days["records"] > 50, days)

    def follow(self) -> None:
        """Another file scores what comes, and knows in the end what one asked afterwards knows."""
        question = ["score", "compare", "--with", str(self.engine.folder / "other.yaml")]
        reports = self.engine.folder / "reports"
        with reports.open("w") as told:
            follower = subprocess.Popen(
                [str(self.engine.binary), *question, "--follow", "--every", "1",
                 "--data", str(self.engine.data), "--config", str(self.engine.config), "--json"],
                stdout=told, stderr=subprocess.STDOUT, cwd=ROOT, env=self.engine.environment)
        try:
            self.wait("the past is told first", lambda: bool(self.told(reports)))
            first = self.told(reports)[0]
            crowd = self.crowd()
            time.sleep(2)
            crowd.stop()
            self.settle()
            status, whole = self.command(*question)
            self.wait("what came since is told, too", lambda: self.told(reports)[-1] == whole)
            self.checks.check(f"{whole['records'] - first['records']} records were followed",
                              status == 0 and whole["records"] > first["records"], (first, whole))
        finally:
            follower.kill()
            follower.wait()

    @staticmethod
    def told(reports: Path) -> list[dict]:
        text, found = reports.read_text(), []
        while text.strip():
            try:
                report, end = json.JSONDecoder().raw_decode(text.lstrip())
            except ValueError:
                break
            found.append(report)
            text = text.lstrip()[end:]
        return found

    def play(self) -> None:
        self.engine.start()
        crowd = self.crowd()
        time.sleep(self.seconds)
        crowd.stop()
        self.settle()
        self.explain()
        self.history()
        self.look_back()
        self.expect_clean("one model")
        self.change_weights()
        self.break_it()
        self.refold()
        self.compare()
        self.follow()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/heliograph")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"scores_explained: seed {arguments.seed}")
    try:
        story = Story(arguments)
    except EngineError as error:
        sys.exit(f"scores_explained: {error}")
    try:
        story.play()
    except EngineError as error:
        story.checks.check("the engine does its part", False, str(error))
    finally:
        story.engine.clean_up()
    print(f"scores: {story.checks.passed} passed, {story.checks.failed} failed")
    return 0 if story.checks.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
