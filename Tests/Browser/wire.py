"""Judges beacons strictly against the wire format: types, limits, and numbers without gaps."""
import json
import re
import time

IDENTIFIER = re.compile(r"^[\w-]{22}$")
BATCH_BYTES = 48 * 1024
EVENT_BYTES = 4096
EVENTS = 64
NUMBER = (int, float)

HEAD = {
    "v": int, "k": str, "b": str, "st": int, "mt": int, "w": str, "q": int, "d": str, "s": str,
    "u": str, "c": int, "cp": dict, "x": dict, "lost": int, "e": list,
}
HEAD_REQUIRED = ("v", "k", "b", "st", "mt", "w", "q", "s", "c", "e")
CONTEXT = {"l": str, "z": int, "vw": int, "vh": int, "pr": NUMBER, "in": int, "wd": int,
           "ids": dict}
DIALOGUES = {"z": str, "tc": str, "gp": str, "up": str, "gm": str, "ex": int}
EVENT = {"n": int, "t": str, "o": int, "p": int}
FIELDS = {
    "pv": {"u": str, "r": str, "ti": str, "nt": str, "h": int, "wc": int},
    "ps": {"q": int, "vz": list, "sc": list, "S": list, "rd": list, "mo": list, "tp": list,
           "kb": list, "ck": list, "ct": list, "pt": list, "hm": str},
    "ck": {"a": str, "g": str, "x": int, "y": int, "hv": int, "f": int},
    "fm": {"f": str, "ph": int, "ff": list, "cp": int, "sb": int},
    "nv": {"ty": str, "fr": str, "dw": int, "lp": int},
    "id": {"uid": str, "traits": dict},
    "cs": {"bits": int, "src": str, "ex": int},
    "cu": {"name": str, "props": dict, "tw": int},
}
REQUIRED = {
    "pv": ("u", "ti", "nt"), "ps": ("q",), "ck": ("x", "y", "f"), "fm": ("f", "ph", "cp", "sb"),
    "nv": ("ty", "fr", "dw"), "id": (), "cs": ("bits",), "cu": ("name",),
}
TEXT_LIMITS = {("pv", "u"): 512, ("pv", "r"): 256, ("pv", "ti"): 128, ("ck", "a"): 64,
               ("fm", "f"): 48, ("cu", "name"): 64, ("id", "uid"): 96}
CHOICES = {("pv", "nt"): "nrbpcs", ("nv", "ty"): "bful"}
# Numbers in the positional arrays of a summary: how many, and for rows how many rows.
ARRAYS = {"vz": (8,), "sc": (8,), "rd": (6,), "mo": (5, 10), "tp": (8,), "kb": (8,), "ck": (8,),
          "pt": (8,)}
ROWS = {"S": (8, 60), "ct": (6, 20), "ff": (7, 40)}


class Violation(Exception):
    """A beacon broke a rule of the wire format."""


def demand(condition, *what):
    if not condition:
        raise Violation(" ".join(map(str, what)))


def is_a(value, kind):
    return isinstance(value, kind) and not isinstance(value, bool)


def check_fields(given, known, required, where):
    for name, value in given.items():
        demand(name in known, where, "has the unknown field", name)
        demand(is_a(value, known[name]), where, name, "has the wrong type:", value)
    for name in required:
        demand(name in given, where, "lacks", name)


def check_numbers(values, where):
    for value in values:
        demand(is_a(value, int) and value >= 0, where, "holds", value)


def check_rows(name, rows, where):
    length, limit = ROWS[name]
    demand(0 < len(rows) <= limit, where, name, "has", len(rows), "rows")
    for row in rows:
        demand(is_a(row, list) and len(row) == length, where, name, "has a row", row)
        text_at = {"S": 1, "ff": 0, "ct": None}[name]
        if text_at is not None:
            demand(is_a(row[text_at], str) and 0 < len(row[text_at]) <= 32, where, name, row)
        check_numbers([v for at, v in enumerate(row) if at != text_at], f"{where} {name}")


def check_summary(event, where):
    for name, lengths in ARRAYS.items():
        if name in event:
            demand(len(event[name]) in lengths, where, name, "has", len(event[name]), "numbers")
            check_numbers(event[name], f"{where} {name}")
            demand(any(event[name]), where, name, "is an array of zeros")
    for name in ("S", "ct"):
        if name in event:
            check_rows(name, event[name], where)
    for row in event.get("S", []):
        demand(row[3] <= 30_000 and row[4] <= 100 and row[7] <= 3, where, "is over a cap:", row)


def check_event(event, head):
    demand(is_a(event, dict), "an event is no object")
    kind = event.get("t")
    demand(kind in FIELDS, "unknown event type", kind)
    where = f"{kind} {event.get('n')}"
    check_fields(event, {**EVENT, **FIELDS[kind]}, (*EVENT, *REQUIRED[kind]), where)
    demand(event["n"] >= 1 and event["p"] >= 0 and 0 <= event["o"] <= head["mt"] + 1, where,
           "numbers or time are wrong", event)
    for (of, name), limit in TEXT_LIMITS.items():
        if of == kind and name in event:
            demand(len(event[name]) <= limit, where, name, "is too long")
    for (of, name), letters in CHOICES.items():
        if of == kind:
            demand(len(event[name]) == 1 and event[name] in letters, where, name, event[name])
    size = len(json.dumps(event, ensure_ascii=False).encode())
    demand(size <= EVENT_BYTES + 512, where, "is big")
    needed = {"cs": 0, "ps": 5, "fm": 5, "nv": 5}.get(kind, 1)
    demand(head["c"] & needed == needed, where, "came without consent", head["c"])
    if kind == "ps":
        check_summary(event, where)
        if not head["c"] & 16:
            demand(len(event.get("mo", [0] * 5)) == 5, where, "infers from the pointer unasked")
    demand(kind != "id" or "uid" in event or "traits" in event, where, "says nothing")
    if kind == "fm" and "ff" in event:
        check_rows("ff", event["ff"], where)


def check_batch(body, content_type):
    """Returns the batch, or raises Violation."""
    demand(content_type.split(";")[0] == "text/plain", "content type is", content_type)
    demand(len(body) <= BATCH_BYTES, "batch of", len(body), "bytes")
    batch = json.loads(body.decode("utf-8", "strict"))
    check_fields(batch, HEAD, HEAD_REQUIRED, "batch")
    demand(batch["v"] == 1 and 0 <= batch["c"] <= 63 and batch["q"] >= 1, "batch head", batch)
    for name in ("b", "w", "s", "d"):
        demand(name not in batch or IDENTIFIER.match(batch[name]), name, "is no id:", batch)
    # A choice against storage is told under the id that it gives up, alone.
    gives_up = all(event.get("t") == "cs" for event in batch["e"])
    demand(("d" in batch) == bool(batch["c"] & 2) or gives_up, "device id against consent")
    if "cp" in batch:
        check_fields(batch["cp"], DIALOGUES, ("z",), "dialogues")
    demand(abs(batch["st"] - time.time() * 1000) < 60_000, "send time is far off")
    demand(batch["mt"] >= 0 and 1 <= len(batch["e"]) <= EVENTS, "events or monotonic time")
    demand(batch.get("lost", 1) >= 1, "lost of zero is left out")
    if "x" in batch:
        check_fields(batch["x"], CONTEXT, ("l", "z", "vw", "vh", "pr", "in"), "context")
    for event in batch["e"]:
        check_event(event, batch)
    return batch


def check_sequences(batches):
    """Over everything a collector accepted: per window, `q` and `n` run from 1 without gaps."""
    windows = {}
    for batch in batches:
        known = windows.setdefault(batch["w"], {"q": {}, "n": {}})
        earlier = known["q"].setdefault(batch["q"], batch["b"])
        demand(earlier == batch["b"], "two batches with number", batch["q"])
        for event in batch["e"]:
            owner = known["n"].setdefault(event["n"], batch["b"])
            demand(owner == batch["b"], "event", event["n"], "came in two batches")
    for window, known in windows.items():
        for name in ("q", "n"):
            numbers = sorted(known[name])
            whole = list(range(1, len(numbers) + 1))
            demand(numbers == whole, name, "has gaps in", window, numbers)
    return windows
