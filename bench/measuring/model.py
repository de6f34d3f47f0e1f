"""How many events a larger machine would take, from what each stage costs on this one. Pure.

A stage that may run in several threads costs its share of all cores; one that may not is bound by one
core, however many there are. The first bound that is met is the bottleneck.
"""

CORES = [1, 2, 8, 32, 128]
# The stages that one thread or process has to itself, and how many of it there may be.
SINGLE = {"hg-journal": "the journal's thread", "hg-archive": "the archive's thread",
          "redis": "Redis' one thread", "postgres": "PostgreSQL's one writing backend"}
WORKERS_MAX = 256
JOURNAL_BYTES_PER_SECOND = 1.0e9

ASSUMPTIONS = [
    "a batch costs on every core what it costs here: no loss to shared caches, memory or locks, so the "
    "modelled figures are upper bounds",
    "listeners and workers share out evenly (visitors are spread over 256 partitions by hash, so at most "
    "256 workers)",
    "journal and archive are one thread each, Redis answers on one thread, PostgreSQL's rows come "
    "through one connection; each is bound by one core",
    "the generator's own processor time is left out, the kernel's network time of engine and stores is "
    "in",
    "the journal's disk writes 1 GB/s in order; groups grow with the load, so fdatasync's latency is "
    "shared",
    "`stores elsewhere`: Redis split by partition and PostgreSQL by day or site over as many machines as "
    "it takes; today one address of each is configured, so this is what could be won, not what is built",
]


def stage_costs(cpu: dict) -> dict[str, float]:
    """Microseconds of processor time for each batch by stage; threads of one kind are added up."""
    costs: dict[str, float] = {}
    for group, usage in cpu.items():
        if group == "bench":
            continue
        parts = usage.get("threads") if group == "engine" else None
        for name, use in (parts or {group: usage}).items():
            stage = name.rstrip("0123456789").rstrip("-") if name.startswith("hg-") else name
            spent = use["user_microseconds_per_batch"] + use["system_microseconds_per_batch"]
            costs[stage] = costs.get(stage, 0.0) + spent
    return costs


def bound(costs: dict[str, float], cores: int, batch_bytes: float,
          elsewhere: bool = False) -> tuple[float, str]:
    """Batches per second that `cores` take at most, and what binds them."""
    kept = {stage: cost for stage, cost in costs.items()
            if not (elsewhere and stage in ("redis", "postgres"))}
    bounds = [(cores * 1e6 / sum(kept.values()), "all cores busy"),
              (JOURNAL_BYTES_PER_SECOND / max(1.0, batch_bytes), "the journal's disk"),
              (WORKERS_MAX * 1e6 / max(kept.get("hg-worker", 0.0), 1e-9), "256 workers")]
    bounds += [(1e6 / kept[stage], words) for stage, words in SINGLE.items()
               if kept.get(stage, 0.0) > 0]
    return min(bounds)


def project(costs: dict[str, float], events_per_batch: float, batch_bytes: float) -> list[dict]:
    one = bound(costs, 1, batch_bytes)[0]
    lines = []
    for elsewhere in (False, True):
        alone = bound(costs, 1, batch_bytes, elsewhere)[0]
        for cores in CORES:
            batches, binds = bound(costs, cores, batch_bytes, elsewhere)
            lines.append({
                "cores": f"{cores}, stores elsewhere" if elsewhere else str(cores),
                "events_per_second": batches * events_per_batch,
                "bottleneck": binds,
                "of_linear": batches / (cores * (alone if elsewhere else one)),
            })
    return lines


def core_seconds_per_million(costs: dict[str, float], events_per_batch: float) -> float:
    return sum(costs.values()) / events_per_batch
