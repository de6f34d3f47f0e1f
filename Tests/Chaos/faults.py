"""What can befall a running engine, each as a function that begins it and ends it again.

A fault counts as hit when it can be seen to have happened: the process died, a connection was cut,
a reply was swallowed, a beacon was refused.
"""

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from disks import MIB, SmallDisk, WallClock
from engine import EngineError
from scene import Scene

RESTART_SECONDS_MAX = 90
HIT_SECONDS_MAX = 15
# The reasons for which beacons are refused then. A restart begins to count anew.
WHEN_FULL = ("shed", "journal-full")
# Less than the engine leaves free for others.
FREE_WHEN_FULL_BYTES = 2 * MIB
JUMPS_SECONDS = [-3600, -1, 1, 3600]


@dataclass(frozen=True)
class Fault:
    """`act` returns whether it was hit. Two faults at once never share their `place`."""

    name: str
    place: str
    act: Callable[["Stage"], bool]


@dataclass
class Stage:
    """Where faults happen: the scene, and what only some runs have."""

    scene: Scene
    random: random.Random
    seconds: tuple[float, float]
    disk: SmallDisk | None = None
    clock: WallClock | None = None
    recoveries: list[float] = field(default_factory=list)

    def wait(self) -> None:
        time.sleep(self.random.uniform(*self.seconds))

    def wait_for(self, happened: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + HIT_SECONDS_MAX
        while time.monotonic() < deadline:
            if happened():
                return True
            time.sleep(0.05)
        return False


# ---- the engine ----------------------------------------------------------------------------------


def revive(stage: Stage) -> None:
    """What a supervisor does: starts the engine until it stays."""
    engine, deadline = stage.scene.engine, time.monotonic() + RESTART_SECONDS_MAX
    began = time.monotonic()
    while True:
        try:
            engine.start()
            stage.recoveries.append(time.monotonic() - began)
            return
        except EngineError:
            engine.kill()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def kill_engine(stage: Stage) -> bool:
    stage.scene.engine.kill()
    revive(stage)
    return True


def kill_again(stage: Stage) -> bool:
    """Dies, and dies again while it recovers, before it has said that it is ready."""
    engine = stage.scene.engine
    engine.kill()
    for _ in range(stage.random.randint(1, 3)):
        engine.launch()
        time.sleep(stage.random.uniform(0, 0.2))
        engine.kill()
    revive(stage)
    return True


def freeze_engine(stage: Stage) -> bool:
    process = stage.scene.engine.process
    process.send_signal(signal.SIGSTOP)
    stage.wait()
    process.send_signal(signal.SIGCONT)
    return True


def stop_engine(stage: Stage) -> bool:
    stage.scene.engine.stop()
    revive(stage)
    return True


# ---- a store -------------------------------------------------------------------------------------


def kill_store(store: str) -> Callable[[Stage], bool]:
    def act(stage: Stage) -> bool:
        server = getattr(stage.scene.stores, store)
        server.kill()
        stage.wait()
        server.start()
        return True
    return act


def freeze_store(store: str) -> Callable[[Stage], bool]:
    def act(stage: Stage) -> bool:
        server = getattr(stage.scene.stores, store)
        server.send(signal.SIGSTOP)
        try:
            stage.wait()
        finally:
            server.send(signal.SIGCONT)
        return True
    return act


def empty_redis(stage: Stage) -> bool:
    stage.scene.stores.redis.flush()
    return True


def set_redis_back(stage: Stage) -> bool:
    """An older snapshot takes the place of what Redis had."""
    redis = stage.scene.stores.redis
    redis.snapshot()
    stage.wait()
    redis.restore()
    return True


def kill_in_copy(stage: Stage) -> bool:
    stores = stage.scene.stores
    before = stores.postgres_proxy.copies_cut
    stores.postgres_proxy.in_next_copy = stores.postgres.kill
    hit = stage.wait_for(lambda: stores.postgres_proxy.copies_cut > before)
    stores.postgres_proxy.in_next_copy = None
    stores.postgres.start()
    return hit


# ---- the way to a store --------------------------------------------------------------------------


def with_proxy(store: str, attribute: str, values: Callable[[random.Random], object]):
    def act(stage: Stage) -> bool:
        proxy = getattr(stage.scene.stores, f"{store}_proxy")
        before = getattr(proxy, attribute)
        passed = proxy.bytes_passed
        setattr(proxy, attribute, values(stage.random))
        stage.wait()
        setattr(proxy, attribute, before)
        return stage.wait_for(lambda: proxy.bytes_passed > passed)
    return act


def refuse(store: str) -> Callable[[Stage], bool]:
    """As when a store's port is closed: what there is breaks, and nobody comes in."""
    def act(stage: Stage) -> bool:
        proxy = getattr(stage.scene.stores, f"{store}_proxy")
        before = proxy.connections_cut + proxy.refused
        proxy.refusing = True
        proxy.cut()
        stage.wait()
        proxy.refusing = False
        return proxy.connections_cut + proxy.refused > before
    return act


def cut(store: str) -> Callable[[Stage], bool]:
    def act(stage: Stage) -> bool:
        proxy = getattr(stage.scene.stores, f"{store}_proxy")
        before = proxy.connections_cut
        for _ in range(stage.random.randint(1, 4)):
            # After an earlier fault nobody may have come back yet.
            stage.wait_for(proxy.is_used)
            proxy.cut()
            time.sleep(stage.random.uniform(0, 0.6))
        return proxy.connections_cut > before
    return act


def swallow(store: str) -> Callable[[Stage], bool]:
    def act(stage: Stage) -> bool:
        proxy = getattr(stage.scene.stores, f"{store}_proxy")
        target = proxy.swallowed + stage.random.randint(1, 3)
        proxy.swallows_left = target - proxy.swallowed
        hit = stage.wait_for(lambda: proxy.swallowed >= target)
        proxy.swallows_left = 0
        return hit
    return act


# ---- the machine ---------------------------------------------------------------------------------


def fill_disk(stage: Stage) -> bool:
    """Full until beacons are refused, then a while longer; then there is room again."""
    engine, crowd = stage.scene.engine, stage.scene.crowd
    stage.disk.fill(FREE_WHEN_FULL_BYTES)
    hit = stage.wait_for(lambda: engine.refusals(*WHEN_FULL) > 0)
    stage.wait()
    stage.disk.clear()
    before = crowd.events()
    return hit and stage.wait_for(lambda: crowd.events() > before)


def set_clock(stage: Stage) -> bool:
    for _ in range(stage.random.randint(1, 3)):
        stage.clock.set(1000 * stage.random.choice(JUMPS_SECONDS))
        stage.wait()
    stage.clock.set(0)
    return True


def every_fault(has_disk: bool, has_clock: bool) -> list[Fault]:
    found = [
        Fault("engine killed", "engine", kill_engine),
        Fault("engine killed while it recovers", "engine", kill_again),
        Fault("engine frozen", "engine", freeze_engine),
        Fault("engine restarted", "engine", stop_engine),
        Fault("Redis emptied", "redis", empty_redis),
        Fault("Redis set back", "redis", set_redis_back),
        Fault("PostgreSQL killed in COPY", "postgres", kill_in_copy),
    ]
    for store, name in (("redis", "Redis"), ("postgres", "PostgreSQL")):
        found += [
            Fault(f"{name} killed", store, kill_store(store)),
            Fault(f"{name} frozen", store, freeze_store(store)),
            Fault(f"{name} delayed", store, with_proxy(
                store, "delay_seconds", lambda r: r.uniform(0.02, 0.4))),
            Fault(f"{name} throttled", store, with_proxy(
                store, "bytes_per_second", lambda r: r.uniform(20_000, 200_000))),
            Fault(f"{name} blackholed", store, with_proxy(store, "blackholed", lambda _: True)),
            Fault(f"{name} refused", store, refuse(store)),
            Fault(f"{name} cut", store, cut(store)),
            Fault(f"{name} replies swallowed", store, swallow(store)),
        ]
    if has_disk:
        found.append(Fault("disk full", "disk", fill_disk))
    if has_clock:
        found.append(Fault("clock set", "clock", set_clock))
    return found
