"""Funnels, sections, forms and clicks in vain computed from all rows, without SQL's help, to hold the
companion's answers against."""

import fnmatch
import re
import statistics
from collections import Counter, defaultdict

ORIGIN = re.compile(r"^[a-z]+://[^/?#]*|[?#].*$")
IN_VAIN = {"rage": 8, "dead": 16, "error": 32}


def path_of(row) -> str | None:
    return ORIGIN.sub("", row["properties"].get("u") or "") or None


def number(value) -> float:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


def listed(value) -> list:
    return value if isinstance(value, list) else []


def at(row: list, place: int):
    return row[place] if isinstance(row, list) and place < len(row) else None


# ---- funnels

def fits(mark: dict, row: dict) -> bool:
    (kind, name), = [(kind, name) for kind, name in mark.items() if kind != "phase"]
    if kind == "page":
        path = path_of(row) if row["type"] == "pv" else None
        # Of fnmatch's signs only the asterisk means something.
        return path is not None and fnmatch.fnmatchcase(path, re.sub(r"([\[?])", r"[\1]", name))
    if kind == "form":
        told = row["properties"] if row["type"] == "fm" else {}
        return told.get("f") == name and (mark.get("phase") != "submitted" or told.get("ph") == 3)
    return row["type"] == ("cu" if kind == "event" else "conversion") and row["name"] == name


def funnel(rows: list[dict], steps: list, begin, end, window: float, strict=False, keep=None) -> list[tuple]:
    """For each step visitors, and medians in milliseconds from the step before and from the first."""
    reached = [{} for _ in steps]
    people = defaultdict(list)
    for row in rows:
        if row["type"] in ("pv", "cu", "fm", "conversion"):
            people[row["visitor_id"]].append(row)
    for visitor, own in people.items():
        own.sort(key=lambda row: (row["occurred_at"], row["journal_offset"], row["n"]))
        # Every chain that there is: by its last step, when it began and when its last step was.
        chains: list[set] = [set() for _ in steps]
        for row in own:
            added = [set() for _ in steps]
            for step, marks in enumerate(steps):
                if not any(fits(mark, row) for mark in marks):
                    continue
                when = row["occurred_at"]
                if step == 0:
                    if begin <= when < end and (keep is None or keep(row)):
                        added[0].add((when, when))
                        reached[0].setdefault(visitor, (when, 0, 0))
                    continue
                open_ones = [one for one in chains[step - 1] if (when - one[0]).total_seconds() <= window]
                if open_ones:
                    begun = max(one[0] for one in open_ones)
                    before = max(one[1] for one in chains[step - 1])
                    added[step].add((begun, when))
                    found = (when, (when - before).total_seconds(), (when - begun).total_seconds())
                    reached[step][visitor] = min(found, reached[step].get(visitor, found))
            for step, new in enumerate(added):
                chains[step] = new if strict else chains[step] | new
    return [(len(one),
             median([found[1] * 1000 for found in one.values()]),
             median([found[2] * 1000 for found in one.values()])) for one in reached]


def median(values: list) -> float | None:
    return statistics.median(values) if values else None


# ---- what the script sums up

class Told:
    """Events of a range with the page view that each belongs to."""

    def __init__(self, rows: list[dict], begin, end, device: str | None = None):
        self.rows = [row for row in rows if row.get("window_id") is not None]
        within = [row for row in self.rows if begin <= row["occurred_at"] < end
                  and (device is None or (row["context"] or {}).get("dv") == device)]
        self.views = {}
        for row in within:
            if row["type"] == "pv":
                key, path = view_of(row), path_of(row)
                known = self.views.get(key)
                self.views[key] = path if known is None else min(known, path or known)
        self.forms = [row for row in within if row["type"] == "fm"]

    def page(self, page: str) -> dict:
        seen = {key for key, path in self.views.items() if path == page}
        told = [row for row in self.rows if row["type"] == "ps" and view_of(row) in seen]
        clicks = [row["properties"].get("ck") for row in told]
        return {"visitors": len({key[0] for key in seen}), "page_views": len(seen),
                "observed_page_views": len({view_of(row) for row in told}),
                "clicks": sum(number(at(row, 0)) for row in clicks),
                "friction": {name: sum(number(at(row, place)) for row in clicks)
                             for name, place in (("rage", 3), ("dead", 4), ("error", 5))},
                "sections": sections(told)}

    def vain(self, page: str | None = None) -> dict:
        found = defaultdict(lambda: {"rage": 0, "dead": 0, "error": 0, "visitors": set()})
        for row in self.rows:
            path = self.views.get(view_of(row))
            flags = int(number(row["properties"].get("f"))) if row["type"] == "ck" else 0
            if path is None or (page is not None and path != page) or not flags & 56:
                continue
            one = found[path, row["properties"].get("a") or "", row["properties"].get("g") or ""]
            one["visitors"].add(row["visitor_id"])
            for name, bit in IN_VAIN.items():
                one[name] += flags & bit > 0
        return {key: one | {"visitors": len(one["visitors"])} for key, one in found.items()}

    def fields(self) -> tuple[dict, dict]:
        """Forms by name: uses, submitted, visitors. Fields by form and name."""
        uses = defaultdict(list)
        for row in self.forms:
            uses[view_of(row), row["properties"].get("f") or ""].append(row)
        forms, fields = defaultdict(Counter), defaultdict(lambda: defaultdict(float))
        people = defaultdict(set)
        for (view, form), rows in uses.items():
            is_submitted = any(row["properties"].get("ph") == 3 for row in rows)
            forms[form].update(begun=1, submitted=int(is_submitted))
            people[form].add(view[0])
            rows.sort(key=lambda row: (row["occurred_at"], row["journal_offset"], row["n"]))
            entries = [entry for row in rows for entry in listed(row["properties"].get("ff"))
                       if at(entry, 0) is not None]
            for name in {entry[0] for entry in entries}:
                own = [entry for entry in entries if entry[0] == name]
                one = fields[form, name]
                errors = sum(number(at(entry, 6)) for entry in own)
                one["reached"] += 1
                one["time"] += sum(number(at(entry, 2)) for entry in own)
                one["corrections"] += sum(number(at(entry, 4)) for entry in own)
                one["returns"] += sum(number(at(entry, 5)) for entry in own)
                one["errors"] += errors
                one["with_errors"] += errors > 0
                one["left_here"] += entries[-1][0] == name and not is_submitted
        return {name: dict(one, visitors=len(people[name])) for name, one in forms.items()}, fields


def view_of(row) -> tuple:
    return row["visitor_id"], row["window_id"], row["page"]


def sections(told: list[dict]) -> dict:
    looks = defaultdict(list)
    for row in told:
        for section in filter(listed, listed(row["properties"].get("S"))):
            looks[view_of(row), number(at(section, 0)), str(at(section, 1) or "")].append(section)
    found = defaultdict(list)
    for (view, place, category), own in looks.items():
        total = lambda index: sum(number(at(one, index)) for one in own)
        found[place, category].append({
            "visitor": view[0], "entries": total(2), "dwell": total(3),
            "visible": max(number(at(one, 4)) for one in own),
            "words": max(number(at(one, 5)) for one in own), "clicks": total(6), "returns": total(7)})
    return {key: {
        "words": max(one["words"] for one in own),
        "visitors": len({one["visitor"] for one in own if one["entries"] > 0}),
        "page_views": sum(one["entries"] > 0 for one in own),
        "visible_percent": statistics.mean(one["visible"] for one in own),
        "dwell_ms": sum(one["dwell"] for one in own),
        "dwell_median_ms": statistics.median(one["dwell"] for one in own),
        "clicks": sum(one["clicks"] for one in own),
        "returns": sum(one["returns"] for one in own)} for key, own in found.items()}
