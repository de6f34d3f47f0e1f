"""What the measuring scripts have in common: options, how they end, and what they leave behind."""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import load
import machine
import subjects

PLACES = {"--engine", "--bench", "--hummingbird", "--into"}
WARM_SECONDS, WAIT_SECONDS = 2.0, 120.0


def parser(about: str, load_name: str, seconds: float) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--load", choices=["plain", "real"], default=load_name)
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--seconds", type=float, default=seconds, help="measured, of each phase")
    made.add_argument("--quick", action="store_true", help="one short round")
    made.add_argument("--engine", default=subjects.Heliograph.binary)
    made.add_argument("--bench", default=load.BINARY)
    made.add_argument("--into", default="bench/results", help="folder for what is written")
    return made


def parse(made: argparse.ArgumentParser, quick_seconds: float, quick_wait: float):
    """The options; with --quick everything is short."""
    given = made.parse_args()
    given.warmup, given.wait = WARM_SECONDS, WAIT_SECONDS
    if given.quick:
        given.rounds, given.seconds = 1, quick_seconds
        given.warmup, given.wait = 0.5, quick_wait
    subjects.Heliograph.binary = given.engine
    return given


def run_load(given, words: list[str], phases: int = 1, wrapper: list[str] | None = None,
             seconds: float | None = None) -> dict:
    """One run of heliograph-bench as the options say."""
    length = seconds or given.seconds
    return load.run(
        ["--load", given.load, "--seconds", str(length), "--warmup", str(given.warmup),
         "--wait", str(given.wait), *words],
        phases * (given.warmup + length + given.wait), wrapper, given.bench)


def with_engine(body: Callable, settings: Callable | None = None):
    """What `body` makes of a fresh engine; `settings` may change it before it starts."""
    subject = subjects.Heliograph()
    if settings:
        settings(subject.engine)
    subject.start()
    try:
        return body(subject)
    finally:
        subject.stop()


def finish(given, result: dict, text: str, plot: str | None = None) -> None:
    """Writes JSON, Markdown and plot under the names that bench/fill-results knows."""
    stem = Path(given.into) / "-".join([result["kind"], given.load])
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    stem.with_suffix(".md").write_text(text + "\n")
    if plot:
        stem.with_suffix(".svg").write_text(plot)
    print(text)


def head(kind: str, given) -> dict:
    """What every result begins with, taken before the load begins."""
    return {"kind": kind, "load": given.load, "seconds": given.seconds, "quick": given.quick,
            "command": " ".join([f"bench/{kind}", *without_places(sys.argv[1:])]),
            "machine": machine.describe()}


def without_places(words: list[str]) -> list[str]:
    """The options without those that name a place on this machine."""
    kept = []
    for word, before in zip(words, ["", *words]):
        if word.partition("=")[0] not in PLACES and before not in PLACES:
            kept.append(word)
    return kept


def run(main: Callable[[], int]) -> None:
    """Ends the script with what `main` returns, or a sentence; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    name = Path(sys.argv[0]).name
    try:
        sys.exit(main())
    except (subjects.Missing, subjects.EngineError, load.LoadError) as problem:
        sys.exit(f"{name}: {problem}")
