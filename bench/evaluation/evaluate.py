#!/usr/bin/env python3
"""Holds what the engine foretold against what became of it, and against scikit-learn on the same past.

    evaluate.py --data ecom.csv.gz --examples FOLDER [--json FILE]

Landmarks are fixed (first k actions of sessions that are still alive and have not bought), never the
moment of the purchase: buyers reach the cart sooner, and cutting there teaches the opposite.
"""

import argparse
import csv
import gzip
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

# One thread each: on a busy machine several only wait for each other.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from shop import identifier

WEEK = 7 * 86_400_000
WEEKS_BEFORE = 8
RESAMPLES = 500
RULE_AUC_MIN = {5: 0.74, 8: 0.77}
BINS = 10
FEATURES_FROM = "scroll_velocity"


class Examples:
    """What the engine wrote: a row per session and landmark."""

    def __init__(self, path: Path):
        with path.open() as file:
            reader = csv.reader(file)
            names = next(reader)
            rows = list(reader)
        text = {name: [row[i] for row in rows] for i, name in enumerate(names[:3])}
        table = np.array([[float(field) for field in row[3:]] for row in rows])
        self.column = {name: table[:, i] for i, name in enumerate(names[3:])}
        self.user, self.session = np.array(text["visitor"]), np.array(text["session"])
        first = names.index(FEATURES_FROM) - 3
        self.features = table[:, first:]
        self.converted = self.column["converted"].astype(int)


def purchases(path: Path) -> dict[str, list[str]]:
    """The raw data: names of a session's events in their order, by the id that it was sent under."""
    sessions = defaultdict(list)
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            sessions[row["session_id"]].append(row["event"])
    return {identifier("session", name): events for name, events in sessions.items()}


def calibration_error(outcome: np.ndarray, foretold: np.ndarray) -> float:
    """Ten bins of equally many foretellings, as the engine's own measure has them."""
    order = np.argsort(foretold, kind="stable")
    return sum(abs(part_f.sum() - part_o.sum()) for part_f, part_o in
               zip(np.array_split(foretold[order], BINS), np.array_split(outcome[order], BINS))
               ) / len(outcome)


MEASURES = {"AUC": roc_auc_score, "Brier": brier_score_loss, "ECE": calibration_error}
GREATER_IS_BETTER = {"AUC"}


def resamples(users: np.ndarray, seed: int = 1) -> list[np.ndarray]:
    """Rows of users drawn with replacement: a user's sessions come and go together."""
    random = np.random.default_rng(seed)
    rows = defaultdict(list)
    for index, user in enumerate(users):
        rows[user].append(index)
    groups = [np.array(group) for group in rows.values()]
    return [np.concatenate([groups[i] for i in random.integers(0, len(groups), len(groups))])
            for _ in range(RESAMPLES)]


def interval(values: list[float]) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def check_rule(examples: Examples, raw: dict[str, list[str]]) -> list[dict]:
    """Readiness at fixed landmarks against purchases later in the session, from the raw data."""
    table = []
    for landmark in (3, 5, 8):
        at = examples.column["landmark"] == landmark
        sessions = examples.session[at]
        alive = {name for name, events in raw.items()
                 if len(events) >= landmark and "purchase" not in events[:landmark]}
        if set(sessions) != alive or len(sessions) != len(alive):
            raise SystemExit(f"landmark {landmark}: the engine has {len(set(sessions))} sessions, "
                             f"the data {len(alive)}, {len(alive & set(sessions))} of them common")
        outcome = np.array([int("purchase" in raw[name][landmark:]) for name in sessions])
        rule, users = examples.column["rule"][at], examples.user[at]
        low, high = interval([roc_auc_score(outcome[rows], rule[rows])
                              for rows in resamples(users)])
        table.append({"landmark": landmark, "sessions": len(sessions),
                      "base_rate": float(outcome.mean()), "auc": roc_auc_score(outcome, rule),
                      "low": low, "high": high, "required": RULE_AUC_MIN.get(landmark),
                      "labels_agree": float((outcome == examples.converted[at]).mean())})
    return table


def refitted(examples: Examples, make) -> np.ndarray:
    """Foretellings of a model refitted each week on all examples whose outcome was known before it."""
    foretold = np.full(len(examples.converted), np.nan)
    week = examples.column["at"] // WEEK
    for number in range(int(week.min()) + WEEKS_BEFORE, int(week.max()) + 1):
        past = examples.column["labelled_at"] < number * WEEK
        now = week == number
        if now.any():
            model = make().fit(examples.features[past], examples.converted[past])
            foretold[now] = model.predict_proba(examples.features[now])[:, 1]
    return foretold


def compare(examples: Examples, theirs: dict[str, np.ndarray]) -> list[dict]:
    """Ours and theirs on the same examples, and how far apart, with intervals by user."""
    judged = ~np.isnan(next(iter(theirs.values())))
    outcome, users = examples.converted[judged], examples.user[judged]
    column = examples.column
    shown = np.where(column["used"] == 1, column["learned"], column["rule"])
    ways = {"engine, shown": shown[judged], "engine, learned": column["learned"][judged],
            "engine, rule": column["rule"][judged],
            **{name: foretold[judged] for name, foretold in theirs.items()}}
    draws = resamples(users)
    table = []
    for name, foretold in ways.items():
        row = {"name": name, "examples": int(judged.sum())}
        for measure, of in MEASURES.items():
            sign = 1 if measure in GREATER_IS_BETTER else -1
            gaps = [sign * (of(outcome[rows], ways["engine, shown"][rows])
                            - of(outcome[rows], foretold[rows])) for rows in draws]
            row[measure] = float(of(outcome, foretold))
            row[measure + "_better_by"] = interval(gaps)
        table.append(row)
    return table


def say_rule(table: list[dict]) -> bool:
    print("\nreadiness of the rule at fixed landmarks, purchase later in the session (95 % by user):")
    good = True
    for row in table:
        enough = row["required"] is None or row["auc"] >= row["required"]
        good &= enough
        wanted = f"required {row['required']}" if row["required"] else "not required"
        print(f"  first {row['landmark']} actions: {row['sessions']} sessions, base rate "
              f"{100 * row['base_rate']:.1f} %, AUC {row['auc']:.3f} "
              f"({row['low']:.3f} to {row['high']:.3f}), {wanted}: {'ok' if enough else 'FAIL'}; "
              f"{100 * row['labels_agree']:.1f} % of the engine's labels are the same")
    return good


def say_comparison(table: list[dict]) -> bool:
    print(f"\nlikelihood, rolling origin by week, {table[0]['examples']} examples; in brackets by how "
          "much the engine's shown likelihood is better (95 % by user):")
    good = True
    for row in table:
        parts = []
        for measure in MEASURES:
            low, high = row[measure + "_better_by"]
            verdict = "" if high >= 0 else " WORSE"
            if row["name"].startswith("sklearn"):
                good &= high >= 0
            parts.append(f"{measure} {row[measure]:.4f} [{low:+.4f} {high:+.4f}]{verdict}")
        print(f"  {row['name']:<28} " + "  ".join(parts))
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--examples", required=True, type=Path, help="folder of replay_shop.py")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rule = check_rule(Examples(arguments.examples / "hourly.csv"), purchases(arguments.data))
    good = say_rule(rule)
    weekly = Examples(arguments.examples / "weekly.csv")
    comparison = compare(weekly, {
        "sklearn logistic regression":
            refitted(weekly, lambda: LogisticRegression(max_iter=2000)),
        "sklearn gradient boosting":
            refitted(weekly, lambda: GradientBoostingClassifier(random_state=1)),
    })
    good &= say_comparison(comparison)
    if arguments.json:
        arguments.json.write_text(json.dumps({"rule": rule, "likelihood": comparison}, indent=1))
    print("\nevaluation: " + ("as promised" if good else "NOT as promised"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
