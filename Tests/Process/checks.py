"""What the tests of this folder count and say alike."""


class Checks:
    """Counts what was checked, and says what was wrong; `tells_all` says what was right as well."""

    def __init__(self, tells_all: bool = False):
        self.passed = self.failed = 0
        self.tells_all = tells_all

    def check(self, name: str, is_so: bool, found=None) -> None:
        self.passed += is_so
        self.failed += not is_so
        if not is_so:
            print(f"    FAILED  {name}: {found!r}"[:2000], flush=True)
        elif self.tells_all:
            print(f"    ok  {name}", flush=True)
