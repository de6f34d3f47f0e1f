"""Three browsers behind one interface; `interface.py` says what an adapter offers."""
import importlib

NAMES = ("chromium", "firefox", "webkit")


def browser(name):
    """A browser that is not started yet."""
    return importlib.import_module(f"adapters.{name}").Browser()
