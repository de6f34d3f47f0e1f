"""Shows that the judge of the wire format can say no: every fault below must be found."""
import copy
import json
import time
import unittest

import wire

ID = "AaH8YgiCcoKhbYYG3tzfcg"
SUMMARY = {
    "n": 2, "t": "ps", "o": 900, "p": 1, "q": 1, "vz": [1, 1, 1, 0, 0, 0, 0, 1],
    "S": [[0, "pricing", 1, 1000, 80, 40, 0, 0]], "mo": [1, 2, 3, 4, 5],
}
BATCH = {
    "v": 1, "k": "hg_demo", "b": ID, "st": 0, "mt": 1000, "w": ID, "q": 1, "d": ID, "s": ID, "c": 7,
    "x": {"l": "en", "z": 0, "vw": 1, "vh": 1, "pr": 1.5, "in": 1},
    "e": [{"n": 1, "t": "pv", "o": 10, "p": 1, "u": "http://a/", "ti": "A", "nt": "n"}, SUMMARY],
}
# What is done to a good batch, each as a path and the value put there (None removes).
FAULTS = [
    (["v"], 2), (["v"], "1"), (["k"], None), (["b"], "short"), (["st"], 1), (["mt"], -1),
    (["q"], 0), (["d"], None), (["c"], 64), (["c"], True), (["e"], []), (["lost"], 0),
    (["surprise"], 1), (["x", "vw"], "1"), (["x", "z"], None), (["e", 0, "n"], 0),
    (["e", 0, "o"], 2000), (["e", 0, "t"], "zz"), (["e", 0, "u"], "x" * 513), (["e", 0, "ti"], None),
    (["e", 0, "nt"], "q"), (["e", 0, "extra"], 1), (["e", 1, "vz"], [1]), (["e", 1, "vz"], [0] * 8),
    (["e", 1, "vz"], [1.5] + [0] * 7), (["e", 1, "vz"], [-1] + [0] * 7), (["e", 1, "S"], []),
    (["e", 1, "S", 0, 3], 30_001), (["e", 1, "S", 0, 7], 4), (["e", 1, "S", 0, 1], 7),
    (["e", 1, "mo"], [1] * 10),
]


def good():
    batch = copy.deepcopy(BATCH)
    batch["st"] = int(time.time() * 1000)
    return batch


def judged(batch):
    return wire.check_batch(json.dumps(batch).encode(), "text/plain;charset=UTF-8")


class TheJudgeCanSayNo(unittest.TestCase):
    def test_a_good_batch_passes(self):
        judged(good())

    def test_every_fault_is_found(self):
        for path, value in FAULTS:
            batch = good()
            place = batch
            for step in path[:-1]:
                place = place[step]
            if value is None:
                del place[path[-1]]
            else:
                place[path[-1]] = value
            with self.subTest(path=path, value=value), self.assertRaises(wire.Violation):
                judged(batch)

    def test_behaviour_without_consent_is_found(self):
        batch = good()
        batch["c"] = 3
        with self.assertRaises(wire.Violation):
            judged(batch)

    def test_gaps_and_repeats_in_a_window_are_found(self):
        first, second = good(), good()
        second["b"], second["q"] = ID[::-1], 2
        second["e"] = [dict(second["e"][0], n=3)]
        wire.check_sequences([first, second, first])
        gap = dict(second, e=[dict(second["e"][0], n=4)])
        repeat = dict(second, e=[dict(second["e"][0], n=2)])
        for wrong in (gap, repeat, dict(second, q=1), dict(second, q=3)):
            with self.assertRaises(wire.Violation):
                wire.check_sequences([first, wrong])


if __name__ == "__main__":
    unittest.main()
