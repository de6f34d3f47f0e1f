"""Looks for secrets among the files that git knows: keys and tokens by their shapes."""

import base64
import os
import re
import subprocess

from engine import REPOSITORY
from judge import Verdict

SECRET_SHAPES = [
    re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\n[A-Za-z0-9+/=\s]{100,}"),
    re.compile(rb"\bAKIA[0-9A-Z]{16}\b"), re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    re.compile(rb"\bxox[abprs]-[A-Za-z0-9-]{20,}"), re.compile(rb"\bsk_live_[A-Za-z0-9]{16,}"),
    re.compile(rb"\bAIza[0-9A-Za-z_-]{35}\b"),
    re.compile(rb"\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    re.compile(rb"(?i)\b(?:password|passwd|secret|api_key|access_token)\s*[:=]\s*"
               rb"[\"'][A-Za-z0-9+/_-]{20,}"),
]


def judge_repository(verdict: Verdict) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True,
                            check=False).stdout.split(b"\0")
    wrong, looked = [], 0
    for name in filter(None, listed):
        path = REPOSITORY / name.decode()
        if not path.is_file():
            continue
        looked += 1
        content = path.read_bytes()
        wrong += [f"{name.decode()}: {found.group()[:30]!r}" for shape in SECRET_SHAPES
                  if (found := shape.search(content))]
    planted = b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(os.urandom(120)) + b"\n"
    if not SECRET_SHAPES[0].search(planted):
        wrong.append("the scan does not find a key that was planted")
    verdict.add("no secret in the repository", looked, wrong, 100)
