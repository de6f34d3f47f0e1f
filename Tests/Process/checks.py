"""What the tests of this folder count and say alike."""


class Checks:
    """Counts what was checked, and says what was wrong."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name: str, is_so: bool, found=None) -> None:
        if is_so:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}: {found!r}")
