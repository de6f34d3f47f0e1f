#!/usr/bin/python3
"""`heliograph enrich --user-agents` as people use it: rows in, rows out, bad rows named by line.

    Tests/Process/enrich_command.py .build/release/heliograph
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SHARED = Path(os.environ.get("HELIOGRAPH_SHARED", Path(__file__).resolve().parents[3] / "shared"))
PROGRAM = ""


def enrich(text: bytes, *options: str) -> subprocess.CompletedProcess:
    command = [PROGRAM, "enrich", *options]
    return subprocess.run(command, input=text, capture_output=True, timeout=60, check=False)


class EnrichCommand(unittest.TestCase):
    def test_each_row_becomes_one_line(self):
        agent = (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1"
        )
        rows = [{"id": 7, "ua": agent}, {"id": "b", "ua": "curl/8.5.0", "note": [1, {"x": 2}]}]
        result = enrich("\n".join(map(json.dumps, rows)).encode(), "--user-agents")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(
            [json.loads(line) for line in result.stdout.splitlines()],
            [
                {
                    "id": 7,
                    "class": "human",
                    "family": "Chrome Mobile iOS",
                    "device": "phone",
                    "os": "iOS",
                    "os_version": "17.5",
                    "browser": "Chrome",
                    "browser_version": 126,
                },
                {"id": "b", "class": "library", "family": "curl", "device": "other", "os": ""},
            ],
        )

    def test_a_bad_row_is_named_and_harms_itself_alone(self):
        text = b'{"id":1,"ua":"curl/8"}\nnot json\n{"id":2}\n{"ua":"x"}\n[]\n{"id":3,"ua":"wget"}\n'
        result = enrich(text, "--user-agents")
        self.assertEqual(result.returncode, 65)
        self.assertEqual([json.loads(line)["id"] for line in result.stdout.splitlines()], [1, 3])
        named = [line.split(":")[0] for line in result.stderr.decode().splitlines()]
        self.assertEqual(named, ["line 2", "line 3", "line 4", "line 5"])

    def test_odd_user_agents_stay_valid_json(self):
        agents = ["", '"\\', "\u0000\u0001", "ü" * 3000, "Mozilla/5.0 (\ud83d\ude00", "{{x}}"]
        rows = [json.dumps({"id": index, "ua": agent}) for index, agent in enumerate(agents)]
        result = enrich("\n".join(rows).encode(), "--user-agents")
        self.assertEqual(result.returncode, 0, result.stderr)
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([answer["id"] for answer in answers], list(range(len(agents))))

    def test_own_words_are_taken_and_a_bad_file_is_refused(self):
        row = b'{"id":1,"ua":"Intranet Portal"}\n'
        with tempfile.TemporaryDirectory() as folder:
            words = Path(folder) / "bots.yaml"
            words.write_text("previews: ['^intranet']\n")
            result = enrich(row, "--user-agents", "--words", str(words))
            self.assertEqual(json.loads(result.stdout)["class"], "preview")
            words.write_text("previews: 5\n")
            result = enrich(row, "--user-agents", "--words", str(words))
            self.assertEqual(result.returncode, 78)
            self.assertIn(b"bots.yaml:1: ", result.stderr)

    def test_accuracy_is_counted_by_class(self):
        rows = [
            {"id": 1, "ua": "curl/8", "class": "library", "family": "curl"},
            {"id": 2, "ua": "curl/8", "class": "human", "family": "x"},
        ]
        result = enrich("\n".join(map(json.dumps, rows)).encode(), "--user-agents", "--accuracy")
        table = result.stderr.decode()
        self.assertRegex(table, r"library +1 +100\.00 % +50\.00 % +100\.00 %")
        self.assertRegex(table, r"human +1 +0\.00 % .*library 1")
        self.assertRegex(table, r"humans flagged +100\.00 %")

    @unittest.skipUnless((SHARED / "data/ua_dev.jsonl").exists(), "no labelled set here")
    def test_the_labelled_set(self):
        text = (SHARED / "data/ua_dev.jsonl").read_bytes()
        result = enrich(text, "--user-agents", "--accuracy")
        print(result.stderr.decode())
        self.assertEqual(result.returncode, 0)
        self.assertEqual(len(result.stdout.splitlines()), len(text.splitlines()))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
