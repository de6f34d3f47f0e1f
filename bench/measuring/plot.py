"""Plots as SVG, written by hand: no library, one look, a text for those who cannot see them."""

import math
from html import escape

from figures import middle, number

WIDTH, LEFT, ROW, TOP = 760, 230, 40, 64
INK, BAR, OURS, GRID = "#1b1f24", "#8a97a6", "#b3541e", "#d5dbe1"
STYLE = ("<style>text{font:13px system-ui,sans-serif;fill:" + INK + "}"
         ".h{font-size:16px;font-weight:600}.s{font-size:12px}</style>")


def _frame(title: str, description: str, height: int, body: list[str]) -> str:
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}" '
            f'aria-labelledby="t d"><title id="t">{escape(title)}</title>'
            f'<desc id="d">{escape(description)}</desc>{STYLE}'
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
            f'<text class="h" x="16" y="28">{escape(title)}</text>')
    return head + "\n".join(body) + "</svg>\n"


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0 ** power for power in range(first, max(last, first + 1) + 1)]


def compare(result: dict) -> str:
    """Batches per second of each subject on a logarithmic axis; the whisker is the rounds' range."""
    found = [(name, title, middle([turn[name]["flat"]["batches_per_second"]
                                   for turn in result["rounds"] if name in turn]))
             for name, title in result["titles"].items()]
    found.sort(key=lambda each: -(each[2]["median"] or 0))
    marks = _decades(max(1.0, min(each[2]["low"] or 1 for each in found)),
                     max(each[2]["high"] or 1 for each in found))
    span = math.log10(marks[-1] / marks[0])
    place = lambda value: LEFT + (WIDTH - LEFT - 90) * (  # noqa: E731
        math.log10(max(value, marks[0]) / marks[0]) / span)
    height = TOP + ROW * len(found) + 44
    body = []
    for mark in marks:
        body.append(f'<path d="M{place(mark):.1f} {TOP - 8}V{height - 36}" stroke="{GRID}"/>'
                    f'<text class="s" x="{place(mark):.1f}" y="{height - 18}" '
                    f'text-anchor="middle">{number(mark)}</text>')
    for index, (name, title, rate) in enumerate(found):
        body.append(_bar(TOP + ROW * index, name, title.replace("`", ""), rate, place))
    said = "; ".join(f"{title} {number(rate['median'])}" for _, title, rate in found)
    return _frame(f"Batches per second, {result['load']} load, logarithmic",
                  f"Median of {len(result['rounds'])} rounds: {said}", height, body)


def _bar(top: float, name: str, title: str, rate: dict, place) -> str:
    end, colour = place(rate["median"] or 1), OURS if name == "heliograph" else BAR
    middle_line = top + ROW * 0.4
    return (f'<text x="{LEFT - 10}" y="{middle_line + 5:.1f}" text-anchor="end">'
            f'{escape(title)}</text>'
            f'<rect x="{LEFT}" y="{top}" width="{max(1, end - LEFT):.1f}" height="{ROW * 0.8:.1f}" '
            f'fill="{colour}"/>'
            f'<path d="M{place(rate["low"] or 1):.1f} {middle_line:.1f}'
            f'H{place(rate["high"] or 1):.1f}" stroke="{INK}" stroke-width="3"/>'
            f'<text x="{place(rate["high"] or 1) + 8:.1f}" y="{middle_line + 5:.1f}">'
            f'{number(rate["median"])}</text>')


def saturation(result: dict) -> str:
    """Freshness p50, p99 and p99.9 in milliseconds over the load, on a logarithmic axis."""
    names = list(dict.fromkeys(phase["name"] for found in result["rounds"]
                               for phase in found["phases"]))
    # Parts of the flat-out rate first: the load grows from left to right.
    names.sort(key=lambda name: not name.startswith("at "))
    lines = {key: [_fresh(result, name, key) for name in names] for key in LINES}
    known = [value for values in lines.values() for value in values if value]
    marks = _decades(min(known or [1]), max(known or [10]))
    bottom = 330
    height = lambda value: bottom - (bottom - TOP) * (  # noqa: E731
        math.log10(value / marks[0]) / math.log10(marks[-1] / marks[0]))
    across = lambda index: 110 + (WIDTH - 180) * index / max(1, len(names) - 1)  # noqa: E731
    body = [f'<path d="M78 {height(mark):.1f}H{WIDTH - 20}" stroke="{GRID}"/>'
            f'<text class="s" x="70" y="{height(mark) + 4:.1f}" text-anchor="end">'
            f'{number(mark)} ms</text>' for mark in marks]
    body += [f'<text class="s" x="{across(index):.1f}" y="{bottom + 24}" text-anchor="middle">'
             f'{escape(name)}</text>' for index, name in enumerate(names)]
    for index, (key, values) in enumerate(lines.items()):
        points = [(across(place), height(value)) for place, value in enumerate(values) if value]
        body.append(_line(points, WIDTH - 270 + 90 * index, *LINES[key]))
    said = "; ".join(f"{name}: p99 {number(value)} ms"
                     for name, value in zip(names, lines["p99_ms"]))
    return _frame(f"Beacon to score in Redis, {result['load']} load, logarithmic", said,
                  bottom + 50, body)


# Colour, dashes and name of each line.
LINES = {"p50_ms": (BAR, "none", "p50"), "p99_ms": (OURS, "none", "p99"),
         "p999_ms": (OURS, "5 4", "p99.9")}


def _fresh(result: dict, name: str, key: str) -> float | None:
    found = [((phase.get("freshness") or {}).get("latency") or {}).get(key)
             for run in result["rounds"] for phase in run["phases"] if phase["name"] == name]
    return middle(found)["median"]


def _line(points: list[tuple[float, float]], legend: float, colour: str, dashes: str,
          label: str) -> str:
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points) or "0 0"
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
                   for x, y in points)
    look = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
    return (f'<path d="M{path}" {look}/>{dots}<path d="M{legend} 46h30" {look}/>'
            f'<text class="s" x="{legend + 36}" y="50">{label}</text>')
