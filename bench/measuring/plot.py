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
    names = [name for name in dict.fromkeys(phase["name"] for found in result["rounds"]
                                            for phase in found["phases"])]
    lines: dict[str, list[float | None]] = {"p50_ms": [], "p99_ms": [], "p999_ms": []}
    for name in names:
        fresh = [(phase.get("freshness") or {}).get("latency") or {} for found in result["rounds"]
                 for phase in found["phases"] if phase["name"] == name]
        for key, values in lines.items():
            values.append(middle([each.get(key) for each in fresh])["median"])
    known = [value for values in lines.values() for value in values if value]
    marks = _decades(min(known or [1]), max(known or [10]))
    bottom, top = 330, TOP
    height = lambda value: bottom - (bottom - top) * (  # noqa: E731
        math.log10(value / marks[0]) / math.log10(marks[-1] / marks[0]))
    across = lambda index: 90 + (WIDTH - 180) * index / max(1, len(names) - 1)  # noqa: E731
    body = [f'<path d="M70 {height(mark):.1f}H{WIDTH - 60}" stroke="{GRID}"/>'
            f'<text class="s" x="62" y="{height(mark) + 4:.1f}" text-anchor="end">'
            f'{mark:g} ms</text>' for mark in marks]
    body += [f'<text class="s" x="{across(index):.1f}" y="{bottom + 24}" text-anchor="middle">'
             f'{escape(name)}</text>' for index, name in enumerate(names)]
    looks = {"p50_ms": (BAR, "", "p50"), "p99_ms": (OURS, "", "p99"),
             "p999_ms": (OURS, "5 4", "p99.9")}
    for key, values in lines.items():
        body.append(_line(values, across, height, *looks[key]))
    said = "; ".join(f"{name}: p99 {number(value)} ms"
                     for name, value in zip(names, lines["p99_ms"]))
    return _frame(f"Beacon to score in Redis, {result['load']} load, logarithmic", said,
                  bottom + 50, body)


def _line(values: list, across, height, colour: str, dashes: str, label: str) -> str:
    points = [(across(index), height(value)) for index, value in enumerate(values) if value]
    if not points:
        return ""
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
                   for x, y in points)
    return (f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dashes}"/>{dots}'
            f'<text class="s" x="{points[-1][0] + 9:.1f}" y="{points[-1][1] + 4:.1f}">'
            f'{label}</text>')
