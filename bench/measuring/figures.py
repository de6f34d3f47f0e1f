"""Medians, ranges, and tables in Markdown. Pure: figures in, text out."""

import statistics


def middle(values: list[float]) -> dict:
    """Median and range of the rounds; None where there is nothing."""
    kept = [value for value in values if value is not None]
    if not kept:
        return {"median": None, "low": None, "high": None, "rounds": 0}
    return {"median": statistics.median(kept), "low": min(kept), "high": max(kept),
            "rounds": len(kept)}


def number(value: float | None) -> str:
    """Three significant digits, thousands set apart."""
    if value is None:
        return "–"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    if size >= 100:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.095 or size == 0 else f"{value:.3f}"


def spread(found: dict) -> str:
    """`median (low–high)`."""
    if not found or found["median"] is None:
        return "–"
    if found["rounds"] == 1:
        return number(found["median"])
    return f"{number(found['median'])} ({number(found['low'])}–{number(found['high'])})"


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def processor_microseconds(phase: dict) -> dict[str, float]:
    """User and system time for each acknowledged batch, by group of processes, without the bench."""
    return {name: usage["user_microseconds_per_batch"] + usage["system_microseconds_per_batch"]
            for name, usage in phase["cpu"].items() if name != "bench"}


def listener_microseconds(phase: dict) -> float | None:
    """User time of the engine's listeners for each batch; None where there are no threads."""
    threads = phase["cpu"].get("engine", {}).get("threads") or {}
    found = [usage["user_microseconds_per_batch"] for name, usage in threads.items()
             if name.startswith("hg-listener")]
    return sum(found) if found else None


def resident_mebibytes(phase: dict) -> float:
    return sum(found["after_bytes"] for name, found in phase["memory"].items()
               if name != "bench") / 1048576
