"""The tables of bench/RESULTS.md, made from the JSON that the scripts write."""

from figures import middle, number, spread, table

DESIGN = {"nginx": 0.5, "fastapi": 20, "lua": 8}


def _each(result: dict, name: str, run: str, pick) -> list:
    return [pick(found[name][run]) for found in result["rounds"] if name in found]


def _ack(quantile: str):
    return lambda run: (run["ack_ms"] or {}).get(quantile)


def ratios(result: dict, name: str) -> dict:
    """Heliograph's accepted rate over the subject's, of the same round."""
    pairs = [(found["heliograph"]["flat"], found[name]["flat"]) for found in result["rounds"]
             if "heliograph" in found and name in found]
    return middle([ours["batches_per_second"] / theirs["batches_per_second"]
                   for ours, theirs in pairs if theirs["batches_per_second"]])


def _ratio_cell(result: dict, name: str) -> str:
    if name == "heliograph":
        return "1"
    cell = spread(ratios(result, name))
    wanted = DESIGN.get(name)
    return f"{cell}, budget ≥ {wanted}" if wanted and result["load"] == "plain" else cell


def compare(result: dict) -> str:
    return "\n\n".join([peers(result), processors(result), _about(result)])


def peers(result: dict) -> str:
    rows = []
    for name, title in result["titles"].items():
        processes = middle(_each(result, name, "flat",
                                 lambda run: sum(run["cpu_microseconds_per_batch"].values())))
        rows.append([
            title,
            spread(middle(_each(result, name, "flat", lambda run: run["batches_per_second"]))),
            _ratio_cell(result, name),
            spread(middle(_each(result, name, "flat", _ack("p99_ms")))),
            spread(middle(_each(result, name, "low", _ack("p50_ms")))),
            spread(middle(_each(result, name, "low", _ack("p99_ms")))),
            spread(processes),
            spread(middle(_each(result, name, "flat", lambda run: run["resident_mebibytes"]))),
        ])
    heads = [f"{result['load']} load", "batches/s flat out", "Heliograph is × as fast",
             "ack p99 flat out, ms", f"p50 at {result['rate']:.0f}/s", "p99",
             "CPU µs a batch, all processes", "memory, MiB"]
    return table(heads, rows)


def processors(result: dict) -> str:
    """Processor time for each batch by process, and by the engine's threads."""
    rows = []
    for name, title in result["titles"].items():
        groups = sorted({group for found in result["rounds"] if name in found
                         for group in found[name]["flat"]["cpu"]})
        for group in groups:
            uses = _each(result, name, "flat", lambda run, g=group: run["cpu"].get(g, {}))
            rows.append([title, group, *_uses(uses)])
            threads = sorted({thread for use in uses for thread in use.get("threads") or {}})
            for thread in threads if group == "engine" else []:
                inner = [use["threads"].get(thread, {}) for use in uses if use.get("threads")]
                rows.append([title, f"&nbsp;&nbsp;{thread}", *_uses(inner)])
    return table(["", "process, thread", "user µs a batch", "system", "cores"], rows)


def _uses(uses: list[dict]) -> list[str]:
    keys = ("user_microseconds_per_batch", "system_microseconds_per_batch", "cores")
    return [spread(middle([use.get(key) for use in uses])) for key in keys]


def section_8(all_results: dict) -> str:
    """Every line of the design's section 8, with what answers it."""
    rows = [*_rates(all_results), *_fresh(all_results), *_sizes(all_results)]
    return table(["measure", "median (range)", "budget", "command"], rows)


def _rates(all_results: dict) -> list[list[str]]:
    plain = all_results.get("compare-plain")
    if not plain:
        return [["rates and ratios", "not measured yet", "", "`bench/compare --load plain`"]]
    runs = [found["heliograph"]["flat"] for found in plain["rounds"] if "heliograph" in found]
    of = lambda key: spread(middle([run.get(key) for run in runs]))  # noqa: E731
    parts = [run["sustained_events_per_second"] / run["copy_rows_per_second"] for run in runs
             if run["sustained_events_per_second"] and run.get("copy_rows_per_second")]
    rows = [[f"accepted batches/s ÷ {plain['titles'][name]}", spread(ratios(plain, name)),
             f"≥ {budget}"] for name, budget in DESIGN.items() if name in plain["titles"]]
    rows += [
        [f"sustained events/s ÷ bare binary COPY of the same rows "
         f"({of('sustained_events_per_second')} ÷ {of('copy_rows_per_second')})",
         spread(middle(parts)), "≥ 0.4"],
        ["user CPU of the listeners a batch, µs", of("listener_user_microseconds"), "≤ 3"],
    ]
    return [[*row, f"`{plain['command']}`"] for row in rows]


def _fresh(all_results: dict) -> list[list[str]]:
    rows = []
    for name in ("plain", "real"):
        result = all_results.get(f"saturation-{name}")
        fresh = [found["freshness_p99_ms"] for found in result["rounds"]] if result else []
        rows.append([f"beacon → score in Redis, p99 at 70 %, {name} load, ms",
                     spread(middle(fresh)) if fresh else "not measured yet", "≤ 10",
                     f"`bench/saturation --load {name}`"])
    return rows


def _sizes(all_results: dict) -> list[list[str]]:
    mixed, idle = all_results.get("mixes-real"), all_results.get("idle")
    states = [run.get("visitor_bytes") for run in (mixed or {"mixes": {}})["mixes"].get(
        "a million", [])]
    spent = sum(row["nanoseconds"] for row in idle["rows"]) if idle else None
    percent = f"{number(spent / 1e7 / idle['seconds'])} % of a core" if idle else "not measured yet"
    return [
        ["memory of a visitor's state, table included, bytes, a million visitors",
         spread(middle(states)) if states else "not measured yet", "≤ 1 024",
         "`bench/mixes --load real`"],
        ["idle CPU", percent, "0", "`bench/measure --only idle`"],
    ]


def saturation(result: dict) -> str:
    names = list(dict.fromkeys(phase["name"] for found in result["rounds"]
                               for phase in found["phases"]))
    rows = []
    for name in names:
        phases = [phase for found in result["rounds"] for phase in found["phases"]
                  if phase["name"] == name]
        fresh = [(phase.get("freshness") or {}).get("latency") or {} for phase in phases]
        rows.append([
            name, spread(middle([phase["batches_per_second"] for phase in phases])),
            *[spread(middle([each.get(key) for each in fresh]))
              for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms")],
            spread(middle([(phase["ack"] or {}).get("p99_ms") for phase in phases])),
            spread(middle([(phase.get("send_delay") or {}).get("p99_ms") for phase in phases])),
        ])
    heads = [f"{result['load']} load", "batches/s", "freshness p50, ms", "p99", "p99.9", "max",
             "ack p99", "of it sent late"]
    return table(heads, rows) + "\n\n" + overload(result) + "\n\n" + _about(result)


def overload(result: dict) -> str:
    phases = [phase for found in result["rounds"] for phase in found["phases"]
              if phase.get("of_capacity") is not None]
    if not phases:
        return "No overload phase."
    memory = [phase["memory"]["engine"] for phase in phases if "engine" in phase["memory"]]
    mebibytes = lambda key: spread(middle([each[key] / 1048576 for each in memory]))  # noqa: E731
    of = lambda key: spread(middle([phase[key] for phase in phases]))  # noqa: E731
    rows = [
        ["offered, batches/s (due in the open loop)", of("rate"), "3 × capacity"],
        ["sent", of("sent_per_second"), "what the shared cores let the generator send"],
        ["accepted ÷ capacity", of("of_capacity"), "≥ 0.9"],
        ["refused with Retry-After", of("refused_with_retry_after"), "all the rest"],
        ["refused without", of("refused_without_retry_after"), "0"],
        ["engine's memory before, MiB", mebibytes("before_bytes"), "flat"],
        ["after", mebibytes("after_bytes"), ""],
    ]
    return table(["overload", "median (range)", "wanted"], rows)


def mixes(result: dict) -> str:
    rows = []
    for name, runs in result["mixes"].items():
        phases = [run["phases"][0] for run in runs]
        rows.append([
            name, spread(middle([phase["batches_per_second"] for phase in phases])),
            spread(middle([(phase["ack"] or {}).get("p99_ms") for phase in phases])),
            spread(middle([phase["cpu"].get("engine", {}).get("user_microseconds_per_batch")
                           for phase in phases])),
            spread(middle([phase["memory"].get("engine", {}).get("after_bytes", 0) / 1048576
                           for phase in phases])),
            "yes" if all(run["reconciled"] for run in runs) else "NO",
        ])
    heads = [f"{result['load']} load", "batches/s flat out", "ack p99, ms",
             "engine, user µs a batch", "engine's memory, MiB", "reconciled"]
    return table(heads, rows) + "\n\n" + _about(result)


def _turn(stage: str) -> tuple[int, str]:
    """In the order in which an event meets the stages; what is not known here comes last."""
    kind = stage.partition("-")[0]
    order = ["parser", "json", "decoder", "ring", "journal", "fold"]
    return (order.index(kind) if kind in order else len(order), stage)


def micro(result: dict) -> str:
    rows = []
    for name in sorted(result["stages"], key=_turn):
        found = result["stages"][name]
        limit = result.get("thresholds", {}).get(name)
        counted = found.get("instructions")
        rows.append([
            found["title"], spread(found["nanoseconds"]), f"per {found['unit']}",
            spread(found["ratio"]), number(limit) if limit else "–",
            number(counted) if counted else "not counted here",
        ])
    heads = ["stage", "ns", "", "ratio to the reference", "at most", "instructions"]
    return (table(heads, rows) + "\n\nReference: " + result["reference"]["title"] + ", "
            + spread(result["reference"]["nanoseconds"]) + " ns.\n\n" + _about(result))


def scaling(result: dict) -> str:
    rows = []
    for name, runs in result["layouts"].items():
        rates = middle([run["batches_per_second"] for run in runs])
        rows.append([name, spread(rates), spread(middle([run["core_seconds_per_million_events"]
                                                         for run in runs]))])
    first = table(["layout", "batches/s flat out", "core-seconds per million events"], rows)
    model = [[str(line["cores"]), number(line["events_per_second"]), line["bottleneck"],
              number(line["of_linear"])] for line in result["model"]["lines"]]
    second = table(["cores", "events/s, modelled", "what binds", "of linear"], model)
    notes = "\n".join(f"- {text}" for text in result["model"]["assumptions"])
    return f"{first}\n\n{second}\n\nThe model assumes:\n\n{notes}\n\n{_about(result)}"


def counts(result: dict) -> str:
    rows = [[name, number(calls), number(result["retains_per_event"].get(name)),
             number(result["releases_per_event"].get(name))]
            for name, calls in result["mallocs_per_1000_events"].items()
            if calls or result["retains_per_event"].get(name)]
    return table(["thread", "mallocs per 1 000 events", "retains per event",
                  "releases per event"], rows)


def idle(result: dict) -> str:
    rows = [[row["thread"], number(row["nanoseconds"] / 1000 / result["seconds"]),
             number(row["wake_ups"] / result["seconds"])] for row in result["rows"]]
    return table(["thread", "µs of processor time a second", "wake-ups a second"], rows)


def _about(result: dict) -> str:
    about = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (f"{about['date']}, commit {about['commit']}; {about['cores']} cores of "
            f"{about['processor']}, {about['memory_gib']} GiB, Linux {about['kernel']}, "
            f"{about['system']}; {versions}; load average before {about['load_average_at_start']}."
            )
