"""Writes a target's seeds as files: seeds.py SEEDS_FILE FOLDER.

Each line is one seed, with \\r \\n \\t \\0 \\\\ and \\xHH for bytes. `#` begins a comment, `gzip `
and `zlib ` before a seed compress it, `token ` makes it a word of the dictionary instead.
"""

import gzip
import hashlib
import re
import sys
import zlib
from pathlib import Path

NAMED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def unescaped(text: str) -> bytes:
    def byte(match: re.Match) -> bytes:
        return NAMED.get(match[1]) or bytes((int(match[1][1:], 16),))

    return re.sub(rb"\\([rnt0\\]|x[0-9a-fA-F]{2})", byte, text.encode())


def main() -> None:
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    tokens = []
    for line in source.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        kind, _, rest = line.partition(" ")
        data = unescaped(rest if kind in ("gzip", "zlib", "token") else line)
        if kind == "token":
            tokens.append(data)
            continue
        if kind == "gzip":
            data = gzip.compress(data, mtime=0)
        elif kind == "zlib":
            data = zlib.compress(data)
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
    words = ("".join(f"\\x{byte:02x}" for byte in token) for token in tokens)
    folder.with_suffix(".dict").write_text("".join(f'"{word}"\n' for word in words))


if __name__ == "__main__":
    main()
