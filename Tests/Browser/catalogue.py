"""The list of scenarios: each is an async function of a scene, and says what it needs."""
from dataclasses import dataclass, field


@dataclass
class Scenario:
    name: str
    play: object
    needs: frozenset = frozenset()
    # Played on every browser in the short form, too.
    essential: bool = False
    # Why a browser's engine cannot show it, by the browser's name.
    not_on: dict = field(default_factory=dict)
    # Seconds that a played scenario may take.
    seconds: int = 90


EVERY = []


def scenario(name, *, needs=(), essential=False, not_on=None, seconds=90):
    def add(play):
        EVERY.append(Scenario(name, play, frozenset(needs), essential, not_on or {}, seconds))
        return play
    return add
